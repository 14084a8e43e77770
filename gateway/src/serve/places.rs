//! How many connections there may be: in all, and from one address of a network.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::shares::{Share, Shares};

/// Who is at the other end of a connection, in the extensions of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Whom a limit for one address is about. A host has a whole /64 of IPv6 addresses to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Network(IpAddr);

/// The places of one listener.
#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    per_network: usize,
    taken: Shares<Network>,
}

/// A place that a connection has, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _one_of_all: OwnedSemaphorePermit,
    _of_network: Option<Share<Network>>,
}

impl Peer {
    /// `None` for this machine: all its programs have one address, and so has everybody behind a proxy on it.
    pub(crate) fn network(self) -> Option<Network> {
        match self.0.ip().to_canonical() {
            ip if ip.is_loopback() => None,
            IpAddr::V4(ip) => Some(Network(ip.into())),
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                Some(Network(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()))
            }
        }
    }
}

impl Places {
    pub(super) fn new(all: usize, per_network: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(all)), per_network, taken: Shares::new() }
    }

    /// One of all places, as soon as there is one: until then the kernel's backlog holds newcomers.
    pub(super) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).acquire_owned().await.ok()
    }

    /// The place for a newcomer; `None` where its network has as many as it may.
    pub(super) fn take(&self, one_of_all: OwnedSemaphorePermit, peer: Peer) -> Option<Place> {
        let of_network = match peer.network() {
            Some(network) => Some(self.taken.take(network, self.per_network)?),
            None => None,
        };
        Some(Place { _one_of_all: one_of_all, _of_network: of_network })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(ip: &str) -> Peer {
        Peer(SocketAddr::new(ip.parse().unwrap(), 4000))
    }

    #[test]
    fn addresses_of_one_host_are_one_network_and_this_machine_is_none() {
        for (ip, network) in [
            ("127.0.0.1", None),
            ("::1", None),
            ("::ffff:127.0.0.1", None),
            ("192.0.2.7", Some("192.0.2.7")),
            ("::ffff:192.0.2.7", Some("192.0.2.7")),
            ("2001:db8:1:2:aaaa::1", Some("2001:db8:1:2::")),
            ("2001:db8:1:2::ffff", Some("2001:db8:1:2::")),
        ] {
            let expected = network.map(|ip| Network(ip.parse().unwrap()));
            assert_eq!(peer(ip).network(), expected, "{ip}");
        }
    }

    #[tokio::test]
    async fn one_network_gets_its_share_and_gives_it_back() {
        let places = Places::new(10, 2);
        let take = async |ip: &str| places.take(places.free().await.unwrap(), peer(ip));
        let first = take("192.0.2.7").await.unwrap();
        let _second = take("192.0.2.7").await.unwrap();
        assert!(take("192.0.2.7").await.is_none());
        let _other = take("192.0.2.8").await.unwrap();
        for _ in 0..3 {
            assert!(take("127.0.0.1").await.is_some());
        }
        drop(first);
        drop(take("192.0.2.7").await.unwrap());
        assert_eq!(places.free.available_permits(), 8, "whoever is refused holds nothing");
    }

    #[tokio::test]
    async fn without_a_free_place_newcomers_wait() {
        let places = Places::new(1, 2);
        let only = places.take(places.free().await.unwrap(), peer("127.0.0.1")).unwrap();
        let waiting = places.free();
        tokio::pin!(waiting);
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        drop(only);
        assert!(waiting.await.is_some());
    }
}
