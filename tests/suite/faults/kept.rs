//! What the gateway keeps of answers, over real links.

use kubeplex_gateway::fleet::LinkState;
use kubeplex_tests::quick::brisk;
use serde_json::json;

use super::rig::{Setup, small};
use super::{Answer, pod};

fn kept(answer: &Answer, cluster: &str) -> String {
    answer.leg(cluster)["kept"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_shows_every_change_and_is_not_shown_over_a_silent_link() {
    let rig = Setup::new().timings(brisk()).sim(small("eu", 1)).sim(small("us", 2)).ready().await;
    let question = json!({"fields": "name,metadata.labels.mark"});
    let before =
        rig.pods_until("pages to be kept", question.clone(), |answer| kept(answer, "eu") == "page").await;
    assert_eq!(before.rows_by_cluster().len(), 2);

    for round in 0..10 {
        let mark = format!("mark-{round}");
        rig.sim("eu").apply(pod("written", json!({"mark": mark}))).unwrap();
        let shows = |answer: &Answer| answer.ok().to_string().contains(&mark);
        let shown = rig.pods_until("the write to show", question.clone(), shows).await;
        assert_eq!(shown.rows_of("us"), before.rows_of("us"));
        let again = |answer: &Answer| kept(answer, "eu") == "page";
        let again = rig.pods_until("the page to be kept again", question.clone(), again).await;
        assert!(shows(&again), "round {round}: {again:?}");
    }

    rig.proxy("eu").freeze();
    rig.until("eu", "suspect or lost", |view| view.link != LinkState::Connected).await;
    let silent = rig.pods(question.clone()).await;
    assert_eq!(kept(&silent, "eu"), "", "{}", silent.leg("eu"));
    assert!(["answer", "unchanged", ""].contains(&kept(&silent, "us").as_str()), "{}", silent.leg("us"));
    rig.proxy("eu").thaw();
    rig.ready("eu").await;
    let whole = |answer: &Answer| !answer.is_partial() && kept(answer, "eu") == "page";
    rig.pods_until("pages to be kept again", question, whole).await;
    rig.stop().await;
}
