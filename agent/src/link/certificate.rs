//! The certificate that gateways are shown which dial the agent, kept current and counted.

use kubeplex_link::certificate::{CertificateFiles, Change, Keeper, PairError};
use kubeplex_link::identity::Identity;
use tokio_util::sync::CancellationToken;

use crate::gauges;

/// A certificate that is taken anew when its files change.
pub struct Certificate {
    keeper: Keeper,
    identity: Identity,
}

impl Certificate {
    /// Begins with what is in the files at this moment.
    ///
    /// # Errors
    /// [`PairError`] when that is no certificate with its key.
    pub fn load(files: &CertificateFiles) -> Result<Self, PairError> {
        let keeper = Keeper::load(files)?;
        let identity = Identity::of(&keeper)?;
        expires(keeper.expires());
        Ok(Self { keeper, identity })
    }

    /// What gateways are shown: whichever certificate is current when they dial.
    pub fn identity(&self) -> Identity {
        self.identity.clone()
    }

    /// Looks at the files until `stop`.
    pub async fn keep(self, stop: CancellationToken) {
        self.keeper.run(stop, note).await;
    }
}

fn note(change: Change) {
    let result = match change {
        Change::TakenOver { expires: end } => {
            expires(end);
            "taken_over"
        }
        Change::Refused => "refused",
    };
    metrics::counter!("kubeplex_agent_certificate_changes_total", "result" => result).increment(1);
}

fn expires(end: i64) {
    gauges::hold("kubeplex_agent_certificate_expires_timestamp_seconds", end as f64);
}
