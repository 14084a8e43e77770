//! Private keys that are logged over several lines, which no pattern sees in any one of them.

use memchr::memmem::Finder;

/// Lines of the longest key that there is, and some: a key without an end must not hide a log.
const LONGEST: usize = 300;

/// Whether a log is inside a key.
#[derive(Debug)]
pub(super) struct KeyBlock {
    word: Finder<'static>,
    /// Lines that may still belong to it.
    left: usize,
    /// The latest line ends a key of which no beginning was read.
    ends_unbegun: bool,
}

impl Default for KeyBlock {
    fn default() -> Self {
        Self { word: Finder::new("PRIVATE KEY"), left: 0, ends_unbegun: false }
    }
}

impl KeyBlock {
    /// Whether some of these lines may belong to a key. Where none does, they need not be looked at one by one.
    pub(super) fn may_be_in(&self, lines: &[u8]) -> bool {
        self.left > 0 || self.word.find(lines).is_some()
    }

    /// Goes on to this line, and says whether it is inside a key that began before it.
    pub(super) fn hides(&mut self, line: &str) -> bool {
        let was_inside = self.left > 0;
        self.left = self.left.saturating_sub(1);
        let mark = |dashes: &str| line.rfind(dashes).filter(|at| line[*at..].contains("PRIVATE KEY"));
        match (mark("-----BEGIN "), mark("-----END ")) {
            (Some(begin), end) if end.is_none_or(|end| end < begin) => self.left = LONGEST,
            (_, Some(_)) => self.left = 0,
            (_, None) => {}
        }
        self.ends_unbegun = !was_inside && mark("-----BEGIN ").is_none() && mark("-----END ").is_some();
        was_inside
    }

    /// Whether lines before the latest may have been of a key that began before anything was read: those that
    /// [look like it](is_of_key).
    pub(super) fn ends_unbegun(&self) -> bool {
        self.ends_unbegun
    }
}

/// Whether a line may be the inside of a key.
pub(super) fn is_of_key(line: &str) -> bool {
    let of_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    line.len() >= 4 && line.bytes().all(of_base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(lines: &[&str]) -> Vec<bool> {
        let mut block = KeyBlock::default();
        lines.iter().map(|line| block.hides(line)).collect()
    }

    #[test]
    fn lines_of_a_key_are_known_by_its_first() {
        let key = ["x", "-----BEGIN RSA PRIVATE KEY-----", "MIIE", "-----END RSA PRIVATE KEY-----", "y"];
        assert_eq!(hidden(&key), [false, false, true, true, false]);
        let on_one_line = "-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----";
        assert_eq!(hidden(&[on_one_line, "y"]), [false, false]);
        let certificate = ["-----BEGIN CERTIFICATE-----", "MIIE", "-----END CERTIFICATE-----"];
        assert_eq!(hidden(&certificate), [false, false, false]);
    }

    #[test]
    fn a_key_without_an_end_ends() {
        let mut block = KeyBlock::default();
        block.hides("-----BEGIN PRIVATE KEY-----");
        assert!(block.may_be_in(b"MIIE\n"));
        assert_eq!((0..2 * LONGEST).filter(|_| block.hides("MIIE")).count(), LONGEST);
        assert!(!block.may_be_in(b"MIIE\n"));
    }
}
