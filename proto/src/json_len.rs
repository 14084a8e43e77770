//! How large a value is as JSON, without writing it anywhere.

use std::io;

use serde::Serialize;

/// The bytes that a value takes as JSON.
pub fn json_len(value: &impl Serialize) -> usize {
    let mut counter = Counter(0);
    // Writing into a counter can't fail, and every value here has a JSON form.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
