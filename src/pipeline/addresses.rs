//! Addresses of websockets and REST interfaces: those that can never work are refused before a run.

use std::net::Ipv6Addr;

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

#[cfg(test)]
mod tests {
    use super::*;

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
