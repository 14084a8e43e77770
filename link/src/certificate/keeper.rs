//! Looks at the files of a certificate now and then, and takes over what is new and good.
//!
//! Their bytes are compared, not their times: a mounted secret changes by moving a link, and clocks of file systems are
//! coarse.

use std::time::{SystemTime, UNIX_EPOCH};

use rustls::ServerConfig;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use super::pair::{Pair, PairError, PairText, Validity};
use super::{CertificateFiles, Shown};
use crate::limits::CERTIFICATE_WARNING;

/// How often an end that is near is said again, in seconds.
const WARN_EVERY: i64 = 24 * 3_600;

/// Keeps the certificate current that a listener shows.
pub struct Keeper {
    shown: Shown,
    files: CertificateFiles,
    pair: Pair,
    /// What was found wrong the last time: the same is not said again.
    refused: Option<Refused>,
    /// When the end of the certificate was last warned of, in seconds since 1970.
    warned: Option<i64>,
}

/// What became of new files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// New connections are shown what is in them.
    TakenOver {
        /// The end of the new certificate, in seconds since 1970.
        expires: i64,
    },
    /// They are no certificate with its key: the old one is still shown.
    Refused,
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

impl Keeper {
    /// Begins with what is in the files at this moment.
    ///
    /// # Errors
    /// [`PairError`] when that is no certificate with its key.
    pub fn load(files: &CertificateFiles) -> Result<Self, PairError> {
        let pair = Pair::load(files)?;
        Ok(Self { shown: Shown::new(&pair), files: files.clone(), pair, refused: None, warned: None })
    }

    /// The settings of a server that shows the certificate that is current when it is asked, and that speaks these
    /// protocols, the preferred one first.
    ///
    /// # Errors
    /// [`PairError::Settings`], which would be a defect.
    pub fn server(&self, protocols: &[&[u8]]) -> Result<ServerConfig, PairError> {
        self.shown.server(protocols)
    }

    /// The end of the certificate that is shown, in seconds since 1970.
    pub fn expires(&self) -> i64 {
        self.pair.validity().until
    }

    /// Goes on until `stop`, and tells of every change.
    pub async fn run(mut self, stop: CancellationToken, mut tell: impl FnMut(Change)) {
        let mut looks = interval(self.files.check_every());
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = looks.tick() => {}
            }
            self.look().into_iter().for_each(&mut tell);
            self.warn(now());
        }
    }

    /// Two small files: reading them holds nobody up.
    fn look(&mut self) -> Option<Change> {
        match PairText::read(&self.files) {
            Err(_) if matches!(self.refused, Some(Refused::Unreadable)) => None,
            Err(error) => Some(self.refuse(Refused::Unreadable, &error)),
            Ok(text) if self.pair.is_written(&text) => {
                self.refused = None;
                None
            }
            Ok(text) if matches!(&self.refused, Some(Refused::Text(refused)) if *refused == text) => None,
            Ok(text) => Some(match Pair::parse(text.clone(), &self.files) {
                Ok(pair) => self.take_over(pair),
                Err(error) => self.refuse(Refused::Text(text), &error),
            }),
        }
    }

    fn take_over(&mut self, pair: Pair) -> Change {
        self.shown.show(&pair);
        tracing::info!(cert_file = %self.files.cert_file().display(), "new connections are shown the new certificate");
        (self.pair, self.refused, self.warned) = (pair, None, None);
        Change::TakenOver { expires: self.expires() }
    }

    fn refuse(&mut self, refused: Refused, error: &PairError) -> Change {
        tracing::error!("the new certificate can't be used, and the old one is still shown: {error}");
        self.refused = Some(refused);
        Change::Refused
    }

    fn warn(&mut self, now: i64) {
        if self.warned.is_some_and(|warned| now - warned < WARN_EVERY) {
            return;
        }
        let file = self.files.cert_file().display();
        match end(self.pair.validity(), now) {
            End::Far => return,
            End::Near => {
                let hours = (self.expires() - now) / 3_600;
                tracing::warn!(cert_file = %file, hours, "the certificate ends soon: put a new one into its place");
            }
            End::Past => {
                tracing::error!(cert_file = %file, "the certificate has ended, and nobody believes it: put a new one into its place");
            }
        }
        self.warned = Some(now);
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX)
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

#[cfg(test)]
mod tests {
    use kubeplex_test_support::pki::{Authority, TlsFolder};

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

    #[test]
    fn what_is_new_and_good_is_taken_over_and_the_rest_is_said_once() {
        let (authority, folder) = (Authority::new(), TlsFolder::new());
        let [first, second] = [authority.issue("localhost"), authority.issue("localhost")];
        folder.put(&first);
        let files = CertificateFiles::new(folder.cert_file(), folder.key_file());
        let mut keeper = Keeper::load(&files).unwrap();
        let shown = |keeper: &Keeper| keeper.shown.0.0.read().cert[0].to_vec();
        assert_eq!(keeper.look(), None);
        // Half of a change: the certificate of one, the key of the other.
        folder.write(second.cert_pem(), first.key_pem());
        assert_eq!((keeper.look(), keeper.look()), (Some(Change::Refused), None));
        assert_eq!(shown(&keeper), first.der());
        folder.put(&second);
        assert!(matches!(keeper.look(), Some(Change::TakenOver { .. })));
        assert_eq!((shown(&keeper), keeper.look()), (second.der().to_vec(), None));
        std::fs::remove_file(folder.key_file()).unwrap();
        assert_eq!((keeper.look(), keeper.look()), (Some(Change::Refused), None));
        folder.put(&second);
        assert_eq!(keeper.look(), None, "it is the one that is shown");
    }
}
