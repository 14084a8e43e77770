//! Standard input, line by line. A line that is no text costs itself, not those behind it.

use std::io;

use bytes::BytesMut;
use tokio::io::AsyncRead;
use tokio_util::codec::{Decoder, FramedRead, LinesCodec, LinesCodecError};

/// Why a line can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadLine {
    #[error("a line is longer than {0} bytes")]
    TooLong(usize),
    #[error("a line is not UTF-8")]
    NotText,
}

/// Lines of at most so many bytes.
pub(super) fn lines<R: AsyncRead>(input: R, longest: usize) -> FramedRead<R, Lines> {
    FramedRead::new(input, Lines { codec: LinesCodec::new_with_max_length(longest), longest })
}

/// To [`FramedRead`] an error is the end; here only one of reading is.
pub(super) struct Lines {
    codec: LinesCodec,
    longest: usize,
}

impl Lines {
    fn judge(
        &self,
        decoded: Result<Option<String>, LinesCodecError>,
    ) -> io::Result<Option<Result<String, BadLine>>> {
        match decoded {
            Ok(line) => Ok(line.map(Ok)),
            Err(LinesCodecError::MaxLineLengthExceeded) => Ok(Some(Err(BadLine::TooLong(self.longest)))),
            Err(LinesCodecError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                Ok(Some(Err(BadLine::NotText)))
            }
            Err(LinesCodecError::Io(error)) => Err(error),
        }
    }
}

impl Decoder for Lines {
    type Item = Result<String, BadLine>;
    type Error = io::Error;

    fn decode(&mut self, input: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        let decoded = self.codec.decode(input);
        self.judge(decoded)
    }

    fn decode_eof(&mut self, input: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        let decoded = self.codec.decode_eof(input);
        self.judge(decoded)
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn a_line_that_is_no_text_costs_itself() {
        let input: &[u8] = b"one\n\xff\xfe\nfour\nfar too long\nsix\nlast \xff";
        let read: Vec<_> = lines(input, 8).map(Result::unwrap).collect().await;
        let text = |text: &str| Ok(text.to_owned());
        let (not_text, too_long) = (Err(BadLine::NotText), Err(BadLine::TooLong(8)));
        assert_eq!(read, [text("one"), not_text.clone(), text("four"), too_long, text("six"), not_text]);
    }
}
