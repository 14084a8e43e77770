//! Looks at the files of the certificate now and then, and takes over what is new and good.
//!
//! Their bytes are compared, not their times: a mounted secret changes by moving a link, and clocks of file systems are
//! coarse.

use metrics::{Counter, Gauge};
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use super::pair::{Pair, PairError, PairText, Validity};
use super::{Tls, TlsFiles};
use crate::clock::now_ms;
use crate::limits::CERTIFICATE_WARNING;
use crate::telemetry::Telemetry;

/// How often an end that is near is said again.
const WARN_EVERY: i64 = 24 * 3_600;

/// Keeps the certificate of a listener current.
pub(crate) struct Reload {
    tls: Tls,
    files: TlsFiles,
    shown: Pair,
    /// What was found wrong the last time: the same is not said again.
    refused: Option<Refused>,
    /// When the end of the certificate was last warned of, in seconds since 1970.
    warned: Option<i64>,
    metrics: ReloadMetrics,
}

enum Refused {
    Unreadable,
    Text(PairText),
}

/// What a certificate's end asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Far,
    Near,
    Past,
}

impl Reload {
    /// Begins with what is in the files at this moment.
    ///
    /// # Errors
    /// [`PairError`] when that is no certificate with its key.
    pub(crate) fn load(files: &TlsFiles, telemetry: &Telemetry) -> Result<Self, PairError> {
        let shown = Pair::load(files)?;
        let tls = Tls::showing(&shown)?;
        let metrics = ReloadMetrics::new(telemetry);
        metrics.expires.set(shown.validity().until as f64);
        Ok(Self { tls, files: files.clone(), shown, refused: None, warned: None, metrics })
    }

    /// What makes TLS streams with this certificate.
    pub(crate) fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Goes on until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut looks = interval(self.files.check_every());
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = looks.tick() => {}
            }
            self.look();
            self.warn(now_ms() / 1_000);
        }
    }

    /// Two small files: reading them holds nobody up.
    fn look(&mut self) {
        match PairText::read(&self.files) {
            Err(_) if matches!(self.refused, Some(Refused::Unreadable)) => {}
            Err(error) => self.refuse(Refused::Unreadable, &error),
            Ok(text) if self.shown.is_written(&text) => self.refused = None,
            Ok(text) if matches!(&self.refused, Some(Refused::Text(refused)) if *refused == text) => {}
            Ok(text) => match Pair::parse(text.clone(), &self.files) {
                Ok(pair) => self.take_over(pair),
                Err(error) => self.refuse(Refused::Text(text), &error),
            },
        }
    }

    fn take_over(&mut self, pair: Pair) {
        self.tls.show(&pair);
        self.metrics.expires.set(pair.validity().until as f64);
        self.metrics.taken_over.increment(1);
        tracing::info!(cert_file = %self.files.cert_file().display(), "new connections are shown the new certificate");
        (self.shown, self.refused, self.warned) = (pair, None, None);
    }

    fn refuse(&mut self, refused: Refused, error: &PairError) {
        self.metrics.refused.increment(1);
        tracing::error!("the new certificate can't be used, and the old one is still shown: {error}");
        self.refused = Some(refused);
    }

    fn warn(&mut self, now: i64) {
        if self.warned.is_some_and(|warned| now - warned < WARN_EVERY) {
            return;
        }
        let file = self.files.cert_file().display();
        match end(self.shown.validity(), now) {
            End::Far => return,
            End::Near => {
                let hours = (self.shown.validity().until - now) / 3_600;
                tracing::warn!(cert_file = %file, hours, "the certificate ends soon: put a new one into its place");
            }
            End::Past => {
                tracing::error!(cert_file = %file, "the certificate has ended, and no client believes it: put a new one into its place");
            }
        }
        self.warned = Some(now);
    }
}

/// Near is the last fortnight of a long certificate, and the last third of a short one.
fn end(validity: Validity, now: i64) -> End {
    let fortnight = i64::try_from(CERTIFICATE_WARNING.as_secs()).unwrap_or(i64::MAX);
    let third = (validity.until - validity.from) / 3;
    match validity.until - now {
        left if left <= 0 => End::Past,
        left if left < fortnight.min(third) => End::Near,
        _ => End::Far,
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_near_in_the_last_fortnight_or_the_last_third() {
        const DAY: i64 = 86_400;
        for (days, left, expected) in [
            (90, 60 * DAY, End::Far),
            (90, 14 * DAY, End::Far),
            (90, 14 * DAY - 1, End::Near),
            (90, 0, End::Past),
            (1, DAY / 2, End::Far),
            (1, DAY / 4, End::Near),
            (1, -DAY, End::Past),
        ] {
            let validity = Validity { from: 0, until: days * DAY };
            assert_eq!(end(validity, validity.until - left), expected, "{days} days, {left} s left");
        }
    }
}
