//! Releases of Kubernetes, by which they are compared.

use std::fmt;

/// `1.35` of `v1.35.2-eks-1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Minor {
    major: u32,
    minor: u32,
}

impl Minor {
    pub(crate) fn of(version: &str) -> Option<Self> {
        let (major, rest) = version.trim_start_matches('v').split_once('.')?;
        let minor = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }

    pub(super) fn number(self) -> u32 {
        self.minor
    }

    /// How many releases lie between; `None` where this is the newer one.
    pub(super) fn behind(self, other: Self) -> Option<u32> {
        if self.major != other.major { None } else { other.minor.checked_sub(self.minor) }
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The newest among versions.
pub(crate) fn newest<'v>(versions: impl Iterator<Item = &'v str>) -> Option<Minor> {
    versions.filter_map(Minor::of).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_number() {
        for (version, told) in
            [("v1.35.2", "1.35"), ("1.9", "1.9"), ("v1.31.4-eks-1a2b", "1.31"), ("v1.30+", "1.30")]
        {
            assert_eq!(Minor::of(version).unwrap().to_string(), told);
        }
        for nonsense in ["", "v1", "one.two", "v.1"] {
            assert_eq!(Minor::of(nonsense), None, "{nonsense}");
        }
        let newest = newest(["v1.9.1", "", "v1.31.0"].into_iter()).unwrap();
        assert_eq!(Minor::of("v1.28.3").unwrap().behind(newest), Some(3));
        assert_eq!(newest.behind(Minor::of("v1.9.1").unwrap()), None);
    }
}
