//! How long a tool takes, asked by one caller, one call after the other.

use std::time::Instant;

use anyhow::ensure;
use kubeplex_tests::fleet::TestFleet;
use serde_json::Value;

use crate::figure::{Figure, millis, percentile};

/// A question, and how often it is asked.
pub(crate) struct Asked<'a> {
    pub(crate) tool: &'a str,
    pub(crate) arguments: Value,
    pub(crate) calls: usize,
    /// What was measured, but for the percentile.
    pub(crate) title: String,
    /// Of the 99th percentile; empty for none.
    pub(crate) goal: &'a str,
    pub(crate) limit: &'a str,
}

impl Asked<'_> {
    /// Prints the median and the 99th percentile.
    ///
    /// # Errors
    /// When an answer is partial: it would be quicker than a whole one.
    pub(crate) async fn measure(self, fleet: &TestFleet) -> anyhow::Result<()> {
        let mut samples = Vec::with_capacity(self.calls);
        for _ in 0..self.calls {
            let started = Instant::now();
            let answer = fleet.call(self.tool, self.arguments.clone()).await;
            samples.push(started.elapsed());
            ensure!(answer.get("partial").is_none(), "an answer of {} is partial", self.tool);
        }
        for (percent, goal) in [(50.0, ""), (99.0, self.goal)] {
            let title = format!("{}: p{percent:.0}", self.title);
            let value = millis(percentile(&mut samples, percent));
            Figure::new(title, value, "ms", self.limit).goal(goal).print()?;
        }
        Ok(())
    }
}
