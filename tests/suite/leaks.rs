//! Secrets: whatever is asked, however it is selected, sorted or chosen, no answer holds one, and none can be guessed by
//! asking whether it is there.

use kubeplex_tests::fleet::{LARGEST_ANSWER, LONGEST_PAGE, TestFleet};
use kubeplex_tests::server::key;
use serde_json::{Value, json};

use crate::ground;

/// What every credential of both grounds holds.
pub(crate) const CANARY: &str = "KUBEPLEX-LEAK-CANARY";

/// The canary in base64, at each of the three places that it may begin in a group of three bytes; ends that depend on
/// what stands beside it are left off.
const ENCODED: [&str; 3] =
    ["S1VCRVBMRVgtTEVBSy1DQU5BUl", "tVQkVQTEVYLUxFQUstQ0FOQVJZ", "LVUJFUExFWC1MRUFLLUNBTkFSW"];

/// Paths under which people keep credentials.
const PATHS: [&str; 9] = [
    "data",
    ".data.password",
    ".stringData",
    "metadata.annotations",
    "spec.containers[*].env",
    "spec.template.spec.containers[0].env[0].value",
    "spec.template.spec.containers[*].args",
    "spec.template.spec.containers[0].args[1]",
    "metadata.managedFields",
];

#[test]
fn no_answer_over_simulated_clusters_holds_a_secret() {
    ground::simulated(no_answer_holds_a_secret);
}

#[test]
fn no_answer_over_real_clusters_holds_a_secret() {
    ground::real("no_answer_over_real_clusters_holds_a_secret", no_answer_holds_a_secret);
}

#[test]
fn no_secret_of_simulated_clusters_can_be_guessed() {
    ground::simulated(no_secret_can_be_guessed);
}

#[test]
fn no_secret_of_real_clusters_can_be_guessed() {
    ground::real("no_secret_of_real_clusters_can_be_guessed", no_secret_can_be_guessed);
}

/// Whether a text holds the canary, plain or encoded.
pub(crate) fn leaks(text: &str) -> bool {
    text.contains(CANARY) || ENCODED.iter().any(|encoded| text.contains(encoded))
}

async fn ask(fleet: &TestFleet, tool: &str, question: Value) {
    let exchange = fleet.exchange(tool, question.clone()).await;
    assert!(!leaks(&exchange.response.to_string()), "{tool} {question} answers {}", exchange.response);
}

async fn no_answer_holds_a_secret(fleet: &'static TestFleet) {
    let mut seeded = 0;
    for server in &fleet.servers {
        for kind in server.kinds().await {
            let objects = server.list(&kind.path()).await;
            seeded += objects.iter().filter(|object| leaks(&object.to_string())).count();
            let kind_name = kind.to_string();
            let list = json!({"kind": kind_name, "cluster": server.name, "limit": LONGEST_PAGE, "maxBytes": LARGEST_ANSWER});
            ask(fleet, "resources_list", list.clone()).await;
            for path in PATHS {
                for argument in ["fields", "sortBy"] {
                    let mut question = list.clone();
                    question[argument] = json!(path);
                    ask(fleet, "resources_list", question).await;
                }
            }
            // The whole object, where it holds something to hide, and one where not.
            let hides = |object: &&Value| leaks(&object.to_string());
            for object in objects.iter().filter(hides).chain(objects.iter().take(1)) {
                let (namespace, name) = key(object);
                let mut question = json!({"kind": kind_name, "cluster": server.name, "name": name, "maxBytes": LARGEST_ANSWER});
                if !namespace.is_empty() {
                    question["namespace"] = json!(namespace);
                }
                ask(fleet, "resources_get", question.clone()).await;
                for path in PATHS {
                    question["fields"] = json!(path);
                    ask(fleet, "resources_get", question.clone()).await;
                }
            }
        }
    }
    assert!(seeded > 3, "only {seeded} objects of this ground hold a canary");
}

/// How many rows a selector finds.
async fn found(fleet: &TestFleet, kind: &str, path: &str, value: &str) -> u64 {
    let selector = format!("{path}={}", value.replace('=', "\\="));
    let answer = fleet.exchange("resources_list", json!({"kind": kind, "fieldSelector": selector})).await;
    let answer = answer.structured().unwrap_or_else(|error| panic!("{selector}: {error}"));
    answer["total"].as_u64().unwrap_or_else(|| panic!("no total for {selector}: {answer}"))
}

async fn no_secret_can_be_guessed(fleet: &'static TestFleet) {
    let container = "spec.template.spec.containers[0]";
    let mut guesses =
        vec![("metadata.annotations['example.com/api-token']".to_owned(), format!("{CANARY}-ANNOTATION"))];
    for at in 0..4 {
        guesses.push((format!("{container}.env[{at}].value"), format!("{CANARY}-ENV")));
        let url = format!("postgres://shop:{CANARY}-URL@db.internal/shop");
        guesses.push((format!("{container}.env[{at}].value"), url));
        guesses.push((format!("{container}.args[{at}]"), format!("--api-token={CANARY}-ARG")));
    }
    for (path, value) in guesses {
        for kind in ["deployments", "statefulsets", "replicasets"] {
            assert_eq!(found(fleet, kind, &path, &value).await, 0, "{path} {value}");
        }
    }
    // The same way of asking finds what is not secret, so that finding nothing says something.
    let harmless = found(fleet, "deployments", &format!("{container}.args[0]"), "--listen=:8080").await;
    assert!(harmless > 0, "arguments that are no credentials can be selected by");
}

#[test]
fn the_canary_is_recognised_in_all_its_forms() {
    assert!(leaks("x KUBEPLEX-LEAK-CANARY-ENV") && !leaks("KUBEPLEX LEAK"));
    for text in
        ["S1VCRVBMRVgtTEVBSy1DQU5BUlk=", "eEtVQkVQTEVYLUxFQUstQ0FOQVJZ", "eHhLVUJFUExFWC1MRUFLLUNBTkFSWQ=="]
    {
        assert!(leaks(text), "{text}");
    }
}
