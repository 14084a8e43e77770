//! The certificates of `--ca-file`, and nothing else that the file may hold: a ConfigMap is no place for a key.

use std::path::Path;

use anyhow::Context as _;
use kubeplex_link::trust::Trust;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// # Errors
/// When an agent could not use the file.
pub(super) fn read(file: &Path) -> anyhow::Result<String> {
    Trust::ca_file(file).context("--ca-file")?;
    let text = std::fs::read_to_string(file).with_context(|| format!("--ca-file: {}", file.display()))?;
    Ok(certificates(&text))
}

fn certificates(text: &str) -> String {
    let mut inside = false;
    let mut certificates = String::new();
    for line in text.lines().map(str::trim) {
        inside |= line == BEGIN;
        if inside {
            certificates.push_str(line);
            certificates.push('\n');
        }
        inside &= line != END;
    }
    certificates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_beside_a_certificate_stays_where_it_is() {
        let key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
        let one = format!("{BEGIN}\nYQ==\n{END}\n");
        let file = format!("# Our authority\r\n{}{key}{one}", one.replace('\n', "\r\n"));
        assert_eq!(certificates(&file), one.repeat(2));
    }
}
