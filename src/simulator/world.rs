//! What the simulator knows: the account, its users and templates, what was sent, and what is still to be told.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::errors::Fault;
use super::limits::Limits;
use super::settings::Settings;
use super::templates::{self, Template};
use crate::clock::Millis;

/// Most webhooks that wait, and most messages that are remembered.
const KEPT: usize = 100_000;

/// Everything.
pub struct World {
    /// How it was set up.
    pub settings: Settings,
    /// The number's quality: `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    pub quality: String,
    /// The portfolio's limit, as Meta writes it.
    pub limit: String,
    /// By their digits.
    pub users: BTreeMap<String, User>,
    /// In the order they were made.
    pub templates: Vec<Template>,
    /// What has been sent lately.
    pub limits: Limits,
    /// Errors that somebody has asked for.
    pub planned: VecDeque<Planned>,
    /// What was accepted.
    pub sent: VecDeque<Sent>,
    /// What is still to be told.
    pub outbox: VecDeque<Due>,
    /// What becomes of webhooks.
    pub delivery: Delivery,
    /// How many webhooks the callback has taken.
    pub told: u64,
    serial: u64,
}

/// Somebody on WhatsApp.
#[derive(Debug, Clone, Default)]
pub struct User {
    /// The id that this business knows them by.
    pub user_id: String,
    /// Whether the number is kept from businesses: then only the id stands in webhooks.
    pub is_hidden: bool,
    /// When they wrote last, which opens the session.
    pub wrote_at: Option<Millis>,
}

/// An error that is to come.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// Its code.
    pub code: i64,
    /// In the answer, or in a failed status after it.
    #[serde(default)]
    pub place: Place,
    /// For how many messages.
    #[serde(default = "once")]
    pub times: u32,
    /// To this recipient only, digits.
    #[serde(default)]
    pub to: Option<String>,
}

fn once() -> u32 {
    1
}

/// Where an error comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the answer to the call.
    #[default]
    Answer,
    /// In a webhook, after the call was answered with 200.
    Status,
}

/// What becomes of webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Each once, in order.
    #[default]
    Normal,
    /// None comes; they are lost.
    Drop,
    /// None comes until this is changed.
    Hold,
    /// Each comes twice.
    Duplicate,
    /// Those that are due together come last first.
    Disorder,
    /// Those that are due together come in one.
    Batch,
}

/// A message that was accepted.
#[derive(Debug, Clone, Serialize)]
pub struct Sent {
    /// Its id.
    pub id: String,
    /// The recipient's digits.
    pub to: String,
    /// `text` or `template`.
    pub kind: String,
    /// The template's name.
    pub template: Option<String>,
    /// The text, or the first parameter of the template's body: the code.
    pub text: String,
    /// The caller's reference.
    pub reference: Option<String>,
    /// The last status that was told.
    pub status: String,
    /// When, ms since the epoch.
    pub at: i64,
}

/// A webhook that is to be told.
#[derive(Debug, Clone)]
pub struct Due {
    /// Not before.
    pub at: Millis,
    /// An `entry` of the envelope.
    pub entry: Value,
    /// What changes as it is told.
    pub effect: Effect,
    /// How often the callback did not take it.
    pub failures: u32,
}

/// What changes as a webhook is told.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Nothing.
    None,
    /// A message has this status.
    Status(String, &'static str),
    /// A template has this status.
    Template(u64, String),
}

impl World {
    /// A world with one approved authentication template.
    pub fn new(settings: Settings) -> World {
        let mut world = World {
            settings,
            quality: String::from("GREEN"),
            limit: String::from("TIER_2K"),
            users: BTreeMap::new(),
            templates: Vec::new(),
            limits: Limits::default(),
            planned: VecDeque::new(),
            sent: VecDeque::new(),
            outbox: VecDeque::new(),
            delivery: Delivery::default(),
            told: 0,
            serial: 0,
        };
        let first = templates::built_in(world.next_id());
        world.templates.push(first);
        world
    }

    /// A number that no other thing here has.
    pub fn next_id(&mut self) -> u64 {
        self.serial += 1;
        1_000_000_000_000_000 + self.serial
    }

    /// The user with these digits, who has WhatsApp from now on.
    pub fn user(&mut self, digits: &str) -> &mut User {
        self.users.entry(String::from(digits)).or_insert_with(|| User {
            user_id: format!("GB.1{digits:0>19}"),
            is_hidden: super::fate::is_hidden(digits),
            wrote_at: None,
        })
    }

    /// The digits of the user with this id.
    pub fn digits_of(&self, user_id: &str) -> Option<String> {
        let found = self.users.iter().find(|(_, user)| user.user_id == user_id);
        found.map(|(digits, _)| digits.clone()).or_else(|| {
            // An id that this simulator would give to somebody it has not met.
            let digits = user_id.strip_prefix("GB.1")?.trim_start_matches('0');
            (digits.len() >= 7 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| String::from(digits))
        })
    }

    /// The error that is planned for a message to `to` at `place`, used up by asking.
    pub fn planned(&mut self, place: Place, to: &str) -> Option<Fault> {
        let fits = |one: &Planned| one.place == place && one.to.as_deref().is_none_or(|only| only == to);
        let index = self.planned.iter().position(fits)?;
        let one = self.planned.get_mut(index)?;
        let code = one.code;
        one.times = one.times.saturating_sub(1);
        if one.times == 0 {
            self.planned.remove(index);
        }
        Some(Fault::of(code))
    }

    /// Remembers a message.
    pub fn remember(&mut self, sent: Sent) {
        if self.sent.len() >= KEPT {
            self.sent.pop_front();
        }
        self.sent.push_back(sent);
    }

    /// Puts a webhook among those to be told.
    pub fn tell(&mut self, at: Millis, entry: Value, effect: Effect) {
        if self.outbox.len() >= KEPT {
            self.outbox.pop_front();
        }
        self.outbox.push_back(Due { at, entry, effect, failures: 0 });
    }

    /// Notes what changes with a webhook that goes out.
    pub fn apply(&mut self, effect: &Effect) {
        match effect {
            Effect::None => {}
            Effect::Status(id, status) => {
                if let Some(sent) = self.sent.iter_mut().rev().find(|sent| sent.id == *id) {
                    sent.status = String::from(*status);
                }
            }
            Effect::Template(id, status) => {
                if let Some(template) = self.templates.iter_mut().find(|template| template.id == *id) {
                    template.status.clone_from(status);
                }
            }
        }
    }
}
