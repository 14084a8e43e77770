//! The certificate of the main listener, kept current and counted.

use kubeplex_link::certificate::{CertificateFiles, Change, Keeper, PairError};
use metrics::{Counter, Gauge};
use tokio_util::sync::CancellationToken;

use super::Tls;
use crate::telemetry::Telemetry;

/// Keeps the certificate of a listener current.
pub(crate) struct Reload {
    keeper: Keeper,
    tls: Tls,
    metrics: ReloadMetrics,
}

impl Reload {
    /// Begins with what is in the files at this moment.
    ///
    /// # Errors
    /// [`PairError`] when that is no certificate with its key.
    pub(crate) fn load(files: &CertificateFiles, telemetry: &Telemetry) -> Result<Self, PairError> {
        let keeper = Keeper::load(files)?;
        let (tls, metrics) = (Tls::showing(&keeper)?, ReloadMetrics::new(telemetry));
        metrics.expires.set(keeper.expires() as f64);
        Ok(Self { keeper, tls, metrics })
    }

    /// What makes TLS streams with this certificate.
    pub(crate) fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Goes on until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let Self { keeper, metrics, .. } = self;
        keeper.run(stop, |change| metrics.note(change)).await;
    }
}

struct ReloadMetrics {
    expires: Gauge,
    taken_over: Counter,
    refused: Counter,
}

impl ReloadMetrics {
    fn new(telemetry: &Telemetry) -> Self {
        let counter =
            |result| metrics::counter!("kubeplex_gateway_certificate_changes_total", "result" => result);
        telemetry.register(|| Self {
            expires: metrics::gauge!("kubeplex_gateway_certificate_expires_timestamp_seconds"),
            taken_over: counter("taken_over"),
            refused: counter("refused"),
        })
    }

    fn note(&self, change: Change) {
        match change {
            Change::TakenOver { expires } => {
                self.expires.set(expires as f64);
                self.taken_over.increment(1);
            }
            Change::Refused => self.refused.increment(1),
        }
    }
}
