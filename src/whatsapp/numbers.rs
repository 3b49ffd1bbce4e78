//! Numbers and their portfolios, as they are kept and as a send chooses among them.

use std::collections::HashMap;

use super::ladder::{ContactLimit, Ladder};
use super::standing::{Manager, NumberStatus, Quality};
use crate::clock::Millis;
use crate::ids::{OrgId, WhatsappNumberId};
use crate::secret::sha256;

/// What numbers of one business share: the tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portfolio {
    /// Its name, chosen by an operator.
    pub name: String,
    /// Its tiers.
    pub ladder: Ladder,
    /// Unique contacts in a moving 24 h.
    pub limit: ContactLimit,
    /// Who moves it.
    pub managed_by: Manager,
    /// When it last moved.
    pub tier_since: Millis,
    /// Meta's latest word on it.
    pub told_at: Millis,
    /// Made.
    pub created_at: Millis,
    /// Last change.
    pub updated_at: Millis,
}

/// A number on WhatsApp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// Its id.
    pub id: WhatsappNumberId,
    /// Whose.
    pub org_id: OrgId,
    /// E.164 with the plus.
    pub phone: String,
    /// The portfolio it is in.
    pub portfolio: String,
    /// Meta's account that it is in.
    pub waba_id: Option<String>,
    /// Meta's id of it: a carrier that has another sends for another number.
    pub phone_number_id: Option<String>,
    /// How well recipients take it.
    pub quality: Quality,
    /// Since when.
    pub quality_since: Millis,
    /// Messages a second that Meta takes from it.
    pub throughput: i32,
    /// Whether it sends.
    pub status: NumberStatus,
    /// Made.
    pub created_at: Millis,
    /// Last change.
    pub updated_at: Millis,
}

/// Every number that sends, in memory; of the others that they are there.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    sending: HashMap<OrgId, Vec<Number>>,
    stopped: HashMap<OrgId, Vec<String>>,
}

impl Numbers {
    /// These: those that do not send are chosen for nothing.
    pub fn new(all: Vec<Number>) -> Numbers {
        let mut numbers = Numbers::default();
        for number in all {
            if number.status == NumberStatus::Connected {
                numbers.sending.entry(number.org_id).or_default().push(number);
            } else {
                numbers.stopped.entry(number.org_id).or_default().push(number.phone);
            }
        }
        numbers
    }

    /// Whether the organization has a number that does not send for now: the one asked for, or any where none is.
    pub fn has_stopped(&self, org: OrgId, asked: Option<&str>) -> bool {
        let fits = |phone: &String| asked.is_none_or(|asked| asked == phone);
        self.stopped.get(&org).is_some_and(|phones| phones.iter().any(fits))
    }

    /// Whether the organization has WhatsApp.
    pub fn has(&self, org: OrgId) -> bool {
        self.sending.contains_key(&org)
    }

    /// The organization's number of this address.
    pub fn find(&self, org: OrgId, phone: &str) -> Option<&Number> {
        self.of(org).iter().find(|number| number.phone == phone)
    }

    /// The number of this id at Meta.
    pub fn at_meta(&self, id: &str) -> Option<&Number> {
        self.sending.values().flatten().find(|number| number.phone_number_id.as_deref() == Some(id))
    }

    /// A number of the organization that recipients take badly: the one asked for, or any where none is.
    pub fn red(&self, org: OrgId, asked: Option<&str>) -> Option<&Number> {
        let may_go_by = |number: &&Number| asked.is_none_or(|asked| asked == number.phone);
        self.of(org).iter().filter(may_go_by).find(|number| number.quality == Quality::Red)
    }

    /// The numbers that may write to `recipient`, the one that should first: the one asked for alone, else all of them,
    /// for each recipient in an order of its own that stays (highest random weight, as for senders).
    pub fn choose(&self, org: OrgId, asked: Option<&str>, recipient: &str) -> Vec<&Number> {
        let fits = |number: &&Number| asked.is_none_or(|asked| asked == number.phone);
        let mut fitting: Vec<&Number> = self.of(org).iter().filter(fits).collect();
        if fitting.len() > 1 {
            fitting.sort_by_cached_key(|number| std::cmp::Reverse(score(recipient, number)));
        }
        fitting
    }

    fn of(&self, org: OrgId) -> &[Number] {
        self.sending.get(&org).map(Vec::as_slice).unwrap_or_default()
    }
}

fn score(recipient: &str, number: &Number) -> [u8; 32] {
    sha256(&[recipient.as_bytes(), b"\0", number.id.as_str().as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(n: i64, status: NumberStatus) -> Number {
        Number {
            id: WhatsappNumberId::new(Millis(n)),
            org_id: OrgId::first_at(Millis(7)),
            phone: format!("+44740012345{n}"),
            portfolio: String::from("acme"),
            waba_id: None,
            phone_number_id: None,
            quality: Quality::Green,
            quality_since: Millis(0),
            throughput: 80,
            status,
            created_at: Millis(n),
            updated_at: Millis(n),
        }
    }

    #[test]
    fn each_recipient_has_its_number_and_what_is_paused_has_none() {
        let org = OrgId::first_at(Millis(7));
        let all: Vec<Number> = (1..=3).map(|n| number(n, NumberStatus::Connected)).collect();
        let paused = number(4, NumberStatus::Paused);
        let numbers = Numbers::new([all.clone(), vec![paused.clone()]].concat());
        let mut firsts = std::collections::BTreeSet::new();
        for n in 0..60 {
            let recipient = format!("+4474001{n:05}");
            let chosen = numbers.choose(org, None, &recipient);
            assert_eq!(chosen.len(), 3);
            assert_eq!(chosen, numbers.choose(org, None, &recipient));
            firsts.insert(chosen[0].phone.clone());
        }
        assert_eq!(firsts.len(), 3, "{firsts:?}");
        assert_eq!(numbers.choose(org, Some(&all[1].phone), "+1"), [&all[1]]);
        assert!(numbers.choose(org, Some(&paused.phone), "+1").is_empty());
        assert!(numbers.has(org) && !numbers.has(OrgId::first_at(Millis(8))));
        assert!(numbers.has_stopped(org, None) && numbers.has_stopped(org, Some(&paused.phone)));
        assert!(!numbers.has_stopped(org, Some(&all[1].phone)));
    }
}
