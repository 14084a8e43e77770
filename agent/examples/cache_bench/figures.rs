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
    #[serde(skip_serializing_if = "str::is_empty")]
    limit: &'static str,
}

const BYTES_A_POD: &str = "≤ 1200";

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
        )
        .goal(BYTES_A_POD)
        .limit("names, uids, addresses and hashes, which are random, are most of a compressed object"),
        figure(
            format!("process with pods and nodes only, settled, {conditions}"),
            mib(measured.settled.total),
            "MiB",
        )
        .goal(of_large("≤ 110")),
        figure(
            format!("process with pods and nodes only, settled after a relist, {conditions}"),
            mib(measured.settled_again.total),
            "MiB",
        )
        .goal(of_large("≤ 110")),
        figure(
            format!("process at the peak of a first sync, {conditions}"),
            mib(measured.peak_of_sync),
            "MiB",
        )
        .goal(of_large("≤ 180")),
        figure(format!("process at the peak of a relist, {conditions}"), mib(measured.peak_of_relist), "MiB")
            .goal(of_large("≤ 180")),
        figure(format!("process without pods, {conditions}"), mib(measured.empty.total), "MiB"),
    ];
    if measured.threads == 1 {
        figures.push(figure(
            format!("bytes a cached pod, as the cache counts them, {} pods", number(measured.pods)),
            a_pod(measured.counted as u64).round(),
            "B",
        ));
    }
    figures
}

pub(crate) fn figures_of_speed(measured: &speed::Measured) -> Vec<Figure> {
    let pods = number(measured.pods);
    let rate = |name: &str, value: u64| figure(format!("pods {name}, one thread"), value as f64, "pods/s");
    vec![
        figure(format!("a row read by name, {pods} pods"), measured.row_ns as f64 / 1e3, "µs").goal("< 1"),
        figure(format!("a whole object read by name, {pods} pods"), measured.object_ns as f64 / 1e3, "µs")
            .goal("< 5"),
        figure(format!("a row in a scan by label, {pods} pods"), measured.scanned_row_ns as f64 / 1e3, "µs"),
        rate("parsed, redacted and shown as rows", measured.prepared_per_second),
        rate("compressed and stored", measured.applied_per_second),
    ]
}

fn figure(figure: String, value: f64, unit: &'static str) -> Figure {
    Figure { figure, value, unit, goal: "", limit: "" }
}

impl Figure {
    fn goal(self, goal: &'static str) -> Self {
        Self { goal, ..self }
    }

    fn limit(self, limit: &'static str) -> Self {
        Self { limit, ..self }
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
