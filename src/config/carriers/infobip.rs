//! Infobip.

use super::super::concern::concern;
use super::super::kinds::BaseUrl;
use super::super::setting::any;
use super::is_a_token_if_any;
use super::originator::is_an_originator;
use crate::secret::Secret;

concern! {
    /// Infobip, by its SMS API v3.
    pub struct InfobipCarrier {
        /// The API key.
        api_key: Secret<String> = required "…", "", any;
        /// Where the account's API is.
        base_url: BaseUrl = required "https://xxxxx.api.infobip.com", "", any;
        /// The sender: a number or an alphanumeric id.
        from: String = required "ACME", "", is_an_originator;
        /// Proves callbacks, 16 characters or more: receipts are asked for with it; write the address of inbound messages as …/hooks/{name}/inbound?token=…, or let them carry Authorization: Bearer ….
        callback_token: Option<Secret<String>> = example "…", "", is_a_token_if_any;
    }
}
