use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::sort::{KeyValue, RowKey};
use proptest::prelude::*;

use super::*;
use crate::request::LegId;

const NOW_MS: i64 = 1_795_458_279_000;
const LIFE_MS: u64 = 600_000;

fn sealer() -> CursorSealer {
    CursorSealer::new([7; 32], LIFE_MS)
}

fn cluster(name: &str) -> ClusterId {
    ClusterId::new(name).unwrap()
}

fn fingerprint(caller: &str, question: &str, expected: &[&str]) -> Fingerprint {
    let expected: Vec<_> = expected.iter().copied().map(cluster).collect();
    Fingerprint::new(caller, &question, &expected)
}

fn resume() -> Resume {
    let after = RowKey {
        values: vec![KeyValue::Text("prod-eu".into()), KeyValue::from_integer(-3), KeyValue::Missing],
        namespace: "shop".into(),
        name: "cart-7d9f8b6c5d-x2x9k".into(),
        uid: "3f2504e0-4f89-11d3-9a0c-0305e82c3301".into(),
    };
    Resume { after, missing: vec![LegId(1), LegId(99)] }
}

#[test]
fn a_cursor_opens_for_its_own_question_only_and_the_error_says_why_not() {
    let own = fingerprint("anna", "pods", &["a", "b"]);
    let text = sealer().seal(&resume(), &own, [1; 24], NOW_MS);
    assert_eq!(sealer().open(&text, &own, NOW_MS + 1).unwrap(), resume());

    let mut cut = text.clone();
    cut.pop();
    let table = [
        (text.as_str(), own, NOW_MS + LIFE_MS as i64 + 61_000, "the cursor expired 61s ago"),
        (&text, fingerprint("berta", "pods", &["a", "b"]), NOW_MS, "given to another caller"),
        (&text, fingerprint("anna", "nodes", &["a", "b"]), NOW_MS, "belongs to another question"),
        (&text, fingerprint("anna", "pods", &["a"]), NOW_MS, "the set of clusters asked has changed"),
        (&cut, own, NOW_MS, "is not a cursor of this gateway"),
        ("", own, NOW_MS, "is not a cursor of this gateway"),
        ("näh!", own, NOW_MS, "is not a cursor of this gateway"),
    ];
    for (text, fingerprint, now_ms, expected) in table {
        let error = sealer().open(text, &fingerprint, now_ms).unwrap_err();
        assert_eq!(error.code, crate::error::ErrorCode::InvalidArgument);
        assert!(error.message.contains(expected), "{}", error.message);
        assert_eq!(error.hint.as_deref(), Some(START_AGAIN));
    }
    let restarted = CursorSealer::new([8; 32], LIFE_MS);
    assert!(restarted.open(&text, &own, NOW_MS).is_err());
}

#[test]
fn a_cursor_is_short() {
    let text = sealer().seal(&resume(), &fingerprint("anna", "pods", &["a"]), [1; 24], NOW_MS);
    assert!(text.len() < 220, "{} characters", text.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_cursor_is_refused(at in 0_usize..1_000, bit in 0_u8..6) {
        let own = fingerprint("anna", "pods", &["a", "b"]);
        let text = sealer().seal(&resume(), &own, [1; 24], NOW_MS);
        let mut sealed = URL_SAFE_NO_PAD.decode(&text).unwrap();
        let at = at % sealed.len();
        sealed[at] ^= 1 << bit;
        prop_assert!(sealer().open(&URL_SAFE_NO_PAD.encode(sealed), &own, NOW_MS).is_err());
    }

    #[test]
    fn any_text_is_refused_without_a_panic(text in "\\PC{0,200}") {
        let own = fingerprint("anna", "pods", &["a", "b"]);
        prop_assert!(sealer().open(&text, &own, NOW_MS).is_err());
    }

    #[test]
    fn bytes_that_were_never_sealed_decode_to_nothing_or_something_but_do_not_panic(bytes: Vec<u8>) {
        let mut framed = vec![1];
        framed.extend(bytes);
        let _ = codec::decode(&framed);
    }

    #[test]
    fn every_key_survives(
        values in proptest::collection::vec(prop_oneof![
            any::<i64>().prop_map(KeyValue::from_integer),
            "\\PC{0,300}".prop_map(KeyValue::Text),
            Just(KeyValue::Missing)], 0..5),
        namespace in "[a-z-]{0,63}",
        name in "\\PC{1,253}",
        uid in prop_oneof!["[0-9a-f-]{0,40}", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"],
    ) {
        let own = fingerprint("anna", "pods", &[]);
        let resume = Resume { after: RowKey { values, namespace, name, uid }, missing: Vec::new() };
        let text = sealer().seal(&resume, &own, [2; 24], NOW_MS);
        prop_assert_eq!(sealer().open(&text, &own, NOW_MS).unwrap(), resume);
    }
}
