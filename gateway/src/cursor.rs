//! The cursor of a page: where the one global order was left, sealed so that nobody else can read or make one.
//!
//! It carries the key of the last row shown, not a position in any cluster, so it stays right while rows come and go. It
//! is bound to the caller, the question and the expected clusters, and names the clusters that were missing when it was
//! made: they stay out for its life, because their first rows were never shown.
//!
//! The bonds are hashes inside the sealed text rather than associated data: an error can then say which one broke.

mod codec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use kubeplex_proto::duration::human_duration;

use crate::error::CallError;
use crate::limits::MAX_CURSOR_BYTES;
use crate::request::{Fingerprint, Resume};

/// Seals and opens cursors. Made once per gateway.
pub struct CursorSealer {
    cipher: XChaCha20Poly1305,
    life_ms: i64,
}

const NONCE_BYTES: usize = 24;
const START_AGAIN: &str = "repeat the call without continue to start again";

impl CursorSealer {
    /// `key` is random per start, or from the configuration so that replicas share it; a cursor holds for `life_ms`.
    pub fn new(key: [u8; 32], life_ms: u64) -> Self {
        Self {
            cipher: XChaCha20Poly1305::new(&key.into()),
            life_ms: i64::try_from(life_ms).unwrap_or(i64::MAX),
        }
    }

    /// `nonce` must be random and fresh; `now_ms` is the time since 1970.
    pub fn seal(
        &self,
        resume: &Resume,
        fingerprint: &Fingerprint,
        nonce: [u8; NONCE_BYTES],
        now_ms: i64,
    ) -> String {
        let plain = codec::encode(resume, fingerprint, now_ms.saturating_add(self.life_ms));
        let mut sealed = nonce.to_vec();
        // Sealing fails for plain texts of many gigabytes only; an empty cursor would then be refused as malformed.
        sealed.extend(self.cipher.encrypt(XNonce::from_slice(&nonce), plain.as_slice()).unwrap_or_default());
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// # Errors
    /// `invalid_argument` that says which it is: malformed, expired, of another caller, question or set of clusters.
    pub fn open(&self, text: &str, fingerprint: &Fingerprint, now_ms: i64) -> Result<Resume, CallError> {
        let opened = self.decrypt(text).and_then(|plain| codec::decode(&plain));
        let Some(codec::Opened { resume, fingerprint: bound, expires_ms }) = opened else {
            let start: String = text.chars().take(24).collect();
            return refuse(&format!(
                "\"{start}…\" is not a cursor of this gateway: it was changed or cut on the way, or the gateway has restarted since"
            ));
        };
        if now_ms >= expires_ms {
            let ago = human_duration(now_ms.saturating_sub(expires_ms));
            return refuse(&format!("the cursor expired {ago} ago"));
        }
        if bound.caller != fingerprint.caller {
            return refuse("the cursor was given to another caller");
        }
        if bound.question != fingerprint.question {
            return refuse(
                "the cursor belongs to another question: all arguments but limit, maxBytes, minCoverage, timeoutSeconds and output must be as on the first page",
            );
        }
        if bound.expected != fingerprint.expected {
            return refuse("the set of clusters asked has changed since the first page");
        }
        Ok(resume)
    }

    fn decrypt(&self, text: &str) -> Option<Vec<u8>> {
        if text.len() > MAX_CURSOR_BYTES {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, cipher_text) = sealed.split_at_checked(NONCE_BYTES)?;
        self.cipher.decrypt(XNonce::from_slice(nonce), cipher_text).ok()
    }
}

fn refuse<T>(problem: &str) -> Result<T, CallError> {
    Err(CallError::invalid(format!("continue: {problem}")).with_hint(START_AGAIN))
}

#[cfg(test)]
mod tests;
