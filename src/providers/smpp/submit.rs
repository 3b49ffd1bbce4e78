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
    if hours < 24 { EmptyOrFullCOctetString::from_vec(text.into_bytes()).ok() } else { None }
}

/// `text` with the zero that ends it; `None` where it does not fit or is not ASCII.
pub fn c_string<const MAX: usize>(text: &str) -> Option<COctetString<1, MAX>> {
    let mut octets = text.as_bytes().to_vec();
    octets.push(0);
    COctetString::from_vec(octets).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusmpp::tlvs::TlvValue;

    use super::*;
    use crate::providers::smpp::frame;
    use crate::providers::smpp::tests::{fixture, keys};
    use crate::text::from_septets;

    fn letter<'a>(text: &'a str, from: Option<&'a str>) -> Letter<'a> {
        Letter { to: "+447700900123", from, text, ttl_left: Duration::from_secs(300), reference: 0x01A1 }
    }

    fn texts(keys: &SmppCarrier, text: &str) -> Vec<(u8, u8, Vec<u8>)> {
        let submits = submits(keys, &letter(text, Some("ACME"))).unwrap();
        let of = |one: &SubmitSm| {
            (u8::from(one.data_coding), u8::from(one.esm_class), one.short_message().clone().into_vec())
        };
        submits.iter().map(of).collect()
    }

    #[test]
    fn a_submit_sm_is_octet_for_octet_what_other_libraries_write() {
        let mut keys = keys("validity = \"no\"");
        for (name, text, sequence) in
            [("submit_sm_gsm7", "123456 is your ACME code", 2), ("submit_sm_ucs2", "Код 123456", 3)]
        {
            let submit = submits(&keys, &letter(text, Some("ACME"))).unwrap().remove(0);
            let octets = frame::octets(rusmpp::CommandStatus::EsmeRok, sequence, submit);
            assert_eq!(octets, fixture(name), "{name}");
        }
        keys.receipts = YesNo::No;
        let submit = submits(&keys, &letter("x", None)).unwrap().remove(0);
        assert_eq!((u8::from(submit.registered_delivery), u8::from(submit.source_addr_ton)), (0, 0));
    }

    #[test]
    fn a_long_text_goes_in_parts_and_only_the_last_asks_for_a_receipt() {
        let text = format!("{}€{}", "a".repeat(152), "b".repeat(20));
        let parts = submits(&keys(""), &letter(&text, Some("ACME"))).unwrap();
        let octets: Vec<Vec<u8>> = parts.iter().map(|part| part.short_message().clone().into_vec()).collect();
        // The pair would have filled the first part to 154 septets: it moves whole.
        assert_eq!(octets[0], [vec![5, 0, 3, 0xA1, 2, 1], vec![b'a'; 152]].concat());
        assert_eq!(octets[1], [vec![5, 0, 3, 0xA1, 2, 2, 0x1B, 0x65], vec![b'b'; 20]].concat());
        let asked: Vec<u8> = parts.iter().map(|part| u8::from(part.registered_delivery)).collect();
        assert_eq!(asked, [0, 1]);
        assert!(parts.iter().all(|part| u8::from(part.esm_class) == 0x40));
    }

    #[test]
    fn surrogate_pairs_stay_whole() {
        let parts = texts(&keys(""), &"😀".repeat(50));
        let lengths: Vec<usize> = parts.iter().map(|(_, _, octets)| octets.len() - 6).collect();
        assert_eq!(lengths, [33 * 4, 17 * 4]);
        assert!(parts.iter().all(|(coding, class, _)| (*coding, *class) == (8, 0x40)));
    }

    #[test]
    fn parts_are_told_by_parameters_or_the_text_goes_whole() {
        let text = "a".repeat(200);
        let sar = submits(&keys("concatenation = \"sar\""), &letter(&text, None)).unwrap();
        let told: Vec<Option<&TlvValue>> = sar[1].tlvs().iter().map(|tlv| tlv.value()).collect();
        let wanted = [TlvValue::SarMsgRefNum(0x01A1), TlvValue::SarTotalSegments(2), TlvValue::SarSegmentSeqnum(2)];
        assert_eq!(told, wanted.iter().map(Some).collect::<Vec<_>>());
        assert_eq!(
            (sar.len(), u8::from(sar[0].esm_class), sar[0].short_message().clone().into_vec().len()),
            (2, 0, 153)
        );
        let whole = submits(&keys("concatenation = \"payload\""), &letter(&text, None)).unwrap();
        assert_eq!((whole.len(), whole[0].sm_length(), whole[0].tlvs().len()), (1, 0, 1));
    }

    #[test]
    fn the_alphabet_follows_the_configured_coding() {
        assert_eq!(texts(&keys(""), "@è"), [(0, 0, vec![0x00, 0x04])]);
        assert_eq!(texts(&keys("gsm7_data_coding = 3"), "@è"), [(3, 0, vec![0x40, 0xE8])]);
        assert_eq!(texts(&keys("gsm7_data_coding = 1"), "a@"), [(1, 0, vec![0x61, 0x40])]);
        // What the alphabet lacks goes wide, as a character outside GSM-7 does.
        assert_eq!(texts(&keys("gsm7_data_coding = 3"), "€"), [(8, 0, vec![0x20, 0xAC])]);
        assert_eq!(texts(&keys("gsm7_data_coding = 1"), "è"), [(8, 0, vec![0x00, 0xE8])]);
        assert_eq!(texts(&keys("ucs2_data_coding = 24"), "К"), [(24, 0, vec![0x04, 0x1A])]);
    }

    #[test]
    fn senders_have_their_kind_and_what_does_not_fit_is_refused() {
        let keys = keys("sender_short = \"6/9\"");
        for (from, written, ton, npi) in
            [("+447700900000", "447700900000", 1, 1), ("60606", "60606", 6, 9), ("ACME 2", "ACME 2", 5, 0)]
        {
            let one = submits(&keys, &letter("x", Some(from))).unwrap().remove(0);
            let found = (one.source_addr.as_str(), u8::from(one.source_addr_ton), u8::from(one.source_addr_npi));
            assert_eq!(found, (written, ton, npi));
        }
        for from in ["Ünser", "a sender of 21 octets"] {
            assert_eq!(submits(&keys, &letter("x", Some(from))).err(), Some(Unfit::Sender), "{from}");
        }
        let to = Letter { to: "+4477009001234477009001", ..letter("x", None) };
        assert_eq!(submits(&keys, &to).err(), Some(Unfit::Recipient));
    }

    #[test]
    fn the_time_left_is_told_where_all_read_it_alike() {
        for (seconds, text) in [(300, Some("000000000500000R")), (0, Some("000000000001000R")), (86_400, None)] {
            let found = relative(Duration::from_secs(seconds));
            assert_eq!(found.as_ref().map(|text| text.as_str()), text, "{seconds}");
        }
    }

    proptest! {
        #[test]
        fn parts_without_their_headers_are_the_text(text in "[a-z€\\[яß😀]{1,400}") {
            let parts = texts(&keys(""), &text);
            let header = if parts.len() > 1 { 6 } else { 0 };
            let octets: Vec<u8> = parts.iter().flat_map(|(_, _, octets)| octets[header..].to_vec()).collect();
            let read = if parts[0].0 == 0 {
                from_septets(&octets)
            } else {
                let units: Vec<u16> = octets.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
                String::from_utf16(&units).unwrap()
            };
            prop_assert_eq!(read, text);
            let room = if parts[0].0 == 0 { 160 } else { 140 };
            prop_assert!(parts.iter().all(|(_, _, octets)| octets.len() <= room));
        }
    }
}
