//! `[mcp]`: names and origins of clients.

use super::Mistakes;

impl Mistakes {
    pub(super) fn hosts(&mut self, hosts: &[String]) {
        for (index, host) in hosts.iter().enumerate() {
            if host.parse::<http::uri::Authority>().is_err() || host.contains('@') {
                let problem = format!(
                    "\"{host}\" is not a host name; write it as clients send it, with a port or without"
                );
                self.add(format!("mcp.allowed_hosts[{index}]"), problem);
            }
        }
    }

    pub(super) fn origins(&mut self, origins: &[String]) {
        for (index, origin) in origins.iter().enumerate() {
            let uri = origin.parse::<http::Uri>().ok();
            let complete = uri.is_some_and(|uri| {
                matches!(uri.scheme_str(), Some("http" | "https"))
                    && uri.authority().is_some()
                    && uri.path() == "/"
            });
            if !complete || origin.ends_with('/') {
                let problem = format!(
                    "\"{origin}\" is not an origin; write scheme and host, for example https://console.example.com"
                );
                self.add(format!("mcp.allowed_origins[{index}]"), problem);
            }
        }
    }
}
