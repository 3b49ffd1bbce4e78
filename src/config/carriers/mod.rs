//! Carriers: who takes messages to handsets and mailboxes. An array of tables; each has a name, a kind and its kind's keys.

mod bird;
mod http;
mod infobip;
mod kannel;
mod meta;
mod originator;
mod plivo;
mod smpp;
mod smtp;
mod sns;
mod template;
mod twilio;
mod vonage;

use std::collections::{BTreeMap, BTreeSet};

use super::concern::Concern;
use super::fault::{Wrong, did_you_mean};
use super::reader::{Reader, Section};
use super::setting::any;
use super::value::{Entry, Table, Value};
use crate::secret::Secret;
use crate::terms::Channel;

pub use bird::{BirdCarrier, BirdCategory};
pub use http::{BodyForm, HttpCarrier, HttpKeys, Method, Receipt, ReceiptStatus, SignatureForm};
pub use infobip::InfobipCarrier;
pub use kannel::KannelCarrier;
pub use meta::MetaCarrier;
pub use plivo::PlivoCarrier;
pub use smpp::{BindMode, Concatenation, DataCoding, IdForm, SmppCarrier, SmppTls, SmppVersion, TonNpi, YesNo};
pub use smtp::{MailTls, SmtpCarrier};
pub use sns::SnsCarrier;
pub use template::{Fill, Template};
pub use twilio::TwilioCarrier;
pub use vonage::{VonageCarrier, VonageSmsCarrier};

/// The name of the carrier that always exists and reaches nobody.
pub const SANDBOX: &str = "sandbox";

/// One carrier.
#[derive(Debug, Clone)]
pub struct CarrierConfig {
    /// Its name, in routes, callbacks (`/hooks/{name}/status`) and metrics: lower case letters, digits and `-`.
    pub name: String,
    /// What it can carry.
    pub channels: Vec<Channel>,
    /// How much it takes at once.
    pub room: Room,
    /// How to speak to it.
    pub kind: CarrierKind,
}

/// How much a carrier takes at once, where configuration says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// Hand-offs of one process that may be under way.
    pub max_in_flight: Option<u32>,
    /// Hand-offs a second, of all processes together.
    pub max_per_second: Option<u32>,
}

/// How to speak to a carrier.
#[derive(Debug, Clone)]
pub enum CarrierKind {
    /// Keeps messages in the sandbox inbox.
    Sandbox,
    /// Twilio's messages resource, or a service of the same shape.
    Twilio(TwilioCarrier),
    /// Any HTTP API, by templates.
    Http(HttpCarrier),
    /// A message centre, by SMPP. Boxed: it has many keys.
    Smpp(Box<SmppCarrier>),
    /// A mail server.
    Smtp(SmtpCarrier),
    /// Vonage's SMS API.
    VonageSms(VonageSmsCarrier),
    /// Vonage's Messages API.
    Vonage(VonageCarrier),
    /// Infobip's SMS API.
    Infobip(InfobipCarrier),
    /// Plivo's Message API.
    Plivo(PlivoCarrier),
    /// Bird's SMS API.
    Bird(BirdCarrier),
    /// AWS SNS.
    Sns(SnsCarrier),
    /// A Kannel smsbox.
    Kannel(KannelCarrier),
    /// WhatsApp by Meta's Cloud API.
    Meta(MetaCarrier),
}

impl CarrierKind {
    /// The word of the `kind` key.
    pub fn as_str(&self) -> &'static str {
        match self {
            CarrierKind::Sandbox => SANDBOX,
            CarrierKind::Twilio(_) => "twilio",
            CarrierKind::Http(_) => "http",
            CarrierKind::Smpp(_) => "smpp",
            CarrierKind::Smtp(_) => "smtp",
            CarrierKind::VonageSms(_) => "vonage_sms",
            CarrierKind::Vonage(_) => "vonage",
            CarrierKind::Infobip(_) => "infobip",
            CarrierKind::Plivo(_) => "plivo",
            CarrierKind::Bird(_) => "bird",
            CarrierKind::Sns(_) => "sns",
            CarrierKind::Kannel(_) => "kannel",
            CarrierKind::Meta(_) => "meta",
        }
    }
}

impl CarrierKind {
    /// The originator that its messages come from where none is named: one that every organization shares.
    pub fn originator(&self) -> Option<&str> {
        match self {
            CarrierKind::Twilio(keys) => keys.from.as_deref(),
            CarrierKind::Http(keys) => keys.call.from.as_deref(),
            CarrierKind::Smpp(keys) => keys.from.as_deref(),
            CarrierKind::VonageSms(keys) => Some(&keys.from),
            CarrierKind::Vonage(keys) => Some(&keys.from),
            CarrierKind::Infobip(keys) => Some(&keys.from),
            CarrierKind::Plivo(keys) => Some(&keys.from),
            CarrierKind::Bird(keys) => keys.from.as_deref(),
            CarrierKind::Sns(keys) => keys.from.as_deref(),
            CarrierKind::Kannel(keys) => keys.from.as_deref(),
            CarrierKind::Sandbox | CarrierKind::Smtp(_) | CarrierKind::Meta(_) => None,
        }
    }
}

impl CarrierConfig {
    /// The carrier that always exists.
    pub fn sandbox() -> Self {
        CarrierConfig {
            name: SANDBOX.to_owned(),
            channels: Channel::ALL.to_vec(),
            room: Room::default(),
            kind: CarrierKind::Sandbox,
        }
    }
}

super::concern::concern! {
    /// What every carrier has.
    pub struct CarrierKeys {
        /// Its name in routes and in the address of its callbacks, /hooks/{name}/status.
        name: String = required "acme", "", is_a_name;
        /// twilio, http, smpp, smtp, vonage_sms, vonage, infobip, plivo, bird, sns, kannel, meta or sandbox.
        kind: String = required "twilio", "", any;
        /// What it carries, of sms, whatsapp and email.
        channels: Option<Vec<Channel>> = example "sms", "", any;
        /// Hand-offs to it that may be under way at once from one process. Default: 256, for smpp the windows
        /// of its binds, for a mail server 8.
        max_in_flight: Option<u32> = example "64", "", is_some_room;
        /// Hand-offs to it a second, of all processes together; more wait their turn. WhatsApp numbers have Meta's
        /// throughput besides.
        max_per_second: Option<u32> = example "100", "", is_some_room;
    }
}

const KINDS: [&str; 13] = [
    "twilio",
    "http",
    "smpp",
    "smtp",
    "vonage_sms",
    "vonage",
    "infobip",
    "plivo",
    "bird",
    "sns",
    "kannel",
    "meta",
    SANDBOX,
];

/// What only one carrier may have.
#[derive(Default)]
struct Taken {
    names: BTreeSet<String>,
    /// Numbers at Meta, each with the carrier that has it.
    numbers: BTreeMap<String, String>,
}

/// Reads `[[carriers]]` (or the variable that stands for it) into carriers, the built-in sandbox first.
pub fn read(reader: &mut Reader, written: Option<Entry>) -> Vec<CarrierConfig> {
    let mut taken = Taken::default();
    taken.names.insert(SANDBOX.to_owned());
    let mut carriers = vec![CarrierConfig::sandbox()];
    for entry in entries(reader, written) {
        carriers.extend(read_one(reader, entry, &mut taken));
    }
    carriers
}

fn entries(reader: &mut Reader, written: Option<Entry>) -> Vec<Entry> {
    const VARIABLE: &str = "POSTERN_CARRIERS";
    let hint = "write each carrier under a [[carriers]] line";
    if let Some(text) = reader.env.remove(VARIABLE) {
        reader.origins.insert("carriers".into(), super::fault::Origin::Variable(VARIABLE.into()));
        return match Value::parse_inline(&text) {
            Ok(Value::List(items)) => items,
            Ok(_) => {
                reader.fault("carriers", Wrong::new("is not a list", "write [{ name = \"acme\", kind = \"twilio\" }]"));
                Vec::new()
            }
            Err(wrong) => {
                reader.fault("carriers", wrong);
                Vec::new()
            }
        };
    }
    match written {
        None => Vec::new(),
        Some(Entry { value: Value::List(items), .. }) => items,
        Some(Entry { value, line }) => {
            let what = format!("is {}, not a list of tables", value.type_name());
            reader.fault_at(line, "carriers", Wrong::new(what, hint));
            Vec::new()
        }
    }
}

fn read_one(reader: &mut Reader, entry: Entry, taken: &mut Taken) -> Option<CarrierConfig> {
    let Entry { value: Value::Table(mut table), line } = entry else {
        reader.fault_at(entry.line, "carriers", Wrong::new("holds something that is no table", "write [[carriers]]"));
        return None;
    };
    let common: Table = CarrierKeys::KEYS.iter().filter_map(|key| table.remove_entry(key.name)).collect();
    let name = common.get("name").and_then(|name| name.value.as_text()).map(str::to_owned);
    let label = name.as_deref().unwrap_or("?");
    let section_name = format!("carriers.{label}");
    let prefix = format!("POSTERN_CARRIER_{}_", label.to_ascii_uppercase().replace('-', "_"));
    reader.origins.insert(section_name.clone(), super::fault::Origin::Line(reader.file.clone(), line));
    if name.as_ref().is_some_and(|name| !taken.names.insert(name.clone())) {
        let hint = if label == SANDBOX { "that one is built in" } else { "give each its own" };
        reader.fault_at(line, &format!("{section_name}.name"), Wrong::new("is taken by another carrier", hint));
    }
    // Every key is looked at, whatever is wrong with another: the kind's own too.
    let mut section = Section::prefixed(reader, &section_name, &prefix, common);
    let seen = (CarrierKeys::peek(&section, "kind"), CarrierKeys::peek(&section, "channels").flatten());
    let keys = CarrierKeys::read(&mut section);
    let (kind_word, wanted): (Option<String>, Option<Vec<Channel>>) = match &keys {
        Some(keys) => (Some(keys.kind.clone()), keys.channels.clone()),
        None => seen,
    };
    let mut section = Section::prefixed(reader, &section_name, &prefix, table);
    let kind_word = kind_word?;
    let channels = check_channels(&mut section, &kind_word, wanted);
    let number: Option<String> = MetaCarrier::peek(&section, "phone_number_id").filter(|_| kind_word == "meta");
    let from = HttpKeys::peek::<Option<String>>(&section, "from").flatten();
    let kind = read_kind(&mut section, &kind_word);
    check_from(&mut section, (&kind_word, &channels), from);
    if let Some(number) = number
        && let Some(other) = taken.numbers.insert(number, label.to_owned())
    {
        let what = format!("is the number of the carrier {other} too");
        section.fault("phone_number_id", Wrong::new(what, "a number has one carrier: remove one of them"));
    }
    let CarrierKeys { name, max_in_flight, max_per_second, .. } = keys?;
    Some(CarrierConfig { name, channels, room: Room { max_in_flight, max_per_second }, kind: kind? })
}

/// The channels of a carrier: what is wanted, or its kind's first. One that its kind cannot carry is a fault.
fn check_channels(section: &mut Section<'_>, kind: &str, wanted: Option<Vec<Channel>>) -> Vec<Channel> {
    let able = able_to_carry(kind);
    let channels = wanted.unwrap_or_else(|| able.first().copied().into_iter().collect());
    if let Some(odd) = channels.iter().find(|channel| !able.is_empty() && !able.contains(channel)) {
        let able: Vec<&str> = able.iter().map(|channel| channel.as_str()).collect();
        let what = format!("has {odd}, which a carrier of kind {kind} cannot carry");
        section.fault("channels", Wrong::new(what, format!("it can carry {}", able.join(", "))));
    }
    channels
}

/// A sender that the channels of its carrier cannot show.
fn check_from(section: &mut Section<'_>, (kind, channels): (&str, &[Channel]), from: Option<String>) {
    let Some(from) = from else { return };
    // What a carrier of mail by HTTP wants there, its own pages say; the kinds for texts have looked at theirs.
    let is_text = kind == "http" && !channels.contains(&Channel::Email);
    let wrong = match is_text.then(|| originator::is_an_originator(&from)) {
        Some(Err(wrong)) => wrong,
        // What is no sender at all has been told already.
        _ if originator::is_an_originator(&from).is_err() => return,
        _ if matches!(channels, [Channel::Whatsapp]) && kind != "http" && !originator::is_number(&from) => {
            let what = format!("= {from:?} cannot send on WhatsApp");
            Wrong::new(what, "write the number that is registered there, e.g. \"+15005550006\"")
        }
        _ => return,
    };
    section.fault("from", wrong);
}

fn read_kind(section: &mut Section<'_>, kind: &str) -> Option<CarrierKind> {
    match kind {
        SANDBOX => {
            section.refuse_unknown(&[]);
            Some(CarrierKind::Sandbox)
        }
        "twilio" => TwilioCarrier::read_checked(section).map(CarrierKind::Twilio),
        "http" => HttpCarrier::read_checked(section).map(CarrierKind::Http),
        "smpp" => SmppCarrier::read_checked(section).map(|keys| CarrierKind::Smpp(Box::new(keys))),
        "smtp" => SmtpCarrier::read_checked(section).map(CarrierKind::Smtp),
        "vonage_sms" => VonageSmsCarrier::read(section).map(CarrierKind::VonageSms),
        "vonage" => VonageCarrier::read(section).map(CarrierKind::Vonage),
        "infobip" => InfobipCarrier::read(section).map(CarrierKind::Infobip),
        "plivo" => PlivoCarrier::read(section).map(CarrierKind::Plivo),
        "bird" => BirdCarrier::read(section).map(CarrierKind::Bird),
        "sns" => SnsCarrier::read(section).map(CarrierKind::Sns),
        "kannel" => KannelCarrier::read(section).map(CarrierKind::Kannel),
        "meta" => MetaCarrier::read(section).map(CarrierKind::Meta),
        other => {
            let hint = match did_you_mean(other, KINDS) {
                Some(near) => format!("did you mean {near:?}?"),
                None => format!("it takes {}", KINDS.join(", ")),
            };
            section.fault("kind", Wrong::new(format!("= {other:?} is not known"), hint));
            None
        }
    }
}

/// What a kind can carry; the first is its default. Nothing for a word that names no kind.
fn able_to_carry(kind: &str) -> &'static [Channel] {
    match kind {
        SANDBOX => Channel::ALL,
        "twilio" | "vonage" => &[Channel::Sms, Channel::Whatsapp],
        "http" => &[Channel::Sms, Channel::Whatsapp, Channel::Email],
        "smtp" => &[Channel::Email],
        "meta" => &[Channel::Whatsapp],
        other if KINDS.contains(&other) => &[Channel::Sms],
        _ => &[],
    }
}

fn is_some_room(room: &Option<u32>) -> Result<(), Wrong> {
    match room {
        Some(room) if !(1..=100_000).contains(room) => {
            Err(Wrong::new(format!("= {room} is out of range"), "write a number from 1 to 100000"))
        }
        _ => Ok(()),
    }
}

fn is_a_name(name: &String) -> Result<(), Wrong> {
    let fits = (1..=32).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits {
        return Ok(());
    }
    Err(Wrong::new(
        format!("= {name:?} is not a carrier's name"),
        "write up to 32 lower case letters, digits and -, a letter first",
    ))
}

/// A secret that proves callbacks must not be guessable.
fn is_long_if_any(secret: &Option<Secret<String>>) -> Result<(), Wrong> {
    match secret {
        Some(secret) if secret.expose().chars().count() < 16 => {
            Err(Wrong::new("is shorter than 16 characters", "choose a longer one"))
        }
        _ => Ok(()),
    }
}

/// A secret in callback addresses: nothing in it to escape, for Kannel reads `%` in them in its own way.
fn is_a_token_if_any(token: &Option<Secret<String>>) -> Result<(), Wrong> {
    is_long_if_any(token)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    match token {
        Some(token) if !token.expose().bytes().all(plain) => {
            Err(Wrong::new("cannot stand in an address", "write letters, digits, -, _ and ."))
        }
        _ => Ok(()),
    }
}

/// A word that becomes a part of an address's path.
fn is_a_path_part(part: &String) -> Result<(), Wrong> {
    let fits =
        !part.is_empty() && part != ".." && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let wrong = || Wrong::new(format!("= {part:?} cannot stand in an address"), "write letters, digits, -, _ and .");
    if fits { Ok(()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests;
