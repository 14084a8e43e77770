//! One answer as a client sees it: the structured result, the text, and the trace of its legs.

use std::collections::BTreeMap;
use std::fmt;

use kubeplex_cli::client::Exchange;
use serde_json::Value;

/// What came back for one call.
#[derive(Clone)]
pub(crate) struct Answer(Exchange);

/// Where an object stands: cluster, namespace, name.
pub(crate) type Place = (String, String, String);

impl Answer {
    pub(crate) fn new(exchange: Exchange) -> Self {
        Self(exchange)
    }

    /// The structured result.
    ///
    /// # Panics
    /// When the call failed.
    pub(crate) fn ok(&self) -> &Value {
        self.0.structured().unwrap_or_else(|error| panic!("the call should succeed: {error}"))
    }

    /// The error.
    ///
    /// # Panics
    /// When the call succeeded.
    pub(crate) fn refused(&self) -> &Value {
        match self.0.structured() {
            Ok(answer) => panic!("the call should fail, and answered {answer}"),
            Err(error) => error,
        }
    }

    pub(crate) fn result(&self) -> Result<&Value, &Value> {
        self.0.structured()
    }

    pub(crate) fn text(&self) -> &str {
        self.0.text()
    }

    /// What the answer says against a cluster; null where it says nothing.
    pub(crate) fn problem(&self, cluster: &str) -> &Value {
        let problems = self.ok()["clusters"]["problems"].as_array();
        let of_cluster = |problem: &&Value| problem["cluster"] == cluster;
        problems.and_then(|problems| problems.iter().find(of_cluster)).unwrap_or(&Value::Null)
    }

    /// Whether it says that something is missing or may be old.
    pub(crate) fn is_partial(&self) -> bool {
        self.ok()["partial"] == true
    }

    /// The objects of the default order (cluster, namespace, name), as the answer lists them.
    ///
    /// # Panics
    /// Where rows have no `name` column.
    pub(crate) fn places(&self) -> Vec<Place> {
        let answer = self.ok();
        let columns = answer["columns"].as_array().expect("columns");
        let name = columns.iter().position(|column| column == "name").expect("a name column");
        let groups = answer["groups"].as_array().expect("groups");
        let of_group = |group: &Value| {
            let place = |key: &str| group[key].as_str().unwrap_or_default().to_owned();
            let (cluster, namespace) = (place("cluster"), place("namespace"));
            let rows = group["rows"].as_array().cloned().unwrap_or_default();
            rows.into_iter().map(move |row| {
                (cluster.clone(), namespace.clone(), row[name].as_str().unwrap_or_default().to_owned())
            })
        };
        groups.iter().flat_map(of_group).collect()
    }

    /// The objects by cluster.
    pub(crate) fn rows_by_cluster(&self) -> BTreeMap<String, Vec<Place>> {
        let mut rows: BTreeMap<String, Vec<Place>> = BTreeMap::new();
        for place in self.places() {
            rows.entry(place.0.clone()).or_default().push(place);
        }
        rows
    }

    /// The rows of one cluster.
    pub(crate) fn rows_of(&self, cluster: &str) -> Vec<Place> {
        self.rows_by_cluster().remove(cluster).unwrap_or_default()
    }

    /// The trace's record of a leg.
    ///
    /// # Panics
    /// Where there is none.
    pub(crate) fn leg(&self, cluster: &str) -> &Value {
        let legs = self.0.response["result"]["_meta"]["kubeplex/trace"]["legs"].as_array();
        let found = legs.and_then(|legs| legs.iter().find(|leg| leg["cluster"] == cluster));
        found.unwrap_or_else(|| panic!("no leg of {cluster} in {}", self.0.response["result"]["_meta"]))
    }

    /// Whether a request went to the cluster's agent.
    pub(crate) fn was_asked(&self, cluster: &str) -> bool {
        self.leg(cluster).get("sentMicros").is_some()
    }

    /// When the leg was over, in milliseconds since the call began.
    pub(crate) fn leg_over_ms(&self, cluster: &str) -> u64 {
        self.leg(cluster)["overMicros"].as_u64().expect("a time") / 1_000
    }

    /// How long the whole call took in the gateway.
    pub(crate) fn took_ms(&self) -> u64 {
        let trace = &self.0.response["result"]["_meta"]["kubeplex/trace"];
        trace["micros"].as_u64().expect("a trace") / 1_000
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.result() {
            Ok(answer) => write!(f, "{} rows, clusters {}", answer["shown"], answer["clusters"]),
            Err(error) => write!(f, "{error}"),
        }
    }
}
