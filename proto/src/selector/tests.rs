use super::*;

fn labels(key: &str) -> Option<&'static str> {
    match key {
        "app" => Some("cart"),
        "app.kubernetes.io/name" => Some("shop"),
        "weight" => Some("7"),
        "empty" => Some(""),
        _ => None,
    }
}

#[test]
fn label_selectors_match_as_in_kubectl() {
    for (selector, expected) in [
        ("", true),
        ("app=cart", true),
        ("app==cart", true),
        (" app = cart , weight ", true),
        ("app!=cart", false),
        ("gone!=cart", true),
        ("app in (cart, checkout)", true),
        ("app in (checkout)", false),
        ("app notin (checkout,cart)", false),
        ("gone notin (x)", true),
        ("gone", false),
        ("!gone", true),
        ("!app", false),
        ("empty=", true),
        ("app=", false),
        ("weight>6,weight<8", true),
        ("weight > 7", false),
        ("app>1", false),
        ("app.kubernetes.io/name=shop", true),
        ("in=x", false),
        ("in in (x)", false),
    ] {
        let parsed: LabelSelector = selector.parse().unwrap();
        assert_eq!(parsed.matches(labels), expected, "{selector}");
    }
}

#[test]
fn malformed_label_selectors_say_where_and_what() {
    for (selector, at, wanted) in [
        ("app=cart,", 9, "after the comma"),
        ("=cart", 0, "label key"),
        ("app cart", 4, "one of ="),
        ("app in cart", 7, "in brackets"),
        ("app in (a b)", 10, "closing bracket"),
        ("app=ca rt", 7, "comma"),
        ("app=-x", 4, "label value"),
        ("a/b/c=x", 0, "label key"),
        ("n>x", 2, "integer"),
        ("ä=1", 0, "label key"),
        (",", 0, "label key"),
    ] {
        let error = selector.parse::<LabelSelector>().unwrap_err();
        assert_eq!(error.at, at, "{selector}: {error}");
        assert!(error.to_string().contains(wanted), "{selector}: {error}");
        assert!(error.to_string().contains(selector), "{error}");
    }
}

#[test]
fn field_selectors_name_any_path() {
    let parsed: FieldSelector = r"status.phase!=Running,metadata.labels['a.b/c=d']=x\,y".parse().unwrap();
    let expected = [("status.phase", "Running", true), ("metadata.labels['a.b/c=d']", "x,y", false)];
    let found: Vec<_> =
        parsed.requirements.iter().map(|r| (r.path.as_str(), r.value.as_str(), r.negated)).collect();
    assert_eq!(found, expected);
    let phase = &parsed.requirements[0];
    assert!(phase.holds(Some("Pending")) && phase.holds(None) && !phase.holds(Some("Running")));
}

#[test]
fn malformed_field_selectors_say_where_and_what() {
    for (selector, at) in
        [("status.phase", 12), ("=x", 0), ("a=b,", 4), (r"a=b\c", 3), ("a=b=c", 3), ("a!b", 1)]
    {
        let error = selector.parse::<FieldSelector>().unwrap_err();
        assert_eq!(error.at, at, "{selector}: {error}");
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(text in ".{0,40}") {
            let _ = text.parse::<LabelSelector>();
            let _ = text.parse::<FieldSelector>();
        }
    }
}
