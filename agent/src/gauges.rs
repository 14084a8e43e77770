//! Gauges that hold until they are set otherwise, however seldom that is.
//!
//! The program's recorder forgets gauges that were not set for a while: those of kinds that are watched no more. And it is
//! installed when parts of the agent run already. So whoever asks for metrics has these set again first.

use std::collections::BTreeMap;

use parking_lot::Mutex;

/// One recorder a process, and so one value a name.
static HELD: Mutex<BTreeMap<&'static str, f64>> = Mutex::new(BTreeMap::new());

/// From now on the gauge `name` has this value.
pub fn hold(name: &'static str, value: f64) {
    HELD.lock().insert(name, value);
    metrics::gauge!(name).set(value);
}

/// Sets all of them again, to what they are.
pub fn set_again() {
    for (name, value) in &*HELD.lock() {
        metrics::gauge!(*name).set(*value);
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn what_was_set_before_anybody_listened_is_told() {
        hold("kubeplex_agent_test_gauge", 1.0);
        hold("kubeplex_agent_test_gauge", 7.0);
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, set_again);
        let told = recorder.handle().render();
        assert!(told.contains("kubeplex_agent_test_gauge 7"), "{told}");
    }
}
