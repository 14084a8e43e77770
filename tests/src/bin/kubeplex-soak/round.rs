//! A round: faults, with people asking and pods changing; then everything heals and rests, and what the process holds is
//! looked at.

use std::time::{Duration, Instant};

use futures::future::join_all;
use kubeplex_tests::usage::Usage;
use kubeplex_tests::wait::pass;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::people::{self, Tally};
use crate::stage::Stage;
use crate::trouble;

/// Between two changes.
const CHANGE: Duration = Duration::from_millis(40);

/// How long everything may take to be whole again after the last fault.
const HEALING: Duration = Duration::from_secs(60);

/// What a round was.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Round {
    number: usize,
    troubles: Vec<String>,
    pub(crate) tally: Tally,
    /// From the last fault until everybody saw everything.
    pub(crate) healed_ms: u64,
    pub(crate) usage: Usage,
}

pub(crate) async fn play(stage: &Stage, number: usize) -> Round {
    let over = CancellationToken::new();
    let mut asking = JoinSet::new();
    for person in people::ALL {
        asking.spawn(person.keep_asking(stage.clone(), over.clone()));
    }
    let mut changing = JoinSet::new();
    changing.spawn(keep_changing(stage.clone(), number, over.clone()));
    // Two at a time, so that in the course of the rounds most meet most others.
    let clusters = stage.clusters();
    let of = |shift: usize, step: usize| {
        (
            trouble::ALL[(number * step + shift) % trouble::ALL.len()],
            &clusters[(number + shift) % clusters.len()],
        )
    };
    let befalling = [of(0, 1), of(1, 5)];
    join_all(befalling.iter().map(|(trouble, cluster)| trouble.befall(cluster))).await;
    over.cancel();
    let tally = asking.join_all().await.into_iter().fold(Tally::default(), Tally::with);
    changing.join_all().await;

    let healing = Instant::now();
    let whole = join_all(people::ALL.iter().map(|person| person.until_whole(stage)));
    if timeout(HEALING, whole).await.is_err() {
        stage.violated(format_args!("not whole again within {HEALING:?}"));
    }
    let healed_ms = u64::try_from(healing.elapsed().as_millis()).unwrap_or(u64::MAX);
    let troubles =
        befalling.iter().map(|(trouble, cluster)| format!("{trouble:?} {}", cluster.name)).collect();
    Round { number, troubles, tally, healed_ms, usage: Usage::at_rest().await }
}

async fn keep_changing(stage: Stage, round: usize, over: CancellationToken) {
    let clusters = stage.clusters();
    for number in 0.. {
        if over.is_cancelled() {
            return;
        }
        clusters[number % clusters.len()].change(round * 17 + number * 7);
        pass(CHANGE).await;
    }
}

impl Round {
    /// Bytes of the heap that belong to this note of it.
    pub(crate) fn noted(&self) -> usize {
        let texts = self.troubles.iter().map(String::capacity).sum::<usize>();
        self.troubles.capacity() * size_of::<String>() + texts
    }

    /// For whoever watches.
    pub(crate) fn line(&self) -> String {
        let Self { number, troubles, tally, healed_ms, usage } = self;
        let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
        format!(
            "round {}: {}; {} calls, {} partial; whole after {healed_ms} ms; {:.1} MiB in use, {:.0} MiB resident, {} files",
            number + 1,
            troubles.join(", "),
            tally.calls,
            tally.partial,
            mib(usage.live),
            mib(usage.resident.unwrap_or_default()),
            usage.files.unwrap_or_default(),
        )
    }
}
