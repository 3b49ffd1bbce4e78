//! A message as submit_sm: its addresses, its alphabet, its parts.

use std::time::Duration;

use rusmpp::pdus::SubmitSm;
use rusmpp::tlvs::MessageSubmissionRequestTlvValue as Tlv;
use rusmpp::types::{AnyOctetString, COctetString, EmptyOrFullCOctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, MessagePayload, Npi, RegisteredDelivery, Ton};

use crate::config::{Concatenation, SmppCarrier, TonNpi, YesNo};
use crate::text::{self, Encoding};

/// GSM 03.40, section 9.2.3.24: the next octets of the text are a header.
const UDHI: u8 = 0x40;
/// A receipt for the final state (SMPP 3.4, section 5.2.17).
const FINAL_RECEIPT: u8 = 1;
/// Senders of up to this many digits are short codes.
const SHORT_CODE_DIGITS: usize = 6;

/// What a submit_sm cannot carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// The recipient is longer than 20 octets, or no ASCII.
    Recipient,
    /// The sender is.
    Sender,
    /// More parts than can be counted.
    Text,
}

/// What goes out, of one message.
pub struct Letter<'a> {
    /// E.164.
    pub to: &'a str,
    /// The sender, where there is one.
    pub from: Option<&'a str>,
    /// What the handset shall show.
    pub text: &'a str,
    /// Time left before it is worthless.
    pub ttl_left: Duration,
    /// By which the handset joins parts: another one for every message.
    pub reference: u16,
}

/// The submit_sm of each part, in order. A receipt is asked of the last part only: then a message has one receipt, of
/// the id that it is known by, and needs no memory of its parts, whichever process or bind the receipt comes to. That
/// earlier parts arrived is not proven by it; codes fit one part.
pub fn submits(keys: &SmppCarrier, letter: &Letter<'_>) -> Result<Vec<SubmitSm>, Unfit> {
    let (coding, parts) = encode(keys, letter.text);
    let whole = envelope(keys, letter)?.with_data_coding(DataCoding::from(coding));
    let total = u8::try_from(parts.len()).map_err(|_| Unfit::Text)?;
    let mut out = Vec::with_capacity(parts.len());
    for (number, part) in (1..=total).zip(parts) {
        let mut one = whole.clone();
        if keys.receipts == YesNo::Yes && number == total {
            one.registered_delivery = RegisteredDelivery::from(FINAL_RECEIPT);
        }
        fill(&mut one, part, (keys.concatenation, letter.reference, number, total)).ok_or(Unfit::Text)?;
        out.push(one);
    }
    Ok(out)
}

/// The text's octets by part, and their data_coding.
fn encode(keys: &SmppCarrier, text: &str) -> (u8, Vec<Vec<u8>>) {
    let narrow: fn(&str) -> Option<Vec<u8>> = match keys.gsm7_data_coding.0 {
        1 => |part| part.is_ascii().then(|| part.as_bytes().to_vec()),
        3 => |part| part.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
        _ => text::to_septets,
    };
    let whole = keys.concatenation == Concatenation::Payload;
    let cut = |encoding| if whole { vec![text] } else { text::split_in(text, encoding) };
    if text::first_non_gsm(text).is_none() {
        let parts: Option<Vec<Vec<u8>>> = cut(Encoding::Gsm7).into_iter().map(narrow).collect();
        if let Some(parts) = parts {
            return (keys.gsm7_data_coding.0, parts);
        }
    }
    let wide = |part: &str| part.encode_utf16().flat_map(u16::to_be_bytes).collect();
    (keys.ucs2_data_coding.0, cut(Encoding::Ucs2).into_iter().map(wide).collect())
}

/// The fields that all parts share.
fn envelope(keys: &SmppCarrier, letter: &Letter<'_>) -> Result<SubmitSm, Unfit> {
    let to = letter.to.trim_start_matches('+');
    let (from, kind) = match letter.from {
        Some(from) => sender(keys, from),
        None => ("", TonNpi { ton: 0, npi: 0 }),
    };
    let validity = if keys.validity == YesNo::Yes { relative(letter.ttl_left) } else { None };
    let builder = SubmitSm::builder()
        .source_addr_ton(Ton::from(kind.ton))
        .source_addr_npi(Npi::from(kind.npi))
        .source_addr(c_string(from).ok_or(Unfit::Sender)?)
        .dest_addr_ton(Ton::from(keys.recipient.ton))
        .dest_addr_npi(Npi::from(keys.recipient.npi))
        .destination_addr(c_string(to).ok_or(Unfit::Recipient)?)
        // The codec's own default is no zero.
        .esm_class(EsmClass::from(0));
    Ok(match validity {
        Some(validity) => builder.validity_period(validity).build(),
        None => builder.build(),
    })
}

/// The sender as the carrier wants it, with its type and plan.
fn sender<'a>(keys: &SmppCarrier, from: &'a str) -> (&'a str, TonNpi) {
    let digits = from.trim_start_matches('+');
    match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        false => (from, keys.sender_word),
        true if digits.len() <= SHORT_CODE_DIGITS => (digits, keys.sender_short),
        true => (digits, keys.sender_number),
    }
}

fn fill(one: &mut SubmitSm, part: Vec<u8>, shape: (Concatenation, u16, u8, u8)) -> Option<()> {
    let (concatenation, reference, number, total) = shape;
    if concatenation == Concatenation::Payload {
        let fits = u16::try_from(part.len()).is_ok();
        one.push_tlv(Tlv::MessagePayload(MessagePayload::new(AnyOctetString::from_vec(part))));
        return fits.then_some(());
    }
    let mut octets = Vec::with_capacity(part.len() + 6);
    if total > 1 && concatenation == Concatenation::Udh {
        let [_, low] = reference.to_be_bytes();
        octets.extend([5, 0, 3, low, total, number]);
        one.esm_class = EsmClass::from(UDHI);
    }
    if total > 1 && concatenation == Concatenation::Sar {
        one.push_tlv(Tlv::SarMsgRefNum(reference));
        one.push_tlv(Tlv::SarTotalSegments(total));
        one.push_tlv(Tlv::SarSegmentSeqnum(number));
    }
    octets.extend(part);
    one.set_short_message(OctetString::from_vec(octets).ok()?);
    Some(())
}

/// A relative time of SMPP 3.4, section 7.1.1, `YYMMDDhhmmss000R`; `None` for more than a day, which carriers read
/// differently.
fn relative(left: Duration) -> Option<EmptyOrFullCOctetString<17>> {
    let seconds = left.as_secs().max(1);
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let text = format!("000000{hours:02}{minutes:02}{rest:02}000R\0");
    if hours < 24 { EmptyOrFullCOctetString::from_string(text).ok() } else { None }
}

/// `text` with the zero that ends it; `None` where it does not fit or is not ASCII.
pub fn c_string<const MAX: usize>(text: &str) -> Option<COctetString<1, MAX>> {
    let mut octets = text.as_bytes().to_vec();
    octets.push(0);
    COctetString::from_vec(octets).ok()
}
