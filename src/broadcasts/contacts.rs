//! Contacts as they come, by list or by sheet, and as they are kept: read whole, each fault with its place. Pure.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::{Own, Said};
use crate::accounts::Caller;
use crate::error::{Code, Error, Result};
use crate::http::opened;
use crate::messages::{Bench, NewMessage};
use crate::terms::{Channel, Kind};

/// Faults that are told one by one; more are counted.
pub const FAULTS_TOLD: usize = 100;
/// Most parameters of a contact.
const PARAMS_MAX: usize = 20;
/// Longest value of a parameter, characters.
const VALUE_MAX: usize = 500;

/// A contact in a list.
#[derive(Deserialize, ToSchema, Clone)]
#[serde(deny_unknown_fields)]
pub struct ContactBody {
    /// The number in E.164, or in its national form where the broadcast names a country; for mail the address.
    #[schema(example = "+14155550123")]
    pub to: String,
    /// What fills the text's places, or the template's.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// The reader's language (BCP 47), for a template.
    pub locale: Option<String>,
}

/// Where a contact stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a list, from 0.
    Index(usize),
    /// In a sheet: its line, from 1.
    Line(u64),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Index(index) => write!(f, "contacts[{index}]"),
            Place::Line(line) => write!(f, "line {line}"),
        }
    }
}

/// A contact that was read and not looked at yet. No Debug: it holds a full address.
#[derive(Clone)]
pub struct Given {
    /// Where it stood.
    pub place: Place,
    /// The address as written.
    pub to: String,
    /// Its own.
    pub own: Own,
}

/// A contact that can be sent to.
pub struct Checked {
    /// E.164, or the mail address.
    pub recipient: String,
    /// Its own.
    pub own: Own,
}

/// What is wrong with a contact, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ContactFault {
    /// Where: `contacts[17]` of a list, from 0; `line 18` of a sheet, whose heading is line 1.
    #[schema(example = "line 18")]
    pub at: String,
    /// Which of its fields.
    #[schema(example = "to")]
    pub field: String,
    /// What to do.
    #[schema(example = "is not a phone number; give it in E.164, e.g. +14155550123")]
    pub message: String,
}

/// Contacts that were looked at, all of them.
#[derive(Default)]
pub struct Looked {
    /// Those that can be sent to, each once, in their order.
    pub good: Vec<Checked>,
    /// The first faults of the others.
    pub faults: Vec<ContactFault>,
    /// Contacts with a fault.
    pub invalid: usize,
    /// Rows dropped because their contact stood further up.
    pub duplicates: usize,
}

/// The contacts of a list.
pub fn from_list(list: Vec<ContactBody>) -> Vec<Given> {
    let given = |(index, body): (usize, ContactBody)| Given {
        place: Place::Index(index),
        to: body.to,
        own: Own { params: body.params, locale: body.locale },
    };
    list.into_iter().enumerate().map(given).collect()
}

/// The contacts of a sheet: comma or semicolon separated (RFC 4180), UTF-8, its first line the headings: `to`, if wanted
/// `locale`, and the names of parameters. A cell that is empty gives no value. Error: `validation_failed` on `csv` where
/// it is no such sheet; what is wrong with single lines comes back beside the contacts.
pub fn from_csv(bytes: &[u8]) -> Result<(Vec<Given>, Vec<ContactFault>)> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::field("csv", "must be text in UTF-8"))?;
    let (text, mut reader) = opened(text);
    let mut reader = reader.flexible(true).from_reader(text.as_bytes());
    let names: Vec<String> = reader.headers().map_err(unreadable)?.iter().map(|name| name.trim().to_owned()).collect();
    check_names(&names)?;
    let (mut given, mut faults) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let place = Place::Line(record.position().map_or(0, |position| line_of(text, position)));
        if record.len() != names.len() {
            let why =
                format!("has {} cells where the heading has {}; quote cells with commas", record.len(), names.len());
            faults.push(ContactFault { at: place.to_string(), field: String::from("row"), message: why });
            continue;
        }
        given.push(of_record(place, &names, &record));
    }
    Ok((given, faults))
}

/// The line that a record begins on: its position is where the one before ended, ahead of line ends and empty lines.
fn line_of(text: &str, position: &csv::Position) -> u64 {
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let ahead = text.as_bytes().get(from..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line().saturating_add(ahead.filter(|byte| **byte == b'\n').map(|_| 1).sum())
}

fn of_record(place: Place, names: &[String], record: &csv::StringRecord) -> Given {
    let (mut to, mut own) = (String::new(), Own::default());
    for (name, cell) in names.iter().zip(record).filter(|(_, cell)| !cell.is_empty()) {
        match name.as_str() {
            "to" => to = String::from(cell),
            "locale" => own.locale = Some(String::from(cell)),
            _ => {
                own.params.insert(name.clone(), String::from(cell));
            }
        }
    }
    Given { place, to, own }
}

fn check_names(names: &[String]) -> Result<()> {
    let is_name =
        |name: &str| (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !names.iter().any(|name| name == "to") {
        return Err(Error::field("csv", "needs a first line of headings, one of them to"));
    }
    if let Some(at) = names.iter().position(|name| !is_name(name)) {
        return Err(Error::field("csv", format!("heading {} must be letters, digits and _", at + 1)));
    }
    let mut seen = HashSet::new();
    match names.iter().position(|name| !seen.insert(name)) {
        Some(at) => Err(Error::field("csv", format!("heading {} is there twice", at + 1))),
        None => Ok(()),
    }
}

/// Not the parser's words: they may quote the sheet.
fn unreadable(fault: csv::Error) -> Error {
    let line = fault.position().map_or(1, csv::Position::line);
    Error::field("csv", format!("cannot be read from line {line} on; is a quote left open?"))
}

/// What contacts are checked against.
pub struct Check<'a> {
    /// Whose.
    pub caller: &'a Caller,
    /// What they will be told.
    pub said: &'a Said,
    /// How, and what for.
    pub terms: (Channel, Kind),
    /// Templates and keys, as memory has them.
    pub bench: &'a Bench,
}

/// Looks at every contact: whether its address can be read, and whether its message can be written. Error:
/// `template.not_approved`, which is no fault of any contact.
pub fn look(check: &Check<'_>, given: Vec<Given>, mut faults: Vec<ContactFault>) -> Result<Looked> {
    let mut looked = Looked { invalid: faults.len(), ..Looked::default() };
    faults.truncate(FAULTS_TOLD);
    looked.faults = faults;
    let mut seen = HashSet::with_capacity(given.len());
    for contact in given {
        match message_of(check, &contact.to, &contact.own) {
            Ok(message) => {
                let recipient = String::from(message.to.address());
                if seen.insert(recipient.clone()) {
                    looked.good.push(Checked { recipient, own: contact.own });
                } else {
                    looked.duplicates += 1;
                }
            }
            Err(fault) if fault.code() == Code::TemplateNotApproved => return Err(fault),
            Err(fault) => {
                looked.invalid += 1;
                looked.tell(contact.place, &fault);
            }
        }
    }
    Ok(looked)
}

/// The message to one contact. Error: what is wrong with it, by field.
fn message_of(check: &Check<'_>, to: &str, own: &Own) -> Result<NewMessage> {
    let too_long = own.params.values().any(|value| value.chars().count() > VALUE_MAX);
    if own.params.len() > PARAMS_MAX || too_long {
        let why = format!("takes at most {PARAMS_MAX} values of up to {VALUE_MAX} characters");
        return Err(Error::field("params", why));
    }
    let message = NewMessage::parse(check.said.to(to, own, check.terms)?, None, check.bench.now)?;
    check.bench.check_words(check.caller, &message)?;
    Ok(message)
}

impl Looked {
    fn tell(&mut self, place: Place, fault: &Error) {
        let by_field = fault.fields().iter().flat_map(|(field, whys)| whys.iter().map(move |why| (field.clone(), why)));
        let mut told: Vec<ContactFault> =
            by_field.map(|(field, why)| ContactFault { at: place.to_string(), field, message: why.clone() }).collect();
        if told.is_empty() {
            let message = String::from(fault.sentence());
            told.push(ContactFault { at: place.to_string(), field: String::from("row"), message });
        }
        let room = FAULTS_TOLD.saturating_sub(self.faults.len());
        self.faults.extend(told.into_iter().take(room));
    }

    /// The refusal of all of them, where one has a fault.
    pub fn refusal(&self, total: usize) -> Option<Error> {
        if self.invalid == 0 {
            return None;
        }
        let detail = format!(
            "{} of {total} contacts cannot be sent to, so none was added. Mend them, or leave them out with \
             ?invalid=skip. field_errors names the first {FAULTS_TOLD} faults.",
            self.invalid
        );
        let fault = Error::new(Code::ValidationFailed).detail(detail);
        Some(
            self.faults
                .iter()
                .fold(fault, |fault, one| fault.and_field(format!("{}.{}", one.at, one.field), &one.message)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<(Place, String, Own)>, Vec<ContactFault>) {
        let (given, faults) = from_csv(text.as_bytes()).unwrap();
        (given.into_iter().map(|one| (one.place, one.to, one.own)).collect(), faults)
    }

    #[test]
    fn a_sheet_gives_addresses_languages_and_values() {
        let (rows, faults) =
            read("\u{feff}to,name,locale\r\n+447400120001,\"Ann, B.\",de\r\n\r\n +447400120002 ,,\r\n");
        assert!(faults.is_empty());
        assert_eq!(rows[0].0, Place::Line(2));
        assert_eq!((rows[0].1.as_str(), rows[0].2.locale.as_deref()), ("+447400120001", Some("de")));
        assert_eq!(rows[0].2.params["name"], "Ann, B.");
        assert_eq!((rows[1].0, rows[1].1.as_str(), rows[1].2.is_empty()), (Place::Line(4), "+447400120002", true));
    }

    #[test]
    fn semicolons_separate_where_no_comma_does() {
        let (rows, _) = read("to;name\n+447400120001;Ann, B.\n");
        assert_eq!(rows[0].2.params["name"], "Ann, B.");
    }

    #[test]
    fn a_line_of_another_length_is_its_own_fault() {
        let (rows, faults) = read("to,name\n+447400120001,Ann,x\n+447400120002,Bob\n");
        assert_eq!(rows.len(), 1);
        assert_eq!((faults[0].at.as_str(), faults[0].field.as_str()), ("line 2", "row"));
    }

    #[test]
    fn what_is_no_sheet_is_refused_whole() {
        for bad in ["", "name\nAnn\n", "to,to\n1,2\n", "to,a name\n1,2\n", "to,\n1,2\n"] {
            assert!(from_csv(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert!(from_csv(b"to\n\xff\n").is_err());
    }
}
