//! From a parsed request to an item of the accept batch: rendered once for its size, priced, routed and screened.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::accept::Prepared;
use super::chat::Chat;
use super::client::{ClientMacs, client_macs};
use super::content::Content;
use super::magic;
use super::new::NewMessage;
use super::pairs::{self, PairKey};
use super::purse::Capped;
use super::standing;

use super::store::Extra;
use super::wording::{Shelf, content_of, for_code};
use crate::accounts::{Caller, CountryMode, Protection};
use crate::app::App;
use crate::clock::{Millis, whole_ms};
use crate::config::SANDBOX;
use crate::error::{Code, Error, Result};
use crate::fraud::engine::{Features, Key};
use crate::fraud::{self, Attempt, Guards, Listing, Probe, Trial, org_key, screen};
use crate::ids::{DecisionId, MessageId, OrgId, VerificationId};
use crate::inbound::{Consents, Whom};
use crate::phone::{address_mac, pseudonym};
use crate::recipient::Recipient;
use crate::routing::senders::Pool;
use crate::routing::{self, Pauses, Route};
use crate::secret::Keyring;
use crate::templates::{self, Chosen, OwnTemplates, TemplateName};
use crate::terms::{Channel, Kind, Mode};
use crate::text::measure;
use crate::wallet::{Cap, Price, Priced, Spending, Want, price_of};
use crate::whatsapp::Numbers;

use super::tables::{Tables, tables};

/// What preparing asks of memory: the tables as they stand.
pub struct Bench {
    /// Price list.
    pub prices: Arc<Vec<Price>>,
    /// Routes.
    pub routes: Arc<Vec<Route>>,
    /// What operators have stopped.
    pub pauses: Arc<Pauses>,
    /// Who messages may come from.
    pub senders: Arc<Pool>,
    /// Each organization's spend caps.
    pub caps: Arc<BTreeMap<OrgId, Vec<Cap>>>,
    /// WhatsApp numbers.
    pub numbers: Arc<Numbers>,
    /// Opt-outs of people whose address was erased since.
    pub erased: Arc<Consents>,
    /// Lists, rules and the fraud engine.
    pub guards: Guards,
    /// Organizations' own templates.
    pub templates: Arc<OwnTemplates>,
    /// Whether a carrier of WhatsApp takes codes that no template of the organization's says.
    pub takes_plain_codes: bool,
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
        let Tables { prices, routes, pauses, senders, caps, numbers, erased, .. } = tables(app).await?;
        let guards = fraud::guards(app).await?;
        let templates = templates::own_templates(app).await?;
        let mut whatsapp = app.carriers.iter().filter(|carrier| carrier.channels().contains(&Channel::Whatsapp));
        let takes_plain_codes = whatsapp.any(|carrier| !carrier.is_scripted() && carrier.takes_plain_codes());
        Ok(Bench {
            prices,
            routes,
            pauses,
            senders,
            caps,
            numbers,
            erased,
            guards,
            templates,
            takes_plain_codes,
            free_allowance: app.config.billing.free_allowance,
            keyring: app.keyring.clone(),
            now: app.clock.now(),
        })
    }

    /// Prepares a message of the caller's own words or template.
    pub fn prepare(&self, caller: &Caller, message: NewMessage, client_request_id: Option<String>) -> Result<Prepared> {
        self.check_from(caller, &message)?;
        let content = content_of(&message, caller, self.shelf())?;
        let extra = Extra {
            metadata: message.metadata.clone(),
            fallback: message.fallback.iter().map(|step| (step.channel, String::from(step.to.address()))).collect(),
            fallback_waits_ms: message.fallback.iter().map(|step| whole_ms(step.wait)).collect(),
            template: content.template().map(String::from),
            client_request_id,
            ..Extra::default()
        };
        self.finish(caller, message, Part { id: MessageId::new(self.now), content, extra, verification_id: None })
    }

    /// Whether what `message` says can be written. Errors: faults of its words and template.
    pub fn check_words(&self, caller: &Caller, message: &NewMessage) -> Result<()> {
        content_of(message, caller, self.shelf())?.render(message.channel, caller.org_id(), &self.keyring).map(drop)
    }

    /// The template by which a code made here goes. Errors: `template.not_approved`, and a fault of `template`.
    pub fn template_for_code(
        &self,
        caller: &Caller,
        name: &str,
        (channel, locale): (Channel, &str),
    ) -> Result<(TemplateName, Option<Chosen>)> {
        for_code(name, channel, locale, caller, self.shelf())
    }

    fn shelf(&self) -> Shelf<'_> {
        Shelf { own: &self.templates, takes_plain_codes: self.takes_plain_codes }
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
        let decision_id = DecisionId::new(self.now);
        let address = message.to.address();
        let test_magic = caller.mode() == Mode::Test && magic::is_magic(address);
        let attempt = Attempt {
            channel: message.channel,
            country: message.to.country().filter(|_| !test_magic),
            line: message.to.phone().map(|phone| phone.line()).filter(|_| !test_magic),
            mode: message.to.country().map_or(CountryMode::Allow, |country| caller.org.guarding.country(country)),
        };
        let (price, unpriced) = self.price(&message, segments);
        let client = client_macs(&self.keyring, (caller.org_id(), caller.mode()), &message.client);
        let listing = self.listing(caller, &message);
        let is_judged = !test_magic && listing.allowed.is_none();
        let subject = address_mac(&self.keyring, address);
        let trial =
            is_judged.then(|| self.trial(caller, &message, &part, (&client, &subject), (price, decision_id))).flatten();
        let (refusal, forced) =
            if test_magic { (magic::refusal(address), magic::verdict(address)) } else { (None, None) };
        let chat = if test_magic { None } else { self.chat(caller, &message, &part.content) };
        let remote = part.content.remote();
        Ok(Prepared {
            id: part.id,
            chat,
            counts_for: None,
            country: message.to.country(),
            channel: message.channel,
            kind: message.kind,
            content: part.content.seal(&self.keyring, part.id)?,
            encoding,
            segments,
            caps: self.caps_of(caller, &message),
            ttl: message.ttl,
            pair: self.pair_of(caller, &message, &subject),
            subject,
            scheduled_for: message.scheduled_for,
            verification_id: part.verification_id,
            client,
            price,
            allowance: standing::allowance(caller, self.free_allowance),
            decision_id,
            screened: forced.unwrap_or_else(|| screen(&caller.org.countries, caller.org.protection, attempt, &listing)),
            trial: trial.map(Box::new),
            refusal: refusal
                .or_else(|| standing::refusal(caller, &message))
                .or_else(|| self.opted_out_before_erasure(caller, &message))
                .or(unpriced)
                .or_else(|| self.unroutable(caller, &message)),
            extra: Extra { remote, ..part.extra },
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

    /// Who has opted out stays so when the address is erased: it is known by its pseudonym then. Nothing is computed while
    /// there is nobody like that.
    fn opted_out_before_erasure(&self, caller: &Caller, message: &NewMessage) -> Option<Error> {
        if self.erased.is_empty() || message.kind == Kind::Otp {
            return None;
        }
        let recipient = pseudonym(&self.keyring, message.to.address());
        let whom = Whom { org_id: caller.org_id(), mode: caller.mode(), channel: message.channel, recipient };
        self.erased.refuses(&whom).then(|| Error::new(Code::RecipientOptedOut))
    }

    fn listing(&self, caller: &Caller, message: &NewMessage) -> Listing {
        let probe = Probe {
            number: message.to.phone().map(|phone| phone.e164()),
            ip: message.client.ip,
            device: message.client.device_id.as_deref(),
        };
        self.guards.lists.look((caller.org_id(), caller.mode()), probe, self.now)
    }

    /// What the engine will judge: a code that goes, or may fall back, to SMS. Levels of templates and keys come before
    /// the organization's; a country that is only monitored comes before all.
    fn trial(
        &self,
        caller: &Caller,
        message: &NewMessage,
        part: &Part,
        (client, subject): (&ClientMacs, &[u8]),
        (price, decision): (Priced, DecisionId),
    ) -> Option<Trial> {
        let is_fallback = message.channel != Channel::Sms;
        let of_fallback = || message.fallback.iter().find(|step| step.channel == Channel::Sms).map(|step| &step.to);
        let to = if is_fallback { of_fallback()? } else { &message.to };
        let (phone, country) = (to.phone()?, to.country()?);
        let guarding = &caller.org.guarding;
        let level = match guarding.country(country) {
            CountryMode::Monitor => Protection::Monitor,
            _ => guarding.level(caller.key_id(), part.extra.template.as_deref()).unwrap_or(caller.org.protection),
        };
        let is_learning = caller.org.learning_until.is_some_and(|until| self.now < until);
        let set = self.guards.book.set(level, is_learning).filter(|_| message.kind == Kind::Otp)?;
        let is_verification = part.verification_id.is_some();
        let org = org_key(caller.org_id(), caller.mode(), is_verification);
        let features = Features {
            org,
            credential: Key::of(caller.key_id().as_str()),
            number: if is_fallback {
                Key::of_bytes(&address_mac(&self.keyring, phone.e164()))
            } else {
                Key::of_bytes(subject)
            },
            digits: phone.e164().trim_start_matches('+').parse().ok()?,
            country,
            channel: Channel::Sms,
            price: price.amount,
            network: client.network,
            device: client.device.as_deref().map(Key::of_bytes),
            named: client.named(),
            proven_at: None,
            reports: is_verification || self.guards.watch.reports_of(org) >= set.rules.conversion.with.reports,
        };
        let owner = (caller.org_id(), caller.mode());
        Some(Trial { watch: Arc::clone(&self.guards.watch), features, set, owner, decision, is_fallback })
    }

    /// The numbers that a WhatsApp message may come from, and whether it is text of its own. Whoever was registered as a
    /// sender only has no number.
    fn chat(&self, caller: &Caller, message: &NewMessage, content: &Content) -> Option<Chat> {
        if message.channel != Channel::Whatsapp {
            return None;
        }
        let chosen = self.numbers.choose(caller.org_id(), message.from.as_deref(), message.to.address());
        let numbers = chosen.into_iter().map(|number| (number.phone.clone(), number.portfolio.clone())).collect();
        Some(Chat { numbers, is_free_text: matches!(content, Content::Text { .. }) })
    }

    /// Whether the caller's organization has nothing to send by `channel` with, not even a number that is stopped for now.
    pub fn lacks(&self, caller: &Caller, channel: Channel) -> bool {
        let org = caller.org_id();
        channel == Channel::Whatsapp && !self.numbers.has(org) && !self.numbers.has_stopped(org, None)
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

    /// The number and the recipient of a WhatsApp message that is due at once and has one way to go: whoever is written to
    /// more than Meta's pace allows before it is worthless is told so. Where there are more ways nobody can know.
    fn pair_of(&self, caller: &Caller, message: &NewMessage, subject: &[u8]) -> Option<PairKey> {
        let is_paced = message.channel == Channel::Whatsapp && caller.mode() == Mode::Live;
        if !is_paced || message.scheduled_for.is_some() || !message.fallback.is_empty() {
            return None;
        }
        let eligible = routing::eligible(&self.routes, &want(caller, message.channel, &message.to));
        let mut carriers: Vec<&str> = eligible.iter().map(|route| route.carrier.as_str()).collect();
        carriers.dedup();
        let [carrier] = carriers.as_slice() else { return None };
        (*carrier != SANDBOX).then(|| pairs::asked(carrier, subject.to_vec()))
    }

    /// WhatsApp needs a number of the organization's. One that does not send for now is passed over where there is another
    /// channel.
    fn unnumbered(&self, caller: &Caller, message: &NewMessage) -> Option<Error> {
        let org = caller.org_id();
        let mut channels = std::iter::once(message.channel).chain(message.fallback.iter().map(|step| step.channel));
        let by_whatsapp = message.channel == Channel::Whatsapp;
        let from = message.from.as_deref().filter(|_| by_whatsapp);
        let is_there = from.is_none_or(|from| self.numbers.find(org, from).is_some());
        let is_unknown = !is_there && !self.numbers.has_stopped(org, from);
        if is_unknown || channels.any(|channel| self.lacks(caller, channel)) {
            return Some(Error::new(Code::ChannelNotEnabled));
        }
        let is_stopped = by_whatsapp && !(is_there && self.numbers.has(org));
        (is_stopped && message.fallback.is_empty()).then(|| {
            Error::new(Code::ChannelNotEnabled).detail(
                "Your WhatsApp number does not send for now: it is paused, blocked by Meta, or disconnected. GET /v1/whatsapp/numbers shows its status; use another channel, or ask an operator to set it back.",
            )
        })
    }

    /// Test messages go to the sandbox; live ones need a route, or a fallback that has one.
    fn unroutable(&self, caller: &Caller, message: &NewMessage) -> Option<Error> {
        if let Some(refusal) = self.unnumbered(caller, message) {
            return Some(refusal);
        }
        if caller.mode() == Mode::Test {
            return None;
        }
        let first = (message.channel, &message.to);
        let rest = message.fallback.iter().map(|step| (step.channel, &step.to));
        let mut is_stopped = false;
        let routed = std::iter::once(first).chain(rest).any(|(channel, to)| {
            let want = want(caller, channel, to);
            if self.pauses.stops(&want).is_some() {
                is_stopped = true;
                return false;
            }
            // An originator that only some carriers know goes by those.
            let from = message.from.as_deref().filter(|_| channel == message.channel);
            let known_to = from.and_then(|from| self.senders.carriers_of(&want, from));
            let mut fitting = routing::eligible(&self.routes, &want);
            fitting.retain(|route| known_to.as_ref().is_none_or(|names| names.contains(&route.carrier.as_str())));
            is_stopped |= fitting.iter().any(|route| self.pauses.stops_route(route.id));
            fitting.iter().any(|route| !self.pauses.stops_route(route.id))
        });
        (!routed).then(|| {
            Error::new(Code::ProviderUnavailable).detail(if is_stopped {
                "An operator has paused messages like this one; send it again later. Operators see and end pauses at /v1/admin/pauses."
            } else {
                "No route takes this message: none fits, or those that fit are paused. An operator sees and sets them at /v1/admin/routes."
            })
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
