//! Which identity a message comes from. Pure.

use std::collections::HashMap;

use super::Sender;
use super::rules::{SenderRule, is_alphanumeric, rule_of};
use crate::ids::OrgId;
use crate::phone::Country;
use crate::routing::Want;
use crate::secret::sha256;
use crate::terms::Channel;

/// Every identity there is, in memory.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    by_owner: HashMap<(Channel, Option<OrgId>), Vec<Sender>>,
    /// Whose an address is; none: everybody's.
    owners: HashMap<(Channel, String), Option<OrgId>>,
}

impl Pool {
    /// A pool of these.
    pub fn new(senders: Vec<Sender>) -> Pool {
        let mut pool = Pool::default();
        for sender in senders {
            pool.owners.insert((sender.channel, sender.address.clone()), sender.org_id);
            pool.by_owner.entry((sender.channel, sender.org_id)).or_default().push(sender);
        }
        pool
    }

    /// Whether a message that is `want` may come from `from`, which is well formed. The error completes "`from` …".
    pub fn check(&self, want: &Want<'_>, from: &str) -> Result<(), String> {
        if self.is_another_s(want, from) {
            return Err(String::from("is none of your senders on this channel; GET /v1/senders lists them"));
        }
        let mut named = self.usable(want).filter(|sender| sender.address == from).peekable();
        if named.peek().is_none() && self.usable(want).next().is_some() {
            return Err(String::from("is none of your senders on this channel; GET /v1/senders lists them"));
        }
        let fitting: Vec<&Sender> = named.clone().filter(|sender| sender.fits_country(want.country)).collect();
        if fitting.is_empty() && named.peek().is_some() {
            return Err(String::from("is registered for another country than the recipient's"));
        }
        let Some((country, rule)) = rule_for(want, from) else { return Ok(()) };
        match rule {
            SenderRule::NumbersOnly => Err(format!(
                "must be a number for {country}: names are not shown there (rule {rule}); leave it out for the carrier's own"
            )),
            SenderRule::RegisteredOnly if fitting.iter().any(|sender| sender.country == Some(country)) => Ok(()),
            SenderRule::RegisteredOnly => Err(format!(
                "must be registered for {country} before it is used there (rule {rule}); ask an operator, or leave it out"
            )),
        }
    }

    /// Whether `from` is registered on this channel to another organization.
    fn is_another_s(&self, want: &Want<'_>, from: &str) -> bool {
        let owner = self.owners.get(&(want.channel, String::from(from)));
        owner.is_some_and(|owner| owner.is_some_and(|org| org != want.org_id))
    }

    /// The carriers that know `from`; `None` where any may carry it.
    pub fn carriers_of(&self, want: &Want<'_>, from: &str) -> Option<Vec<&str>> {
        let named: Vec<&Sender> =
            self.usable(want).filter(|sender| sender.address == from && sender.fits_country(want.country)).collect();
        let bound: Vec<&str> = named.iter().filter_map(|sender| sender.carrier.as_deref()).collect();
        (!named.is_empty() && bound.len() == named.len()).then_some(bound)
    }

    /// The identity that `carrier` shall send `want` from, where nobody asked for one: of the organization's own, else
    /// of the shared ones, those for the recipient's country before those for any; among these always the same for one
    /// recipient. `None` where none fits: then it is the carrier's own.
    pub fn choose(&self, want: &Want<'_>, carrier: &str) -> Option<&Sender> {
        let fits = |sender: &&Sender| {
            sender.fits_country(want.country)
                && sender.carrier.as_deref().is_none_or(|bound| bound == carrier)
                && sender.is_shown(want)
        };
        let mut fitting: Vec<&Sender> = self.usable(want).filter(fits).collect();
        let best = fitting.iter().map(|sender| rank(sender)).max()?;
        fitting.retain(|sender| rank(sender) == best);
        fitting.into_iter().max_by_key(|sender| score(want.recipient, sender))
    }

    /// The organization's own, then the shared.
    fn usable<'a>(&'a self, want: &Want<'_>) -> impl Iterator<Item = &'a Sender> + Clone {
        let of = |owner| self.by_owner.get(&(want.channel, owner)).map(Vec::as_slice).unwrap_or_default();
        of(Some(want.org_id)).iter().chain(of(None))
    }
}

impl Sender {
    fn fits_country(&self, country: Option<Country>) -> bool {
        self.country.is_none_or(|own| country == Some(own))
    }

    fn is_shown(&self, want: &Want<'_>) -> bool {
        match rule_for(want, &self.address) {
            None => true,
            Some((_, SenderRule::NumbersOnly)) => false,
            Some((country, SenderRule::RegisteredOnly)) => self.country == Some(country),
        }
    }
}

fn rank(sender: &Sender) -> (bool, bool) {
    (sender.org_id.is_some(), sender.country.is_some())
}

fn rule_for(want: &Want<'_>, address: &str) -> Option<(Country, SenderRule)> {
    let country = want.country.filter(|_| want.channel == Channel::Sms && is_alphanumeric(address))?;
    rule_of(country).map(|rule| (country, rule))
}

/// Highest random weight (rendezvous) hashing: each identity draws a number for each recipient and the highest wins, so
/// that one that comes or goes moves only the recipients it wins or had won.
/// Source: Thaler and Ravishankar, IEEE/ACM Transactions on Networking 6 (1998), <https://doi.org/10.1109/90.663936>.
fn score(recipient: &str, sender: &Sender) -> [u8; 32] {
    sha256(&[recipient.as_bytes(), b"\0", sender.id.as_str().as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::clock::Millis;
    use crate::ids::SenderId;

    fn sender(n: i64, address: &str) -> Sender {
        Sender {
            id: SenderId::new(Millis(n)),
            org_id: None,
            channel: Channel::Sms,
            address: String::from(address),
            country: None,
            carrier: None,
            created_at: Millis(n),
        }
    }

    fn want<'a>(country: &str, recipient: &'a str) -> Want<'a> {
        Want { channel: Channel::Sms, country: country.parse().ok(), recipient, org_id: OrgId::first_at(Millis(7)) }
    }

    fn of(country: &str, sender: Sender) -> Sender {
        Sender { country: country.parse().ok(), ..sender }
    }

    #[test]
    fn a_recipient_keeps_its_sender_and_the_pool_is_shared_evenly() {
        let all: Vec<Sender> = (1..=4).map(|n| sender(n, &format!("+44740012345{n}"))).collect();
        let (whole, less) = (Pool::new(all.clone()), Pool::new(all[..3].to_vec()));
        let mut counts = BTreeMap::new();
        for n in 0..2_000 {
            let recipient = format!("+4474001{n:05}");
            let to = want("GB", &recipient);
            let first = whole.choose(&to, "acme").unwrap();
            assert_eq!(whole.choose(&to, "other").unwrap(), first);
            // Without the fourth, only those who had it see another.
            if first != &all[3] {
                assert_eq!(less.choose(&to, "acme").unwrap(), first);
            }
            *counts.entry(first.address.clone()).or_insert(0) += 1;
        }
        assert!(counts.len() == 4 && counts.values().all(|n| (400..600).contains(n)), "{counts:?}");
    }

    #[test]
    fn own_ones_go_before_shared_and_the_country_s_before_any() {
        let (own, other) = (OrgId::first_at(Millis(7)), OrgId::first_at(Millis(8)));
        let with = |org, sender| Sender { org_id: Some(org), ..sender };
        let mut all = vec![sender(1, "SHARED")];
        let chosen = |all: &[Sender], country: &str, carrier: &str| {
            let pool = Pool::new(all.to_vec());
            pool.choose(&want(country, "+447400123456"), carrier).map(|sender| sender.address.clone())
        };
        assert_eq!(chosen(&all, "GB", "acme").as_deref(), Some("SHARED"));
        all.push(of("GB", sender(2, "SHAREDGB")));
        assert_eq!(chosen(&all, "GB", "acme").as_deref(), Some("SHAREDGB"));
        all.push(with(other, sender(3, "THEIRS")));
        all.push(Sender { carrier: Some(String::from("acme")), ..with(own, sender(4, "MINE")) });
        assert_eq!(chosen(&all, "GB", "acme").as_deref(), Some("MINE"));
        assert_eq!(chosen(&all, "GB", "other").as_deref(), Some("SHAREDGB"), "bound to another carrier");
        // Names are not shown in the first, and only where registered in the second.
        assert_eq!((chosen(&all, "US", "acme"), chosen(&all, "SG", "acme")), (None, None));
        all.push(of("SG", sender(5, "SHAREDSG")));
        assert_eq!(chosen(&all, "SG", "acme").as_deref(), Some("SHAREDSG"));
    }

    #[test]
    fn what_is_asked_for_must_be_registered_where_anything_is() {
        let none = Pool::default();
        assert_eq!(none.check(&want("GB", "+447400123456"), "ACME"), Ok(()));
        assert!(none.check(&want("US", "+14155550123"), "ACME").unwrap_err().contains("numbers_only"));
        assert!(none.check(&want("SG", "+6581234567"), "ACME").unwrap_err().contains("registered_only"));
        assert_eq!(none.check(&want("US", "+14155550123"), "+14155550100"), Ok(()));
        let bound = Sender { carrier: Some(String::from("acme")), ..of("SG", sender(1, "ACME")) };
        let pool = Pool::new(vec![bound, of("GB", sender(2, "ACMEGB"))]);
        assert_eq!(pool.check(&want("SG", "+6581234567"), "ACME"), Ok(()));
        assert!(pool.check(&want("GB", "+447400123456"), "ACME").unwrap_err().contains("another country"));
        assert!(pool.check(&want("GB", "+447400123456"), "OTHER").unwrap_err().contains("/v1/senders"));
        let mail = Want { channel: Channel::Email, ..want("GB", "ann@example.com") };
        assert_eq!(pool.check(&mail, "me@example.com"), Ok(()), "no mail addresses are registered");
        assert_eq!(pool.carriers_of(&want("SG", "+6581234567"), "ACME"), Some(vec!["acme"]));
        assert_eq!(pool.carriers_of(&want("GB", "+447400123456"), "ACMEGB"), None);
        assert_eq!(pool.carriers_of(&want("GB", "+447400123456"), "ACME"), None, "not one that fits");
    }
}
