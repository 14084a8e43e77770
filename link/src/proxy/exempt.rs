//! `NO_PROXY`: what is dialled without a proxy.

use std::net::IpAddr;

/// A comma list of names, addresses and networks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Exempt(Vec<Rule>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Everything,
    /// A name and all below it, at this port or at any.
    Name(String, Option<u16>),
    /// Addresses that begin with so many bits of this one.
    Network(IpAddr, u32),
}

impl Exempt {
    /// What can't be read as anything else is taken for a name: there is nobody to complain to.
    pub(super) fn of(list: &str) -> Self {
        Self(list.split(',').map(str::trim).filter(|rule| !rule.is_empty()).map(Rule::of).collect())
    }

    pub(super) fn covers(&self, host: &str, port: u16) -> bool {
        let address: Option<IpAddr> = host.parse().ok();
        self.0.iter().any(|rule| rule.covers(host, address, port))
    }
}

impl Rule {
    fn of(text: &str) -> Self {
        if text == "*" {
            return Self::Everything;
        }
        if let Some(network) = network(text) {
            return network;
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if port.parse::<u16>().is_ok() => (name, port.parse().ok()),
            _ => (text, None),
        };
        let name = name.trim_start_matches("*.").trim_start_matches('.').trim_end_matches('.');
        Self::Name(name.to_ascii_lowercase(), port)
    }

    fn covers(&self, host: &str, address: Option<IpAddr>, port: u16) -> bool {
        match self {
            Self::Everything => true,
            Self::Name(name, only) => {
                let host = host.trim_end_matches('.').to_ascii_lowercase();
                let below = host.strip_suffix(name.as_str());
                let named = below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                named && only.is_none_or(|only| only == port)
            }
            Self::Network(network, bits) => address.is_some_and(|address| within(address, *network, *bits)),
        }
    }
}

/// `10.0.0.0/8`, or an address alone.
fn network(text: &str) -> Option<Rule> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
    (bits <= most).then_some(Rule::Network(address, bits))
}

fn within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let alike = |a: u128, b: u128, width: u32| bits == 0 || (a ^ b) >> (width - bits) == 0;
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => alike(u32::from(a).into(), u32::from(b).into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => alike(a.into(), b.into(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Exempt;

    #[test]
    fn names_addresses_and_networks_are_exempt() {
        for (list, host, port, exempt) in [
            ("", "gw.example.com", 443, false),
            ("*", "gw.example.com", 443, true),
            ("example.com", "gw.example.com", 443, true),
            ("a, .Example.com ,b", "gw.example.COM", 443, true),
            ("*.example.com", "gw.example.com", 443, true),
            ("example.com", "example.com.", 443, true),
            ("example.com", "badexample.com", 443, false),
            ("gw.example.com:8443", "gw.example.com", 8443, true),
            ("gw.example.com:8443", "gw.example.com", 443, false),
            ("10.0.0.0/8", "10.1.2.3", 443, true),
            ("10.0.0.0/8", "11.1.2.3", 443, false),
            ("10.0.0.0/8", "ten.example.com", 443, false),
            ("0.0.0.0/0", "192.0.2.1", 443, true),
            ("192.0.2.7", "192.0.2.7", 443, true),
            ("192.0.2.7", "192.0.2.77", 443, false),
            ("fd00::/8", "fd12::1", 443, true),
            ("[fd00::1]", "fd00::1", 443, true),
            ("fd00::/8", "10.0.0.1", 443, false),
            ("10.0.0.0/33", "10.0.0.1", 443, false),
        ] {
            assert_eq!(Exempt::of(list).covers(host, port), exempt, "{list:?} and {host}:{port}");
        }
    }
}
