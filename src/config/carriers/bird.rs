//! Bird.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::concern::concern;
use super::super::fault::Wrong;
use super::super::kinds::BaseUrl;
use super::super::setting::{any, word_setting};
use super::originator::is_an_originator_if_any;
use crate::secret::Secret;

crate::text_enum! {
    /// What Bird is told that messages are for.
    pub enum BirdCategory {
        Authentication = "authentication",
        Transactional = "transactional",
        Marketing = "marketing",
        Service = "service",
    }
}

word_setting!(BirdCategory);

concern! {
    /// Bird. Receipts and inbound messages come by a webhook endpoint at …/hooks/{name}/status, made at Bird.
    pub struct BirdCarrier {
        /// The API key.
        api_key: Secret<String> = required "bk_eu1_…", "", any;
        /// Where the workspace's region is.
        base_url: BaseUrl = required "https://eu1.platform.bird.com", "", any;
        /// The sender; without it the workspace's own.
        from: Option<String> = example "ACME", "", is_an_originator_if_any;
        /// What messages are for: authentication, transactional, marketing or service.
        category: BirdCategory = default "authentication", "", any;
        /// The webhook endpoint's secret; without it no callback is believed.
        webhook_secret: Option<Secret<String>> = example "whsec_…", "", is_a_webhook_secret;
    }
}

fn is_a_webhook_secret(secret: &Option<Secret<String>>) -> Result<(), Wrong> {
    let Some(secret) = secret else { return Ok(()) };
    let bare = secret.expose().strip_prefix("whsec_").unwrap_or(secret.expose());
    match STANDARD.decode(bare) {
        Ok(key) if key.len() >= 16 => Ok(()),
        _ => Err(Wrong::new("is not a webhook secret", "write whsec_ and the base64 that Bird shows")),
    }
}
