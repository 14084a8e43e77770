//! A watch as lines. Each is one event; those that have already arrived come together.

use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use http_body_util::BodyExt;
use kube::client::Body;

use super::ApiError;
use super::problem::Problem;

/// The lines of an open watch. Dropping it cancels the watch at the server.
pub struct WatchLines {
    body: Body,
    buffer: BytesMut,
    /// Bytes of the buffer that hold no newline.
    scanned: usize,
    longest: usize,
    end: Option<Result<(), ApiError>>,
    /// Whatever arrives shows that the server can be reached.
    problem: Problem,
}

impl WatchLines {
    pub(super) fn new(body: Body, longest: usize, problem: Problem) -> Self {
        Self { body, buffer: BytesMut::new(), scanned: 0, longest, end: None, problem }
    }

    /// Waits for a line, and adds those that are there already, up to `most`. Empty: the server closed the watch. Nothing
    /// is lost where the future is dropped.
    ///
    /// # Errors
    /// `Broken`, `Truncated` (the last line has no end), `TooLarge`; only after every whole line was handed out.
    pub async fn next_batch(&mut self, most: usize) -> Result<Vec<Bytes>, ApiError> {
        let mut lines = Vec::new();
        loop {
            while lines.len() < most
                && let Some(line) = self.buffered_line()
            {
                lines.push(line);
            }
            if lines.len() >= most {
                return Ok(lines);
            }
            if self.end.is_some() {
                return if lines.is_empty() {
                    self.end.take().unwrap_or(Ok(())).map(|()| lines)
                } else {
                    Ok(lines)
                };
            }
            let frame = if lines.is_empty() {
                self.body.frame().await
            } else {
                match self.body.frame().now_or_never() {
                    Some(frame) => frame,
                    None => return Ok(lines),
                }
            };
            self.take_in(frame);
        }
    }

    fn take_in(&mut self, frame: Option<Result<http_body::Frame<Bytes>, kube::Error>>) {
        match frame {
            Some(Ok(frame)) => {
                self.problem.heard();
                if let Ok(data) = frame.into_data() {
                    self.buffer.extend_from_slice(&data);
                }
            }
            Some(Err(error)) => self.end = Some(Err(ApiError::broken(error))),
            None if self.buffer.iter().all(u8::is_ascii_whitespace) => self.end = Some(Ok(())),
            None => self.end = Some(Err(ApiError::Truncated)),
        }
    }

    fn buffered_line(&mut self) -> Option<Bytes> {
        loop {
            let Some(at) = self.buffer[self.scanned..].iter().position(|byte| *byte == b'\n') else {
                self.scanned = self.buffer.len();
                if self.scanned > self.longest {
                    self.end = Some(Err(ApiError::TooLarge { limit: self.longest }));
                    self.buffer.clear();
                    self.scanned = 0;
                }
                return None;
            };
            let line = self.buffer.split_to(self.scanned + at + 1).freeze();
            self.scanned = 0;
            let line = line.slice_ref(line.trim_ascii());
            if !line.is_empty() {
                return Some(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&'static str], longest: usize) -> WatchLines {
        // A kube body can hold one piece only; what arrives later is fed by hand.
        let mut lines = WatchLines::new(Body::empty(), longest, Problem::default());
        for chunk in chunks {
            lines.take_in(Some(Ok(http_body::Frame::data(Bytes::from_static(chunk.as_bytes())))));
        }
        lines
    }

    #[tokio::test]
    async fn lines_are_joined_from_pieces_and_cut_by_the_batch() {
        let mut lines = lines(&["{\"a\"", ":1}\r\n\n{\"b\":2}\n{\"c\"", ":3}\n"], 100);
        assert_eq!(lines.next_batch(2).await.unwrap(), ["{\"a\":1}", "{\"b\":2}"]);
        assert_eq!(lines.next_batch(2).await.unwrap(), ["{\"c\":3}"]);
        assert!(lines.next_batch(2).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_an_error_after_the_others() {
        let mut lines = lines(&["{\"a\":1}\n{\"b\":"], 100);
        assert_eq!(lines.next_batch(9).await.unwrap(), ["{\"a\":1}"]);
        assert!(matches!(lines.next_batch(9).await, Err(ApiError::Truncated)));
    }

    #[tokio::test]
    async fn a_line_longer_than_allowed_ends_the_watch() {
        let mut lines = lines(&["{\"a\":1}\n{\"b\":\"xxxxxxxxxxxxxxxxxxxxxxxxxx"], 20);
        assert_eq!(lines.next_batch(9).await.unwrap(), ["{\"a\":1}"]);
        assert!(matches!(lines.next_batch(9).await, Err(ApiError::TooLarge { limit: 20 })));
    }
}
