//! What was measured, as figures beside their goals.

use serde::Serialize;

use super::{memory, speed};

/// One line of the benchmarks' report.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    figure: String,
    value: f64,
    unit: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    goal: &'static str,
    /// What keeps it from being better.
    limit: &'static str,
}

const BYTES_A_POD: &str = "≤ 1200";

const RANDOM: &str = "names, uids, addresses and hashes, which are random, are most of a compressed object";
const WHOLE: &str = "the compressed objects, and the program without them";
const RELISTED: &str =
    "as settled; what changed was compressed anew, and leaves gaps in the allocator's pages";
const FIRST_SYNC: &str =
    "as settled, a page of raw objects, and training a dictionary and compressing anew with it";
const RELIST: &str = "as settled, and a page of raw objects: a relist marks and sweeps in place";
const PROGRAM: &str =
    "the program's code, the matchers of redaction, and what the allocator keeps for each thread";
const LOOKING_UP: &str =
    "the memory where a name, its row and its strings are, which the processor has not at hand";
const OPENING: &str = "looking the row up, and zstd";
const SCANNING: &str = "reading the labels of each row from memory";
const SEARCHING: &str = "the memory where names are, a thousand bytes apart";
const TAKING_IN: &str =
    "parsing JSON of 8 kB and more, and matching every text in it against the table of redaction";
const STORING: &str = "compressing with zstd and a dictionary";

/// The goals of a whole process are for a cluster of this size.
const LARGE: usize = 50_000;

pub(crate) fn figures_of_memory(measured: &memory::Measured) -> Vec<Figure> {
    let conditions = format!("{} pods, {}", number(measured.pods), threads(measured.threads));
    let a_pod = |bytes: u64| bytes as f64 / measured.pods as f64;
    let of_large = |goal| if measured.pods == LARGE { goal } else { "" };
    let mut figures = vec![
        figure(
            format!("bytes a cached pod, resident, {conditions}"),
            a_pod(measured.with_pods.total.saturating_sub(measured.empty.total)).round(),
            "B",
            RANDOM,
        )
        .goal(BYTES_A_POD),
        figure(
            format!("process with pods and nodes only, settled, {conditions}"),
            mib(measured.settled.total),
            "MiB",
            WHOLE,
        )
        .goal(of_large("≤ 110")),
        figure(
            format!("process with pods and nodes only, settled after a relist, {conditions}"),
            mib(measured.settled_again.total),
            "MiB",
            RELISTED,
        )
        .goal(of_large("≤ 110")),
        figure(
            format!("process at the peak of a first sync, {conditions}"),
            mib(measured.peak_of_sync),
            "MiB",
            FIRST_SYNC,
        )
        .goal(of_large("≤ 180")),
        figure(
            format!("process at the peak of a relist, {conditions}"),
            mib(measured.peak_of_relist),
            "MiB",
            RELIST,
        )
        .goal(of_large("≤ 180")),
        figure(format!("process without pods, {conditions}"), mib(measured.empty.total), "MiB", PROGRAM),
    ];
    if measured.threads == 1 {
        figures.push(figure(
            format!("bytes a cached pod, as the cache counts them, {} pods", number(measured.pods)),
            a_pod(measured.counted as u64).round(),
            "B",
            RANDOM,
        ));
    }
    figures
}

pub(crate) fn figures_of_speed(measured: &speed::Measured) -> Vec<Figure> {
    let pods = number(measured.pods);
    let time =
        |name: &str, ns: u64, limit| figure(format!("{name}, {pods} pods"), ns as f64 / 1e3, "µs", limit);
    let rate = |name: &str, value: u64, limit| {
        figure(format!("pods {name}, one thread"), value as f64, "pods/s", limit)
    };
    vec![
        time("a row read by name", measured.row_ns, LOOKING_UP).goal("< 1"),
        time("a whole object read by name", measured.object_ns, OPENING).goal("< 5"),
        time("a row in a scan by label", measured.scanned_row_ns, SCANNING),
        time("a row in a search for a word", measured.searched_row_ns, SEARCHING),
        rate("parsed, redacted and shown as rows", measured.prepared_per_second, TAKING_IN),
        rate("compressed and stored", measured.applied_per_second, STORING),
    ]
}

fn figure(figure: String, value: f64, unit: &'static str, limit: &'static str) -> Figure {
    Figure { figure, value, unit, goal: "", limit }
}

impl Figure {
    fn goal(self, goal: &'static str) -> Self {
        Self { goal, ..self }
    }
}

fn threads(count: usize) -> String {
    if count == 1 { "1 thread".to_owned() } else { format!("{count} threads") }
}

/// With commas between thousands.
fn number(count: usize) -> String {
    if count < 1_000 {
        return count.to_string();
    }
    format!("{},{:03}", number(count / 1_000), count % 1_000)
}

fn mib(bytes: u64) -> f64 {
    (bytes as f64 / f64::from(1 << 20) * 10.0).round() / 10.0
}
