//! From the look for a page to the turn of its call, between which the call may have waited.

use std::sync::Arc;
use std::time::Duration;

use kubeplex_proto::ids::CallId;
use kubeplex_proto::visibility::Visibility;
use serde_json::json;
use tokio::time::{Instant, advance};

use super::world::World;
use crate::admit::{Admission, Admitted};
use crate::clock::Steady;
use crate::identify::{Caller, somebody, somebody_called};
use crate::limits::Limits;
use crate::policy::{Permit, authorize};
use crate::request::Request;
use crate::request::fixtures::{cluster, fleet, rendered_page_of_one, resolved};
use crate::results::pages::{Keep, KeptPages, Sight, Turn};
use crate::results::seen::Seen;
use crate::telemetry::Telemetry;
use crate::tools::{self, Tool};
use crate::trace::Trace;

/// The stages around the kept pages, one by one.
struct Stages {
    world: World,
    pages: KeptPages,
    admission: Admission,
    tool: &'static Tool,
    caller: Caller,
    request: Arc<Request>,
}

impl Stages {
    fn new() -> Self {
        let (world, telemetry) = (World::of(&["eu"]), Telemetry::new());
        let pages = KeptPages::new(1 << 20, world.registry().clone(), &telemetry);
        let admission = Admission::new(&Limits::default(), &telemetry);
        let tool = tools::catalogue().get("pods_list").unwrap();
        let request = resolved(&fleet(vec![cluster("eu", &[])]), tool.name, &json!({})).unwrap();
        let caller = somebody(Visibility::everything());
        Self { world, pages, admission, tool, caller, request: request.into() }
    }

    fn permit(&self) -> Permit {
        self.permit_of(self.caller.clone(), &self.request)
    }

    fn permit_of(&self, caller: Caller, request: &Arc<Request>) -> Permit {
        authorize(caller, self.tool.deed(), Arc::clone(request)).unwrap()
    }

    fn look(&self, permit: &Permit, seen: &Seen) -> Sight {
        self.pages.look(self.tool, permit, seen, Instant::now())
    }

    async fn let_in(&self) -> (Sight, Admitted) {
        let permit = self.permit();
        let sight = self.look(&permit, &Seen::default());
        let (effort, soon) = (sight.effort(), Instant::now() + Duration::from_secs(1));
        (sight, self.admission.admit(permit, self.tool.class, effort, soon).await.unwrap())
    }

    /// What the one row of the cluster makes of a question.
    fn answer(&self, keep: Keep<'_>) {
        let Request::List(query) = &*self.request else { panic!("a list") };
        let (rendered, again) = rendered_page_of_one(query, Steady::now(), 0);
        keep.keep(Some(again), &rendered, &Trace::begin(CallId("c".to_owned())));
    }

    async fn with_a_page() -> Self {
        let stages = Self::new();
        let (sight, admitted) = stages.let_in().await;
        let Turn::Ask(keep) = stages.pages.turn(sight, &admitted, Instant::now()).await else {
            panic!("nothing is kept yet")
        };
        stages.answer(keep);
        stages
    }
}

fn is_kept(sight: &Sight) -> bool {
    matches!(sight, Sight::Kept(_))
}

#[tokio::test(start_paused = true)]
async fn a_page_that_became_too_old_before_its_calls_had_their_turn_is_asked_for_once() {
    let stages = Stages::with_a_page().await;
    let (one, other, third) = (stages.let_in().await, stages.let_in().await, stages.let_in().await);
    assert!([&one, &other, &third].iter().all(|(sight, _)| is_kept(sight)));
    // Its row says 30s.
    advance(Duration::from_secs(1)).await;
    let now = Instant::now();
    let Turn::Ask(keep) = stages.pages.turn(one.0, &one.1, now).await else { panic!("its row is 31s old") };
    let mut following = Box::pin(stages.pages.turn(other.0, &other.1, now));
    assert!(futures::poll!(following.as_mut()).is_pending(), "it waits for who asks");
    stages.answer(keep);
    assert!(matches!(following.await, Turn::Show(_)));
    let late = stages.pages.turn(third.0, &third.1, now).await;
    assert!(matches!(late, Turn::Show(_)), "the page is there again");
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_is_good_for_the_same_request_of_the_same_caller() {
    let stages = Stages::with_a_page().await;
    let (permit, seen) = (stages.permit(), Seen::default());
    assert!(is_kept(&stages.look(&permit, &seen)));
    // Who holds the note drops it with the snapshot that the request is of; it does not look by itself.
    stages.world.change("eu");
    stages.world.push("eu");
    assert!(is_kept(&stages.look(&permit, &seen)));
    let another = resolved(&fleet(vec![cluster("eu", &[])]), "pods_list", &json!({})).unwrap();
    let ben = somebody_called("ben", Visibility::everything());
    for (permit, who) in [
        (stages.permit_of(stages.caller.clone(), &another.into()), "another request"),
        (stages.permit_of(ben, &stages.request), "another caller"),
    ] {
        assert!(!is_kept(&stages.look(&permit, &seen)), "{who}");
    }
    assert!(!is_kept(&stages.look(&permit, &Seen::default())), "whoever looks sees the change");
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_is_good_until_the_page_or_its_cluster_is_not() {
    let stages = Stages::with_a_page().await;
    let (permit, seen) = (stages.permit(), Seen::default());
    assert!(is_kept(&stages.look(&permit, &seen)));
    advance(Duration::from_millis(999)).await;
    assert!(is_kept(&stages.look(&permit, &seen)));
    advance(Duration::from_millis(1)).await;
    assert!(!is_kept(&stages.look(&permit, &seen)), "its row says 30s");

    advance(Duration::from_millis(6_950)).await;
    let (sight, admitted) = stages.let_in().await;
    let Turn::Ask(keep) = stages.pages.turn(sight, &admitted, Instant::now()).await else {
        panic!("its row says 30s")
    };
    stages.answer(keep);
    let seen = Seen::default();
    assert!(is_kept(&stages.look(&permit, &seen)));
    advance(Duration::from_millis(50)).await;
    assert!(!is_kept(&stages.look(&permit, &seen)), "nothing was heard of the cluster for 8 s");
}
