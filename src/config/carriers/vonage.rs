//! Vonage's two products.

use super::super::concern::concern;
use super::super::kinds::BaseUrl;
use super::super::setting::any;
use super::originator::is_an_originator;
use super::{is_a_token_if_any, is_long_if_any};
use crate::secret::Secret;

concern! {
    /// Vonage, by its SMS API. Receipts are asked for where callback_token or signature_secret proves them.
    pub struct VonageSmsCarrier {
        /// The account's key.
        api_key: String = required "abcd1234", "", any;
        /// The account's secret.
        api_secret: Secret<String> = required "…", "", any;
        /// The sender: a number or an alphanumeric id.
        from: String = required "ACME", "", is_an_originator;
        /// Where the API is.
        base_url: BaseUrl = default "https://rest.nexmo.com", "", any;
        /// Proves callbacks, 16 characters or more: receipts are asked for with it; write the address of inbound messages as …/hooks/{name}/inbound?token=….
        callback_token: Option<Secret<String>> = example "…", "", is_a_token_if_any;
        /// The account's signature secret, where callbacks are signed by SHA-256 HMAC.
        signature_secret: Option<Secret<String>> = example "…", "", is_long_if_any;
    }
}

concern! {
    /// Vonage, by its Messages API.
    pub struct VonageCarrier {
        /// The account's key.
        api_key: String = required "abcd1234", "", any;
        /// The account's secret.
        api_secret: Secret<String> = required "…", "", any;
        /// The sender: a number or an alphanumeric id.
        from: String = required "ACME", "", is_an_originator;
        /// Where the API is.
        base_url: BaseUrl = default "https://api.nexmo.com", "", any;
        /// The account's signature secret, with which callbacks are signed; without it none is believed, and no receipt asked for.
        signature_secret: Option<Secret<String>> = example "…", "", is_long_if_any;
    }
}
