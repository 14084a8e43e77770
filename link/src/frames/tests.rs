use futures::stream;
use http_body_util::{Full, StreamBody};
use serde::Deserialize;

use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    n: u32,
}

/// A body that comes in these pieces.
fn body(pieces: &[&str]) -> StreamBody<impl futures::Stream<Item = Result<Frame<Bytes>, BoxError>> + use<>> {
    let pieces: Vec<_> =
        pieces.iter().map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece.as_bytes())))).collect();
    StreamBody::new(stream::iter(pieces))
}

async fn rows(reader: &mut FrameReader) -> (Vec<u32>, Option<FrameError>) {
    let mut rows = Vec::new();
    while let Some(row) = reader.next::<Row>().await {
        match row {
            Ok(row) => rows.push(row.n),
            Err(error) => return (rows, Some(error)),
        }
    }
    (rows, None)
}

#[tokio::test]
async fn lines_are_put_together_however_they_were_cut() {
    for pieces in [
        &["{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n"][..],
        &["{\"n\":1}\n", "{\"n\":2}\n", "{\"n\":3}\n"],
        &["{\"n", "\":1}", "\n{\"n\":2", "}\n{\"n\":3}\n"],
        &["\n\n{\"n\":1}\n\n", "", "{\"n\":2}", "\n", "{\"n\":3}\n\n"],
    ] {
        let (rows, error) = rows(&mut FrameReader::new(body(pieces), 64)).await;
        assert_eq!(rows, [1, 2, 3], "{pieces:?}");
        assert!(error.is_none(), "{error:?}");
    }
}

#[tokio::test]
async fn a_stream_that_ends_inside_a_line_says_so() {
    let mut reader = FrameReader::new(body(&["{\"n\":1}\n{\"n\":"]), 64);
    let (rows, error) = rows(&mut reader).await;
    assert_eq!(rows, [1]);
    assert!(matches!(error, Some(FrameError::Truncated { received: 5 })), "{error:?}");
    assert!(reader.next::<Row>().await.is_none(), "nothing follows an error");
}

#[tokio::test]
async fn an_endless_line_is_cut_off_at_the_limit() {
    for pieces in [&["{\"n\":1}\n", "0123456789", "0123456789"][..], &["{\"n\":1}\n01234567890123456789\n"]] {
        let (rows, error) = rows(&mut FrameReader::new(body(pieces), 16)).await;
        assert_eq!(rows, [1]);
        assert!(matches!(error, Some(FrameError::TooLong { limit: 16 })), "{error:?}");
    }
}

#[tokio::test]
async fn garbage_is_quoted() {
    let (_, error) = rows(&mut FrameReader::new(Full::new(Bytes::from_static(b"\x07hello\n")), 64)).await;
    let Some(FrameError::Malformed { excerpt, .. }) = error else { panic!("{error:?}") };
    assert_eq!(excerpt, "hello");
}

#[tokio::test]
async fn written_frames_are_read_and_a_full_channel_is_said() {
    let (mut writer, body) = channel(2);
    assert!(writer.offer(&Row { n: 1 }));
    assert!(writer.offer(&Row { n: 2 }));
    assert!(!writer.offer(&Row { n: 3 }), "no room is left");
    drop(writer);
    let (rows, error) = rows(&mut FrameReader::new(body, 64)).await;
    assert_eq!(rows, [1, 2]);
    assert!(error.is_none(), "{error:?}");
}
