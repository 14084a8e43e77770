//! Questions that people ask every day, answered in at most three calls: of the demo, and of real API servers on which the
//! same sort of story was made to happen. `docs/walks.md` is written from these.

mod demo;
mod page;
mod real;
mod story;
mod walk;

use kubeplex_tests::fleet::TestFleet;

use crate::{ground, pages};
use walk::{Taken, Walk};

async fn of_the_demo() -> Vec<Taken> {
    let fleet = TestFleet::simulated(kubeplex_cli::demo::configs(6, 150)).await.ready().await;
    let taken = all(&fleet, &demo::WALKS).await;
    fleet.stop().await;
    taken
}

async fn all(fleet: &TestFleet, walks: &'static [Walk]) -> Vec<Taken> {
    let mut taken = Vec::new();
    for walk in walks {
        taken.push(walk::take(fleet, walk).await);
    }
    taken
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated_questions_of_every_day_take_three_calls() {
    of_the_demo().await;
}

#[test]
fn questions_of_every_day_take_three_calls_on_real_clusters() {
    ground::real_alone("questions_of_every_day_take_three_calls_on_real_clusters", async |fleet| {
        story::happens(fleet).await;
        let taken = all(fleet, &real::WALKS).await;
        if pages::are_to_be_written() {
            page::write(&of_the_demo().await, &taken);
        }
        story::is_over(fleet).await;
    });
}

#[test]
fn simulated_page_is_of_these_walks() {
    page::check(&[("The demo", &demo::WALKS), ("Real control planes", &real::WALKS)]);
}
