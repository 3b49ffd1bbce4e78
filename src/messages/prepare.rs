//! From a parsed request to an item of the accept batch: rendered once for its size, priced, routed and screened.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::accept::{ClientMacs, Prepared};
use super::content::Content;
use super::magic;
use super::new::{Client, NewMessage};
use super::purse::Capped;
use super::standing;

use super::store::Extra;
use crate::accounts::Caller;
use crate::app::App;
use crate::clock::Millis;
use crate::error::{Code, Error, Result};
use crate::fraud::{self, Attempt, Listing, Lists, Probe, screen};
use crate::ids::{DecisionId, MessageId, OrgId, VerificationId};
use crate::phone::address_mac;
use crate::recipient::Recipient;
use crate::routing::senders::Pool;
use crate::routing::{self, Route};
use crate::secret::{Keyring, Purpose};
use crate::terms::{Channel, Mode};
use crate::text::measure;
use crate::wallet::{Cap, Price, Priced, Spending, Want, price_of};

use super::tables::{Tables, tables};

/// What preparing asks of memory: the tables as they stand.
pub struct Bench {
    /// Price list.
    pub prices: Arc<Vec<Price>>,
    /// Routes.
    pub routes: Arc<Vec<Route>>,
    /// Who messages may come from.
    pub senders: Arc<Pool>,
    /// Each organization's spend caps.
    pub caps: Arc<BTreeMap<OrgId, Vec<Cap>>>,
    /// What is listed by hand.
    pub lists: Arc<Lists>,
    /// What the free plan allows in a month; 0 for no bound.
    pub free_allowance: u32,
    /// MACs and sealing.
    pub keyring: Keyring,
    /// Now.
    pub now: Millis,
}

impl Bench {
    /// The tables of `app`, at most a second old.
    pub async fn of(app: &App) -> Result<Bench> {
        let Tables { prices, routes, senders, caps, .. } = tables(app).await?;
        let lists = fraud::lists(app).await?;
        let free_allowance = app.config.billing.free_allowance;
        let (keyring, now) = (app.keyring.clone(), app.clock.now());
        Ok(Bench { prices, routes, senders, caps, lists, free_allowance, keyring, now })
    }

    /// Prepares a message of the caller's own words or template.
    pub fn prepare(&self, caller: &Caller, message: NewMessage, client_request_id: Option<String>) -> Result<Prepared> {
        self.check_from(caller, &message)?;
        let content = Content::of(&message.words, caller, message.ttl)?;
        let extra = Extra {
            metadata: message.metadata.clone(),
            fallback: message.fallback.iter().map(|step| (step.channel, String::from(step.to.address()))).collect(),
            template: content.template().map(|name| name.to_string()),
            client_request_id,
            ..Extra::default()
        };
        self.finish(caller, message, Part { id: MessageId::new(self.now), content, extra, verification_id: None })
    }

    /// Prepares a message whose content and id are settled already: a verification's code.
    pub fn finish(&self, caller: &Caller, message: NewMessage, part: Part) -> Result<Prepared> {
        let rendered = part.content.render(message.channel, caller.org_id(), &self.keyring)?;
        let (encoding, segments) = match message.channel {
            Channel::Sms => {
                let size = measure(&rendered.text);
                (Some(size.encoding), size.segments)
            }
            Channel::Whatsapp | Channel::Email => (None, 1),
        };
        let address = message.to.address();
        let test_magic = caller.mode() == Mode::Test && magic::is_magic(address);
        let attempt = Attempt {
            channel: message.channel,
            country: message.to.country().filter(|_| !test_magic),
            line: message.to.phone().map(|phone| phone.line()).filter(|_| !test_magic),
        };
        let (price, unpriced) = self.price(&message, segments);
        let (refusal, forced) =
            if test_magic { (magic::refusal(address), magic::verdict(address)) } else { (None, None) };
        Ok(Prepared {
            id: part.id,
            subject: address_mac(&self.keyring, address),
            counts_for: None,
            country: message.to.country(),
            channel: message.channel,
            kind: message.kind,
            content: part.content.seal(&self.keyring, part.id)?,
            encoding,
            segments,
            caps: self.caps_of(caller, &message),
            ttl: message.ttl,
            scheduled_for: message.scheduled_for,
            verification_id: part.verification_id,
            client: client_macs(&self.keyring, &message.client),
            price,
            allowance: standing::allowance(caller, self.free_allowance),
            decision_id: DecisionId::new(self.now),
            screened: forced.unwrap_or_else(|| {
                let listing = self.listing(caller, &message);
                screen(&caller.org.countries, caller.org.protection, attempt, &listing)
            }),
            refusal: refusal
                .or_else(|| standing::refusal(caller, &message))
                .or(unpriced)
                .or_else(|| self.unroutable(caller, &message)),
            extra: part.extra,
            recipient: String::from(address),
            sender: message.from,
        })
    }

    /// Whether the message may come from whom it asks for. A magic number is in no country and nobody's.
    fn check_from(&self, caller: &Caller, message: &NewMessage) -> Result<()> {
        let address = message.to.address();
        if caller.mode() == Mode::Test && magic::is_magic(address) {
            return Ok(());
        }
        let want = want(caller, message.channel, &message.to);
        match message.from.as_deref().map(|from| self.senders.check(&want, from)) {
            Some(Err(why)) => Err(Error::field("from", why)),
            _ => Ok(()),
        }
    }

    fn listing(&self, caller: &Caller, message: &NewMessage) -> Listing {
        let probe = Probe {
            number: message.to.phone().map(|phone| phone.e164()),
            ip: message.client.ip,
            device: message.client.device_id.as_deref(),
        };
        self.lists.look((caller.org_id(), caller.mode()), probe, self.now)
    }

    fn caps_of(&self, caller: &Caller, message: &NewMessage) -> Vec<Capped> {
        let Some(caps) = self.caps.get(&caller.org_id()) else { return Vec::new() };
        let spending =
            Spending { key_id: caller.key_id(), country: message.to.country(), recipient: message.to.address() };
        let key = |cap: &Cap| cap.key_for(caller.org_id(), caller.mode(), &spending);
        caps.iter().filter_map(|cap| Some(Capped { key: key(cap)?, cap: cap.clone() })).collect()
    }

    fn price(&self, message: &NewMessage, segments: u32) -> (Priced, Option<Error>) {
        let want = Want {
            channel: message.channel,
            kind: message.kind,
            country: message.to.country(),
            recipient: message.to.address(),
            segments,
        };
        match price_of(&self.prices, &want, self.now) {
            Some(price) => (price, None),
            None => (Priced::FREE, Some(Error::internal("a price overflows"))),
        }
    }

    /// Test messages go to the sandbox; live ones need a route, or a fallback that has one.
    fn unroutable(&self, caller: &Caller, message: &NewMessage) -> Option<Error> {
        let mut channels = std::iter::once(message.channel).chain(message.fallback.iter().map(|step| step.channel));
        if channels.any(|channel| channel == Channel::Whatsapp) {
            return Some(Error::new(Code::ChannelNotEnabled));
        }
        if caller.mode() == Mode::Test {
            return None;
        }
        let first = (message.channel, &message.to);
        let rest = message.fallback.iter().map(|step| (step.channel, &step.to));
        let routed = std::iter::once(first).chain(rest).any(|(channel, to)| {
            let want = want(caller, channel, to);
            // An originator that only some carriers know goes by those.
            let from = message.from.as_deref().filter(|_| channel == message.channel);
            let known_to = from.and_then(|from| self.senders.carriers_of(&want, from));
            routing::eligible(&self.routes, &want)
                .iter()
                .any(|route| known_to.as_ref().is_none_or(|names| names.contains(&route.carrier.as_str())))
        });
        (!routed).then(|| {
            Error::new(Code::ProviderUnavailable)
                .detail("No route takes this message: none fits, or those that fit are paused. An operator sees and sets them at /v1/admin/routes.")
        })
    }
}

fn want<'a>(caller: &Caller, channel: Channel, to: &'a Recipient) -> routing::Want<'a> {
    routing::Want { channel, country: to.country(), recipient: to.address(), org_id: caller.org_id() }
}

/// What the caller of [`Bench::finish`] has settled.
pub struct Part {
    /// The message's id.
    pub id: MessageId,
    /// What it says.
    pub content: Content,
    /// What is kept beside.
    pub extra: Extra,
    /// The verification it belongs to.
    pub verification_id: Option<VerificationId>,
}

/// The end user's address and device as guards know them. An IPv6 client is its /64: a household's usual share.
pub fn client_macs(keyring: &Keyring, client: &Client) -> ClientMacs {
    let mac =
        |label: &[u8], text: &[u8]| keyring.mac(Purpose::Client, &[label, text]).iter().take(16).copied().collect();
    let ip = client.ip.map(|ip| match ip {
        std::net::IpAddr::V4(v4) => mac(b"ip", &v4.octets()),
        std::net::IpAddr::V6(v6) => mac(b"ip", v6.octets().split_at(8).0),
    });
    ClientMacs { ip, device: client.device_id.as_ref().map(|id| mac(b"device", id.as_bytes())) }
}
