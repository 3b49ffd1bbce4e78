//! What a delivery receipt says: by optional parameters where it has them, else by its text, which every carrier writes
//! in its own way (SMPP 3.4, appendix B, is a suggestion).

use super::deliver::Delivered;
use crate::providers::ReceiptState;

/// esm_class of a receipt and of a notice on the way (SMPP 3.4, section 5.2.12).
const MESSAGE_TYPE: u8 = 0x3C;
const RECEIPT: u8 = 0x04;
const INTERMEDIATE: u8 = 0x20;

/// A receipt, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The id as the carrier wrote it.
    pub id: String,
    /// The status word.
    pub status: String,
    /// What it means; `None` while the message is on its way.
    pub state: Option<ReceiptState>,
    /// The carrier's error code; none for zeros.
    pub error_code: Option<String>,
}

/// Whether this is a receipt. By text alone it is none: anybody may send a text that looks like one.
pub fn is_receipt(delivered: &Delivered) -> bool {
    let told = matches!(delivered.esm_class & MESSAGE_TYPE, RECEIPT | INTERMEDIATE);
    told || (delivered.receipted_id.is_some() && delivered.state.is_some())
}

/// Reads a receipt; `None` where it names no message or no state.
pub fn read(delivered: &Delivered) -> Option<Read> {
    let text: String = delivered.text.iter().map(|octet| char::from(*octet)).collect();
    let id = delivered.receipted_id.clone().or_else(|| field(&text, "id:"))?;
    let word = match delivered.state.and_then(word_of) {
        Some(word) => String::from(word),
        None => field(&text, "stat:")?.to_ascii_uppercase(),
    };
    let error_code = field(&text, "err:").or_else(|| delivered.network_error.clone());
    let error_code = error_code.filter(|code| code.bytes().any(|byte| byte != b'0'));
    Some(Read { id, state: state_of(&word), status: word, error_code })
}

/// message_state of SMPP 3.4, section 5.2.28, and 5.0, section 4.7.15, as the words of receipts.
fn word_of(state: u8) -> Option<&'static str> {
    Some(match state {
        0 => "SCHEDULED",
        1 => "ENROUTE",
        2 => "DELIVRD",
        3 => "EXPIRED",
        4 => "DELETED",
        5 => "UNDELIV",
        6 => "ACCEPTD",
        7 => "UNKNOWN",
        8 => "REJECTD",
        9 => "SKIPPED",
        _ => return None,
    })
}

/// What a word means, however much of it is written out. UNKNOWN is final: the carrier will say no more.
fn state_of(word: &str) -> Option<ReceiptState> {
    let begins = |any: &[&str]| any.iter().any(|start| word.starts_with(start));
    if begins(&["DELIV"]) {
        Some(ReceiptState::Delivered)
    } else if begins(&["UNDELIV", "EXPIR", "DELET", "UNKNOWN", "SKIPPED", "FAIL"]) {
        Some(ReceiptState::Undelivered)
    } else if begins(&["REJ"]) {
        Some(ReceiptState::Failed)
    } else {
        None
    }
}

/// The value of the first field called `name`, in any case, in front of the message's own text.
fn field(text: &str, name: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let head = place(&lower, "text:").map_or(text.len(), |(at, _)| at);
    let (_, start) = place(lower.get(..head)?, name)?;
    let rest = text.get(start..head)?.trim_start_matches(' ');
    let value = rest.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '\0')).next()?;
    // Not what the next field is called.
    let known = !value.is_empty() && !value.contains(':');
    known.then(|| String::from(value))
}

/// Where `name` begins and ends: the first place where no letter or digit stands in front of it.
fn place(text: &str, name: &str) -> Option<(usize, usize)> {
    let alone = |at: &usize| text.get(..*at).is_some_and(|before| !before.ends_with(char::is_alphanumeric));
    text.match_indices(name).map(|(at, _)| at).find(alone).map(|at| (at, at + name.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::providers::smpp::tests::delivered;

    fn cases() -> Vec<Value> {
        let text = include_str!("../../../tests/fixtures/smpp/receipts.json");
        let file: Value = serde_json::from_str(text).unwrap();
        let cases = file["receipts"].as_array().unwrap().clone();
        assert_eq!(cases.len(), 14);
        cases
    }

    #[test]
    fn every_receipt_of_the_fixtures_is_read() {
        for case in cases() {
            let mut came = delivered(case["text"].as_str().unwrap());
            came.receipted_id = case["tlv"]["receipted_message_id"].as_str().map(String::from);
            came.state = case["tlv"]["message_state"].as_u64().map(|state| u8::try_from(state).unwrap());
            let read = read(&came).unwrap();
            assert_eq!(read.id, case["message_id"].as_str().unwrap(), "{case}");
            assert_eq!(read.status, case["state"].as_str().unwrap(), "{case}");
            assert_eq!(read.state == Some(ReceiptState::Delivered), case["delivered"] == true, "{case}");
            assert_eq!(read.state.is_some(), case["final"] == true, "{case}");
            let error = case["err"].as_str().filter(|code| !code.trim_matches('0').is_empty());
            assert_eq!(read.error_code.as_deref(), error, "{case}");
        }
    }

    #[test]
    fn parameters_win_over_the_text() {
        let mut came = delivered("id:1 stat:UNDELIV err:007 text:");
        (came.receipted_id, came.state) = (Some(String::from("abc")), Some(2));
        came.network_error = Some(String::from("9"));
        let read = read(&came).unwrap();
        assert_eq!((read.id.as_str(), read.status.as_str()), ("abc", "DELIVRD"));
        assert_eq!(read.error_code.as_deref(), Some("007"));
    }

    #[test]
    fn other_ways_of_writing_are_read_and_no_id_or_state_is_no_receipt() {
        for (text, id, word) in [
            ("ID:77 STAT:delivrd ERR:0 TEXT:x", "77", "DELIVRD"),
            ("id: 77, sub:001, stat: UNDELIVERABLE, err:1", "77", "UNDELIVERABLE"),
            ("messageid:5 id:77\tstat:REJECTED\r\nerr:1", "77", "REJECTED"),
        ] {
            let read = read(&delivered(text)).unwrap();
            assert_eq!((read.id.as_str(), read.status.as_str()), (id, word), "{text}");
            assert_eq!(read.state == Some(ReceiptState::Delivered), word == "DELIVRD", "{text}");
        }
        for text in ["", "hello", "id:77", "stat:DELIVRD", "id: stat:DELIVRD", "text:id:7 stat:DELIVRD"] {
            assert_eq!(read(&delivered(text)), None, "{text}");
        }
    }

    #[test]
    fn a_text_that_looks_like_a_receipt_is_a_text() {
        let mut came = delivered("id:1 stat:DELIVRD");
        assert!(is_receipt(&came));
        came.esm_class = 0;
        assert!(!is_receipt(&came));
        (came.receipted_id, came.state) = (Some(String::from("1")), Some(2));
        assert!(is_receipt(&came));
    }
}
