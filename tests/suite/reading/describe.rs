//! Descriptions: an object with what is around it, short enough to be read.

use kubeplex_tests::fleet::TestFleet;
use serde_json::{Value, json};
use tiktoken_rs::o200k_base;

use crate::ground;

/// What a description may cost a model.
const MOST_TOKENS: usize = 1_500;

pub(crate) async fn workloads_are_described_with_what_they_make(fleet: &'static TestFleet) {
    let encoding = o200k_base().expect("the vocabulary is built in");
    let deployments = fleet.rows("resources_list", json!({"kind": "deployments"})).await;
    ground::compared(fleet, !deployments.is_empty(), "there are no deployments");
    for deployment in deployments.iter().take(10) {
        let (cluster, namespace, name) = (&deployment.cluster, &deployment.namespace, deployment.name());
        let question =
            json!({"cluster": cluster, "namespace": namespace, "name": format!("deployment/{name}")});
        let answer = fleet.call("resources_describe", question.clone()).await;
        let [description] = answer["descriptions"].as_array().expect("descriptions").as_slice() else {
            panic!("{question}: {answer}")
        };
        assert_eq!(
            (&description["clusters"], &description["object"]["metadata"]["name"]),
            (&json!([cluster]), &json!(name)),
            "{answer}"
        );
        assert!(description.get("notTold").is_none(), "{answer}");
        let tokens = encoding.encode_ordinary(&answer.to_string()).len();
        assert!(tokens <= MOST_TOKENS, "{question}: {tokens} tokens");
        let path = format!("/apis/apps/v1/namespaces/{namespace}/replicasets");
        let sets = fleet.server(cluster).list(&path).await;
        let owns = |set: &&Value| {
            let owners = set["metadata"]["ownerReferences"].as_array();
            // Those of earlier revisions are empty, and not told.
            set["spec"]["replicas"] != 0
                && owners.is_some_and(|owners| owners.iter().any(|owner| owner["name"] == name))
        };
        if sets.iter().filter(owns).count() > 0 {
            assert!(description["children"].is_array(), "{question} has replica sets: {answer}");
        }
    }
}

pub(crate) async fn what_is_not_there_is_refused_as_resources_get_refuses_it(fleet: &'static TestFleet) {
    for question in [
        json!({"kind": "deployments", "name": "nobody-is-called-so"}),
        json!({"cluster": fleet.servers[0].name, "namespace": "nowhere", "name": "pod/nobody"}),
    ] {
        let described = fleet.refused("resources_describe", question.clone()).await;
        assert_eq!(described["code"], "not_found", "{described}");
        assert_eq!(described, fleet.refused("resources_get", question).await);
    }
}
