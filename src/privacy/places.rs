//! Where an address may stand: table by table, column by column, and what becomes of it there.
//!
//! Guard windows, pairs, WhatsApp contacts and the fraud engine's memory know addresses as keyed hashes only: they stay,
//! so that an erased number's limits go on. The audit log cannot be changed; no row of it holds an address. Numbers of the
//! platform's own (senders, WhatsApp numbers, rented numbers) are nobody's private ones.

/// How a column holds an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// It is the address: the pseudonym takes its place.
    Whole,
    /// Somewhere in a text or JSON, with its plus or as a quoted text of digits: the pseudonym takes its place. Bare digits
    /// may be the beginning of another number, or of a moment in milliseconds.
    Within,
    /// The same in bytes.
    Bytes,
    /// What the fraud engine saw, JSON with the number as `"d":digits`: its last four digits become zeros, which leaves
    /// the groups that it was judged by, and the verdict, as they were.
    Digits,
}

/// What becomes of a row that holds the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays, with the pseudonym.
    Kept,
    /// It stays, and these columns are emptied: they are sealed and about the person.
    Emptied(&'static [&'static str]),
    /// It goes.
    Removed,
}

/// A table that may hold addresses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The table.
    pub table: &'static str,
    /// Its time-sorted key: it is walked in stretches of that; else it is small, and looked at as a whole.
    pub walk: Option<&'static str>,
    /// Columns, and how they hold an address.
    pub columns: &'static [(&'static str, Form)],
    /// What becomes of its rows.
    pub fate: Fate,
}

const fn kept(table: &'static str, columns: &'static [(&'static str, Form)]) -> Place {
    Place { table, walk: Some("id"), columns, fate: Fate::Kept }
}

use Form::{Bytes, Digits, Whole, Within};

/// Every place, in the order of the passes.
pub(super) const PLACES: &[Place] = &[
    Place {
        fate: Fate::Emptied(&["content"]),
        ..kept("messages", &[("recipient", Whole), ("extra", Within), ("decision", Digits)])
    },
    kept("attempts", &[("detail", Within)]),
    kept("carrier_tests", &[("detail", Within)]),
    kept("message_events", &[("detail", Within)]),
    kept("decisions", &[("terms", Digits)]),
    kept("verifications", &[("recipient", Whole), ("spec", Within)]),
    kept("webhook_events", &[("payload", Within)]),
    kept("jobs", &[("payload", Within), ("last_error", Within)]),
    kept("opt_outs", &[("recipient", Whole)]),
    Place { fate: Fate::Removed, ..kept("inbound_messages", &[("sender", Whole)]) },
    Place { fate: Fate::Removed, ..kept("activation_messages", &[("sender", Whole)]) },
    Place {
        fate: Fate::Removed,
        ..kept("sandbox_inbox", &[("recipient", Whole), ("sender", Whole), ("body", Within)])
    },
    Place { fate: Fate::Removed, ..kept("fraud_lists", &[("value", Whole), ("reason", Within)]) },
    Place { walk: None, fate: Fate::Emptied(&["own"]), ..kept("broadcast_contacts", &[("recipient", Whole)]) },
    Place { walk: None, fate: Fate::Removed, ..kept("whatsapp_people", &[("phone", Whole), ("user_id", Whole)]) },
    Place { walk: None, ..kept("idempotency", &[("body", Bytes)]) },
];

/// The forms of an address in texts, and what takes their place.
#[derive(Clone)]
pub(super) struct Subject {
    /// In full: E.164, a mail address or a user id.
    pub address: String,
    /// The number without its plus.
    pub digits: Option<String>,
    /// What takes its place.
    pub pseudonym: String,
}

impl Subject {
    /// How it is written in texts, each with what takes its place.
    fn written(&self) -> impl Iterator<Item = (String, String)> {
        let whole = (self.address.clone(), self.pseudonym.clone());
        let quoted = self.digits.as_ref().map(|digits| (format!("\"{digits}\""), format!("\"{}\"", self.pseudonym)));
        std::iter::once(whole).chain(quoted)
    }
}

/// The condition that a row of `place` holds the address, with its values. `?` stands for each.
pub(super) fn condition(place: &Place, subject: &Subject, is_sqlite: bool) -> (String, Vec<String>) {
    let find = if is_sqlite { "instr" } else { "strpos" };
    let (mut parts, mut values) = (Vec::new(), Vec::new());
    for (column, form) in place.columns {
        match form {
            Whole => {
                parts.push(format!("{column} = ?"));
                values.push(subject.address.clone());
            }
            Within | Bytes => {
                for (written, _) in subject.written() {
                    parts.push(match (form, is_sqlite) {
                        (Bytes, true) => format!("instr({column}, CAST(? AS BLOB)) > 0"),
                        (Bytes, false) => format!("position(convert_to(?, 'UTF8') in {column}) > 0"),
                        _ => format!("{find}({column}, ?) > 0"),
                    });
                    values.push(written);
                }
            }
            Digits => {
                let Some((from, _)) = seen(subject) else { continue };
                parts.push(format!("{find}({column}, ?) > 0"));
                values.push(from);
            }
        }
    }
    let condition = if parts.is_empty() { String::from("1 = 0") } else { parts.join(" OR ") };
    (format!("({condition})"), values)
}

/// What is set in the rows of `place` that hold the address, with its values; `None` where they go.
pub(super) fn assignments(place: &Place, subject: &Subject, is_sqlite: bool) -> Option<(String, Vec<String>)> {
    if place.fate == Fate::Removed {
        return None;
    }
    let (mut parts, mut values) = (Vec::new(), Vec::new());
    for (column, form) in place.columns {
        match form {
            Whole => {
                parts.push(format!("{column} = CASE WHEN {column} = ? THEN ? ELSE {column} END"));
                values.extend([subject.address.clone(), subject.pseudonym.clone()]);
            }
            Within | Bytes => {
                let text = match (form, is_sqlite) {
                    (Bytes, true) => format!("CAST({column} AS TEXT)"),
                    (Bytes, false) => format!("convert_from({column}, 'UTF8')"),
                    _ => String::from(*column),
                };
                let mut said = text;
                for (written, instead) in subject.written() {
                    said = format!("replace({said}, ?, ?)");
                    values.extend([written, instead]);
                }
                parts.push(match (form, is_sqlite) {
                    (Bytes, true) => format!("{column} = CAST({said} AS BLOB)"),
                    (Bytes, false) => format!("{column} = convert_to({said}, 'UTF8')"),
                    _ => format!("{column} = {said}"),
                });
            }
            Digits => {
                let Some((from, to)) = seen(subject) else { continue };
                parts.push(format!("{column} = replace({column}, ?, ?)"));
                values.extend([from, to]);
            }
        }
    }
    if let Fate::Emptied(columns) = place.fate {
        parts.extend(columns.iter().map(|column| format!("{column} = NULL")));
    }
    Some((parts.join(", "), values))
}

/// The number as the fraud engine keeps it, and what is left of it.
fn seen(subject: &Subject) -> Option<(String, String)> {
    let digits = subject.digits.as_ref()?;
    let kept = digits.get(..digits.len().checked_sub(4)?)?;
    Some((format!("\"d\":{digits},"), format!("\"d\":{kept}0000,")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        let address = String::from("+447400123456");
        Subject { digits: Some(address[1..].to_owned()), address, pseudonym: String::from("erased:1") }
    }

    #[test]
    fn every_mark_has_a_value_on_both_databases() {
        let mail = Subject { address: String::from("a@b.example"), digits: None, pseudonym: String::from("erased:2") };
        for (place, subject) in PLACES.iter().flat_map(|place| [(place, subject()), (place, mail.clone())]) {
            for is_sqlite in [true, false] {
                let (text, values) = condition(place, &subject, is_sqlite);
                assert_eq!(text.matches('?').count(), values.len(), "{text}");
                if let Some((text, values)) = assignments(place, &subject, is_sqlite) {
                    assert_eq!(text.matches('?').count(), values.len(), "{text}");
                }
            }
        }
    }

    #[test]
    fn what_the_engine_saw_keeps_its_groups() {
        assert_eq!(seen(&subject()).unwrap().1, "\"d\":447400120000,");
    }
}
