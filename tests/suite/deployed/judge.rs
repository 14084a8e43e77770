//! Whether an answer is right: what API servers and a token's reach say that it should hold, against what it holds and says that
//! it lacks.

use std::collections::{BTreeMap, BTreeSet};

use kubeplex_tests::rows;
use kubeplex_tests::server::{Server, key, text};
use serde_json::{Value, json};

use super::fleet::Reach;

/// Namespace (empty for what has none) and name.
type Keys = BTreeSet<(String, String)>;

/// A question, and the whole truth about it, as far as the caller may know it.
pub(super) struct Question {
    pub(super) user: &'static str,
    pub(super) tool: &'static str,
    pub(super) arguments: Value,
    pub(super) truth: Truth,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Truth {
    /// These rows, by cluster.
    Rows(BTreeMap<String, Keys>),
    /// So many objects, by cluster.
    Counts(BTreeMap<String, usize>),
    /// An object that these clusters have.
    Object(BTreeSet<String>),
    /// These clusters, and no more of them than there are.
    Clusters(BTreeSet<String>),
    /// That there is no such kind for this caller.
    Hidden,
}

/// What an answer that is right amounts to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Whole,
    /// It says that these clusters' part is missing, or may be old.
    Without(BTreeSet<String>),
    /// It says that there is no answer now.
    Nothing,
}

/// What is asked for: a kind, where its objects are, and whose tokens name it.
const KINDS: [(&str, &str, &[&str]); 4] = [
    ("pods", "/api/v1/pods", &["ops", "shop", "capacity"]),
    ("deployments.apps", "/apis/apps/v1/deployments", &["ops", "deployer", "shop"]),
    ("configmaps", "/api/v1/configmaps", &["ops", "shop"]),
    ("nodes", "/api/v1/nodes", &["ops", "capacity"]),
];

/// Errors that say that there is no answer now, and not that the question is wrong.
const NO_ANSWER: [&str; 3] = ["unavailable", "timeout", "rate_limited"];

/// A Deployment that every cluster's seed has.
const DEPLOYMENT: &str = "web";

impl Question {
    /// All that is asked, in the name of everybody: what is there now is the truth from here on.
    pub(super) async fn all(servers: &[&Server], callers: &[Reach]) -> Vec<Self> {
        let mut questions = Vec::new();
        for (kind, path, within) in KINDS {
            let there = listed(servers, path).await;
            for caller in callers {
                let truth = within.contains(&caller.user).then(|| caller.sees(&there));
                questions.extend(Self::about(caller, kind, truth));
            }
        }
        questions
    }

    fn about(caller: &Reach, kind: &'static str, rows: Option<BTreeMap<String, Keys>>) -> Vec<Self> {
        let user = caller.user;
        let list = |more: Value, truth: Truth| {
            let mut arguments = json!({"kind": kind, "limit": 1_000, "maxBytes": 4 << 20});
            arguments
                .as_object_mut()
                .expect("an object")
                .extend(more.as_object().cloned().unwrap_or_default());
            Self { user, tool: "resources_list", arguments, truth }
        };
        let Some(rows) = rows else { return vec![list(json!({}), Truth::Hidden)] };
        assert!(rows.values().all(|keys| !keys.is_empty()), "{user} sees {rows:?} of {kind}: weak");
        let counts = rows.iter().map(|(cluster, keys)| (cluster.clone(), keys.len())).collect();
        let clusters = || rows.keys().cloned().collect();
        let mut questions = match kind {
            // Of all that is asked most.
            "pods" => vec![
                Self { tool: "pods_list", ..list(json!({}), Truth::Rows(rows.clone())) }.without("kind"),
                Self {
                    user,
                    tool: "clusters_list",
                    arguments: json!({}),
                    truth: Truth::Clusters(clusters()),
                },
            ],
            "deployments.apps" => vec![Self {
                user,
                tool: "resources_get",
                arguments: json!({"kind": kind, "namespace": "shop", "name": DEPLOYMENT, "maxBytes": 4 << 20}),
                truth: Truth::Object(clusters()),
            }],
            _ => Vec::new(),
        };
        questions.push(list(json!({"groupBy": "cluster"}), Truth::Counts(counts)));
        questions.push(list(json!({"sortBy": "-age,name"}), Truth::Rows(rows)));
        questions
    }

    fn without(mut self, argument: &str) -> Self {
        self.arguments.as_object_mut().expect("an object").remove(argument);
        self
    }

    /// The clusters that it is about.
    pub(super) fn clusters(&self) -> BTreeSet<String> {
        self.truth.clusters()
    }

    /// What the answer to it, or the error in its place, is worth.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn judge(&self, answer: Result<&Value, &Value>) -> Result<Verdict, String> {
        let answer = match (answer, &self.truth) {
            (Err(error), Truth::Hidden) if error["code"] == "not_found" => return Ok(Verdict::Whole),
            (Err(error), _) if NO_ANSWER.contains(&text(&error["code"]).as_str()) => {
                return Ok(Verdict::Nothing);
            }
            (Err(error), _) => return Err(format!("an error: {error}")),
            (Ok(answer), Truth::Hidden) => return Err(format!("out of reach, and answered: {answer}")),
            (Ok(answer), _) => answer,
        };
        let missing = self.missing(answer)?;
        self.truth.holds(answer, &missing)?;
        Ok(if missing.is_empty() { Verdict::Whole } else { Verdict::Without(missing) })
    }

    /// The clusters that the answer says something against.
    fn missing(&self, answer: &Value) -> Result<BTreeSet<String>, String> {
        let expected = self.truth.clusters();
        let coverage = &answer["clusters"];
        if coverage["expected"] != expected.len() {
            return Err(format!("of {} clusters: {coverage}", expected.len()));
        }
        let problems = coverage["problems"].as_array().cloned().unwrap_or_default();
        let missing: BTreeSet<_> = problems.iter().map(|problem| text(&problem["cluster"])).collect();
        if !missing.is_subset(&expected) {
            return Err(format!("it names a cluster out of reach: {coverage}"));
        }
        let is_partial = answer["partial"] == true;
        if is_partial == missing.is_empty() {
            return Err(format!("partial: {is_partial}, and it names {missing:?}: {coverage}"));
        }
        Ok(missing)
    }
}

impl Truth {
    fn clusters(&self) -> BTreeSet<String> {
        match self {
            Self::Rows(rows) => rows.keys().cloned().collect(),
            Self::Counts(counts) => counts.keys().cloned().collect(),
            Self::Object(clusters) | Self::Clusters(clusters) => clusters.clone(),
            Self::Hidden => BTreeSet::new(),
        }
    }

    /// What is there is true, and what is not missing is there.
    fn holds(&self, answer: &Value, missing: &BTreeSet<String>) -> Result<(), String> {
        match self {
            Self::Rows(truth) => {
                let mut shown: BTreeMap<String, Keys> = BTreeMap::new();
                for row in rows::of(answer) {
                    let (cluster, namespace, name) = row.key();
                    if !shown.entry(cluster).or_default().insert((namespace, name)) {
                        return Err(format!("twice in one answer: {:?}", row.key()));
                    }
                }
                agree(truth, &shown, missing, Keys::is_subset)
            }
            Self::Counts(truth) => {
                let count = |row: &rows::Row| row.cell("count").as_u64().unwrap_or_default() as usize;
                let shown = rows::of(answer).iter().map(|row| (row.cluster.clone(), count(row))).collect();
                agree(truth, &shown, missing, |shown, truth| shown <= truth)
            }
            Self::Object(truth) => {
                let objects = answer["objects"].as_array().ok_or("no objects")?;
                let of = |object: &Value| object["clusters"].as_array().cloned().unwrap_or_default();
                let shown: Vec<_> = objects.iter().flat_map(of).map(|cluster| (text(&cluster), ())).collect();
                let named = objects.iter().all(|object| object["object"]["metadata"]["name"] == DEPLOYMENT);
                if !named || shown.len() > truth.len() {
                    return Err(format!("something else: {answer}"));
                }
                let truth = truth.iter().map(|cluster| (cluster.clone(), ())).collect();
                agree(&truth, &shown.into_iter().collect(), missing, |(), ()| true)
            }
            // A cluster is listed whether its agent is there or not.
            Self::Clusters(truth) => {
                let shown: Vec<_> = rows::of(answer).iter().map(|row| row.name().to_owned()).collect();
                let is_true = shown.iter().eq(truth.iter());
                if is_true { Ok(()) } else { Err(format!("{shown:?} instead of {truth:?}")) }
            }
            Self::Hidden => Err("out of reach".to_owned()),
        }
    }
}

/// What is shown of a cluster is all of it, where nothing is said against it, and else nothing that is not there.
fn agree<T: PartialEq + std::fmt::Debug>(
    truth: &BTreeMap<String, T>,
    shown: &BTreeMap<String, T>,
    missing: &BTreeSet<String>,
    is_part: impl Fn(&T, &T) -> bool,
) -> Result<(), String> {
    if let Some(stranger) = shown.keys().find(|cluster| !truth.contains_key(*cluster)) {
        return Err(format!("rows of {stranger}, which is out of reach"));
    }
    for (cluster, whole) in truth {
        let is_right = match shown.get(cluster) {
            Some(part) if missing.contains(cluster) => is_part(part, whole),
            Some(part) => part == whole,
            None => missing.contains(cluster),
        };
        if !is_right {
            return Err(format!("of {cluster} {:?} instead of {whole:?}", shown.get(cluster)));
        }
    }
    Ok(())
}

impl Reach {
    /// What there is, as far as the token reaches.
    fn sees(&self, there: &BTreeMap<String, Keys>) -> BTreeMap<String, Keys> {
        let in_reach = |(namespace, _): &&(String, String)| {
            let namespaces = self.namespaces.filter(|_| !namespace.is_empty());
            namespaces.is_none_or(|namespaces| namespaces.contains(&namespace.as_str()))
        };
        let clusters = there.iter().filter(|(cluster, _)| self.clusters.contains(&cluster.as_str()));
        clusters
            .map(|(cluster, keys)| (cluster.clone(), keys.iter().filter(in_reach).cloned().collect()))
            .collect()
    }
}

async fn listed(servers: &[&Server], path: &str) -> BTreeMap<String, Keys> {
    let mut listed = BTreeMap::new();
    for server in servers {
        listed.insert(server.name.clone(), server.list(path).await.iter().map(key).collect());
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        let keys = |names: &[&str]| {
            names.iter().map(|name| ("shop".to_owned(), (*name).to_owned())).collect::<Keys>()
        };
        let rows = [("eu-1".to_owned(), keys(&["a", "b"])), ("us-1".to_owned(), keys(&["c"]))];
        Question { user: "shop", tool: "pods_list", arguments: json!({}), truth: Truth::Rows(rows.into()) }
    }

    fn answer(eu: &[&str], us: &[&str], missing: &[&str]) -> Value {
        let group = |cluster: &str, names: &[&str]| {
            let rows: Vec<_> = names.iter().map(|name| json!([name])).collect();
            json!({"cluster": cluster, "namespace": "shop", "rows": rows})
        };
        let problems: Vec<_> = missing.iter().map(|cluster| json!({"cluster": cluster})).collect();
        json!({
            "columns": ["name"], "groups": [group("eu-1", eu), group("us-1", us)],
            "clusters": {"expected": 2, "problems": problems}, "partial": !missing.is_empty(),
        })
    }

    /// A judge that lets everything pass would prove nothing.
    #[test]
    fn simulated_wrong_answers_are_found() {
        let without = |names: &[&str]| Verdict::Without(names.iter().map(ToString::to_string).collect());
        for (eu, us, missing, verdict) in [
            (&["a", "b"][..], &["c"][..], &[][..], Some(Verdict::Whole)),
            (&["a", "b"], &[], &["us-1"], Some(without(&["us-1"]))),
            (&["a"], &["c"], &["eu-1"], Some(without(&["eu-1"]))),
            (&["a"], &["c"], &[], None),
            (&["a", "b"], &[], &[], None),
            (&["a", "b"], &["c", "d"], &[], None),
            (&["a", "b", "x"], &["c"], &["eu-1"], None),
            (&["a", "a"], &["c"], &["eu-1"], None),
            (&["a", "b"], &["c"], &["ap-1"], None),
        ] {
            let answer = answer(eu, us, missing);
            assert_eq!(question().judge(Ok(&answer)).ok(), verdict, "{answer}");
        }
        let mut silent = answer(&["a", "b"], &[], &["us-1"]);
        silent["partial"] = json!(false);
        assert!(question().judge(Ok(&silent)).is_err());
        for (code, verdict) in
            [("unavailable", Some(Verdict::Nothing)), ("internal", None), ("forbidden", None)]
        {
            assert_eq!(question().judge(Err(&json!({"code": code}))).ok(), verdict);
        }
        let hidden = Question { truth: Truth::Hidden, ..question() };
        assert_eq!(hidden.judge(Err(&json!({"code": "not_found"}))), Ok(Verdict::Whole));
        assert!(hidden.judge(Ok(&answer(&[], &[], &[]))).is_err());
    }
}
