//! The two forms in which a phone fills a code in by itself: the origin-bound last line, and Android's app hash.

/// A host name that an origin-bound line may carry: ASCII, at least two labels, no address, no port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host(String);

/// Why a text is not a host for the last line; completes "`web_origin` …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostFault {
    /// A scheme other than https.
    #[error("must be an https origin; browsers fill codes in on secure pages only")]
    NotHttps,
    /// A port, a path, a query or user information.
    #[error("must be a host alone, e.g. example.com, without port or path")]
    MoreThanAHost,
    /// Not a name that the public DNS could hold.
    #[error("must be a domain name in ASCII (punycode), e.g. example.com")]
    NotADomain,
}

impl Host {
    /// Reads `example.com` or `https://example.com`; upper case is lowered.
    pub fn parse(text: &str) -> Result<Host, HostFault> {
        let lower = text.to_ascii_lowercase();
        let host = match lower.split_once("://") {
            Some(("https", rest)) => rest.strip_suffix('/').unwrap_or(rest),
            Some(_) => return Err(HostFault::NotHttps),
            None => lower.as_str(),
        };
        if host.contains(['/', ':', '@', '?', '#']) {
            return Err(HostFault::MoreThanAHost);
        }
        if is_domain(host) { Ok(Host(host.to_owned())) } else { Err(HostFault::NotADomain) }
    }

    /// The host, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 1035, section 2.3.4 (lengths) and RFC 5890 letters, digits and inner hyphens; a numeric last label would be an
/// IPv4 address.
fn is_domain(host: &str) -> bool {
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let named = host.rsplit_once('.').is_some_and(|(_, last)| !last.bytes().all(|b| b.is_ascii_digit()));
    host.len() <= 253 && named && host.split('.').all(label_ok)
}

/// `text` with the origin-bound line that WebOTP and iOS read; nothing may follow it, not even a line break.
/// Source: <https://wicg.github.io/sms-one-time-codes/>.
pub fn with_origin(text: &str, host: &Host, code: &str) -> String {
    format!("{text}\n\n@{} #{code}", host.as_str())
}

/// What a phone finds in the last line of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OriginBound<'a> {
    /// The site that may read the code.
    pub host: &'a str,
    /// The code.
    pub code: &'a str,
    /// The site of the frame that may read it, where one is named.
    pub embedded: Option<&'a str>,
}

/// Reads the last line of `text` as a phone does; `None` where it binds no code.
/// Source: <https://wicg.github.io/sms-one-time-codes/#parsing>.
pub fn origin_bound(text: &str) -> Option<OriginBound<'_>> {
    let line = text.rsplit(['\n', '\r']).next()?.strip_prefix('@')?;
    let (host, rest) = line.split_once(' ')?;
    let (code, trailing) = until_space(rest.strip_prefix('#')?);
    let embedded = trailing.strip_prefix(" @").map(|rest| until_space(rest).0).filter(|host| !host.is_empty());
    (!host.is_empty() && !code.is_empty()).then_some(OriginBound { host, code, embedded })
}

fn until_space(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The 11 characters by which Android knows the app that may read a code: the start of a base64 SHA-256.
/// Source: <https://developers.google.com/identity/sms-retriever/verify>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppHash(String);

/// A text that is no app hash; completes "`app_hash` …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the 11 characters (A-Z a-z 0-9 + /) that Android's SMS Retriever computes for the app")]
pub struct AppHashFault;

impl AppHash {
    /// Reads the 11 characters.
    pub fn parse(text: &str) -> Result<AppHash, AppHashFault> {
        let base64 = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
        if text.len() == 11 && base64 { Ok(AppHash(text.to_owned())) } else { Err(AppHashFault) }
    }

    /// The 11 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The longest text, in bytes, that SMS Retriever reads; same source as `AppHash`.
pub const RETRIEVER_BYTES: usize = 140;

/// `text` with the line that SMS Retriever looks for. Put an origin-bound line after it, never before.
/// The whole must pass `fits_retriever`.
pub fn with_app_hash(text: &str, hash: &AppHash) -> String {
    format!("{text}\n\n{}", hash.as_str())
}

/// Whether the finished `text` is short enough for SMS Retriever, by either reading of its limit: 140 bytes of UTF-8,
/// and the 140 octets of a single SMS.
pub fn fits_retriever(text: &str) -> bool {
    text.len() <= RETRIEVER_BYTES && super::measure(text).segments == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn cases(group: &str) -> Vec<Value> {
        let file: Value =
            serde_json::from_str(include_str!("../../tests/fixtures/sms_text/autofill_messages.json")).unwrap();
        let cases = file[group].as_array().unwrap().clone();
        assert!(!cases.is_empty());
        cases
    }

    #[test]
    fn every_origin_bound_text_is_read_as_a_phone_reads_it() {
        for case in cases("origin_bound") {
            let found = origin_bound(case["text"].as_str().unwrap()).unwrap();
            assert_eq!((found.host, found.code), (case["host"].as_str().unwrap(), case["code"].as_str().unwrap()));
            assert_eq!(found.embedded, case["embedded"].as_str());
        }
    }

    #[test]
    fn what_is_nearly_origin_bound_binds_nothing() {
        for case in cases("not_origin_bound") {
            assert_eq!(origin_bound(case.as_str().unwrap()), None, "{case}");
        }
    }

    #[test]
    fn what_is_built_is_read_back() {
        let host = Host::parse("https://Shop.Example.com/").unwrap();
        let text = with_origin("481516 is your code.", &host, "481516");
        assert_eq!(text, "481516 is your code.\n\n@shop.example.com #481516");
        let bound = OriginBound { host: "shop.example.com", code: "481516", embedded: None };
        assert_eq!(origin_bound(&text), Some(bound));
    }

    #[test]
    fn every_retriever_case_fits_as_the_fixture_says() {
        for case in cases("sms_retriever") {
            let text = case["text"].as_str().unwrap();
            assert_eq!(fits_retriever(text), case["ok"].as_bool().unwrap(), "{text}");
            if let Some(hash) = case["hash"].as_str() {
                assert!(text.ends_with(AppHash::parse(hash).unwrap().as_str()), "{text}");
            }
        }
    }

    #[test]
    fn both_forms_in_one_text_keep_the_origin_last() {
        let hash = AppHash::parse("FA+9qCX9VSu").unwrap();
        let host = Host::parse("acme.example").unwrap();
        let text = with_origin(&with_app_hash("123456 is your ACME code.", &hash), &host, "123456");
        assert_eq!(text, "123456 is your ACME code.\n\nFA+9qCX9VSu\n\n@acme.example #123456");
        assert!(fits_retriever(&text) && origin_bound(&text).is_some());
    }

    #[test]
    fn a_text_of_71_wide_characters_is_too_long_for_the_retriever() {
        assert!(fits_retriever(&"я".repeat(70)));
        assert!(!fits_retriever(&format!("{}ß", "a".repeat(139))));
        assert!(!fits_retriever(&format!("{}я", "a".repeat(70))));
    }

    #[test]
    fn a_host_is_a_domain_and_nothing_else() {
        for (text, fault) in [
            ("http://example.com", HostFault::NotHttps),
            ("example.com:8443", HostFault::MoreThanAHost),
            ("https://example.com/login", HostFault::MoreThanAHost),
            ("user@example.com", HostFault::MoreThanAHost),
            ("localhost", HostFault::NotADomain),
            ("192.0.2.1", HostFault::NotADomain),
            ("exa mple.com", HostFault::NotADomain),
            ("-a.example", HostFault::NotADomain),
            ("a..example", HostFault::NotADomain),
            ("bücher.example", HostFault::NotADomain),
            ("example.com\n@evil.example #1", HostFault::MoreThanAHost),
            ("", HostFault::NotADomain),
        ] {
            assert_eq!(Host::parse(text), Err(fault), "{text}");
        }
        assert!(Host::parse(&format!("{}.example", "a".repeat(64))).is_err());
        assert!(Host::parse("xn--bcher-kva.example").is_ok());
    }

    #[test]
    fn an_app_hash_has_eleven_base64_characters() {
        for bad in ["", "FA+9qCX9VS", "FA+9qCX9VSuu", "FA-9qCX9VSu", "FA+9qCX9VS\n", "FA+9qCX9VS="] {
            assert_eq!(AppHash::parse(bad), Err(AppHashFault), "{bad:?}");
        }
    }
}
