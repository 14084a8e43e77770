//! The release in a Secret of the type `helm.sh/release.v1`: JSON, compressed by gzip, in base64 once more.

use std::io::{BufReader, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{short, value};
use crate::limits::TOLD_RELEASE_BYTES;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What is read of a release; templates, values and manifests are passed over as they are decompressed.
#[derive(Deserialize)]
struct Release {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: u64,
    info: Option<Info>,
    chart: Option<Chart>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Info {
    status: String,
    last_deployed: String,
}

#[derive(Deserialize)]
struct Chart {
    metadata: Option<ChartMetadata>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ChartMetadata {
    name: String,
    version: String,
    app_version: String,
}

/// # Errors
/// Why there is nothing to tell.
pub(super) fn release(data: &Map<String, Value>) -> Result<Value, &'static str> {
    let encoded = value(data, "release").ok_or("there is no release, or it is not in base64")?;
    let packed = STANDARD.decode(encoded).map_err(|_| "the release is not in base64")?;
    let release = if packed.starts_with(&GZIP) {
        read(GzDecoder::new(packed.as_slice()))
    } else {
        read(packed.as_slice())
    };
    let Release { name, version: revision, info, chart } =
        release.map_err(|_| "the release is no JSON, or longer than what is read of releases")?;
    let info = info.unwrap_or_default();
    let chart = chart.and_then(|chart| chart.metadata).unwrap_or_default();
    Ok(json!({
        "name": short(&name),
        "chart": short(&chart.name),
        "version": short(&chart.version),
        "appVersion": short(&chart.app_version),
        "status": short(&info.status),
        "revision": revision,
        "updated": short(&info.last_deployed),
    }))
}

/// A few kilobytes may decompress to gigabytes.
fn read(json: impl Read) -> serde_json::Result<Release> {
    serde_json::from_reader(BufReader::new(json.take(TOLD_RELEASE_BYTES)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// As Helm stores it.
    fn stored(packed: &[u8]) -> Value {
        json!({"release": STANDARD.encode(STANDARD.encode(packed))})
    }

    fn told(data: &Value) -> Result<Value, &'static str> {
        release(data.as_object().unwrap())
    }

    #[test]
    fn what_is_installed_is_told_and_nothing_else() {
        let release = json!({
            "name": "cart", "namespace": "shop", "version": 7,
            "info": {"first_deployed": "x", "last_deployed": "2026-11-23T10:00:00Z", "status": "deployed", "notes": "canary"},
            "chart": {
                "metadata": {"name": "webapp", "version": "1.2.3", "appVersion": "4.5", "description": "canary"},
                "templates": [{"name": "a", "data": "canary"}], "values": {"password": "canary"},
            },
            "config": {"password": "canary"}, "manifest": "canary",
        });
        let expected = json!({
            "name": "cart", "chart": "webapp", "version": "1.2.3", "appVersion": "4.5", "status": "deployed", "revision": 7,
            "updated": "2026-11-23T10:00:00Z",
        });
        let text = release.to_string();
        for packed in [gzip(text.as_bytes()), text.into_bytes()] {
            assert_eq!(told(&stored(&packed)).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_release_or_too_long_is_said() {
        let bomb = {
            let filler = vec![b' '; 1 << 20];
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            for _ in 0..=(TOLD_RELEASE_BYTES >> 20) {
                encoder.write_all(&filler).unwrap();
            }
            encoder.write_all(b"{}").unwrap();
            encoder.finish().unwrap()
        };
        let cut = {
            let whole = gzip(b"{\"name\":\"cart\"}");
            whole[..whole.len() / 2].to_vec()
        };
        for (data, reason) in [
            (json!({}), "no release"),
            (json!({"release": "!"}), "no release"),
            (json!({"release": STANDARD.encode("!")}), "not in base64"),
            (stored(b"canary"), "no JSON"),
            (stored(&gzip(b"[1]")), "no JSON"),
            (stored(&cut), "no JSON"),
            (stored(&bomb), "longer"),
        ] {
            assert!(told(&data).unwrap_err().contains(reason), "{data:.60}");
        }
    }
}
