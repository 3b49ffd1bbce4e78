//! When a tier goes up or down by rule, where Postern manages it. Pure.

use std::time::Duration;

use super::ladder::{ContactLimit, Ladder};
use crate::clock::Millis;

crate::text_enum! {
    /// How well recipients take what a number sends. The worst sorts last.
    pub enum Quality as "WhatsappQuality" { Green = "green", Yellow = "yellow", Red = "red" }
}

crate::text_enum! {
    /// Whether a number sends.
    pub enum NumberStatus as "WhatsappNumberStatus" {
        /// It does.
        Connected = "connected",
        /// An operator, or a rule, has stopped it for now.
        Paused = "paused",
        /// Meta does not have it any more.
        Disconnected = "disconnected",
        /// Meta has stopped it, or its account: it stays like this until an operator or Meta sets it back.
        Blocked = "blocked",
    }
}

crate::text_enum! {
    /// Who moves a portfolio's tier.
    pub enum Manager as "WhatsappTierManager" {
        /// Postern, by quality and use.
        Postern = "postern",
        /// Meta, by its webhooks.
        Meta = "meta",
        /// Operators only.
        Operator = "operator",
    }
}

/// In which time use is looked at, and how long a number must stay red before its tier goes down.
/// Source: <https://developers.facebook.com/docs/whatsapp/messaging-limits>: "at least half of the current limit in the
/// last 7 days"; the same seven days, in which a flagged number may recover.
pub const LOOKED_AT: Duration = Duration::from_secs(7 * 86_400);

/// What is known of a portfolio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its ladder.
    pub ladder: Ladder,
    /// Where it stands.
    pub limit: ContactLimit,
    /// Since when.
    pub since: Millis,
    /// The worst quality among its connected numbers; `None` where none is connected.
    pub quality: Option<Quality>,
    /// Since when the longest red one of them is red.
    pub red_since: Option<Millis>,
    /// Unique contacts since the later of `since` and seven days ago.
    pub used: u64,
}

/// What the rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing changes.
    Stay,
    /// Up to this.
    Up(ContactLimit),
    /// Down to this.
    Down(ContactLimit),
}

/// The tier's next step: up where every connected number is green and half the limit was used within seven days; down
/// where one has been red for seven days. Use before the last change counts for nothing, nor does red.
pub fn next_step(standing: &Standing, now: Millis) -> Step {
    let Standing { ladder, limit, since, quality, red_since, used } = *standing;
    match quality {
        Some(Quality::Green) => {
            let half_used = limit.count().is_some_and(|count| used.saturating_mul(2) >= u64::from(count));
            ladder.above(limit).filter(|_| half_used).map_or(Step::Stay, Step::Up)
        }
        Some(Quality::Red) => {
            let for_long = red_since.is_some_and(|red| now.since(red.max(since)) >= LOOKED_AT);
            ladder.below(limit).filter(|_| for_long).map_or(Step::Stay, Step::Down)
        }
        Some(Quality::Yellow) | None => Step::Stay,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_774_708_200_000);

    fn standing(quality: Quality, used: u64) -> Standing {
        Standing {
            ladder: Ladder::Tiers,
            limit: ContactLimit::Limited(1_000),
            since: NOW.minus(LOOKED_AT),
            quality: Some(quality),
            red_since: None,
            used,
        }
    }

    #[test]
    fn half_the_limit_at_green_goes_up_and_no_less_will_do() {
        let up = Step::Up(ContactLimit::Limited(10_000));
        assert_eq!(next_step(&standing(Quality::Green, 500), NOW), up);
        assert_eq!(next_step(&standing(Quality::Green, 499), NOW), Step::Stay);
        assert_eq!(next_step(&standing(Quality::Yellow, 1_000), NOW), Step::Stay);
        assert_eq!(next_step(&standing(Quality::Red, 1_000), NOW), Step::Stay);
        let none = Standing { quality: None, ..standing(Quality::Green, 1_000) };
        assert_eq!(next_step(&none, NOW), Step::Stay);
        let top = Standing { limit: ContactLimit::Unlimited, ..standing(Quality::Green, 1_000_000) };
        assert_eq!(next_step(&top, NOW), Step::Stay);
    }

    #[test]
    fn seven_red_days_since_the_last_change_go_down_but_not_below_the_first() {
        let red = |days: u64| Standing {
            limit: ContactLimit::Limited(10_000),
            red_since: Some(NOW.minus(Duration::from_secs(days * 86_400))),
            ..standing(Quality::Red, 0)
        };
        assert_eq!(next_step(&red(6), NOW), Step::Stay);
        assert_eq!(next_step(&red(7), NOW), Step::Down(ContactLimit::Limited(1_000)));
        assert_eq!(next_step(&Standing { since: NOW.minus(Duration::from_secs(60)), ..red(30) }, NOW), Step::Stay);
        assert_eq!(next_step(&Standing { limit: ContactLimit::Limited(1_000), ..red(30) }, NOW), Step::Stay);
    }
}
