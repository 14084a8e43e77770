//! `--trace`: both JSON-RPC messages, how long each stage took, and what each cluster did.

use std::fmt::Write as _;

use serde_json::Value;

use crate::client::Exchange;

/// More of a message than this hides the rest of the trace.
const MESSAGE_CHARACTERS: usize = 4_000;

/// The trace as text for standard error.
pub(super) fn render(exchange: &Exchange) -> String {
    let style = Style { colour: console::colors_enabled_stderr() };
    let mut response = exchange.response.clone();
    let trace = response["result"]["_meta"]["kubeplex/trace"].take();
    let mut text = String::new();
    message(&mut text, &style.dim("→"), &exchange.request);
    message(&mut text, &style.dim("←"), &response);
    if trace.is_object() {
        stages(&mut text, &trace);
        legs(&mut text, &trace, &style);
    }
    text
}

struct Style {
    colour: bool,
}

impl Style {
    fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    fn status(&self, status: &str) -> String {
        self.paint(if matches!(status, "ok" | "absent") { "32" } else { "33" }, status)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn message(text: &mut String, arrow: &str, message: &Value) {
    let full = message.to_string();
    let shown: String = full.chars().take(MESSAGE_CHARACTERS).collect();
    let rest = full.len() - shown.len();
    let rest = if rest > 0 { format!(" … {rest} bytes more") } else { String::new() };
    // Writing to a String can't fail, here and below.
    let _ = writeln!(text, "{arrow} {shown}{rest}");
}

fn stages(text: &mut String, trace: &Value) {
    let stages = trace["stages"].as_array().into_iter().flatten();
    let times: Vec<_> =
        stages.map(|stage| format!("{} {}", word(&stage["stage"]), time(&stage["micros"]))).collect();
    let _ = writeln!(
        text,
        "call {} took {}: {}",
        word(&trace["callId"]),
        time(&trace["micros"]),
        times.join(" · ")
    );
}

fn legs(text: &mut String, trace: &Value, style: &Style) {
    let legs = || trace["legs"].as_array().into_iter().flatten();
    let width = legs().map(|leg| word(&leg["cluster"]).chars().count()).max().unwrap_or(0);
    for leg in legs() {
        let sent = match (leg["kept"].as_str(), leg["sentMicros"].is_null()) {
            (Some("unchanged"), _) => format!("sent at {}, nothing new", time(&leg["sentMicros"])),
            (Some(kept), _) => format!("not asked, the {kept} was kept"),
            (None, true) => "not asked".to_owned(),
            (None, false) => format!("sent at {}", time(&leg["sentMicros"])),
        };
        let status = style.status(word(&leg["status"]));
        let (rows, over) = (&leg["rows"], time(&leg["overMicros"]));
        let _ = write!(
            text,
            "  {:width$}  {status}, {sent}, over at {over}, {rows} rows read",
            word(&leg["cluster"])
        );
        match leg["message"].as_str() {
            Some(message) => drop(writeln!(text, ": {message}")),
            None => text.push('\n'),
        }
    }
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

/// Microseconds as a person reads them.
fn time(micros: &Value) -> String {
    match micros.as_f64() {
        Some(micros) if micros < 1_000.0 => format!("{micros} µs"),
        Some(micros) if micros < 1_000_000.0 => format!("{:.1} ms", micros / 1_000.0),
        Some(micros) => format!("{:.2} s", micros / 1_000_000.0),
        None => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stages_and_legs_are_told_one_a_line() {
        let trace = json!({
            "callId": "c1", "micros": 1_500,
            "stages": [{"stage": "resolve", "micros": 12}],
            "legs": [{"cluster": "eu", "status": "ok", "sentMicros": 40, "overMicros": 900, "rows": 3},
                     {"cluster": "in", "status": "ok", "sentMicros": 40, "overMicros": 500, "rows": 3, "kept": "unchanged"},
                     {"cluster": "jp", "status": "ok", "overMicros": 30, "rows": 3, "kept": "answer"},
                     {"cluster": "us", "status": "disconnected", "overMicros": 41, "rows": 0, "message": "no link"}],
        });
        let response = json!({"result": {"content": [], "_meta": {"kubeplex/trace": trace}}});
        let text = render(&Exchange { request: json!({"id": 1}), response });
        assert!(text.starts_with("→ {\"id\":1}\n← {"), "{text}");
        assert!(text.contains("call c1 took 1.5 ms: resolve 12 µs"), "{text}");
        assert!(text.contains("ok, sent at 40 µs, over at 900 µs, 3 rows read\n"), "{text}");
        assert!(text.contains("ok, sent at 40 µs, nothing new, over at 500 µs, 3 rows read\n"), "{text}");
        assert!(text.contains("ok, not asked, the answer was kept, over at 30 µs, 3 rows read\n"), "{text}");
        assert!(text.contains("disconnected, not asked, over at 41 µs, 0 rows read: no link"), "{text}");
    }
}
