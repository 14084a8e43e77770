//! What changes from line to line, written as what it is.

/// The words of a line, one space between them, with `<n>` for numbers, `<hex>`, `<uuid>` and `<time>`.
pub fn masked(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    for word in line.split_whitespace() {
        if !masked.is_empty() {
            masked.push(' ');
        }
        mask_word(word, &mut masked);
    }
    masked
}

/// Between letters and digits and what separates them: `seq=17,id=9f86d081` → `seq=<n>,id=<hex>`.
fn mask_word(word: &str, masked: &mut String) {
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        if !first.is_ascii_alphanumeric() {
            masked.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (mask, length) = stretch(rest);
        match mask {
            Some(mask) => masked.push_str(mask),
            None => masked.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
}

/// What a text begins with, and how long that is.
fn stretch(text: &str) -> (Option<&'static str>, usize) {
    let bytes = text.as_bytes();
    if let Some(length) = time(bytes) {
        return (Some("<time>"), length);
    }
    if is_shaped(bytes, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
        return (Some("<uuid>"), 36);
    }
    let length = count(bytes, u8::is_ascii_alphanumeric);
    let word = &bytes[..length];
    let digits = count(word, u8::is_ascii_digit);
    let is_hex = word.iter().all(u8::is_ascii_hexdigit) && word.iter().any(u8::is_ascii_digit);
    match digits {
        // `1.5`, `10.0.0.7:4312`, `3/4`; a unit behind it stays.
        digits if digits == length => (Some("<n>"), number(bytes)),
        _ if length >= 8 && is_hex => (Some("<hex>"), length),
        digits if digits > 0 && length - digits <= 3 => (Some("<n>"), digits),
        digits if digits > 0 => (Some("<hex>"), length),
        _ => (None, length),
    }
}

/// Digits, and more of them behind what separates the parts of a number, an address or a fraction.
fn number(bytes: &[u8]) -> usize {
    let mut length = count(bytes, u8::is_ascii_digit);
    while let [b'.' | b':' | b'/', rest @ ..] = &bytes[length..] {
        let part = count(rest, u8::is_ascii_alphanumeric);
        // `3.x` is not a number, and the `5s` of `1.5s` is one with a unit.
        let digits = count(rest, u8::is_ascii_digit);
        if digits == 0 || part - digits > 3 {
            break;
        }
        length += 1 + digits;
    }
    length
}

/// `2026-11-23T10:00:00.123+01:00`, `2026/11/23`, `10:00:00,123`.
fn time(bytes: &[u8]) -> Option<usize> {
    let is_date = is_shaped(bytes, "dddd-dd-dd") || is_shaped(bytes, "dddd/dd/dd");
    if !is_date && !is_shaped(bytes, "dd:dd:dd") {
        return None;
    }
    let of_a_time = |byte: &u8| byte.is_ascii_digit() || b":.,+-/TZ".contains(byte);
    let length = count(bytes, of_a_time);
    // A comma or full stop at its end is the line's.
    Some(length - bytes[..length].iter().rev().take_while(|byte| !byte.is_ascii_alphanumeric()).count())
}

/// `d` stands for a digit and `x` for a hexadecimal one; no such digit may follow.
fn is_shaped(bytes: &[u8], shape: &str) -> bool {
    let Some(head) = bytes.get(..shape.len()) else { return false };
    let fits = |(byte, wanted): (&u8, u8)| match wanted {
        b'd' => byte.is_ascii_digit(),
        b'x' => byte.is_ascii_hexdigit(),
        other => *byte == other,
    };
    head.iter().zip(shape.bytes()).all(fits) && !bytes.get(shape.len()).is_some_and(u8::is_ascii_digit)
}

fn count(bytes: &[u8], is: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is(byte)).count()
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn what_changes_is_written_as_what_it_is() {
        for (line, expected) in [
            ("", ""),
            ("  ready \t to  serve ", "ready to serve"),
            ("took 12ms, 1.5s of 300Mi", "took <n>ms, <n>s of <n>Mi"),
            ("duration_ms=812 seq=7", "duration_ms=<n> seq=<n>"),
            ("from 10.0.0.7:4312", "from <n>"),
            ("2026-11-23T10:00:00.123Z ERROR x", "<time> ERROR x"),
            ("[2026/11/23 10:00:00,123]: x", "[<time> <time>]: x"),
            ("id 01994c1e-7f5a-4c1e-9f86-d081884c7d65!", "id <uuid>!"),
            ("sha256:2c26b46b68ffc68f", "sha256:<hex>"),
            ("pod cart-7d9f8b6c5d-x2x9k", "pod cart-<hex>-x2x9k"),
            ("deadbeef is a word, v1 is one, 404page is not", "deadbeef is a word, v1 is one, <hex> is not"),
            ("HTTP/1.1 200 3.x", "HTTP/<n> <n> <n>.x"),
            ("caf\u{e9} \u{2713} 7", "caf\u{e9} \u{2713} <n>"),
            (r#"{"level":"info","n":3}"#, r#"{"level":"info","n":<n>}"#),
        ] {
            assert_eq!(masked(line), expected, "{line}");
        }
    }
}
