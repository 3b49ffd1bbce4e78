//! The screen: (organization's rules, attempt) → verdict with reasons.

use super::lists::{Found, Listing};
use crate::accounts::{Countries, CountryMode, Protection};
use crate::clock::Millis;
use crate::error::{Code, Error};
use crate::limits;
use crate::phone::{Country, LineType};
use crate::terms::Channel;

crate::text_enum! {
    /// What a decision does to a message.
    pub enum Action { Allow = "allow", Challenge = "challenge", Block = "block" }
}

/// What is to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// The channel.
    pub channel: Channel,
    /// The number's country; none for mail.
    pub country: Option<Country>,
    /// The number's line; none for mail.
    pub line: Option<LineType>,
    /// The organization's own mode of the country.
    pub mode: CountryMode,
}

/// One rule that fired, with what it saw.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Reason {
    /// The rule, e.g. `destination.country`.
    #[schema(example = "destination.country")]
    pub rule: String,
    /// Its version: a changed rule has a new one.
    #[schema(example = 1)]
    pub version: u32,
    /// What was seen.
    #[schema(example = "MM")]
    pub observed: String,
    /// `enforce`, or `shadow` for a rule that only watched.
    #[schema(example = "enforce")]
    pub mode: String,
    /// What a limit allows in its window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 3)]
    pub limit: Option<u64>,
    /// A limit's window, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 300)]
    pub window_s: Option<u64>,
    /// When a limit passes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Millis>,
    /// The group of attempts that the rule looked at: a prefix, a country, a network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "block4:+3712012")]
    pub node: Option<String>,
    /// What the rule goes by: the id of a list's entry, or what it added to the score in log-odds (`+3.21`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "lst_01h455vb4pex5vsknk084sn02q")]
    pub evidence: Option<String>,
}

impl Reason {
    /// A rule that refuses for what it saw.
    pub fn enforced(rule: &str, observed: impl ToString) -> Reason {
        Reason {
            rule: String::from(rule),
            version: 1,
            observed: observed.to_string(),
            mode: String::from("enforce"),
            limit: None,
            window_s: None,
            until: None,
            node: None,
            evidence: None,
        }
    }

    /// A limit that refuses: its policy is the rule.
    pub fn of_limit(verdict: &limits::Verdict) -> Reason {
        Reason {
            limit: Some(verdict.limit),
            window_s: Some(verdict.window.as_secs()),
            until: Some(verdict.reset_at),
            ..Reason::enforced(verdict.policy.as_str(), verdict.used)
        }
    }
}

/// The verdict on an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What happens.
    pub action: Action,
    /// Every rule that fired, shadow ones too.
    pub reasons: Vec<Reason>,
    /// What the client is told where the action is not allow.
    pub code: Option<Code>,
}

impl Verdict {
    /// The refusal, where there is one.
    pub fn refusal(&self) -> Option<Error> {
        self.code.map(Error::new)
    }
}

/// Judges `attempt`. The organization's own choice of countries always holds, and so does what is listed; the rules on
/// lines follow its level.
pub fn screen(countries: &Countries, protection: Protection, attempt: Attempt, listing: &Listing) -> Verdict {
    let mut verdict = Verdict { action: Action::Allow, reasons: Vec::new(), code: None };
    if let Some(country) = attempt.country {
        let steps_up = attempt.mode == CountryMode::StepUp && attempt.channel == Channel::Sms;
        if !countries.allow(country) || attempt.mode == CountryMode::Block {
            verdict.fire("destination.country", country.as_str(), "enforce", Some(Code::DestinationNotAllowed));
        } else if steps_up && listing.allowed.is_none() {
            verdict.fire("destination.step_up", country.as_str(), "enforce", Some(Code::FraudChallengeRequired));
        }
    }
    if let Some(found) = &listing.blocked {
        verdict.fire("list.block", &format!("{} {}", found.kind, found.shown), "enforce", Some(Code::FraudBlocked));
        verdict.cite(found);
    }
    if let Some(found) = &listing.allowed {
        verdict.fire("list.allow", &format!("{} {}", found.kind, found.shown), "enforce", None);
        verdict.cite(found);
    }
    if let Some(line) = attempt.line {
        if attempt.channel == Channel::Sms && !takes_sms(line) {
            verdict.fire("line.unreachable", line.as_str(), "enforce", Some(Code::NumberUnreachable));
        }
        if matches!(line, LineType::PremiumRate | LineType::SharedCost) && listing.allowed.is_none() {
            match protection {
                Protection::Off => {}
                Protection::Monitor => verdict.fire("line.premium", line.as_str(), "shadow", None),
                Protection::Standard | Protection::Strict => {
                    verdict.fire("line.premium", line.as_str(), "enforce", Some(Code::FraudBlocked));
                }
            }
        }
    }
    verdict
}

impl Verdict {
    /// Names the entry behind the last reason.
    fn cite(&mut self, found: &Found) {
        if let Some(reason) = self.reasons.last_mut() {
            reason.evidence = Some(found.id.to_string());
        }
    }

    fn fire(&mut self, rule: &str, observed: &str, mode: &str, code: Option<Code>) {
        self.reasons.push(Reason { mode: String::from(mode), ..Reason::enforced(rule, observed) });
        // What blocks comes before what only asks for another channel.
        let is_firmer = self.code.is_none() || self.action == Action::Challenge;
        if code.is_some() && is_firmer {
            let is_challenge = code == Some(Code::FraudChallengeRequired);
            self.action = if is_challenge { Action::Challenge } else { Action::Block };
            self.code = code;
        }
    }
}

/// Lines that cannot show a text message, by numbering plan.
fn takes_sms(line: LineType) -> bool {
    !matches!(line, LineType::FixedLine | LineType::TollFree | LineType::Pager | LineType::Uan | LineType::Voicemail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(country: &str, line: LineType) -> Attempt {
        Attempt { channel: Channel::Sms, country: country.parse().ok(), line: Some(line), mode: CountryMode::Allow }
    }

    fn screen(countries: &Countries, protection: Protection, attempt: Attempt) -> Verdict {
        super::screen(countries, protection, attempt, &Listing::default())
    }

    fn home() -> Countries {
        Countries::Only(vec!["GB".parse().unwrap()])
    }

    #[test]
    fn a_country_that_is_not_opened_is_refused_at_every_level() {
        for level in Protection::ALL {
            let verdict = screen(&home(), *level, attempt("MM", LineType::Mobile));
            assert_eq!(verdict.code, Some(Code::DestinationNotAllowed));
            assert_eq!(verdict.reasons[0].observed, "MM");
            assert_eq!(screen(&home(), *level, attempt("GB", LineType::Mobile)).action, Action::Allow);
        }
        assert_eq!(
            screen(&Countries::Every, Protection::Strict, attempt("MM", LineType::Mobile)).action,
            Action::Allow
        );
    }

    #[test]
    fn a_country_of_its_own_mode_is_closed_or_asks_for_another_channel() {
        let seen = |mode, channel| {
            let attempt = Attempt { mode, channel, ..attempt("GB", LineType::Mobile) };
            let verdict = screen(&home(), Protection::Standard, attempt);
            (verdict.action, verdict.code)
        };
        let stepped = (Action::Challenge, Some(Code::FraudChallengeRequired));
        assert_eq!(seen(CountryMode::StepUp, Channel::Sms), stepped);
        assert_eq!(seen(CountryMode::StepUp, Channel::Whatsapp).0, Action::Allow);
        assert_eq!(seen(CountryMode::Block, Channel::Whatsapp), (Action::Block, Some(Code::DestinationNotAllowed)));
        let premium = Attempt { mode: CountryMode::StepUp, ..attempt("GB", LineType::PremiumRate) };
        assert_eq!(screen(&home(), Protection::Standard, premium).code, Some(Code::FraudBlocked));
    }

    #[test]
    fn premium_lines_are_blocked_watched_or_let_through_by_level() {
        let seen = |level| screen(&Countries::Every, level, attempt("GB", LineType::PremiumRate));
        assert_eq!(seen(Protection::Standard).code, Some(Code::FraudBlocked));
        assert_eq!((seen(Protection::Monitor).action, seen(Protection::Monitor).reasons.len()), (Action::Allow, 1));
        assert!(seen(Protection::Off).reasons.is_empty());
    }

    #[test]
    fn a_line_that_shows_no_text_is_unreachable_by_sms_only() {
        let mut landline = attempt("GB", LineType::FixedLine);
        assert_eq!(screen(&home(), Protection::Off, landline).code, Some(Code::NumberUnreachable));
        landline.channel = Channel::Whatsapp;
        assert_eq!(screen(&home(), Protection::Off, landline).action, Action::Allow);
    }
}
