//! Query parameters.

use crate::status::ApiError;

/// The parameters of a request, decoded, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(key), decode(value))
                })
                .collect(),
        )
    }

    /// The first value of a parameter, empty where there is none.
    pub(crate) fn get(&self, key: &str) -> &str {
        self.0.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(name, _)| name == key)
    }

    /// As the server reads booleans: present without a value, `1` and `true` are true.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.has(key) && !matches!(self.get(key).to_ascii_lowercase().as_str(), "false" | "0")
    }

    /// A number, if the parameter is there.
    ///
    /// # Errors
    /// Where it is not a number.
    pub(crate) fn number(&self, key: &str) -> Result<Option<u64>, ApiError> {
        match self.get(key) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                ApiError::bad_request(format!("strconv.ParseInt: parsing \"{text}\": invalid syntax"))
            }),
        }
    }
}

/// Percent-decodes one component; what is no valid escape stays as it is.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = || std::str::from_utf8(bytes.get(at + 1..at + 3)?).ok();
        let byte = match bytes[at] {
            b'+' => b' ',
            b'%' => match escaped().and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                Some(byte) => {
                    at += 2;
                    byte
                }
                None => b'%',
            },
            other => other,
        };
        out.push(byte);
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_clients_send() {
        let query = Query::parse(
            "labelSelector=app%3Dcart%2Ctier+in+%28a%29&watch&limit=5&bad=%zz&allowWatchBookmarks=false",
        );
        assert_eq!(query.get("labelSelector"), "app=cart,tier in (a)");
        assert!(query.flag("watch") && !query.flag("allowWatchBookmarks") && !query.flag("absent"));
        assert_eq!(query.number("limit"), Ok(Some(5)));
        assert_eq!(query.get("bad"), "%zz");
        assert!(query.number("bad").is_err());
    }
}
