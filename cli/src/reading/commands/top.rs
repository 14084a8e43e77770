//! `kubeplex top`: what pods or nodes use.

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::wide;
use crate::reading::flags::{How, Labels, Listing, Place};
use crate::reading::question::Question;

#[derive(Debug, Args, Serialize)]
pub struct Top {
    /// Of what
    #[arg(value_enum, default_value = "pods")]
    kind: Measured,
    #[command(flatten)]
    #[serde(flatten)]
    place: Place,
    #[command(flatten)]
    #[serde(flatten)]
    labels: Labels,
    #[command(flatten)]
    #[serde(flatten)]
    listing: Listing,
    #[command(flatten)]
    #[serde(flatten)]
    how: How,
}

/// Of what usage is measured, as kubectl names it.
#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Measured {
    #[value(aliases = ["pod", "po"])]
    Pods,
    #[value(aliases = ["node", "no"])]
    Nodes,
}

impl Top {
    pub(super) fn question(&self) -> Question {
        let question = wide(Question::of("top", self, &self.how), &self.listing);
        question.paged(&self.listing).of_kind(self.kind.plural())
    }
}

impl Measured {
    fn plural(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Nodes => "nodes",
        }
    }
}
