//! Whole objects.

use super::*;

#[test]
fn objects_are_found_in_order_and_projected() {
    let store = pods(9);
    let request = GetRequest {
        namespaces: patterns(&["s*", "pay"]),
        fields: vec!["status.phase".to_owned()],
        limit: 2,
        ..get_of("pods")
    };
    let found = get(&store, &request, &budget()).unwrap();
    assert_eq!((found.total, found.objects.len()), (6, 2));
    assert_eq!(found.objects[0].name, "p0001");
    let expected = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p0001", "namespace": "pay"}, "status": {"phase": "Running"}});
    assert_eq!(found.objects[0].object, expected);
    let whole =
        get(&store, &GetRequest { names: patterns(&["p0001"]), ..get_of("pods") }, &budget()).unwrap();
    assert_eq!(whole.objects[0].object["spec"]["nodeName"], "n1");
}

#[test]
fn fields_of_a_get_are_paths() {
    let store = pods(1);
    let ask =
        |word: &str| get(&store, &GetRequest { fields: vec![word.to_owned()], ..get_of("pods") }, &budget());
    assert!(ask("spec").unwrap().objects[0].object["spec"].is_object());
    assert!(ask("nothing").is_ok() && ask("data").is_ok());
    for (word, part) in [("sepc", "did you mean spec?"), ("ready", "it is a column"), ("spec[", "spec[")] {
        let error = ask(word).unwrap_err();
        let message = format!("{} {}", error.message, error.hint.unwrap_or_default());
        assert!(error.code == AgentErrorCode::InvalidArgument && message.contains(part), "{message}");
    }
}

#[test]
fn objects_keep_to_their_bytes() {
    let mut request = get_of("pods");
    request.context.max_bytes = 1_500;
    let found = get(&pods(9), &request, &budget()).unwrap();
    assert!((1..9).contains(&found.objects.len()) && found.cut.is_some());
    assert_eq!(found.total, 9);
}

#[test]
fn of_an_object_that_is_too_large_the_rest_is_shown() {
    let mut large = pod("shop", "large", 1);
    large["spec"]["blob"] = "x y ".repeat(500_000).into();
    let store = store_of(&pods_shape(), [large]);
    let found = get(&store, &get_of("pods"), &budget()).unwrap();
    let object = &found.objects[0].object;
    assert!(object["omittedBytes"].as_u64().unwrap() > 1_500_000);
    assert_eq!(object["metadata"]["labels"]["app"], "web");
}
