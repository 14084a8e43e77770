//! A batch of lines on a disk: compressed, with a checksum, so that what a crash tore is noticed.
//!
//! `KPH1`, then in little endian the length of the payload, its CRC-32, and the times of its first and last line; then the
//! payload: lines, as zstd.

use std::io::{self, Read};

const MAGIC: [u8; 4] = *b"KPH1";
const HEAD: usize = 4 + 4 + 4 + 8 + 8;

/// How hard to compress: lines are alike, and written once.
const LEVEL: i32 = 3;

/// No frame is longer, compressed or not: what says so is no frame.
const LONGEST: usize = 16 << 20;

/// A line and the time that it is about, in milliseconds since 1970.
pub(in crate::history) type Line = (i64, Box<[u8]>);

/// The beginning of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) payload: usize,
    crc: u32,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
}

/// A frame of these lines; `None` where there are none.
///
/// # Errors
/// Those of the compressor.
pub(super) fn write(lines: &[Line]) -> io::Result<Option<Vec<u8>>> {
    let times = || lines.iter().map(|(at_ms, _)| *at_ms);
    let (Some(first_ms), Some(last_ms)) = (times().min(), times().max()) else { return Ok(None) };
    let mut text = Vec::new();
    for (_, line) in lines {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    let payload = zstd::bulk::compress(&text, LEVEL)?;
    let mut frame = Vec::with_capacity(HEAD + payload.len());
    frame.extend_from_slice(&MAGIC);
    frame.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    frame.extend_from_slice(&checksum(first_ms, last_ms, &payload).to_le_bytes());
    frame.extend_from_slice(&first_ms.to_le_bytes());
    frame.extend_from_slice(&last_ms.to_le_bytes());
    frame.extend_from_slice(&payload);
    Ok(Some(frame))
}

fn checksum(first_ms: i64, last_ms: i64, payload: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(&first_ms.to_le_bytes());
    crc.update(&last_ms.to_le_bytes());
    crc.update(payload);
    crc.sum()
}

/// The whole frame at the beginning of `bytes`, and its payload. `None` where there is none, or it is torn.
pub(super) fn first(bytes: &[u8]) -> Option<(Head, &[u8])> {
    let head = head(bytes)?;
    let payload = bytes.get(HEAD..HEAD + head.payload)?;
    (checksum(head.first_ms, head.last_ms, payload) == head.crc).then_some((head, payload))
}

fn head(bytes: &[u8]) -> Option<Head> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let (payload, rest) = rest.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let (first_ms, rest) = rest.split_first_chunk::<8>()?;
    let (last_ms, _) = rest.split_first_chunk::<8>()?;
    let payload = u32::from_le_bytes(*payload) as usize;
    (payload <= LONGEST).then_some(Head {
        payload,
        crc: u32::from_le_bytes(*crc),
        first_ms: i64::from_le_bytes(*first_ms),
        last_ms: i64::from_le_bytes(*last_ms),
    })
}

impl Head {
    /// Of the frame, its head included.
    pub(super) fn len(&self) -> usize {
        HEAD + self.payload
    }
}

/// The lines of a payload, as text.
///
/// # Errors
/// What is no zstd, or more than a frame may hold.
pub(super) fn lines(payload: &[u8]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(payload)?;
    decoder.take(LONGEST as u64).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at_ms: i64, text: &str) -> Line {
        (at_ms, text.as_bytes().into())
    }

    #[test]
    fn a_frame_is_read_as_it_was_written_and_a_torn_one_is_none() {
        assert_eq!(write(&[]).unwrap(), None);
        let frame = write(&[line(5, "{\"a\":1}"), line(3, "{\"b\":2}")]).unwrap().unwrap();
        let two = [frame.clone(), write(&[line(9, "x")]).unwrap().unwrap()].concat();
        let (head, payload) = first(&two).unwrap();
        assert_eq!((head.first_ms, head.last_ms, head.len()), (3, 5, frame.len()));
        assert_eq!(lines(payload).unwrap(), b"{\"a\":1}\n{\"b\":2}\n");
        assert_eq!(first(&two[head.len()..]).unwrap().0.first_ms, 9);
        for cut in 0..frame.len() {
            assert!(first(&frame[..cut]).is_none(), "{cut}");
        }
        for flipped in 0..frame.len() {
            let mut broken = frame.clone();
            broken[flipped] ^= 1;
            assert!(first(&broken).is_none(), "{flipped}");
        }
    }
}
