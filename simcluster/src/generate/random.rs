//! Seeded choices, and the random parts of Kubernetes' names.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// Consonants and digits: what `k8s.io/apimachinery/pkg/util/rand` makes names from, so that no words appear.
const NAME_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A source of choices that is the same for the same seed.
#[derive(Debug)]
pub(crate) struct Random(Xoshiro256PlusPlus);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A number from 0 to `bound`, without `bound`; 0 for 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.0.random_range(0..bound) }
    }

    /// True in about so many of a hundred cases.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let at = self.below(from.len() as u64) as usize;
        from.get(at)
    }

    /// The random end of a generated name.
    pub(crate) fn suffix(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(NAME_ALPHABET[self.below(NAME_ALPHABET.len() as u64) as usize]))
            .collect()
    }

    /// So many hexadecimal digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from_digit(self.below(16) as u32, 16).unwrap_or('0')).collect()
    }

    /// A version 4 UUID.
    pub(crate) fn uid(&mut self) -> String {
        let variant = ["8", "9", "a", "b"][self.below(4) as usize];
        let (first, second, third, fourth, last) =
            (self.hex(8), self.hex(4), self.hex(3), self.hex(3), self.hex(12));
        format!("{first}-{second}-4{third}-{variant}{fourth}-{last}")
    }
}
