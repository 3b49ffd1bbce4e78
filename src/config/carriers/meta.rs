//! WhatsApp, by Meta's Cloud API.

use super::super::concern::concern;
use super::super::fault::Wrong;
use super::super::kinds::BaseUrl;
use super::super::setting::any;
use super::is_a_path_part;
use crate::secret::Secret;

concern! {
    /// A number on WhatsApp, by Meta's Cloud API. The app's webhook is …/hooks/meta, for all its numbers.
    pub struct MetaCarrier {
        /// The system user's token.
        access_token: Secret<String> = required "…", "", any;
        /// The number's id.
        phone_number_id: String = required "800100200300401", "", is_a_path_part;
        /// The WhatsApp business account's id: organizations' templates are submitted to it for review, and its webhooks
        /// about them are believed.
        waba_id: Option<String> = example "900100200300400", "", any;
        /// The app's secret: the key of the webhook's signatures.
        app_secret: Secret<String> = required "…", "", any;
        /// The token of our choice that Meta shows when it asks whether the webhook is ours.
        verify_token: Secret<String> = required "…", "", is_some_token;
        /// The authentication template that codes go by; without it they go as text, within 24 hours of the
        /// recipient's last message only.
        otp_template: Option<String> = example "login_otp", "", any;
        /// The template's language.
        otp_language: String = default "en_US", "", any;
        /// Where the API is.
        base_url: BaseUrl = default "https://graph.facebook.com", "", any;
        /// The API's version.
        api_version: String = default "v25.0", "", is_a_path_part;
    }
}

fn is_some_token(token: &Secret<String>) -> Result<(), Wrong> {
    if token.expose().is_empty() { Err(Wrong::new("is empty", "choose a token")) } else { Ok(()) }
}
