//! The certificate of a Secret of the type `kubernetes.io/tls`.

use serde_json::{Map, Value, json};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use super::{short, value};
use crate::limits::{TOLD_CERTIFICATE_BYTES, TOLD_DNS_NAMES};

/// Of the first certificate, which is the server's own.
///
/// # Errors
/// Why there is nothing to tell.
pub(super) fn certificate(data: &Map<String, Value>) -> Result<Value, &'static str> {
    let pem = value(data, "tls.crt").ok_or("there is no tls.crt, or it is not in base64")?;
    if pem.len() > TOLD_CERTIFICATE_BYTES {
        return Err("tls.crt is longer than what is read of certificates");
    }
    let (_, pem) = parse_x509_pem(&pem).map_err(|_| "tls.crt is not in PEM")?;
    let (_, certificate) =
        X509Certificate::from_der(&pem.contents).map_err(|_| "tls.crt holds no certificate")?;
    let validity = certificate.validity();
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.iter().flat_map(|names| &names.value.general_names);
    let dns_names = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(short(name)),
        _ => None,
    });
    Ok(json!({
        "notBefore": time(validity.not_before)?,
        "notAfter": time(validity.not_after)?,
        "issuer": short(&certificate.issuer().to_string()),
        "subject": short(&certificate.subject().to_string()),
        "dnsNames": dns_names.take(TOLD_DNS_NAMES).collect::<Vec<_>>(),
    }))
}

fn time(time: ASN1Time) -> Result<String, &'static str> {
    let time = jiff::Timestamp::from_second(time.timestamp());
    time.map(|time| time.to_string()).map_err(|_| "the certificate has a date that is none")
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn dates_issuer_and_names_are_told() {
        let mut params =
            CertificateParams::new(vec!["shop.example.com".into(), "*.shop.example.com".into()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 2), date_time_ymd(2027, 3, 4));
        params.distinguished_name.push(DnType::CommonName, "shop");
        let certificate_pem = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
        let chain = format!("{certificate_pem}\n{certificate_pem}");
        let data = json!({"tls.crt": STANDARD.encode(chain), "tls.key": "Y2FuYXJ5"});
        let told = certificate(data.as_object().unwrap()).unwrap();
        assert_eq!(told["notBefore"], "2026-01-02T00:00:00Z");
        assert_eq!(told["notAfter"], "2027-03-04T00:00:00Z");
        assert!(told["issuer"].as_str().unwrap().contains("CN=shop"), "{told}");
        assert_eq!(told["dnsNames"], json!(["shop.example.com", "*.shop.example.com"]));
    }

    #[test]
    fn what_is_no_certificate_is_said() {
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let long = format!("{pem}{}", " ".repeat(TOLD_CERTIFICATE_BYTES));
        for (text, reason) in
            [("", "not in PEM"), ("x", "not in PEM"), (pem, "no certificate"), (&long, "longer")]
        {
            let data = json!({"tls.crt": STANDARD.encode(text)});
            let told = certificate(data.as_object().unwrap()).unwrap_err();
            assert!(told.contains(reason), "{text:.20}: {told}");
        }
    }
}
