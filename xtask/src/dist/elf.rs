//! As much of ELF (64 bit, little-endian) as tells whether a program needs anything of the machine that it comes to.

const MAGIC: [u8; 6] = [0x7f, b'E', b'L', b'F', 2, 1];

/// Where the program headers and the section headers are, and what they are like: an offset of 8 bytes, a size and a number
/// of 2 bytes each.
const PROGRAM_HEADERS: [usize; 3] = [32, 54, 56];
const SECTION_HEADERS: [usize; 3] = [40, 58, 60];

/// Where in a header its type is.
const PROGRAM_TYPE: usize = 0;
const SECTION_TYPE: usize = 4;

/// Names the loader that a program needs to start.
const INTERPRETER: u32 = 3;

/// Symbols that only debuggers read.
const SYMBOLS: u32 = 2;

/// What keeps a program from being shipped.
pub(super) fn problem(bytes: &[u8]) -> Option<&'static str> {
    if !bytes.starts_with(&MAGIC) {
        return Some("this is no program for a 64-bit Linux");
    }
    let (Some(segments), Some(sections)) =
        (types(bytes, PROGRAM_HEADERS, PROGRAM_TYPE), types(bytes, SECTION_HEADERS, SECTION_TYPE))
    else {
        return Some("its headers are cut off");
    };
    if segments.contains(&INTERPRETER) {
        return Some(
            "it is not static: it needs a loader and a C library, which an empty image does not have",
        );
    }
    sections.contains(&SYMBOLS).then_some("it still has its symbols")
}

fn types(bytes: &[u8], [offset, size, count]: [usize; 3], place: usize) -> Option<Vec<u32>> {
    let offset = usize::try_from(u64::from_le_bytes(array(bytes, offset)?)).ok()?;
    let size = usize::from(u16::from_le_bytes(array(bytes, size)?));
    let count = usize::from(u16::from_le_bytes(array(bytes, count)?));
    (0..count)
        .map(|index| Some(u32::from_le_bytes(array(bytes, offset.checked_add(index * size + place)?)?)))
        .collect()
}

fn array<const N: usize>(bytes: &[u8], from: usize) -> Option<[u8; N]> {
    bytes.get(from..from.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A program of these segments and no sections.
    pub(in super::super) fn header(segments: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[..6].copy_from_slice(&MAGIC);
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = segments.len() as u8;
        for segment in segments {
            let mut header = vec![0; 56];
            header[..4].copy_from_slice(&segment.to_le_bytes());
            bytes.extend(header);
        }
        bytes
    }

    #[test]
    fn what_needs_a_loader_is_not_static() {
        let load = 1;
        assert_eq!(problem(&header(&[load, load])), None);
        assert!(problem(&header(&[load, INTERPRETER])).unwrap().contains("not static"));
        assert!(problem(&header(&[load])[..66]).unwrap().contains("cut off"));
        assert!(problem(b"#!/bin/sh").unwrap().contains("no program"));
    }

    /// Tests are built as the toolchain builds by default: for glibc that is with a loader.
    #[cfg(target_env = "gnu")]
    #[test]
    fn this_test_itself_needs_a_loader() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(problem(&bytes).unwrap().contains("not static"));
    }
}
