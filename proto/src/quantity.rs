//! Quantities and timestamps by value: what makes `100m` less than `1` and `1Gi` more than `1000Mi`.

/// Billionths: the unit in which numbers of every kind are compared. Exact for each quantity that Kubernetes can hold.
const NANO: i128 = 1_000_000_000;

/// A Kubernetes quantity (`250m`, `1.5Gi`, `2e3`) in billionths; `None` for anything else. Fractions below a billionth
/// are rounded up, as the API server does.
///
/// Grammar: <https://pkg.go.dev/k8s.io/apimachinery/pkg/api/resource#Quantity>
pub fn parse_quantity(text: &str) -> Option<i128> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let digits_end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(digits_end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || whole.len() > 24 {
        return None;
    }
    let (numerator, denominator) = multiplier(suffix)?;
    let fraction = &fraction[..fraction.len().min(9)];
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let scaled = digits.checked_mul(NANO)?.checked_mul(numerator)?;
    let divisor = scale * denominator;
    let value = scaled / divisor + i128::from(scaled % divisor != 0);
    Some(if negative { -value } else { value })
}

/// Billionths of a processor in thousandths, rounded up, as `kubectl top` shows them: `250m`.
pub fn millicores(nanos: i128) -> String {
    format!("{}m", thousandths(nanos))
}

/// Billionths in thousandths, rounded up.
pub fn thousandths(nanos: i128) -> i128 {
    const MILLI: i128 = NANO / 1_000;
    nanos.div_euclid(MILLI) + i128::from(nanos.rem_euclid(MILLI) != 0)
}

/// Billionths of a byte in whole mebibytes, as `kubectl top` shows them: `64Mi`.
pub fn mebibytes(nanos: i128) -> String {
    format!("{}Mi", nanos / NANO / (1 << 20))
}

fn multiplier(suffix: &str) -> Option<(i128, i128)> {
    Some(match suffix {
        "" => (1, 1),
        "n" => (1, 1_000_000_000),
        "u" => (1, 1_000_000),
        "m" => (1, 1_000),
        "k" => (1_000, 1),
        "M" => (1_000_000, 1),
        "G" => (1_000_000_000, 1),
        "T" => (1_000_000_000_000, 1),
        "P" => (1_000_000_000_000_000, 1),
        "E" => (1_000_000_000_000_000_000, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        exponent => {
            let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            let factor = 10_i128.checked_pow(power.unsigned_abs()).filter(|_| power.abs() <= 18)?;
            if power < 0 { (1, factor) } else { (factor, 1) }
        }
    })
}

/// An RFC 3339 timestamp in milliseconds since 1970: `2026-11-23T18:24:39Z`, with a fraction and an offset where given.
/// `None` for anything else.
pub fn parse_time_ms(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if !text.is_ascii() || bytes.len() < 20 || bytes[4] != b'-' || !matches!(bytes[10], b'T' | b't') {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = &text[from..to];
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let separators = bytes[7] == b'-' && bytes[13] == b':' && bytes[16] == b':';
    let in_range =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    if !separators || !in_range {
        return None;
    }
    let zone_at = text[19..].find(['Z', 'z', '+', '-']).map(|at| at + 19)?;
    let offset_minutes = zone_offset_minutes(&text[zone_at..])?;
    let seconds =
        days_since_1970(year, month, day) * 86_400 + hour * 3_600 + (minute - offset_minutes) * 60 + second;
    Some(seconds * 1_000 + fraction_ms(&text[19..zone_at])?)
}

fn zone_offset_minutes(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    Some(sign * (hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?))
}

fn fraction_ms(fraction: &str) -> Option<i64> {
    if fraction.is_empty() {
        return Some(0);
    }
    let digits =
        fraction.strip_prefix('.').filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))?;
    format!("{digits:0<3}")[..3].parse().ok()
}

/// Days of the proleptic Gregorian calendar; the algorithm counts years from March, so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_compare_by_value() {
        for (text, nanos) in [
            ("0", Some(0)),
            ("1", Some(NANO)),
            ("100m", Some(NANO / 10)),
            ("1.5Gi", Some(NANO * 3 * (1 << 29))),
            ("1e3", Some(NANO * 1000)),
            ("12E", Some(NANO * 12 * 1_000_000_000_000_000_000)),
            ("-5", Some(-5 * NANO)),
            (".5", Some(NANO / 2)),
            ("0.1n", Some(1)),
            ("", None),
            ("Gi", None),
            ("1Gb", None),
            ("1.2.3", None),
            ("10.0.0.1", None),
            ("1e400", None),
        ] {
            assert_eq!(parse_quantity(text), nanos, "{text}");
        }
    }

    #[test]
    fn usage_reads_as_kubectl_shows_it() {
        for (text, cpu, memory) in [
            ("0", "0m", "0Mi"),
            ("250m", "250m", "0Mi"),
            ("24999999n", "25m", "0Mi"),
            ("1n", "1m", "0Mi"),
            ("2", "2000m", "0Mi"),
            ("65535Ki", "67107840000m", "63Mi"),
            ("1Gi", "1073741824000m", "1024Mi"),
        ] {
            let nanos = parse_quantity(text).unwrap();
            assert_eq!((millicores(nanos).as_str(), mebibytes(nanos).as_str()), (cpu, memory), "{text}");
        }
    }

    #[test]
    fn timestamps_count_from_1970() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:00:00Z", Some(951_825_600_000)),
            ("2026-11-23T18:24:39Z", Some(1_795_458_279_000)),
            ("2026-11-23T18:24:39.1234Z", Some(1_795_458_279_123)),
            ("2026-11-23T20:24:39+02:00", Some(1_795_458_279_000)),
            ("2026-13-23T18:24:39Z", None),
            ("2026-11-23 18:24:39Z", None),
            ("2026-11-23T18:24:39", None),
            ("yesterday", None),
        ] {
            assert_eq!(parse_time_ms(text), ms, "{text}");
        }
    }
}
