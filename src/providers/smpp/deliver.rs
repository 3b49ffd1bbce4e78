//! deliver_sm and data_sm as they come in. The codec reads the fields; the optional parameters are read here, since
//! carriers leave out zeros and write odd lengths, and the codec would then refuse the whole.

use bytes::BytesMut;
use rusmpp::decode::DecodeWithLength;
use rusmpp::pdus::{DataSm, DeliverSm};

use super::frame::Frame;

/// Tags of SMPP 3.4, section 5.3.2.
const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
const SAR_MSG_REF_NUM: u16 = 0x020C;
const SAR_TOTAL_SEGMENTS: u16 = 0x020E;
const SAR_SEGMENT_SEQNUM: u16 = 0x020F;
const NETWORK_ERROR_CODE: u16 = 0x0423;
const MESSAGE_PAYLOAD: u16 = 0x0424;
const MESSAGE_STATE: u16 = 0x0427;

/// Octets without a name between the C strings of deliver_sm: of each string in turn, how many follow it.
const DELIVER_SM: [usize; 5] = [2, 2, 3, 0, 5];
/// The same of data_sm.
const DATA_SM: [usize; 3] = [2, 2, 3];

/// One of several parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// What all parts share.
    pub reference: u16,
    /// How many there are.
    pub total: u8,
    /// Which one this is, from 1.
    pub number: u8,
}

/// What came in. No Debug: it holds a number and a text.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Who sent it; of a receipt, the recipient.
    pub from: String,
    /// The type of `from`.
    pub from_ton: u8,
    /// To whom.
    pub to: String,
    /// The type of `to`.
    pub to_ton: u8,
    /// esm_class.
    pub esm_class: u8,
    /// data_coding.
    pub data_coding: u8,
    /// The text's octets, without a header.
    pub text: Vec<u8>,
    /// Which part of a longer text it is.
    pub place: Option<Place>,
    /// receipted_message_id.
    pub receipted_id: Option<String>,
    /// message_state.
    pub state: Option<u8>,
    /// network_error_code, as digits.
    pub network_error: Option<String>,
}

/// Reads deliver_sm or data_sm; `None` where the fields cannot be read.
pub fn read(frame: &Frame, data_sm: bool) -> Option<Delivered> {
    let start = end_of_fields(&frame.body, if data_sm { &DATA_SM } else { &DELIVER_SM }, !data_sm)?;
    let (fields, parameters) = frame.body.split_at_checked(start)?;
    let mut octets = BytesMut::from(fields);
    let mut read = if data_sm {
        let (pdu, _) = <DataSm as DecodeWithLength>::decode(&mut octets, fields.len()).ok()?;
        Delivered::of((pdu.source_addr.as_str(), u8::from(pdu.source_addr_ton)))
            .to((pdu.destination_addr.as_str(), u8::from(pdu.dest_addr_ton)))
            .classed(u8::from(pdu.esm_class), u8::from(pdu.data_coding))
    } else {
        let (pdu, _) = <DeliverSm as DecodeWithLength>::decode(&mut octets, fields.len()).ok()?;
        let text = pdu.short_message().clone().into_vec();
        let read = Delivered::of((pdu.source_addr.as_str(), u8::from(pdu.source_addr_ton)))
            .to((pdu.destination_addr.as_str(), u8::from(pdu.dest_addr_ton)))
            .classed(u8::from(pdu.esm_class), u8::from(pdu.data_coding));
        Delivered { text, ..read }
    };
    read.take_parameters(parameters);
    read.take_header();
    Some(read)
}

impl Delivered {
    fn of((from, ton): (&str, u8)) -> Delivered {
        Delivered {
            from: String::from(from),
            from_ton: ton,
            to: String::new(),
            to_ton: 0,
            esm_class: 0,
            data_coding: 0,
            text: Vec::new(),
            place: None,
            receipted_id: None,
            state: None,
            network_error: None,
        }
    }

    fn to(self, (to, ton): (&str, u8)) -> Delivered {
        Delivered { to: String::from(to), to_ton: ton, ..self }
    }

    fn classed(self, esm_class: u8, data_coding: u8) -> Delivered {
        Delivered { esm_class, data_coding, ..self }
    }

    fn take_parameters(&mut self, mut rest: &[u8]) {
        let (mut reference, mut total, mut number) = (None, None, None);
        while let Some((tag, value, next)) = parameter(rest) {
            rest = next;
            match tag {
                RECEIPTED_MESSAGE_ID => self.receipted_id = Some(text_of(value)).filter(|id| !id.is_empty()),
                MESSAGE_STATE => self.state = value.first().copied(),
                NETWORK_ERROR_CODE => self.network_error = error_code(value),
                MESSAGE_PAYLOAD if !value.is_empty() => self.text = value.to_vec(),
                SAR_MSG_REF_NUM => reference = <[u8; 2]>::try_from(value).ok().map(u16::from_be_bytes),
                SAR_TOTAL_SEGMENTS => total = value.first().copied(),
                SAR_SEGMENT_SEQNUM => number = value.first().copied(),
                _ => {}
            }
        }
        if let (Some(reference), Some(total), Some(number)) = (reference, total, number) {
            self.place = Some(Place { reference, total, number });
        }
    }

    /// Takes the header of a concatenated text off, where esm_class says there is one.
    fn take_header(&mut self) {
        if self.esm_class & 0x40 == 0 {
            return;
        }
        let Some((length, rest)) = self.text.split_first() else { return };
        let Some((header, text)) = rest.split_at_checked(usize::from(*length)) else { return };
        self.place = place(header).or(self.place);
        self.text = text.to_vec();
    }
}

/// Where the optional parameters start: behind the strings, what follows each, and the short message.
fn end_of_fields(body: &[u8], strings: &[usize], has_text: bool) -> Option<usize> {
    let mut at = 0;
    for fixed in strings {
        at += body.get(at..)?.iter().position(|octet| *octet == 0)? + 1 + fixed;
    }
    let length = if has_text { usize::from(*body.get(at.checked_sub(1)?)?) } else { 0 };
    (at + length <= body.len()).then_some(at + length)
}

fn parameter(rest: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (tag, rest) = rest.split_first_chunk::<2>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (value, next) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    Some((u16::from_be_bytes(*tag), value, next))
}

/// A string up to its zero, if it has one; what is not ASCII is dropped.
pub fn text_of(octets: &[u8]) -> String {
    let text = octets.split(|octet| *octet == 0).next().unwrap_or_default();
    text.iter().filter(|octet| octet.is_ascii_graphic()).map(|octet| char::from(*octet)).collect()
}

/// A network type and two octets of code (SMPP 3.4, section 5.3.2.31).
fn error_code(value: &[u8]) -> Option<String> {
    let [_, high, low] = <[u8; 3]>::try_from(value).ok()?;
    Some(u16::from_be_bytes([high, low]).to_string())
}

/// The concatenation element of a header, with 8 or 16 bits of reference (3GPP TS 23.040, section 9.2.3.24).
fn place(mut header: &[u8]) -> Option<Place> {
    while let [id, length, rest @ ..] = header {
        let (value, next) = rest.split_at_checked(usize::from(*length))?;
        match (id, value) {
            (0x00, [reference, total, number]) => {
                return Some(Place { reference: u16::from(*reference), total: *total, number: *number });
            }
            (0x08, [high, low, total, number]) => {
                let reference = u16::from_be_bytes([*high, *low]);
                return Some(Place { reference, total: *total, number: *number });
            }
            _ => header = next,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use rusmpp::CommandId;

    use super::*;
    use crate::providers::smpp::receipt;
    use crate::providers::smpp::tests::fixture;

    /// A deliver_sm with these classes, this text and these octets of parameters.
    fn came(esm_class: u8, text: &[u8], parameters: &[u8]) -> Option<Delivered> {
        let mut body = b"\0\x01\x01447700900123\0\x05\0ACME\0".to_vec();
        body.extend([esm_class, 0, 0, 0, 0, 0, 0, 8, 0, u8::try_from(text.len()).unwrap()]);
        body.extend(text);
        body.extend(parameters);
        read(&Frame { id: CommandId::DeliverSm, status: 0, sequence: 1, body }, false)
    }

    #[test]
    fn the_fixtures_receipt_is_read_from_its_octets() {
        let body = fixture("deliver_sm_receipt")[16..].to_vec();
        let frame = Frame { id: CommandId::DeliverSm, status: 0, sequence: 7, body };
        let delivered = read(&frame, false).unwrap();
        assert_eq!((delivered.from.as_str(), delivered.to.as_str()), ("447700900123", "ACME"));
        assert!(receipt::is_receipt(&delivered));
        assert_eq!((delivered.receipted_id.as_deref(), delivered.state), (Some("00001001"), Some(2)));
    }

    #[test]
    fn parameters_without_their_zero_or_of_odd_length_are_read_as_far_as_they_go() {
        let delivered =
            came(4, b"", b"\x00\x1e\x00\x03abc\x04\x27\x00\x01\x05\x04\x23\x00\x03\x03\x00\x0b\xff\xff\x00\x09x");
        let delivered = delivered.unwrap();
        assert_eq!((delivered.receipted_id.as_deref(), delivered.state), (Some("abc"), Some(5)));
        assert_eq!(delivered.network_error.as_deref(), Some("11"));
    }

    #[test]
    fn a_payload_stands_for_the_text_and_headers_come_off() {
        assert_eq!(came(0, b"", b"\x04\x24\x00\x02hi").unwrap().text, b"hi");
        let eight = came(0x40, b"\x05\x00\x03\xa1\x02\x01hi", b"").unwrap();
        assert_eq!(
            (eight.text.as_slice(), eight.place),
            (b"hi".as_slice(), Some(Place { reference: 0xA1, total: 2, number: 1 }))
        );
        let sixteen = came(0x40, b"\x0a\x24\x02\x01\x01\x08\x04\x01\xa1\x02\x02hi", b"").unwrap();
        assert_eq!(sixteen.place, Some(Place { reference: 0x1A1, total: 2, number: 2 }));
        let sar = came(0, b"hi", b"\x02\x0c\x00\x02\x01\xa1\x02\x0e\x00\x01\x02\x02\x0f\x00\x01\x02").unwrap();
        assert_eq!(sar.place, Some(Place { reference: 0x1A1, total: 2, number: 2 }));
    }

    #[test]
    fn whatever_comes_is_read_or_refused() {
        let whole = &fixture("deliver_sm_receipt")[16..];
        for end in 0..whole.len() {
            for data_sm in [false, true] {
                let body = whole[..end].to_vec();
                let delivered = read(&Frame { id: CommandId::DeliverSm, status: 0, sequence: 7, body }, data_sm);
                // The text ends the fields that must be there.
                assert!(data_sm || delivered.is_some() == (end >= whole.len() - 18), "{end}");
            }
        }
        assert!(came(0x40, b"\xffx", b"").unwrap().place.is_none());
    }
}
