//! A template as the API shows it.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::preview::{TemplatePreview, preview};
use super::status::Status;
use super::store::{Version, Whole};
use crate::clock::Millis;
use crate::error::Result;
use crate::ids::{OrgId, TemplateId};
use crate::providers::{CodeButton, TemplateCategory};
use crate::terms::{Channel, Mode};
use crate::wallet::Price;

/// A template: its latest version, and which version sends.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateView {
    /// Its id.
    pub id: TemplateId,
    /// Whose.
    pub org_id: OrgId,
    /// For live or for test messages.
    pub mode: Mode,
    /// By what messages name it.
    #[schema(example = "login")]
    pub name: String,
    /// On this channel.
    pub channel: Channel,
    /// In this language.
    #[schema(example = "pt-BR")]
    pub locale: String,
    /// What for.
    pub category: TemplateCategory,
    /// The latest version, from 1.
    #[schema(example = 1)]
    pub version: i32,
    /// Where the latest version is.
    pub status: Status,
    /// Why it was turned down or stopped.
    pub reason: Option<String>,
    /// The version that messages get; null where none may be sent.
    #[schema(example = 1)]
    pub live_version: Option<i32>,
    /// What the latest version says.
    #[serde(flatten)]
    pub words: WordsView,
    /// The latest version filled with its examples: its size and its price.
    pub preview: TemplatePreview,
    /// Who reviews it: the carrier's name; null for an operator.
    pub reviewer: Option<String>,
    /// Its name at that carrier.
    pub remote_name: Option<String>,
    /// How it is received, as WhatsApp sees it: `green`, `yellow`, `red` or `unknown`.
    pub quality: Option<String>,
    /// Why the last try to submit it to the carrier failed; it is tried again.
    pub submit_error: Option<String>,
    /// Handed in.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub submitted_at: Option<Millis>,
    /// Approved, turned down or stopped.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<Millis>,
    /// Made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// Last change.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Millis,
}

/// What a version says.
#[derive(Debug, Serialize, ToSchema)]
pub struct WordsView {
    /// The subject of a mail.
    pub subject: Option<String>,
    /// The text with its placeholders; null where WhatsApp writes it.
    #[schema(example = "{{code}} is your {{app}} code.")]
    pub body: Option<String>,
    /// The small line below, on WhatsApp.
    pub footer: Option<String>,
    /// An example for each placeholder but `code`, `app` and `minutes`.
    pub examples: BTreeMap<String, String>,
    /// How a code is taken over, on WhatsApp.
    pub button: Option<CodeButton>,
    /// Whether WhatsApp's text says not to share the code.
    pub security_recommendation: bool,
    /// For how many minutes WhatsApp's text says that the code is good.
    pub expiry_minutes: Option<u8>,
}

impl TemplateView {
    /// Shows a template of an organization called `app`, by the price list at `now`.
    pub fn of(whole: &Whole, app: &str, (prices, now): (&[Price], Millis)) -> Result<TemplateView> {
        let Whole { row, latest, live } = whole;
        let words = latest.words()?;
        let preview = preview(&words, (row.channel, row.category), app, (prices, now));
        Ok(TemplateView {
            id: row.id,
            org_id: row.org_id,
            mode: row.mode,
            name: row.name.clone(),
            channel: row.channel,
            locale: row.locale.clone(),
            category: row.category,
            version: latest.version,
            status: latest.status,
            reason: latest.reason.clone(),
            live_version: sends(row.live, [Some(latest), live.as_ref()]),
            words: WordsView {
                subject: words.subject,
                body: words.body,
                footer: words.footer,
                examples: words.examples,
                button: words.button,
                security_recommendation: words.security_recommendation,
                expiry_minutes: words.expiry_minutes,
            },
            preview,
            reviewer: latest.reviewer.clone(),
            remote_name: latest.remote_name.clone(),
            quality: latest.quality.clone(),
            submit_error: latest.submit_error.clone(),
            submitted_at: latest.submitted_at,
            decided_at: latest.decided_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

fn sends(live: Option<i32>, versions: [Option<&Version>; 2]) -> Option<i32> {
    let found = versions.into_iter().flatten().find(|version| Some(version.version) == live)?;
    (found.status == Status::Approved).then_some(found.version)
}
