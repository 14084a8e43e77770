//! Figures, and how they are taken from samples.

use std::time::Duration;

use serde::Serialize;

/// One measured figure, as `cargo xtask bench` reads it.
#[derive(Debug, Serialize)]
pub(crate) struct Figure<'a> {
    /// What was measured, under which conditions.
    pub(crate) figure: String,
    pub(crate) value: f64,
    pub(crate) unit: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) goal: &'a str,
    /// What keeps it from being better.
    pub(crate) limit: &'a str,
}

impl<'a> Figure<'a> {
    pub(crate) fn new(figure: impl Into<String>, value: f64, unit: &'a str, limit: &'a str) -> Self {
        Self { figure: figure.into(), value, unit, goal: "", limit }
    }

    pub(crate) fn goal(self, goal: &'a str) -> Self {
        Self { goal, ..self }
    }

    pub(crate) fn print(&self) -> anyhow::Result<()> {
        println!("{}", serde_json::to_string(self)?);
        Ok(())
    }
}

/// The value below which `percent` of the samples lie; zero without samples.
pub(crate) fn percentile(samples: &mut [Duration], percent: f64) -> Duration {
    samples.sort_unstable();
    let last = samples.len().saturating_sub(1);
    let index = (percent / 100.0 * last as f64).round() as usize;
    samples.get(index).copied().unwrap_or_default()
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
