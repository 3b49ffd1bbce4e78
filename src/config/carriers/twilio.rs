//! A carrier of Twilio's shape.

use super::super::concern::{Concern, concern};
use super::super::fault::Wrong;
use super::super::kinds::BaseUrl;
use super::super::reader::Section;
use super::super::setting::any;
use super::originator::is_an_originator_if_any;
use crate::secret::Secret;

concern! {
    /// Twilio, or a service of the same shape.
    pub struct TwilioCarrier {
        /// The account, AC and 32 hex digits.
        account_sid: String = required "AC00000000000000000000000000000000", "", is_an_account;
        /// The account's token: the password of calls, and the key of callbacks' signatures.
        auth_token: Secret<String> = required "…", "", any;
        /// Where the API is.
        base_url: BaseUrl = default "https://api.twilio.com", "", any;
        /// The sender: a number in E.164 or an alphanumeric id. Write this or messaging_service_sid.
        from: Option<String> = example "+15005550006", "", is_an_originator_if_any;
        /// The messaging service that chooses the sender.
        messaging_service_sid: Option<String> = example "MG00000000000000000000000000000000", "", any;
        /// Key of callbacks' signatures where it is not auth_token.
        shared_key: Option<Secret<String>> = example "…", "", any;
    }
}

impl TwilioCarrier {
    /// Reads the keys and checks them against each other.
    pub(super) fn read_checked(section: &mut Section<'_>) -> Option<Self> {
        let written = ["from", "messaging_service_sid"].map(|name| Self::is_written(section, name));
        let read = Self::read(section);
        let hint = "write exactly one of from and messaging_service_sid";
        match written {
            [false, false] => section.fault("from", Wrong::new("is missing", hint)),
            [true, true] => section.fault("from", Wrong::new("stands beside messaging_service_sid", hint)),
            _ => {}
        }
        read
    }

    /// The key callbacks are signed with.
    pub fn signing_key(&self) -> &Secret<String> {
        self.shared_key.as_ref().unwrap_or(&self.auth_token)
    }
}

// Documentation: "Account SID ... 34 characters, starts with AC" (twilio.com/docs/glossary/what-is-a-sid).
#[expect(clippy::ptr_arg, reason = "has the shape of every check of a String")]
fn is_an_account(sid: &String) -> Result<(), Wrong> {
    let hex =
        sid.strip_prefix("AC").is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()));
    if hex {
        Ok(())
    } else {
        Err(Wrong::new("is not an account SID", "write AC and 32 hex digits, as the console shows it"))
    }
}
