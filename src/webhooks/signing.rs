//! Signing secrets and signatures: Standard Webhooks 1.0, <https://www.standardwebhooks.com>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};

use super::store::EndpointRow;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::ids::{EndpointId, EventId};
use crate::secret::{Keyring, Purpose, Secret, fill_random};

/// Bytes of a secret: 256 bits; the specification wants 192 at least.
const SECRET_BYTES: usize = 32;

/// A new secret, as it is shown: `whsec_` and base64.
pub fn fresh_secret() -> Secret<String> {
    let mut bytes = [0; SECRET_BYTES];
    fill_random(&mut bytes);
    Secret::new(format!("whsec_{}", STANDARD.encode(bytes)))
}

/// A secret as it is stored.
pub fn seal(ring: &Keyring, endpoint: EndpointId, secret: &Secret<String>) -> Vec<u8> {
    ring.seal(Purpose::Webhook, endpoint.as_str().as_bytes(), secret.expose().as_bytes())
}

/// The headers of a delivery of `payload` at `now`: signed by the secret of `endpoint`, and by those before while they
/// still hold, the newest first.
pub fn headers(
    ring: &Keyring,
    endpoint: &EndpointRow,
    (event, payload): (EventId, &str),
    now: Millis,
) -> Result<Vec<(&'static str, String)>> {
    let at = now.0.div_euclid(1_000);
    let before = [(&endpoint.old_secret, endpoint.old_until), (&endpoint.older_secret, endpoint.older_until)];
    let live = before.into_iter().filter(|(_, until)| until.is_some_and(|until| now < until));
    let mut signatures = Vec::new();
    for sealed in std::iter::once(&endpoint.secret).chain(live.filter_map(|(secret, _)| secret.as_ref())) {
        signatures.push(sign(ring, endpoint.id, sealed, (event.as_str(), at, payload))?);
    }
    Ok(named(event.as_str(), at, signatures.join(" ")))
}

/// The headers of a delivery of `payload` at `now`, signed by one secret as it is shown: for `postern listen`, which has
/// a secret of its own. Error: `validation_failed` where it is none.
pub fn headers_by(
    secret: &Secret<String>,
    (event, payload): (&str, &str),
    now: Millis,
) -> Result<Vec<(&'static str, String)>> {
    let at = now.0.div_euclid(1_000);
    let signer = Webhook::new(secret.expose()).map_err(|_| Error::field("secret", "must be whsec_ and base64"))?;
    let signature =
        signer.sign(event, at, payload.as_bytes()).map_err(|_| Error::internal("a webhook could not be signed"))?;
    Ok(named(event, at, signature))
}

fn named(event: &str, at: i64, signatures: String) -> Vec<(&'static str, String)> {
    vec![
        (HEADER_WEBHOOK_ID, String::from(event)),
        (HEADER_WEBHOOK_TIMESTAMP, at.to_string()),
        (HEADER_WEBHOOK_SIGNATURE, signatures),
    ]
}

fn sign(ring: &Keyring, id: EndpointId, sealed: &[u8], (event, at, payload): (&str, i64, &str)) -> Result<String> {
    let opened = ring.open(Purpose::Webhook, id.as_str().as_bytes(), sealed);
    let secret = opened
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Secret::new)
        .ok_or_else(|| Error::internal("a webhook secret does not open; was the secret key changed?"))?;
    let signer = Webhook::new(secret.expose()).map_err(|_| Error::internal("a webhook secret is no base64"))?;
    signer.sign(event, at, payload.as_bytes()).map_err(|_| Error::internal("a webhook could not be signed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_256_bits_and_is_never_the_same() {
        let (one, other) = (fresh_secret(), fresh_secret());
        let bytes = STANDARD.decode(one.expose().strip_prefix("whsec_").unwrap()).unwrap();
        assert_eq!(bytes.len(), SECRET_BYTES);
        assert_ne!(one.expose(), other.expose());
    }

    #[test]
    fn the_published_vectors_are_signed_alike() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/fixtures/standard_webhooks/headers.json")).unwrap();
        let payload = include_str!("../../tests/fixtures/standard_webhooks/message_delivered.json").trim_end();
        let ring = Keyring::new([7; 32]);
        let id = EndpointId::first_at(Millis(0));
        let signed = |secret: &str| {
            let sealed = seal(&ring, id, &Secret::new(vectors[secret].as_str().unwrap().to_owned()));
            sign(&ring, id, &sealed, ("evt_01JFIXTURE0000000000000009", 1_795_334_403, payload)).unwrap()
        };
        assert_eq!(signed("secret"), vectors["headers"]["webhook-signature"]);
        let both = format!("{} {}", signed("secret_next"), signed("secret"));
        assert_eq!(both, vectors["headers_during_rotation"]["webhook-signature"]);
    }
}
