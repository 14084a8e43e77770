//! Event streams, taken apart as they arrive.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>

/// The data of an event stream that is not over yet.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Option<String>,
}

impl Events {
    /// Takes in some bytes, and hands out the data of the events that they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        for byte in bytes {
            match byte {
                b'\n' => events.extend(self.end_line()),
                byte => self.line.push(*byte),
            }
        }
        events
    }

    /// How much is held.
    pub(super) fn held(&self) -> usize {
        self.line.len() + self.data.as_ref().map_or(0, String::len)
    }

    fn end_line(&mut self) -> Option<String> {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        let line = line.strip_suffix('\r').unwrap_or(&line);
        if line.is_empty() {
            // An event without data only keeps the connection alive.
            return self.data.take().filter(|data| !data.is_empty());
        }
        if let Some(more) = line.strip_prefix("data:") {
            let more = more.strip_prefix(' ').unwrap_or(more);
            match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(more);
                }
                None => self.data = Some(more.to_owned()),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_however_they_are_cut() {
        let stream = ": hello\nid: 1\nretry: 3\ndata:\n\nevent: message\ndata: {\"a\":\ndata: 1}\n\ndata:{\"b\":\"\u{f6}\"}\r\n\r\ndata: cut";
        for size in [1, 2, 7, 1_000] {
            let mut events = Events::default();
            let found: Vec<_> = stream.as_bytes().chunks(size).flat_map(|chunk| events.push(chunk)).collect();
            assert_eq!(found, ["{\"a\":\n1}", "{\"b\":\"\u{f6}\"}"], "in pieces of {size}");
            assert_eq!(events.held(), "data: cut".len());
        }
    }
}
