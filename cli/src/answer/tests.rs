use super::*;

const PLAIN: Look = Look { width: None, colour: false };

fn exchange(content: Value, text: &str) -> Exchange {
    let result = json!({"structuredContent": content, "content": [{"text": text}]});
    let request = json!({"params": {"name": "pods_list", "arguments": {"limit": 1}}});
    Exchange { request, response: json!({"result": result}) }
}

fn rendered(content: Value, look: Look) -> String {
    render(&exchange(content, "gateway's text"), &"127.0.0.1:9".parse().unwrap(), look)
}

#[test]
fn a_page_says_what_it_covers_and_how_it_goes_on() {
    let text = rendered(
        json!({
            "columns": ["name", "ready"],
            "groups": [{"cluster": "eu", "namespace": "shop", "rows": [["cart-1", "1/1"]]}],
            "total": 7, "shown": 1, "continue": "CURSOR", "partial": true, "statusCounts": {"Running": 7},
            "clusters": {"expected": 2, "answered": 1, "ageMs": 1_200, "problems": [
                {"cluster": "us", "status": "disconnected", "since": "2026-01-01T00:00:00Z", "message": "no link"}]},
        }),
        PLAIN,
    );
    for line in [
        "cluster  namespace  name    ready",
        "eu       shop       cart-1  1/1",
        "1 of 7 shown",
        "by status: Running 7",
        "1 of 2 clusters answered, data at most 2 s old",
        "! us disconnected since 2026-01-01T00:00:00Z: no link",
        "PARTIAL: what is missing or old is said above",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    let next = text.lines().last().unwrap();
    assert!(
        next.ends_with(r#"--endpoint http://127.0.0.1:9/mcp pods_list '{"limit":1,"continue":"CURSOR"}'"#),
        "{next}"
    );
}

#[test]
fn colour_is_only_where_it_is_wanted() {
    let content = json!({"columns": ["name"], "groups": [{"rows": [["a"]]}], "total": 1, "shown": 1, "partial": true,
        "clusters": {"expected": 1, "answered": 1}});
    assert!(!rendered(content.clone(), PLAIN).contains('\x1b'));
    assert!(rendered(content, Look { colour: true, ..PLAIN }).contains("\x1b["));
}

#[test]
fn objects_are_indented_and_end_as_rows_do() {
    let covered = json!({"expected": 3, "answered": 2, "ageMs": 20, "problems": [
        {"cluster": "ap", "status": "disconnected", "message": "no link"}]});
    let shared = json!({"clusters": ["eu", "us"], "moreClusters": 4, "object": {"kind": "Pod"}});
    let content = json!({"objects": [shared], "omitted": ["spec"], "clusters": covered, "partial": true});
    assert_eq!(
        rendered(content, PLAIN),
        "# in eu, us and 4 more\n{\n  \"kind\": \"Pod\"\n}\n\
         left out for size: spec; repeat the call with fields to get one of them\n\
         2 of 3 clusters answered, data less than 1 s old\n! ap disconnected: no link\n\
         PARTIAL: what is missing or old is said above\n"
    );
    let page = |what: &str| rendered(json!({what: [], "clusters": covered, "partial": true}), PLAIN);
    assert_eq!(page("objects"), page("groups"));
}

#[test]
fn what_agents_report_is_as_old_as_they_were_heard() {
    let content = json!({"groups": [], "clusters": {"expected": 1, "answered": 1, "heardMs": 1_200}});
    assert!(rendered(content, PLAIN).contains("1 of 1 clusters answered, all heard within the last 2 s\n"));
}

#[test]
fn lines_of_logs_stand_as_they_were_written() {
    let long = "x".repeat(300);
    let content = json!({"pod": "cart-1", "date": "2026-11-23", "columns": ["time", "cluster", "line"],
        "rows": [["18:23:37.000Z", "eu", long], ["18:23:38.000Z", "us", "a\u{1b}b"]], "shown": 2, "total": 9,
        "notes": [{"pod": "cart-2", "message": "it has no log"}], "clusters": {"expected": 2, "answered": 2}});
    let text = body(&content, "gateway's text", Look { width: Some(40), colour: false });
    assert_eq!(text, format!("18:23:37.000Z  eu  {long}\n18:23:38.000Z  us  a b\n"));
    assert_eq!(
        footer(&content, PLAIN, true),
        "2 of 9 shown\n2 of 2 clusters answered\n! cart-2 it has no log\n"
    );
}

#[test]
fn sorts_of_lines_are_a_table() {
    let content = json!({"columns": ["count", "pattern"], "rows": [[12, "slow request <n>"]], "shown": 1, "total": 1,
        "clusters": {"expected": 1, "answered": 1}});
    assert_eq!(
        rendered(content, PLAIN),
        "count  pattern\n12     slow request <n>\n\n1 of 1 shown\n1 of 1 clusters answered\n"
    );
}

#[test]
fn that_all_is_alike_is_something() {
    let content = |total: u64| {
        json!({"baseline": "majority", "total": total, "equal": total, "objects": [],
        "notes": ["values of ConfigMaps are compared by their length"], "clusters": {"expected": 2, "answered": 2}})
    };
    assert!(!is_empty(&content(7)) && is_empty(&content(0)));
    assert_eq!(
        rendered(content(7), PLAIN),
        "compared with majority\n7 of 7 objects are alike everywhere\n2 of 2 clusters answered\n\
         ! values of ConfigMaps are compared by their length\n"
    );
}

#[test]
fn other_text_is_the_gateways() {
    assert_eq!(rendered(json!({"x": 1}), PLAIN), "gateway's text\n");
}

#[test]
fn kinds_that_a_search_left_out_are_told() {
    let kinds = json!(["a", "b", "c", "d", "e", "and 36 more"]);
    let content = json!({"groups": [], "shown": 0, "notSearched": {"notWatched": kinds, "forbidden": ["secrets"]},
        "clusters": {"expected": 1, "answered": 1}});
    let text = rendered(content, PLAIN);
    assert!(text.contains(": a, b, c, d and 37 more\n"), "{text}");
    assert!(text.contains("not searched, forbidden: secrets\n"), "{text}");
}

#[test]
fn nothing_found_is_said() {
    let content = json!({"columns": ["name"], "groups": [], "total": 0, "shown": 0, "clusters": {"expected": 3, "answered": 3}});
    assert_eq!(rendered(content, PLAIN), "nothing found\n3 of 3 clusters answered\n");
}
