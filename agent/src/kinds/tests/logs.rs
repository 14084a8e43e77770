//! What an agent logs, for a process that holds many.

use std::io;

use simcluster::{Fault, FaultAction};

use super::*;

/// A log that can be read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn every_line_names_the_cluster_and_a_failure_is_told_once() {
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _until_the_end = tracing::subscriber::set_default(lines);
    let sim = SimCluster::new(small());
    sim.faults().add(Fault::new(FaultAction::Reset).times(3));
    let world = World::over(sim, on_demand());
    world.ready().await;
    world.until(|world| world.kinds().cluster().api_problem.is_empty()).await;
    let text = log.text();
    let failures = text.lines().filter(|line| line.contains("connection reset by the simulated API server"));
    assert_eq!(failures.count(), 1, "{text}");
    assert!(text.lines().all(|line| line.contains("agent{cluster=sim}")), "{text}");
}
