//! A carrier that is reached by SMPP.

use std::path::PathBuf;
use std::time::Duration;

use super::super::concern::{Concern, concern};
use super::super::fault::Wrong;
use super::super::reader::Section;
use super::super::setting::{Setting, any, lasting, secs, text_of, within, word_setting};
use super::super::value::Value;
use super::originator::is_an_ascii_originator_if_any;
use crate::secret::Secret;

crate::text_enum! {
    /// Which connections make one bind.
    pub enum BindMode { Transceiver = "transceiver", TransmitterReceiver = "transmitter_receiver" }
}

crate::text_enum! {
    /// The protocol's version, as it is told to the carrier.
    pub enum SmppVersion { V34 = "3.4", V50 = "5.0" }
}

crate::text_enum! {
    /// How the link is protected.
    pub enum SmppTls { None = "none", Tls = "tls" }
}

crate::text_enum! {
    /// How a long text goes out.
    pub enum Concatenation { Udh = "udh", Sar = "sar", Payload = "payload" }
}

crate::text_enum! {
    /// How the id of a submit_sm_resp stands in receipts.
    pub enum IdForm {
        /// The same, or as decimal or hex, where a message to the receipt's number tells.
        Auto = "auto",
        /// Always the same.
        AsIs = "as_is",
        /// Hex in the response, decimal in receipts.
        HexToDecimal = "hex_to_decimal",
        /// Decimal in the response, hex in receipts.
        DecimalToHex = "decimal_to_hex",
    }
}

crate::text_enum! {
    /// A choice.
    pub enum YesNo { Yes = "yes", No = "no" }
}

word_setting!(BindMode, SmppVersion, SmppTls, Concatenation, IdForm, YesNo);

/// A type of number and a numbering plan (SMPP 3.4, sections 5.2.5 and 5.2.6), written `1/1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TonNpi {
    /// Type of number.
    pub ton: u8,
    /// Numbering plan indicator.
    pub npi: u8,
}

/// A data_coding octet (SMPP 3.4, section 5.2.19).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataCoding(pub u8);

concern! {
    /// A carrier's message centre, reached by SMPP. Every process that delivers holds its own binds.
    pub struct SmppCarrier {
        /// Its name or address.
        host: String = required "smpp.example.com", "", is_a_host;
        /// Its port.
        port: u16 = default "2775", "", any;
        /// none or tls. Without tls the password crosses the network in the clear: use a VPN.
        tls: SmppTls = default "none", "", any;
        /// Certificates (PEM) that the carrier's is signed by, instead of the public ones.
        ca_file: Option<PathBuf> = example "/etc/postern/carrier-ca.pem", "", any;
        /// The account, up to 15 characters.
        system_id: String = required "postern", "", is_a_system_id;
        /// Its password, up to 8 characters.
        password: Secret<String> = required "secret08", "", is_a_password;
        /// Given by the carrier; mostly empty.
        system_type: String = default "", "", is_a_system_type;
        /// 3.4 or 5.0.
        version: SmppVersion = default "3.4", "", any;
        /// transceiver, or transmitter_receiver: two connections for each bind.
        mode: BindMode = default "transceiver", "", any;
        /// Binds of one process.
        binds: u32 = default "1", "", within(1..=16);
        /// Requests of one bind that may be unanswered.
        window: u32 = default "10", "", within(1..=1000);
        /// How often a silent link is asked whether it lives.
        enquire_every: Duration = default "30s", "", lasting(Duration::from_millis(100), secs(600));
        /// The sender: a number in E.164, a short code or up to 11 letters.
        from: Option<String> = example "ACME", "", is_an_ascii_originator_if_any;
        /// Type and plan of senders that are numbers.
        sender_number: TonNpi = default "1/1", "", any;
        /// Type and plan of senders of up to 6 digits.
        sender_short: TonNpi = default "3/0", "", any;
        /// Type and plan of senders of letters.
        sender_word: TonNpi = default "5/0", "", any;
        /// Type and plan of recipients.
        recipient: TonNpi = default "1/1", "", any;
        /// data_coding of texts in the default alphabet: 0 GSM 7-bit, 1 ASCII, 3 Latin-1; others are sent as GSM 7-bit.
        gsm7_data_coding: DataCoding = default "0", "", any;
        /// data_coding of all other texts.
        ucs2_data_coding: DataCoding = default "8", "", any;
        /// Long texts: udh (a header in front of each part), sar (optional parameters) or payload (one message_payload).
        concatenation: Concatenation = default "udh", "", any;
        /// Whether to ask for delivery receipts.
        receipts: YesNo = default "yes", "", any;
        /// Whether to tell when a text is worth nothing any more (validity_period).
        validity: YesNo = default "yes", "", any;
        /// Ids in receipts: auto, as_is, hex_to_decimal (response in hex) or decimal_to_hex. auto takes an id of digits in
        /// any form, for a message to the number that the receipt names; where the carrier names another, say the form.
        id_form: IdForm = default "auto", "", any;
    }
}

impl SmppCarrier {
    /// Reads the keys and checks them against each other.
    pub(super) fn read_checked(section: &mut Section<'_>) -> Option<Self> {
        let (tls, ca_file) = (Self::peek(section, "tls"), Self::is_written(section, "ca_file"));
        let read = Self::read(section);
        if tls == Some(SmppTls::None) && ca_file {
            section.fault("ca_file", Wrong::new("stands beside tls = \"none\"", "write tls = \"tls\", or remove it"));
        }
        read
    }
}

/// SMPP 3.4, section 5.2.2: nine octets with the one that ends it.
const LONGEST_PASSWORD: usize = 8;

impl Setting for TonNpi {
    fn read(value: &Value) -> Result<Self, Wrong> {
        let hint = "write a type and a plan, e.g. \"1/1\"";
        let text = text_of(value, "a type and a plan", "1/1")?.trim();
        let parts = text.split_once('/').and_then(|(ton, npi)| Some((ton.parse().ok()?, npi.parse().ok()?)));
        let (ton, npi) = parts.ok_or_else(|| Wrong::new(format!("= {text:?} is not a type and a plan"), hint))?;
        Ok(TonNpi { ton, npi })
    }
}

impl Setting for DataCoding {
    fn read(value: &Value) -> Result<Self, Wrong> {
        let wide = u32::read(value)?;
        let octet = u8::try_from(wide);
        octet.map(DataCoding).map_err(|_| Wrong::new(format!("= {wide} is out of range"), "write a number up to 255"))
    }

    fn toml(text: &str) -> String {
        text.to_owned()
    }
}

#[expect(clippy::ptr_arg, reason = "has the shape of every check of a String")]
fn is_a_system_id(id: &String) -> Result<(), Wrong> {
    fits(id, 15, false)
}

#[expect(clippy::ptr_arg, reason = "has the shape of every check of a String")]
fn is_a_system_type(word: &String) -> Result<(), Wrong> {
    fits(word, 12, true)
}

fn is_a_password(password: &Secret<String>) -> Result<(), Wrong> {
    match password.expose().len() {
        0..=LONGEST_PASSWORD => Ok(()),
        _ => {
            let what = format!("is longer than {LONGEST_PASSWORD} octets");
            Err(Wrong::new(what, "ask the carrier for one that fits SMPP"))
        }
    }
}

fn fits(text: &str, most: usize, may_be_empty: bool) -> Result<(), Wrong> {
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if visible && text.len() <= most && (may_be_empty || !text.is_empty()) {
        return Ok(());
    }
    Err(Wrong::new(format!("= {text:?} does not fit SMPP"), format!("write up to {most} ASCII characters")))
}

fn is_a_host(host: &String) -> Result<(), Wrong> {
    let fits = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:".contains(&b));
    if fits {
        Ok(())
    } else {
        Err(Wrong::new(format!("= {host:?} is not a host"), "write a name such as \"smpp.example.com\""))
    }
}
