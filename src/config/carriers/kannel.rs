//! Kannel.

use super::super::concern::concern;
use super::super::kinds::BaseUrl;
use super::super::setting::any;
use super::is_a_token_if_any;
use super::originator::is_an_originator_if_any;
use crate::secret::Secret;

concern! {
    /// A Kannel smsbox, by its sendsms interface.
    pub struct KannelCarrier {
        /// The sendsms-user's name.
        username: String = required "postern", "", any;
        /// The sendsms-user's password.
        password: Secret<String> = required "…", "", any;
        /// Where the smsbox is; /cgi-bin/sendsms is put behind it.
        base_url: BaseUrl = required "http://127.0.0.1:13013", "", any;
        /// The sender; without it the user's own.
        from: Option<String> = example "ACME", "", is_an_originator_if_any;
        /// The SMSC that shall take messages.
        smsc: Option<String> = example "upstream-1", "", any;
        /// Proves callbacks, 16 characters or more: receipts are asked for with it. For inbound messages set the
        /// sms-service's get-url to …/hooks/{name}/inbound?token=…&id=%I&from=%q&to=%Q&text=%a.
        callback_token: Option<Secret<String>> = example "…", "", is_a_token_if_any;
    }
}
