//! People with tokens of different reach, who ask one thing after another.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kubeplex_cli::client::{Access, Client, Token};
use kubeplex_cli::hints;
use kubeplex_tests::caller;
use kubeplex_tests::wait::pass;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::check;
use crate::cluster::{Cluster, NAMESPACES};
use crate::stage::Stage;
use crate::truth::Pod;

/// Between two calls of one person.
const PAUSE: Duration = Duration::from_millis(25);

/// After which a hasty person hangs up.
const HASTE: Duration = Duration::from_millis(3);

/// Somebody with a token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    clusters: &'static [&'static str],
    namespaces: &'static [&'static str],
}

/// Everybody.
pub(crate) const ALL: [Person; 3] = [
    Person { name: "anna", clusters: &["*"], namespaces: &["*"] },
    Person { name: "bert", clusters: &["*"], namespaces: &["*"] },
    Person { name: "clara", clusters: &["alpha", "bravo"], namespaces: &["shop"] },
];

/// What came of calls.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub(crate) struct Tally {
    pub(crate) calls: usize,
    pub(crate) partial: usize,
    /// Answered with an error: where all clusters, or too many, were missing.
    pub(crate) refused: usize,
    /// Calls that their caller gave up.
    pub(crate) left: usize,
}

/// A call that is over.
pub(crate) struct Asked {
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    pub(crate) timeout: Duration,
    pub(crate) result: Result<Value, Value>,
}

impl Person {
    /// As the configuration of the gateway has them.
    pub(crate) fn section(&self) -> String {
        caller::section(self.name, &self.token(), self.clusters, self.namespaces)
    }

    fn token(&self) -> String {
        format!("the-token-of-{}", self.name)
    }

    /// The clusters that exist for them.
    pub(crate) fn clusters<'a>(&self, stage: &'a Stage) -> impl Iterator<Item = &'a Cluster> {
        stage.clusters().iter().filter(|cluster| reaches(self.clusters, cluster.name))
    }

    pub(crate) fn sees(&self, (namespace, _): &Pod) -> bool {
        reaches(self.namespaces, namespace)
    }

    pub(crate) fn client(&self, stage: &Stage) -> Client {
        let endpoint = hints::endpoint(stage.gateway().addresses().listen).parse().expect("an endpoint");
        let access = Access { token: Some(Token::new(&self.token()).expect("a token")), ca_file: None };
        Client::with(endpoint, access).expect("a client")
    }

    /// Asks until it is over.
    pub(crate) async fn keep_asking(self, stage: Stage, over: CancellationToken) -> Tally {
        let (mut tally, mut client) = (Tally::default(), self.client(&stage));
        for number in 0.. {
            if over.is_cancelled() {
                break;
            }
            match number % 8 {
                1 => {
                    let seen = NAMESPACES.into_iter().filter(|namespace| reaches(self.namespaces, namespace));
                    let namespace = seen.cycle().nth(number / 8);
                    self.look(&stage, &client, json!({"namespace": namespace}), &mut tally).await;
                }
                2 => self.look(&stage, &client, json!({"sortBy": "-restarts"}), &mut tally).await,
                3 => self.turn_pages(&stage, &client, number, &mut tally).await,
                4 => {
                    tally.left += 1;
                    let call =
                        self.ask(&stage, &client, json!({"limit": 20 + number % 100, "sortBy": "name"}));
                    // Most are not answered by then.
                    let _ = timeout(HASTE, call).await;
                }
                5 => {
                    client = self.client(&stage);
                    self.look(&stage, &client, json!({"minCoverage": 100}), &mut tally).await;
                }
                6 => {
                    self.look(&stage, &client, json!({"timeoutSeconds": 1, "sortBy": "name"}), &mut tally)
                        .await;
                }
                _ => self.look(&stage, &client, json!({}), &mut tally).await,
            }
            pass(PAUSE).await;
        }
        tally
    }

    /// One answer with everything.
    async fn look(&self, stage: &Stage, client: &Client, further: Value, tally: &mut Tally) {
        let namespace = further["namespace"].as_str().map(str::to_owned);
        let mut arguments = json!({"limit": 1000, "maxBytes": 1 << 20});
        arguments
            .as_object_mut()
            .into_iter()
            .for_each(|all| all.extend(further.as_object().cloned().unwrap_or_default()));
        let asked = self.ask(stage, client, arguments).await;
        tally.count(&asked);
        check::answer(stage, self, &asked, namespace.as_deref());
    }

    /// Page after page of one listing.
    async fn turn_pages(&self, stage: &Stage, client: &Client, number: usize, tally: &mut Tally) {
        let mut arguments = json!({"limit": 10 + number % 20, "sortBy": "name"});
        let mut pages = Vec::new();
        loop {
            let asked = self.ask(stage, client, arguments.clone()).await;
            tally.count(&asked);
            check::deadline(stage, self, &asked);
            let Ok(page) = &asked.result else { return };
            let next = page.get("continue").cloned();
            pages.push(asked);
            match next {
                Some(next) => arguments["continue"] = next,
                None => return check::pages(stage, self, &pages),
            }
        }
    }

    /// Lists pods. A gateway that does not answer at all has violated what it promises.
    pub(crate) async fn ask(&self, stage: &Stage, client: &Client, arguments: Value) -> Asked {
        let timeout = Duration::from_secs(arguments["timeoutSeconds"].as_u64().unwrap_or(10));
        let began = Instant::now();
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let result = match client.call("pods_list", arguments, false).await {
            Ok(exchange) => exchange.structured().cloned().map_err(Clone::clone),
            Err(error) => {
                stage.violated(format_args!("{} was not answered: {error}", self.name));
                Err(Value::Null)
            }
        };
        Asked { began, ended: Instant::now(), timeout, result }
    }

    /// Asks until nothing is missing and everything is as it is.
    pub(crate) async fn until_whole(&self, stage: &Stage) {
        let client = self.client(stage);
        loop {
            let asked = self.ask(stage, &client, json!({"limit": 1000, "maxBytes": 1 << 20})).await;
            check::answer(stage, self, &asked, None);
            if asked.result.as_ref().is_ok_and(|answer| self.is_whole(stage, answer)) {
                return;
            }
            pass(PAUSE * 4).await;
        }
    }

    fn is_whole(&self, stage: &Stage, answer: &Value) -> bool {
        let mut rows = check::rows(answer);
        let true_now = |cluster: &Cluster| {
            let mut truth = cluster.truth.now();
            truth.retain(|pod, _| self.sees(pod));
            let shown: BTreeMap<_, _> = rows.remove(cluster.name).unwrap_or_default().into_iter().collect();
            shown == truth
        };
        answer.get("partial").is_none() && self.clusters(stage).all(true_now)
    }
}

impl Tally {
    fn count(&mut self, asked: &Asked) {
        self.calls += 1;
        match &asked.result {
            Ok(answer) => self.partial += usize::from(answer.get("partial").is_some()),
            Err(_) => self.refused += 1,
        }
    }

    pub(crate) fn with(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            partial: self.partial + other.partial,
            refused: self.refused + other.refused,
            left: self.left + other.left,
        }
    }
}

fn reaches(patterns: &[&str], name: &str) -> bool {
    patterns.iter().any(|pattern| *pattern == "*" || *pattern == name)
}
