//! A demo whose clusters are cut off from another terminal: demo, `cut` and `heal`, and who asks, are processes of their own.

use kubeplex_tests::program::{self, Folder, Program};
use kubeplex_tests::{rows, wait};
use serde_json::{Value, json};

const ANY: &str = "127.0.0.1:0";

struct Ground {
    folder: Folder,
    demo: Program,
    endpoint: String,
}

impl Ground {
    async fn new() -> Self {
        let folder = Folder::new();
        let home = folder.path("");
        let home = home.to_str().expect("a path in UTF-8");
        let arguments =
            ["demo", "--json", "--clusters", "3", "--pods", "30", "--listen", ANY, "--admin", ANY];
        let mut demo = Program::start("kubeplex", &arguments, &[("XDG_RUNTIME_DIR", home)], &folder);
        let ready: Value = serde_json::from_str(&demo.line().await).expect("a line of JSON");
        let endpoint = ready["endpoint"].as_str().expect("an endpoint").to_owned();
        Self { folder, demo, endpoint }
    }

    /// Exit status, standard output, standard error.
    async fn kubeplex(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = program::command("kubeplex", arguments);
        command.args(["--endpoint", &self.endpoint]).env("XDG_RUNTIME_DIR", self.folder.path(""));
        let output = command.output().await.expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    async fn does(&self, arguments: &[&str]) -> String {
        let (status, out, error) = self.kubeplex(arguments).await;
        assert_eq!(status, Some(0), "{arguments:?}: {error}");
        out
    }

    async fn pods(&self) -> Value {
        let out = self.does(&["call", "pods_list", r#"{"limit":200}"#, "--json"]).await;
        serde_json::from_str(&out).expect("JSON")
    }

    async fn pods_until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        wait::until(what, async || {
            let answer = self.pods().await;
            if is_so(&answer) { Ok(answer) } else { Err(answer["clusters"].to_string()) }
        })
        .await
    }

    /// Until the demo says of this cluster whether it is ready; what it says.
    async fn news(&mut self, name: &str, ready: bool) -> String {
        loop {
            let news: Value = serde_json::from_str(&self.demo.line().await).expect("a line of JSON");
            if news["name"] == name && news["ready"] == ready {
                return news["state"].to_string();
            }
        }
    }
}

fn has_rows_of(answer: &Value, cluster: &str) -> bool {
    rows::of(answer).iter().any(|row| row.cluster == cluster)
}

fn problem(answer: &Value, cluster: &str) -> Value {
    let mut problems = answer["clusters"]["problems"].as_array().into_iter().flatten();
    problems.find(|problem| problem["cluster"] == cluster).cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_of_a_running_demo_are_cut_off_and_healed_from_another_terminal() {
    let mut ground = Ground::new().await;

    // A partition: the gateway knows it by silence, and says so.
    let done = ground.does(&["demo", "cut", "prod-eu"]).await;
    assert_eq!(done.trim_end(), "prod-eu: its link to the gateway is cut");
    assert!(ground.news("prod-eu", false).await.contains("the link was lost"));
    let without = ground.pods().await;
    assert_eq!(without["partial"], json!(true));
    assert!(!problem(&without, "prod-eu").is_null(), "{}", without["clusters"]);
    assert!(!has_rows_of(&without, "prod-eu") && has_rows_of(&without, "prod-us"));
    let clusters = ground.does(&["clusters"]).await;
    let line = clusters.lines().find(|line| line.starts_with("prod-eu")).expect("the cluster is listed");
    assert!(line.contains("lost"), "{clusters}");
    ground.does(&["demo", "heal", "prod-eu"]).await;
    ground.news("prod-eu", true).await;
    let whole = ground.pods_until("all clusters", |answer| answer["partial"].is_null()).await;
    assert!(has_rows_of(&whole, "prod-eu"));

    // An API server that is gone: its rows are there, and old.
    let done = ground.does(&["demo", "cut", "--api", "*-us,prod-ap"]).await;
    assert_eq!(done.lines().count(), 2, "{done}");
    let is_stale = |answer: &Value, cluster| problem(answer, cluster)["status"] == "stale";
    let old = ground
        .pods_until("old rows of both", |answer| is_stale(answer, "prod-us") && is_stale(answer, "prod-ap"))
        .await;
    assert!(has_rows_of(&old, "prod-us") && problem(&old, "prod-eu").is_null(), "{}", old["clusters"]);
    ground.does(&["demo", "heal", "*"]).await;
    ground.pods_until("all clusters again", |answer| answer["partial"].is_null()).await;

    // Nothing is done where a part of it can't be.
    let (status, out, error) = ground.kubeplex(&["demo", "cut", "prod-us,prod-eux"]).await;
    assert_eq!((status, out.as_str()), (Some(1), ""));
    for told in ["\"prod-eux\"", "did you mean prod-eu", "prod-ap, prod-eu, prod-us"] {
        assert!(error.contains(told), "{error}");
    }
    assert!(ground.demo.terminate().await.success(), "{}", ground.demo.log());
    let (status, _, error) = ground.kubeplex(&["demo", "heal", "prod-us"]).await;
    assert!(status == Some(1) && error.contains("start one with `kubeplex demo`"), "{error}");
}
