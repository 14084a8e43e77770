//! The time of a call, for questions that go by it.

use std::cell::Cell;

/// The gateway's time since 1970. It knows whether anybody looked: what was understood without it is understood alike at any
/// time.
#[derive(Debug)]
pub struct TimeOfDay {
    since_1970_ms: i64,
    read: Cell<bool>,
}

impl TimeOfDay {
    pub const fn new(since_1970_ms: i64) -> Self {
        Self { since_1970_ms, read: Cell::new(false) }
    }

    /// In milliseconds.
    pub(super) fn ms(&self) -> i64 {
        self.read.set(true);
        self.since_1970_ms
    }

    pub(crate) fn was_read(&self) -> bool {
        self.read.get()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cursor::CursorSealer;
    use crate::request::fixtures::{NOW_MS, cluster, fleet, sealer};
    use crate::resolve::Scope;
    use crate::tools::catalogue;
    use kubeplex_proto::visibility::Visibility;

    #[test]
    fn what_goes_by_the_time_of_the_call_reads_it_and_nothing_else_does() {
        let fleet = fleet(vec![cluster("eu", &[])]);
        let (sealer, visibility): (CursorSealer, _) = (sealer(), Visibility::everything());
        for (tool, arguments, reads) in [
            ("pods_list", json!({"namespace": "shop", "sortBy": "-age"}), false),
            ("clusters_list", json!({}), false),
            ("resources_get", json!({"name": "deployment/cart"}), false),
            ("events_list", json!({}), true),
            ("events_list", json!({"since": "2026-11-23T10:00:00Z"}), true),
            ("pods_list", json!({"continue": "x"}), true),
        ] {
            let time = TimeOfDay::new(NOW_MS);
            let scope =
                Scope { fleet: &fleet, visibility: &visibility, caller: "anna", sealer: &sealer, time };
            // What is wrong with a cursor, only who opens it knows.
            let _ = catalogue().get(tool).unwrap().resolve(arguments.as_object().unwrap(), &scope);
            assert_eq!(scope.time.was_read(), reads, "{tool} {arguments}");
        }
    }
}
