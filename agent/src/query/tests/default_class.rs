//! What the API server prints behind the names of storage classes (`getEffectiveDefaultStorageClass` of its printers).

use super::*;

fn shown(classes: &[(&str, i64, &str)]) -> Vec<String> {
    let id = GroupResource::new("storage.k8s.io", "storageclasses");
    let columns = Arc::new(Columns::builtin(&id).unwrap());
    let shape =
        KindShape { id: id.clone(), columns, ..shape("storageclasses", "StorageClass", Scope::Cluster) };
    let class = |(name, at, default): &(&str, i64, &str)| {
        json!({"provisioner": "ebs", "metadata": {
            "name": name, "uid": name, "resourceVersion": "1",
            "creationTimestamp": jiff::Timestamp::from_second(1_700_000_000 + at).unwrap().to_string(),
            "annotations": {"storageclass.kubernetes.io/is-default-class": default},
        }})
    };
    let store = store_of(&shape, classes.iter().map(class));
    let request = ListRequest { kind: id, columns: fields(&["name"]), ..list_of("storageclasses") };
    let listing = list(&store, &request, &budget()).unwrap();
    listing.rows.iter().map(|row| row.cells[0].as_str().unwrap().to_owned()).collect()
}

#[test]
fn of_several_marked_classes_the_newest_is_the_default() {
    for (classes, expected) in [
        (&[("a", 1, "false"), ("b", 2, "false")][..], ["a", "b"]),
        (&[("a", 1, "true"), ("b", 2, "false")], ["a (default)", "b"]),
        (&[("a", 1, "true"), ("b", 2, "true")], ["a", "b (default)"]),
        (&[("a", 2, "true"), ("b", 1, "true")], ["a (default)", "b"]),
        (&[("b", 1, "true"), ("a", 1, "true")], ["a (default)", "b"]),
    ] {
        assert_eq!(shown(classes), expected, "{classes:?}");
    }
}
