//! What a credential plugin prints: an `ExecCredential` of the group `client.authentication.k8s.io`.
//!
//! <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>

use std::fmt;

use http::HeaderValue;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;

/// What shows an API server who is asking.
#[derive(Clone)]
pub(super) struct Credential {
    /// `Bearer …`
    pub(super) authorization: Option<HeaderValue>,
    pub(super) identity: Option<Identity>,
    pub(super) expires: Option<Timestamp>,
}

/// A client certificate and its key, both as PEM.
#[derive(Clone)]
pub(super) struct Identity {
    pub(super) certificate: String,
    pub(super) key: SecretString,
}

/// Why a text is no credential. The text itself is never quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoCredential {
    #[error("it is neither JSON nor YAML of an ExecCredential")]
    Unreadable,
    #[error("it is of the version {printed:?}, and the kubeconfig asks for {wanted:?}")]
    OtherVersion { printed: String, wanted: String },
    #[error("it has neither a token nor a certificate with its key")]
    Empty,
    #[error("its token can't stand in a header")]
    Token,
    #[error("its expirationTimestamp {0:?} is no time")]
    Expiry(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential {
    kind: String,
    #[serde(default)]
    api_version: String,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    expiration_timestamp: Option<String>,
}

impl Credential {
    /// # Errors
    /// [`NoCredential`].
    pub(super) fn parse(printed: &[u8], wanted_version: Option<&str>) -> Result<Self, NoCredential> {
        // Plugins print JSON. kubectl reads YAML as well, so some print that; it includes JSON.
        let credential: ExecCredential =
            serde_saphyr::from_slice(printed).map_err(|_| NoCredential::Unreadable)?;
        if credential.kind != "ExecCredential" {
            return Err(NoCredential::Unreadable);
        }
        if let Some(wanted) = wanted_version.filter(|wanted| **wanted != credential.api_version) {
            let (printed, wanted) = (credential.api_version, wanted.to_owned());
            return Err(NoCredential::OtherVersion { printed, wanted });
        }
        let status = credential.status.ok_or(NoCredential::Empty)?;
        let identity = status.client_certificate_data.zip(status.client_key_data);
        let identity = identity.map(|(certificate, key)| Identity { certificate, key: key.into() });
        let authorization =
            status.token.as_deref().filter(|token| !token.is_empty()).map(bearer).transpose()?;
        if authorization.is_none() && identity.is_none() {
            return Err(NoCredential::Empty);
        }
        let time = |text: String| text.parse().map_err(|_| NoCredential::Expiry(text));
        let expires = status.expiration_timestamp.map(time).transpose()?;
        Ok(Self { authorization, identity, expires })
    }

    /// A token by itself.
    ///
    /// # Errors
    /// When it can't stand in a header.
    pub(super) fn of_token(token: &str) -> Result<Self, NoCredential> {
        Ok(Self { authorization: Some(bearer(token)?), identity: None, expires: None })
    }
}

fn bearer(token: &str) -> Result<HeaderValue, NoCredential> {
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    let mut value = value.map_err(|_| NoCredential::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Says what there is, and nothing of it.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("token", &self.authorization.is_some())
            .field("certificate", &self.identity.is_some())
            .field("expires", &self.expires)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "client.authentication.k8s.io/v1";

    fn parse(status: &str) -> Result<Credential, NoCredential> {
        let text = format!(r#"{{"kind":"ExecCredential","apiVersion":"{V1}","status":{status}}}"#);
        Credential::parse(text.as_bytes(), Some(V1))
    }

    #[test]
    fn tokens_and_certificates_are_credentials() {
        let token = parse(r#"{"token":"t","expirationTimestamp":"2030-01-02T03:04:05Z"}"#).unwrap();
        assert_eq!(token.authorization.unwrap(), "Bearer t");
        assert_eq!(token.expires.unwrap().to_string(), "2030-01-02T03:04:05Z");
        let certificate = parse(r#"{"clientCertificateData":"C","clientKeyData":"K"}"#).unwrap();
        assert!(certificate.authorization.is_none() && certificate.expires.is_none());
        assert_eq!(certificate.identity.unwrap().certificate, "C");
        let yaml = format!("kind: ExecCredential\napiVersion: {V1}\nstatus:\n  token: y\n");
        assert_eq!(Credential::parse(yaml.as_bytes(), Some(V1)).unwrap().authorization.unwrap(), "Bearer y");
    }

    #[test]
    fn what_is_no_credential_is_said_without_its_text() {
        for (status, told) in [
            ("null", "neither a token"),
            ("{}", "neither a token"),
            (r#"{"token":""}"#, "neither a token"),
            (r#"{"clientCertificateData":"C"}"#, "neither a token"),
            (r#"{"token":"hunter2\n"}"#, "can't stand in a header"),
            (r#"{"token":"t","expirationTimestamp":"soon"}"#, "\"soon\" is no time"),
        ] {
            let told_is = parse(status).unwrap_err().to_string();
            assert!(told_is.contains(told) && !told_is.contains("hunter2"), "{status}: {told_is}");
        }
        for printed in ["", "hunter2", "{}", r#"{"kind":"Status","status":{"token":"hunter2"}}"#] {
            assert_eq!(
                Credential::parse(printed.as_bytes(), None).unwrap_err(),
                NoCredential::Unreadable,
                "{printed}"
            );
        }
        let other = Credential::parse(br#"{"kind":"ExecCredential","apiVersion":"x/v9"}"#, Some(V1));
        assert!(other.unwrap_err().to_string().contains(V1));
        assert_eq!(format!("{:?}", parse(r#"{"token":"hunter2"}"#).unwrap()).find("hunter2"), None);
    }
}
