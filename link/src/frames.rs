//! Newline-delimited JSON in HTTP bodies: one line, one frame.

use std::convert::Infallible;
use std::error::Error as StdError;

use bytes::{Bytes, BytesMut};
use http_body::Frame;
use http_body_util::BodyExt;
use http_body_util::channel::{Channel, Sender};
use http_body_util::combinators::UnsyncBoxBody;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What went wrong below this crate.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// A body made of frames, or any other.
pub type RequestBody = UnsyncBoxBody<Bytes, Infallible>;

/// Why a frame could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("a frame is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("the stream ended {received} bytes into a frame")]
    Truncated { received: usize },
    #[error("a frame is not what was expected here: {excerpt}")]
    Malformed { excerpt: String, source: serde_json::Error },
    #[error("the stream broke before its end")]
    Broken(#[source] BoxError),
}

/// One frame as it goes over the wire.
///
/// # Errors
/// When `frame` has no JSON form (a map with keys that are no text).
pub fn encode<T: Serialize>(frame: &T) -> serde_json::Result<Bytes> {
    let mut line = serde_json::to_vec(frame)?;
    line.push(b'\n');
    Ok(line.into())
}

/// Reads the frames of a body. Dropping it cancels the stream.
pub struct FrameReader {
    body: UnsyncBoxBody<Bytes, BoxError>,
    /// The part of the last piece that was not looked at yet.
    piece: Bytes,
    /// The beginning of a line whose end has not come.
    partial: BytesMut,
    limit: usize,
    received: u64,
    ended: bool,
}

impl FrameReader {
    /// Lines of `body`, each of at most `limit` bytes.
    pub fn new<B>(body: B, limit: usize) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let body = body.map_err(Into::into).boxed_unsync();
        Self { body, piece: Bytes::new(), partial: BytesMut::new(), limit, received: 0, ended: false }
    }

    /// The next frame; `None` after the last, and after an error. May be dropped and called again without losing anything.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Option<Result<T, FrameError>> {
        let line = self.next_line().await?;
        let frame = line.and_then(|line| {
            serde_json::from_slice(&line)
                .map_err(|source| FrameError::Malformed { excerpt: excerpt(&line), source })
        });
        self.ended |= frame.is_err();
        Some(frame)
    }

    /// Bytes of the body so far, read as frames or not yet.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The next line that is not empty, without its end.
    pub async fn next_line(&mut self) -> Option<Result<Bytes, FrameError>> {
        while !self.ended {
            let line = match self.take_line() {
                Ok(Some(line)) if line.is_empty() => continue,
                Ok(Some(line)) => return Some(Ok(line)),
                Ok(None) => self.receive().await,
                Err(error) => Err(error),
            };
            if let Err(error) = line {
                self.ended = true;
                return Some(Err(error));
            }
        }
        None
    }

    /// A line out of what is here, in place where it lies in one piece.
    fn take_line(&mut self) -> Result<Option<Bytes>, FrameError> {
        let end = self.piece.iter().position(|byte| *byte == b'\n');
        let length = self.partial.len() + end.unwrap_or(self.piece.len());
        if length > self.limit {
            return Err(FrameError::TooLong { limit: self.limit });
        }
        let Some(end) = end else {
            self.partial.extend_from_slice(&std::mem::take(&mut self.piece));
            return Ok(None);
        };
        let mut line = self.piece.split_to(end + 1);
        line.truncate(end);
        if self.partial.is_empty() {
            return Ok(Some(line));
        }
        self.partial.extend_from_slice(&line);
        Ok(Some(self.partial.split().freeze()))
    }

    async fn receive(&mut self) -> Result<(), FrameError> {
        match self.body.frame().await {
            Some(Ok(frame)) => {
                self.piece = frame.into_data().unwrap_or_default();
                self.received += self.piece.len() as u64;
            }
            Some(Err(error)) => return Err(FrameError::Broken(error)),
            None if self.partial.is_empty() => self.ended = true,
            None => return Err(FrameError::Truncated { received: self.partial.len() }),
        }
        Ok(())
    }
}

fn excerpt(line: &[u8]) -> String {
    String::from_utf8_lossy(&line[..line.len().min(120)]).chars().filter(|c| !c.is_control()).collect()
}

/// Writes the frames of a request body; dropping it ends the body.
pub struct FrameWriter(Sender<Bytes, Infallible>);

/// A body that is written frame by frame, with room for `capacity` frames.
pub fn channel(capacity: usize) -> (FrameWriter, RequestBody) {
    let (sender, body) = Channel::new(capacity);
    (FrameWriter(sender), body.boxed_unsync())
}

impl FrameWriter {
    /// Sends one frame if there is room for it, and says whether there was.
    pub fn offer<T: Serialize>(&mut self, frame: &T) -> bool {
        encode(frame).is_ok_and(|line| self.0.try_send(Frame::data(line)).is_ok())
    }
}

#[cfg(test)]
mod tests;
