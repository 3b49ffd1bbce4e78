//! `X-Twilio-Signature`: HMAC over the public address and the sorted parameters.
//! Source: <https://www.twilio.com/docs/usage/security#validating-requests>; the SHA-256 form is that of twilio-python
//! 9.13, `request_validator.py`.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::providers::Hook;
use crate::secret::{hex, hmac_sha1, hmac_sha256, same, sha256};

/// Names the newer form, `key=…,algorithm=HMAC_SHA256`.
const SETTINGS_HEADER: &str = "x-twilio-webhooks-signature-settings";

/// The query parameter that binds a JSON body to the signed address.
const BODY_HASH: &str = "bodySHA256";

#[derive(Debug, Clone, Copy)]
enum Algorithm {
    Sha1,
    Sha256,
}

/// Whether `hook` was signed with one of `keys`. `parameters` are those of its form, empty for a JSON body, which the
/// address binds by its hash instead. Takes the same time wherever a signature differs.
pub fn is_signed(hook: &Hook<'_>, parameters: &[(String, String)], keys: &[&str]) -> bool {
    let Some(claimed) = hook.headers.get("x-twilio-signature") else { return false };
    let Some(algorithm) = algorithm(hook) else { return false };
    let bound = match body_hash(&hook.url) {
        Some(hash) => {
            parameters.is_empty() && same(hash.to_ascii_lowercase().as_bytes(), hex(&sha256(hook.body)).as_bytes())
        }
        None => !parameters.is_empty() || hook.body.is_empty(),
    };
    let mut found = false;
    for url in spellings(&hook.url) {
        let message = signed_text(&url, parameters);
        for key in keys {
            found |= same(mac(algorithm, key, &message).as_bytes(), claimed.as_bytes());
        }
    }
    found & bound
}

/// `None` for an algorithm that is not ours: refused, never taken for the older one.
fn algorithm(hook: &Hook<'_>) -> Option<Algorithm> {
    let Some(settings) = hook.headers.get(SETTINGS_HEADER) else { return Some(Algorithm::Sha1) };
    let mut parts = settings.split(',').filter_map(|part| part.split_once('='));
    let (_, word) = parts.find(|(name, _)| name.trim() == "algorithm")?;
    (word.trim() == "HMAC_SHA256").then_some(Algorithm::Sha256)
}

fn mac(algorithm: Algorithm, key: &str, message: &str) -> String {
    match algorithm {
        Algorithm::Sha1 => STANDARD.encode(hmac_sha1(key.as_bytes(), message.as_bytes())),
        Algorithm::Sha256 => STANDARD.encode(hmac_sha256(key.as_bytes(), message.as_bytes())),
    }
}

/// The address, then name and value of every parameter, sorted by name and value, repeated pairs once.
fn signed_text(url: &str, parameters: &[(String, String)]) -> String {
    let sorted: BTreeSet<(&str, &str)> = parameters.iter().map(|(name, value)| (&**name, &**value)).collect();
    let mut text = String::from(url);
    for (name, value) in sorted {
        text.push_str(name);
        text.push_str(value);
    }
    text
}

/// The address as configured, with its port and without: Twilio's servers sign one or the other.
fn spellings(url: &str) -> Vec<String> {
    let mut all = vec![String::from(url)];
    let Some((scheme, rest)) = url.split_once("://") else { return all };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, tail) = rest.split_at(end);
    // The last colon parts host from port, but for those inside the brackets of an IPv6 address.
    match host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())) {
        Some((bare, _)) => all.push(format!("{scheme}://{bare}{tail}")),
        None => {
            let port = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
            all.push(format!("{scheme}://{host}:{port}{tail}"));
        }
    }
    all
}

fn body_hash(url: &str) -> Option<&str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == BODY_HASH).map(|(_, hash)| hash)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::providers::HookKind;
    use crate::providers::form;

    const VECTORS: &str = include_str!("../../../tests/fixtures/twilio/signatures.json");

    struct Vector {
        name: String,
        url: String,
        body: Vec<u8>,
        headers: BTreeMap<String, String>,
        key: String,
    }

    fn vectors() -> Vec<Vector> {
        let all: BTreeMap<String, serde_json::Value> = serde_json::from_str(VECTORS).unwrap();
        let text = |value: &serde_json::Value| value.as_str().map(String::from);
        let read = |(name, row): (String, serde_json::Value)| {
            let file = name.split('#').next().unwrap().to_owned();
            let path = format!("{}/tests/fixtures/twilio/{file}", env!("CARGO_MANIFEST_DIR"));
            let names = [
                ("x-twilio-signature", "x_twilio_signature"),
                (SETTINGS_HEADER, "x_twilio_webhooks_signature_settings"),
            ];
            let headers = names.iter().filter_map(|(header, field)| Some((header.to_string(), text(&row[*field])?)));
            Vector {
                name,
                url: text(&row["url"]).unwrap(),
                body: std::fs::read(path).unwrap(),
                headers: headers.collect(),
                key: text(&row["auth_token"]).or(text(&row["shared_key_secret"])).unwrap(),
            }
        };
        all.into_iter().map(read).collect()
    }

    fn holds(vector: &Vector) -> bool {
        let hook = Hook {
            kind: HookKind::Status,
            url: vector.url.clone(),
            headers: vector.headers.clone(),
            body: &vector.body,
        };
        let is_form = vector.name.contains(".form");
        let parameters = if is_form { form::decode(&vector.body).unwrap() } else { Vec::new() };
        is_signed(&hook, &parameters, &[&vector.key])
    }

    #[test]
    fn every_published_vector_holds() {
        let all = vectors();
        assert_eq!(all.len(), 8);
        all.iter().for_each(|vector| assert!(holds(vector), "{}", vector.name));
    }

    #[test]
    fn a_changed_body_address_key_or_signature_does_not() {
        for whole in vectors() {
            let name = whole.name.clone();
            let mut changed = vectors().into_iter().find(|v| v.name == name).unwrap();
            changed.body.push(b'1');
            assert!(!holds(&changed), "{name}: body");
            let url = whole.url.replacen("otp.example", "otp.example.org", 1);
            assert!(!holds(&Vector { url, ..copy(&whole) }), "{name}: address");
            assert!(!holds(&Vector { key: String::from("x"), ..copy(&whole) }), "{name}: key");
            let mut headers = whole.headers.clone();
            headers.insert(String::from("x-twilio-signature"), String::new());
            assert!(!holds(&Vector { headers, ..copy(&whole) }), "{name}: signature");
            assert!(!holds(&Vector { headers: BTreeMap::new(), ..copy(&whole) }), "{name}: no header");
        }
    }

    #[test]
    fn an_unknown_algorithm_is_not_taken_for_the_older_one() {
        let mut whole = vectors().into_iter().find(|v| v.name == "status_sent.form").unwrap();
        whole.headers.insert(SETTINGS_HEADER.into(), "key=k,algorithm=NONE".into());
        assert!(!holds(&whole));
    }

    #[test]
    fn the_address_holds_with_its_port_and_without() {
        let signed = |url: &str, seen: &str| {
            let body = b"A=1&B=&A=0&A=1";
            let parameters = form::decode(body).unwrap();
            let mac = STANDARD.encode(hmac_sha1(b"token", signed_text(url, &parameters).as_bytes()));
            let headers = BTreeMap::from([(String::from("x-twilio-signature"), mac)]);
            is_signed(&Hook { kind: HookKind::Status, url: seen.into(), headers, body }, &parameters, &["token"])
        };
        assert!(signed("https://a.example:443/h?x=1", "https://a.example/h?x=1"));
        assert!(signed("https://a.example/h?x=1", "https://a.example:8443/h?x=1"));
        assert!(signed("http://[::1]:80/h", "http://[::1]/h"));
        assert!(!signed("https://a.example:8443/h", "https://a.example/h"));
    }

    #[test]
    fn repeated_parameters_are_signed_sorted_and_once() {
        let pairs = form::decode(b"B=2&A=9&A=1&A=9").unwrap();
        assert_eq!(signed_text("u", &pairs), "uA1A9B2");
    }

    #[test]
    fn a_json_body_without_its_hash_in_the_address_is_refused() {
        let url = "https://a.example/h";
        let mac = STANDARD.encode(hmac_sha1(b"token", url.as_bytes()));
        let headers = BTreeMap::from([(String::from("x-twilio-signature"), mac)]);
        let hook =
            Hook { kind: HookKind::Status, url: url.into(), headers, body: b"{\"MessageStatus\":\"delivered\"}" };
        assert!(!is_signed(&hook, &[], &["token"]));
    }

    fn copy(v: &Vector) -> Vector {
        let (name, url, body) = (v.name.clone(), v.url.clone(), v.body.clone());
        Vector { name, url, body, headers: v.headers.clone(), key: v.key.clone() }
    }
}
