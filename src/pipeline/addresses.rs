//! Addresses of websockets and REST interfaces: those that can never work are refused before a run.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::decode::venue::Venue;
use crate::decode::venues::{HostOwner, Venues};

/// What is wrong with an address that must have one of these schemes; none where it can work.
pub(super) fn fault(address: &str, schemes: [&str; 2]) -> Option<String> {
    let [secure, plain] = schemes;
    let Some((scheme, rest)) = address.split_once("://") else {
        return Some(format!("is no address; write `{secure}://HOST`"));
    };
    if scheme != secure && scheme != plain {
        return Some(format!(
            "begins with `{scheme}://`; it must begin with {secure}:// or {plain}://"
        ));
    }
    if let Some(wrong) = address.chars().find(|letter| !letter.is_ascii_graphic()) {
        return Some(format!("holds {wrong:?}, which no address has"));
    }
    if rest.contains(['?', '#']) {
        return Some(
            "has a query or a fragment; streams and symbols have keys of their own".into(),
        );
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Some("holds a user; write credentials as `key` and `secret`".into());
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, port)) if host.parse::<Ipv6Addr>().is_ok() => {
                ("[]", port.strip_prefix(':'))
            }
            _ => return Some("has no address of IP version 6 in its brackets".into()),
        },
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let is_host = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    if host != "[]" && (host.is_empty() || !host.chars().all(is_host)) {
        return Some("names no host".into());
    }
    match port.map(str::parse::<u16>) {
        None | Some(Ok(1..)) => None,
        Some(_) => Some("has a port that is none of 1 to 65535".into()),
    }
}

/// An address of which [`fault`] found nothing wrong, in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    /// Whether it is encrypted on the way.
    pub(super) is_secure: bool,
    /// The host, without port and brackets.
    pub(super) host: &'a str,
    /// The path without a slash at its end; empty where there is none.
    pub(super) path: &'a str,
}

impl<'a> Address<'a> {
    /// The parts of an address.
    pub(super) fn of(address: &'a str) -> Self {
        let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
        let at = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let host = match authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next(),
            None => authority.split(':').next(),
        };
        Self {
            is_secure: matches!(scheme, "wss" | "https"),
            host: host.unwrap_or_default(),
            path: path.trim_end_matches('/'),
        }
    }

    /// Why this cannot be an address of the venue; none where it can. Hosts that nobody knows may be proxies
    /// and recordings.
    pub(super) fn foreign(&self, venue: &dyn Venue, venues: &Venues) -> Option<String> {
        let host = self.host;
        let name = venue.name();
        let advice = "take the key out, or name an address of the venue that `instruments` name";
        match venues.owner_of(host) {
            HostOwner::Feed(owner) if owner.name() != name => Some(format!(
                "`{host}` is a host of {}, and the instruments are of {name}; {advice}",
                owner.name()
            )),
            HostOwner::Other(_, what) => Some(format!(
                "`{host}` has something that is not read ({what}), and not the feed of {name}; {advice}"
            )),
            HostOwner::Feed(_) if !self.is_secure => Some(format!(
                "is not encrypted, and {name} answers encrypted connections alone; write `wss://` or `https://`"
            )),
            HostOwner::Feed(_) | HostOwner::Unknown => None,
        }
    }

    /// Whether what is sent there can be read by others on the way: it goes unencrypted to a host that is
    /// neither this machine nor one of a private network.
    pub(super) fn is_exposed(&self) -> bool {
        !self.is_secure && !is_private(self.host)
    }
}

/// Whether a host is this machine, or by its name or number one of a private network.
fn is_private(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => is_private_v4(ip),
        Ok(IpAddr::V6(ip)) => {
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.to_ipv4_mapped().is_some_and(is_private_v4)
        }
        Err(_) => {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            let last = host.rsplit('.').next();
            !host.contains('.') || last.is_some_and(|last| PRIVATE_NAMES.contains(&last))
        }
    }
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    // 100.64.0.0/10 is that of providers and overlay networks.
    let is_shared = first == 100 && (64..128).contains(&second);
    ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || is_shared
}

/// Last parts of the names of hosts that no public name has.
const PRIVATE_NAMES: [&str; 8] = [
    "local",
    "localhost",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home",
    "test",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_private_by_its_name_or_number() {
        for host in [
            "localhost",
            "relay",
            "feed.svc.cluster.local",
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.9",
            "100.64.1.1",
            "::1",
            "fd00::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(is_private(host), "{host}");
        }
        for host in ["feed.example.com", "8.8.8.8", "100.128.0.1", "2001:db8::1"] {
            assert!(!is_private(host), "{host}");
        }
        let address = Address::of("ws://[fd00::1]:80/v2/");
        assert_eq!((address.host, address.path), ("fd00::1", "/v2"));
        assert!(!address.is_exposed());
        assert!(Address::of("ws://feed.example.com").is_exposed());
        assert!(!Address::of("wss://feed.example.com").is_exposed());
    }

    #[test]
    fn addresses_that_cannot_work_are_refused() {
        let fault = |address| fault(address, ["wss", "ws"]);
        for address in [
            "wss://stream.example.com",
            "wss://stream.example.com:9443/ws",
            "ws://127.0.0.1:1",
            "ws://[::1]:8080/v2/test",
            "ws://localhost",
        ] {
            assert_eq!(fault(address), None, "{address}");
        }
        for (address, said) in [
            ("stream.example.com", "write `wss://HOST`"),
            ("https://stream.example.com", "begins with `https://`"),
            ("wss://", "names no host"),
            ("wss:///ws", "names no host"),
            ("wss://:443", "names no host"),
            ("wss://a b", "holds ' '"),
            ("wss://häuser.example", "holds 'ä'"),
            ("wss://x:70000", "1 to 65535"),
            ("wss://x:0", "1 to 65535"),
            ("wss://x:port", "1 to 65535"),
            ("wss://x:", "1 to 65535"),
            ("wss://[::1", "version 6"),
            ("wss://[x]", "version 6"),
            ("wss://key@x", "holds a user"),
            ("wss://x/stream?streams=a", "a query"),
            ("wss://a,b", "names no host"),
        ] {
            let found = fault(address).unwrap_or_default();
            assert!(found.contains(said), "{address}: {found}");
        }
    }
}
