//! Plivo.

use super::super::concern::concern;
use super::super::kinds::BaseUrl;
use super::super::setting::any;
use super::is_a_path_part;
use super::originator::is_an_originator;
use crate::secret::Secret;

concern! {
    /// Plivo. Callbacks are signed with the account's token.
    pub struct PlivoCarrier {
        /// The account.
        auth_id: String = required "MAXXXXXXXXXXXXXXXXXX", "", is_a_path_part;
        /// The account's token: the password of calls, and the key of callbacks' signatures.
        auth_token: Secret<String> = required "…", "", any;
        /// The sender: a number or an alphanumeric id.
        from: String = required "+15005550006", "", is_an_originator;
        /// Where the API is.
        base_url: BaseUrl = default "https://api.plivo.com", "", any;
    }
}
