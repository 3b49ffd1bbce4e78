//! Templates as carriers know them: submitted for review, told about, sent by name.

use std::pin::Pin;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Millis;

crate::text_enum! {
    /// What a template is for, by Meta's three words.
    /// Source: <https://developers.facebook.com/docs/whatsapp/updates-to-pricing/new-template-guidelines>.
    pub enum TemplateCategory {
        /// Codes.
        Authentication = "authentication",
        /// What somebody asked for or has a part in.
        Utility = "utility",
        /// Everything else.
        Marketing = "marketing",
    }
}

crate::text_enum! {
    /// How a code is taken over from WhatsApp.
    /// Source: <https://developers.facebook.com/docs/whatsapp/business-management-api/authentication-templates>.
    pub enum ButtonKind as "TemplateButtonType" {
        /// A button copies it.
        CopyCode = "copy_code",
        /// A button hands it to the app.
        OneTap = "one_tap",
        /// The app gets it without a tap.
        ZeroTap = "zero_tap",
    }
}

/// The button of a template that carries a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TemplateButton, example = json!({"type": "copy_code"}))]
pub struct CodeButton {
    /// How the code is taken over.
    #[serde(rename = "type")]
    pub kind: ButtonKind,
    /// What the copy button says, at most 25 characters; Meta's own words where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What the autofill button says, at most 25 characters; for `one_tap` and `zero_tap`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autofill_text: Option<String>,
    /// The apps that may have the code, 1 to 5; for `one_tap` and `zero_tap`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<SignedApp>,
    /// That you have agreed to Meta's terms of zero-tap; for `zero_tap`.
    #[serde(default)]
    pub zero_tap_terms_accepted: bool,
}

/// An Android app by its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"package_name": "com.example.app", "signature_hash": "K8a/AINcGX7"}))]
pub struct SignedApp {
    /// Its package.
    pub package_name: String,
    /// The 11 characters of its signing key's hash.
    pub signature_hash: String,
}

/// A template as its reviewer is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateForm {
    /// Its name there.
    pub name: String,
    /// Its language, a BCP 47 tag.
    pub locale: String,
    /// What for.
    pub category: TemplateCategory,
    /// The text with `{{1}}`, `{{2}}`… and an example for each; none where the reviewer writes it.
    pub body: Option<(String, Vec<String>)>,
    /// The small line below.
    pub footer: Option<String>,
    /// Whether it says not to share the code.
    pub security_recommendation: bool,
    /// For how many minutes it says that the code is good.
    pub expiry_minutes: Option<u8>,
    /// The button of a code.
    pub button: Option<CodeButton>,
}

/// A template by its name, in the place of a text: the reviewer has the words. No Debug: it holds a code.
#[derive(Clone)]
pub struct TemplateCall {
    /// Its name there.
    pub name: String,
    /// Its language, a BCP 47 tag.
    pub locale: String,
    /// What fills the body's `{{1}}`, `{{2}}`…
    pub body: Vec<String>,
    /// The code for its button.
    pub button: Option<String>,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reviewed {
    /// It is there: its id, where told, and its state, where that is decided.
    Taken {
        /// The reviewer's id.
        id: Option<String>,
        /// Its state.
        state: Option<TemplateState>,
    },
    /// It will not be taken like this: why.
    Refused(String),
    /// It may be taken later: what went wrong.
    Failed(String),
}

/// A submission under way.
pub type Reviewing<'a> = Pin<Box<dyn Future<Output = Reviewed> + Send + 'a>>;

/// What a reviewer says of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateState {
    /// Under review.
    Pending,
    /// It may be sent.
    Approved,
    /// It may not.
    Rejected,
    /// For a while it may not.
    Paused,
    /// It may not any more.
    Disabled,
}

/// Something that a carrier tells of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateReport {
    /// The carrier's account.
    pub account: String,
    /// Its id there.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// Its language as the carrier writes it.
    pub language: String,
    /// When, by the carrier's clock.
    pub at: Option<Millis>,
    /// What.
    pub news: TemplateNews,
}

/// What is new about a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateNews {
    /// Its state, where the carrier's word means one to us; and why.
    State(Option<TemplateState>, Option<String>),
    /// Its quality: `green`, `yellow`, `red` or `unknown`.
    Quality(String),
    /// The carrier sees it in another category.
    Category(TemplateCategory),
    /// Its words were changed at the carrier; the body as it is there now.
    Words(Option<String>),
}
