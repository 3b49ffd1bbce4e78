//! Where addresses that customers choose may lead: pure rules about URLs and IP addresses.
//!
//! What is not plainly public is refused. Source of the networks: the IANA special-purpose address registries,
//! <https://www.iana.org/assignments/iana-ipv4-special-registry>, <https://www.iana.org/assignments/iana-ipv6-special-registry>,
//! and <https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html>.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::Url;

/// Why an address is refused; the text completes the sentence "`url` …" and tells nothing of any network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// No URL at all, or one without a host.
    #[error("is not an absolute URL such as https://example.com/webhooks")]
    NoUrl,
    /// `file:`, `gopher:`, …
    #[error("must start with https:// or http://")]
    Scheme,
    /// `https://user:password@…`: a secret that every log would show.
    #[error("must not hold a user name or password")]
    Userinfo,
    /// A well-known port of something that is not the web.
    #[error("has a port that is not allowed; use 443, 80, or one from 1024")]
    Port,
    /// Too long to be stored.
    #[error("must have at most 2048 characters")]
    Length,
    /// A private, local or reserved address, or a name that only means one.
    #[error("must lead to a public address")]
    Host,
}

/// IPv4 networks that are not the public internet.
const CLOSED_V4: [([u8; 4], u8); 17] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 31, 196, 0], 24),
    ([192, 52, 193, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // Multicast, class E and broadcast.
    ([224, 0, 0, 0], 3),
    // Public, but answered by Azure's host to its own guests:
    // <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>.
    ([168, 63, 129, 16], 32),
];

/// The one block that IANA hands out for unicast; mapped IPv4, NAT64, loopback, local and multicast lie outside it.
const OPEN_V6: ([u16; 8], u8) = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// Inside it, what leads elsewhere: Teredo and other protocol assignments, documentation, 6to4.
const CLOSED_V6: [([u16; 8], u8); 5] = [
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
    ([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48),
];

/// Longest URL that is taken.
const URL_MAX: usize = 2048;

/// Names that mean this host or this network wherever they are asked for (RFC 6761, RFC 6762, RFC 8375, ICANN's
/// `.internal`).
const LOCAL_NAMES: [&str; 5] = ["localhost", "local", "internal", "home.arpa", "localdomain"];

/// What may be reached.
#[derive(Debug, Clone)]
pub struct Reach {
    allow: Arc<[IpNet]>,
}

impl Reach {
    /// The public internet, and `allow` of what is not: networks that the operator opened.
    pub fn new(allow: &[IpNet]) -> Reach {
        Reach { allow: allow.into() }
    }

    /// Whether `address` may be connected to.
    pub fn permits(&self, address: IpAddr) -> bool {
        is_public(address) || self.allow.iter().any(|net| net.contains(&address))
    }

    /// The URL as it will be called, if what can be seen of it without asking anybody is right. A name is looked up
    /// only when it is called.
    pub fn check(&self, text: &str) -> Result<Url, Forbidden> {
        if text.len() > URL_MAX {
            return Err(Forbidden::Length);
        }
        let mut url = Url::parse(text).map_err(|_| Forbidden::NoUrl)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(Forbidden::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Forbidden::Userinfo);
        }
        if !matches!(url.port_or_known_default(), Some(80 | 443 | 1024..)) {
            return Err(Forbidden::Port);
        }
        self.check_host(&url)?;
        url.set_fragment(None);
        Ok(url)
    }

    /// The parser has read every spelling of IPv4 by now: octal, hexadecimal, one number, full-width digits, a dot at
    /// the end (WHATWG URL, section 3.5).
    fn check_host(&self, url: &Url) -> Result<(), Forbidden> {
        let host = url.host_str().ok_or(Forbidden::NoUrl)?;
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let permitted = match bare.parse::<IpAddr>() {
            Ok(address) => self.permits(address),
            Err(_) => self.may_be_asked(bare.trim_end_matches('.')),
        };
        permitted.then_some(()).ok_or(Forbidden::Host)
    }

    /// Where an operator opened networks, names inside them are the resolver's affair.
    fn may_be_asked(&self, name: &str) -> bool {
        let is_local = |local: &str| name == local || name.strip_suffix(local).is_some_and(|rest| rest.ends_with('.'));
        !self.allow.is_empty() || (name.contains('.') && !LOCAL_NAMES.iter().any(|local| is_local(local)))
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !CLOSED_V4.iter().any(|(net, bits)| in_v4(v4, *net, *bits)),
        IpAddr::V6(v6) => in_v6(v6, OPEN_V6) && !CLOSED_V6.iter().any(|net| in_v6(v6, *net)),
    }
}

fn in_v4(address: Ipv4Addr, net: [u8; 4], bits: u8) -> bool {
    // A prefix of the tables above is never longer than an address; one that were would close everything.
    Ipv4Net::new(Ipv4Addr::from(net), bits).is_ok_and(|net| net.contains(&address))
}

fn in_v6(address: Ipv6Addr, (net, bits): ([u16; 8], u8)) -> bool {
    Ipv6Net::new(Ipv6Addr::from(net), bits).is_ok_and(|net| net.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed() -> Reach {
        Reach::new(&[])
    }

    #[test]
    fn addresses_are_public_or_refused() {
        for open in [
            "8.8.8.8",
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "223.255.255.255",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "2001:200::1",
        ] {
            assert!(closed().permits(open.parse().unwrap()), "{open}");
        }
        for shut in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
        ] {
            assert!(!closed().permits(shut.parse().unwrap()), "{shut}");
        }
    }

    #[test]
    fn what_an_operator_opened_is_open_and_nothing_beside_it() {
        let reach = Reach::new(&["10.1.0.0/16".parse().unwrap(), "::1/128".parse().unwrap()]);
        assert!(reach.permits("10.1.2.3".parse().unwrap()) && reach.permits("::1".parse().unwrap()));
        assert!(!reach.permits("10.2.0.1".parse().unwrap()) && !reach.permits("127.0.0.1".parse().unwrap()));
        assert!(reach.check("http://app:8080/").is_ok(), "a name inside an opened network");
        assert_eq!(reach.check("http://127.1/").unwrap_err(), Forbidden::Host);
    }

    #[test]
    fn a_public_url_passes_as_it_will_be_called() {
        let url = closed().check("HTTPS://Hooks.Example.com:443/a?b=c#d").unwrap();
        assert_eq!(url.as_str(), "https://hooks.example.com/a?b=c");
        for good in [
            "http://example.com",
            "https://example.com:8443/x",
            "https://bücher.example/x",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
            "https://localhost.example.com/",
            "https://notlocalhost.com/",
        ] {
            assert!(closed().check(good).is_ok(), "{good}");
        }
    }
}
