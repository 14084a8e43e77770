//! The commands: which flags each has, and which tool it asks.

mod logs;
mod top;

use clap::{Args, Subcommand, ValueHint};
use serde::Serialize;

use crate::completion;
use crate::exit::OF_READING;

use super::flags::{Clusters, How, Labels, Listing, Output, Place, Selectors, Times};
use super::object::{ObjectWords, ObjectsWords};
use super::question::{Question, UsageError};

use logs::Logs;
use top::Top;

/// All columns of a kind, those among them that only `-o wide` shows.
const ALL_COLUMNS: &str = "*";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Pods, of all clusters in one order
    #[command(after_help = OF_READING)]
    Pods(Pods),
    /// Objects of any kind: many as a table, named ones whole with -o json or yaml
    #[command(after_help = OF_READING)]
    Get(Get),
    /// Find objects of any kind, by words and by key:value
    #[command(after_help = OF_READING)]
    Search(Search),
    /// What differs between clusters, between namespaces, or from a manifest
    #[command(after_help = OF_READING)]
    Diff(Diff),
    /// What is wrong now, and why
    #[command(after_help = OF_READING)]
    Problems(Problems),
    /// What was created, changed or deleted, and by whom
    #[command(after_help = OF_READING)]
    Changes(Changes),
    /// One object with what belongs to it: events, owners, children, problems, changes
    #[command(after_help = OF_READING)]
    Describe(Describe),
    /// Logs of a pod or of all pods of a workload, merged by time over replicas and clusters
    #[command(after_help = OF_READING)]
    Logs(Logs),
    /// What pods or nodes use, beside what they asked for
    #[command(after_help = OF_READING)]
    Top(Top),
    /// What happened to which objects, newest first
    #[command(after_help = OF_READING)]
    Events(Events),
    /// How the clusters are, and what is wrong with those that are not well
    #[command(after_help = OF_READING)]
    Health(Health),
}

impl Command {
    pub(super) fn question(&self) -> Result<Question, UsageError> {
        match self {
            Self::Pods(pods) => Ok(pods.question()),
            Self::Get(get) => get.question(),
            Self::Search(search) => Ok(search.question()),
            Self::Diff(diff) => diff.question(),
            Self::Problems(problems) => problems.question(),
            Self::Changes(changes) => changes.question(),
            Self::Describe(describe) => describe.question(),
            Self::Logs(logs) => logs.question(),
            Self::Top(top) => Ok(top.question()),
            Self::Events(events) => events.question(),
            Self::Health(health) => Ok(health.question()),
        }
    }
}

#[derive(Debug, Args, Serialize)]
pub struct Pods {
    #[command(flatten)]
    #[serde(flatten)]
    place: Place,
    #[command(flatten)]
    #[serde(flatten)]
    selectors: Selectors,
    #[command(flatten)]
    #[serde(flatten)]
    listing: Listing,
    #[command(flatten)]
    #[serde(flatten)]
    how: How,
}

#[derive(Debug, Args, Serialize)]
pub struct Get {
    #[command(flatten)]
    #[serde(skip)]
    objects: ObjectsWords,
    #[command(flatten)]
    #[serde(flatten)]
    place: Place,
    #[command(flatten)]
    #[serde(flatten)]
    selectors: Selectors,
    #[command(flatten)]
    #[serde(flatten)]
    listing: Listing,
    #[command(flatten)]
    #[serde(flatten)]
    how: How,
}

#[derive(Debug, Args, Serialize)]
pub struct Search {
    /// Words that stand in objects, and key:value, as in 'image:*1.8* restarts>5'
    #[arg(value_name = "QUERY", required = true)]
    #[serde(skip)]
    query: Vec<String>,
    #[command(flatten)]
    #[serde(flatten)]
    place: Place,
    #[command(flatten)]
    #[serde(flatten)]
    listing: Listing,
    #[command(flatten)]
    #[serde(flatten)]
    how: How,
}

#[derive(Debug, Args, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diff {
    #[command(flatten)]
    #[serde(skip)]
    object: ObjectWords,
    #[command(flatten)]
    #[serde(flatten)]
    place: Place,
    #[command(flatten)]
    #[serde(flatten)]
    labels: Labels,
    /// The cluster that the others are compared with; otherwise what most of them have
    #[arg(long, value_name = "CLUSTER", add = completion::cluster(), help_heading = "Which")]
    baseline: Option<String>,
    /// Compare the objects of -n with those of this namespace
    #[arg(long, value_name = "NAME", requires = "namespace", add = completion::namespace(), help_heading = "Which")]
    to_namespace: Option<String>,
    /// Compare with this manifest; - reads it from standard input
    #[arg(short = 'f', long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Which")]
    #[serde(skip)]
    filename: Option<String>,
    /// Paths that may differ, as in spec.replicas,metadata.annotations
    #[arg(long, value_name = "PATHS", help_heading = "Which")]
    ignore: Option<String>,
    #[command(flatten)]
    #[serde(flatten)]
    how: How,
}

#[derive(Debug, Args, Serialize)]
pub struct Problems {
    #[command(flatten)]
    #[serde(skip)]
    object: ObjectWords,
    #[command(flatten)]
    #[serde(flatten)]
    place: Place,
    /// Only problems as severe as this
    #[arg(long, value_name = "SEVERITY", value_parser = ["critical", "warning", "info"], help_heading = "Which")]
    severity: Option<String>,
    #[command(flatten)]
    #[serde(flatten)]
    times: Times,
    #[command(flatten)]
    #[serde(flatten)]
    listing: Listing,
    #[command(flatten)]
    #[serde(flatten)]
    how: How,
}

#[derive(Debug, Args, Serialize)]
pub struct Changes {
    #[command(flatten)]
    #[serde(skip)]
    object: ObjectWords,
    #[command(flatten)]
    #[serde(flatten)]
    place: Place,
    #[command(flatten)]
    #[serde(flatten)]
    times: Times,
    /// What changed near this moment: a duration before now or a time
    #[arg(long, value_name = "TIME", conflicts_with_all = ["since", "until"], help_heading = "Which")]
    around: Option<String>,
    /// How near, as in 10m
    #[arg(long, value_name = "DURATION", requires = "around", help_heading = "Which")]
    window: Option<String>,
    #[command(flatten)]
    #[serde(flatten)]
    listing: Listing,
    #[command(flatten)]
    #[serde(flatten)]
    how: How,
}

#[derive(Debug, Args, Serialize)]
pub struct Describe {
    #[command(flatten)]
    #[serde(skip)]
    object: ObjectWords,
    #[command(flatten)]
    #[serde(flatten)]
    place: Place,
    /// With the commonest errors of its logs
    #[arg(long, help_heading = "Which")]
    logs: bool,
    #[command(flatten)]
    #[serde(flatten)]
    how: How,
}

#[derive(Debug, Args, Serialize)]
pub struct Events {
    #[command(flatten)]
    #[serde(skip)]
    object: ObjectWords,
    #[command(flatten)]
    #[serde(flatten)]
    place: Place,
    #[command(flatten)]
    #[serde(flatten)]
    selectors: Selectors,
    #[command(flatten)]
    #[serde(flatten)]
    times: Times,
    #[command(flatten)]
    #[serde(flatten)]
    listing: Listing,
    #[command(flatten)]
    #[serde(flatten)]
    how: How,
}

#[derive(Debug, Args, Serialize)]
pub struct Health {
    #[command(flatten)]
    #[serde(flatten)]
    clusters: Clusters,
    #[command(flatten)]
    #[serde(flatten)]
    how: How,
}

impl Pods {
    fn question(&self) -> Question {
        wide(Question::of("pods_list", self, &self.how), &self.listing).paged(&self.listing).of_kind("pods")
    }
}

impl Get {
    /// Rows of a kind; named objects are rows, too, unless they are wanted whole.
    fn question(&self) -> Result<Question, UsageError> {
        let object = self.objects.object()?;
        let kind = object.kind.as_deref().unwrap_or_default();
        let is_whole = matches!(self.how.output, Output::Json | Output::Yaml) || object.kind.is_none();
        let Some(name) = object.name.as_deref() else { return Ok(self.rows(kind)) };
        self.nothing_beside(name)?;
        if is_whole {
            let question = Question::of("resources_get", self, &self.how);
            return Ok(question.about("kind", object.kind.as_deref()).about("name", Some(name)));
        }
        if name.contains([',', '*']) {
            return Err(UsageError::ManyInATable { names: name.to_owned() });
        }
        Ok(self.rows(kind).about("fieldSelector", Some(&format!("metadata.name={name}"))))
    }

    fn rows(&self, kind: &str) -> Question {
        let question = Question::of("resources_list", self, &self.how).about("kind", Some(kind));
        wide(question, &self.listing).paged(&self.listing).of_kind(kind)
    }

    fn nothing_beside(&self, name: &str) -> Result<(), UsageError> {
        let given = [
            ("--selector", self.selectors.labels.label_selector.is_some()),
            ("--field-selector", self.selectors.field_selector.is_some()),
            ("--sort-by", self.listing.sort_by.is_some()),
            ("--group-by", self.listing.group_by.is_some()),
            ("--limit", self.listing.limit.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(UsageError::NamedAndChosen { flag, name: name.to_owned() }),
            None => Ok(()),
        }
    }
}

impl Search {
    fn question(&self) -> Question {
        let query = self.query.join(" ");
        Question::of("fleet_search", self, &self.how).about("query", Some(&query)).paged(&self.listing)
    }
}

impl Diff {
    fn question(&self) -> Result<Question, UsageError> {
        let object = self.object.object()?;
        let manifest = self.filename.as_deref().map(manifest).transpose()?;
        if object.kind.is_none()
            && object.name.is_none()
            && manifest.is_none()
            && self.place.namespace.is_none()
        {
            return Err(UsageError::Nothing {
                wanted: "an object (deploy/cart), a kind, a namespace (-n shop) or a manifest (-f FILE)",
            });
        }
        let question = Question::of("fleet_diff", self, &self.how).about("manifest", manifest.as_deref());
        Ok(question.about("kind", object.kind.as_deref()).about("name", object.name.as_deref()))
    }
}

impl Problems {
    fn question(&self) -> Result<Question, UsageError> {
        asked(Question::of("problems_list", self, &self.how), &self.object, &self.listing)
    }
}

impl Changes {
    fn question(&self) -> Result<Question, UsageError> {
        asked(Question::of("changes_list", self, &self.how), &self.object, &self.listing)
    }
}

impl Describe {
    fn question(&self) -> Result<Question, UsageError> {
        let object = self.object.object()?;
        if object.name.is_none() {
            return Err(UsageError::Nothing { wanted: "an object, as in deploy/cart or deploy cart" });
        }
        let question = Question::of("resources_describe", self, &self.how);
        Ok(question.about("kind", object.kind.as_deref()).about("name", object.name.as_deref()))
    }
}

impl Events {
    fn question(&self) -> Result<Question, UsageError> {
        asked(Question::of("events_list", self, &self.how), &self.object, &self.listing)
    }
}

impl Health {
    fn question(&self) -> Question {
        Question::of("cluster_health", self, &self.how)
    }
}

/// A listing that may be about one object.
fn asked(question: Question, object: &ObjectWords, listing: &Listing) -> Result<Question, UsageError> {
    let object = object.object()?;
    let question = question.about("kind", object.kind.as_deref()).about("name", object.name.as_deref());
    Ok(question.paged(listing))
}

/// Of tools that list objects as they are.
fn wide(question: Question, listing: &Listing) -> Question {
    let is_free = listing.fields.is_none() && listing.group_by.is_none();
    match question.output {
        Output::Wide if is_free => question.about("fields", Some(ALL_COLUMNS)),
        _ => question,
    }
}

fn manifest(path: &str) -> Result<String, UsageError> {
    let read =
        if path == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
    read.map_err(|error| UsageError::File { path: path.to_owned(), problem: error.to_string() })
}
