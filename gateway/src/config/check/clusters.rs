//! `[[cluster]]`, and what a hash of a token must look like.

use std::collections::{HashMap, HashSet};

use kubeplex_proto::ids::ClusterId;

use super::Mistakes;
use crate::config::raw::RawCluster;
use crate::config::{DialledCluster, ExpectedCluster, TokenHash};

impl Mistakes {
    pub(super) fn clusters(&mut self, raw: Vec<RawCluster>) -> (Vec<ExpectedCluster>, Vec<DialledCluster>) {
        let mut names = HashSet::new();
        let mut tokens = HashMap::new();
        let (mut clusters, mut dialled) = (Vec::new(), Vec::new());
        for (index, cluster) in raw.into_iter().enumerate() {
            let at = |field: &str| format!("cluster[{index}].{field}");
            let token =
                cluster.token_sha256.as_deref().and_then(|text| self.token(&at("token_sha256"), text));
            // With one token for two clusters, one of them could speak for the other.
            if let Some(other) = token.and_then(|token| tokens.insert(token.0, cluster.name.clone())) {
                let problem = format!("the cluster \"{other}\" has the same token; each needs its own");
                self.add(at("token_sha256"), problem);
            }
            let route = self.route(at, &cluster);
            match ClusterId::new(&cluster.name) {
                Ok(id) if !names.insert(id.clone()) => {
                    self.add(
                        at("name"),
                        format!("\"{id}\" is there twice; each cluster needs a name of its own"),
                    );
                }
                Ok(id) => {
                    dialled.extend(route.map(|route| DialledCluster { id: id.clone(), route }));
                    clusters.push(ExpectedCluster { id, labels: cluster.labels, token });
                }
                Err(error) => self.add(at("name"), error.to_string()),
            }
        }
        (clusters, dialled)
    }

    pub(super) fn token(&mut self, key: &str, text: &str) -> Option<TokenHash> {
        let hash = parse_sha256(text);
        if hash.is_none() {
            // The value itself stays unsaid: somebody may have put the token there.
            let problem = format!(
                "{} characters are no SHA-256; 64 hexadecimal digits are wanted, as `printf %s TOKEN | sha256sum` prints them",
                text.chars().count()
            );
            self.add(key, problem);
        }
        hash.map(TokenHash)
    }
}

fn parse_sha256(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
