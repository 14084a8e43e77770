use proptest::prelude::*;

use super::*;

/// What a query came to, in a line.
fn read(text: &str) -> Result<String, CallError> {
    let query = parse(text)?;
    let mut lines: Vec<String> = Vec::new();
    for term in &query.terms {
        let json = serde_json::to_string(&term.condition).unwrap();
        lines.push(format!("{}{json}", if term.negated { "-" } else { "" }));
    }
    for (what, named) in [("kind", &query.kinds), ("cluster", &query.clusters)] {
        for named in named {
            let names: Vec<_> = named.names.iter().map(|name| name.text.as_str()).collect();
            lines.push(format!("{}{what} {}", if named.negated { "-" } else { "" }, names.join("|")));
        }
    }
    Ok(lines.join(" "))
}

#[test]
fn queries_are_read_as_the_grammar_says() {
    for (text, expected) in [
        ("cart", r#"{"word":{"part":"cart"}}"#),
        (" Cart  web ", r#"{"word":{"part":"cart"}} {"word":{"part":"web"}}"#),
        ("cart-7d9f:x 10.0.0.1:80", r#"{"word":{"part":"cart-7d9f:x"}} {"word":{"part":"10.0.0.1:80"}}"#),
        ("cart-*", r#"{"word":{"glob":"cart-*"}}"#),
        (r#""no * here""#, r#"{"word":{"part":"no * here"}}"#),
        (r#"-"a \"b\"""#, r#"-{"word":{"part":"a \"b\""}}"#),
        (r#""nginx:1.25""#, r#"{"word":{"part":"nginx:1.25"}}"#),
        ("ns:Shop,pay-*", r#"{"namespace":["shop","pay-*"]}"#),
        ("-name:x NAMESPACE=y", r#"-{"name":["x"]} {"namespace":["y"]}"#),
        ("image:nginx,*:latest", r#"{"image":[{"part":"nginx"},{"glob":"*:latest"}]}"#),
        ("label:app=cart,tier", r#"{"label":[{"key":"app","value":"cart"},{"key":"tier"}]}"#),
        (r#"label:app="a b""#, r#"{"label":[{"key":"app","value":"a b"}]}"#),
        ("label:app=", r#"{"label":[{"key":"app","value":""}]}"#),
        (
            "restarts>5 restarts<=7",
            r#"{"restarts":{"comparison":"more","value":5}} {"restarts":{"comparison":"atMost","value":7}}"#,
        ),
        ("restarts:0", r#"{"restarts":{"comparison":"equal","value":0}}"#),
        ("-age<1h30m", r#"-{"age":{"comparison":"less","value":5400000}}"#),
        ("kind:po,deploy -cluster:prod-*", "kind po|deploy -cluster prod-*"),
    ] {
        assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn mistakes_are_told_with_their_column() {
    for (text, said) in [
        ("", "query: \"\" says nothing"),
        ("  ", "query: \"  \" says nothing"),
        ("cart stauts:Running", "query, column 6: \"stauts\" is no key; did you mean status?"),
        ("ä nmae:x", "query, column 3: \"nmae\" is no key; did you mean name?"),
        ("zzz:x", "query, column 1: \"zzz\" is no key; keys are kind, ns,"),
        ("app=cart", "query, column 1: \"app\" is no key"),
        ("xyzzy=cart", "column 1: \"xyzzy\" is no key; a label is label:xyzzy=cart"),
        ("cart \"open", "query, column 6: \"open has no closing quote"),
        ("cart -", "query, column 6: - stands before nothing"),
        ("\"\"", "query, column 1: a text is empty"),
        ("ns:", "query, column 4: ns has no value here; ns:shop,pay-* is an example"),
        ("ns:a,,b", "query, column 6: ns has no value here"),
        ("ns>a", "query, column 3: only restarts and age are compared"),
        ("restarts>many", "query, column 10: \"many\" is no whole number"),
        ("age<soon", "query, column 5: \"soon\" is no duration"),
        ("age:1h", "query, column 4: an age is compared with < or >"),
        ("label:=x", "query, column 7: label has no key here"),
        ("\"a\"b", "query, column 4: \"b\" follows a closing quote"),
        ("name:\"a*\"", "query, column 6: \"a*\": a * stands for any text"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.message.contains(said), "{text}: {}", error.message);
    }
    let quoted = read("nginx:1.25").unwrap_err();
    assert_eq!(quoted.hint.as_deref(), Some("a word with : in it stands in quotes: \"nginx:1.25\""));
    assert!(read(&"a ".repeat(MAX_LIST_PARTS + 1)).is_err());
}

proptest! {
    /// Whatever somebody writes is read, or refused at a column that the text has.
    #[test]
    fn no_text_breaks_the_parser(
        text in r#"[a-z:="<>,*\\ äÄ-]{0,40}|(kind|ns|age|label|restarts)[:=<>]{1,2}.{0,12}"#,
    ) {
        if let Err(error) = parse(&text)
            && let Some((_, rest)) = error.message.split_once("column ")
        {
            let column: usize = rest.split(':').next().unwrap().parse().unwrap();
            prop_assert!((1..=text.chars().count() + 1).contains(&column), "{}", error.message);
        }
    }
}
