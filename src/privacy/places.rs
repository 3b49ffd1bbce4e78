//! Where an address may stand: table by table, column by column, and what becomes of it there.
//!
//! Guard windows, pairs, WhatsApp contacts and the fraud engine's memory know addresses as keyed hashes only: they stay,
//! so that an erased number's limits go on. The audit log cannot be changed; no row of it holds an address. Numbers of the
//! platform's own (senders, WhatsApp numbers, rented numbers) are nobody's private ones.

use super::subject::Subject;

/// How a column holds an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// It is the address: the pseudonym takes its place.
    Whole,
    /// Somewhere in a text or JSON: the pseudonym takes its place, see [`Subject::rewritten`].
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

/// What a table is walked by, in stretches: always along an index, so that no table is too large.
#[derive(Debug, Clone, Copy)]
pub(super) enum Walk {
    /// Its key `id`, which sorts by time.
    Id,
    /// A moment in milliseconds; rows of one moment stay together.
    Moment(&'static str),
    /// The ids of another table, each of which leads to its rows.
    Parent {
        /// The other table.
        table: &'static str,
        /// The column that names its id.
        column: &'static str,
    },
}

/// A table that may hold addresses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The table.
    pub table: &'static str,
    /// How it is walked.
    pub walk: Walk,
    /// Columns, and how they hold an address: at most two in texts.
    pub columns: &'static [(&'static str, Form)],
    /// What becomes of its rows.
    pub fate: Fate,
    /// With its first column, what no two rows may have alike: of a number that came back and is erased again, what is
    /// there twice by that goes.
    pub once: &'static [&'static str],
}

const fn kept(table: &'static str, columns: &'static [(&'static str, Form)]) -> Place {
    Place { table, walk: Walk::Id, columns, fate: Fate::Kept, once: &[] }
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
    Place { once: &["channel", "mode", "org_id"], ..kept("opt_outs", &[("recipient", Whole)]) },
    Place { fate: Fate::Removed, ..kept("inbound_messages", &[("sender", Whole)]) },
    Place { fate: Fate::Removed, ..kept("activation_messages", &[("sender", Whole)]) },
    Place {
        fate: Fate::Removed,
        ..kept("sandbox_inbox", &[("recipient", Whole), ("sender", Whole), ("body", Within)])
    },
    Place { fate: Fate::Removed, ..kept("fraud_lists", &[("value", Whole), ("reason", Within)]) },
    Place {
        walk: Walk::Parent { table: "broadcasts", column: "broadcast_id" },
        fate: Fate::Emptied(&["own"]),
        once: &["broadcast_id"],
        ..kept("broadcast_contacts", &[("recipient", Whole)])
    },
    Place {
        walk: Walk::Moment("seen_at"),
        fate: Fate::Removed,
        ..kept("whatsapp_people", &[("phone", Whole), ("user_id", Whole)])
    },
    Place { walk: Walk::Moment("expires_at"), ..kept("idempotency", &[("body", Bytes)]) },
];

impl Place {
    /// The columns that hold an address within a text or bytes.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&'static str, Form)> {
        self.columns.iter().copied().filter(|(_, form)| matches!(form, Within | Bytes))
    }

    /// The columns that are emptied with the address.
    pub(super) fn emptied(&self) -> &'static [&'static str] {
        match self.fate {
            Fate::Emptied(columns) => columns,
            Fate::Kept | Fate::Removed => &[],
        }
    }
}

/// The condition that a column of `place` is the address, with its values. `?` stands for each.
pub(super) fn exactly(place: &Place, subject: &Subject, is_sqlite: bool) -> (String, Vec<String>) {
    let find = if is_sqlite { "instr" } else { "strpos" };
    let (mut parts, mut values) = (Vec::new(), Vec::new());
    for (column, form) in place.columns {
        match form {
            Whole => {
                parts.push(format!("{column} = ?"));
                values.push(subject.address.clone());
            }
            Digits => {
                let Some((from, _)) = seen(subject) else { continue };
                parts.push(format!("{find}({column}, ?) > 0"));
                values.push(from);
            }
            Within | Bytes => {}
        }
    }
    let condition = if parts.is_empty() { String::from("1 = 0") } else { parts.join(" OR ") };
    (format!("({condition})"), values)
}

/// What is set in the rows of which [`exactly`] is true, with its values.
pub(super) fn replacing(place: &Place, subject: &Subject) -> (String, Vec<String>) {
    let (mut parts, mut values) = (Vec::new(), Vec::new());
    for (column, form) in place.columns {
        match form {
            Whole => {
                parts.push(format!("{column} = CASE WHEN {column} = ? THEN ? ELSE {column} END"));
                values.extend([subject.address.clone(), subject.pseudonym.clone()]);
            }
            Digits => {
                let Some((from, to)) = seen(subject) else { continue };
                parts.push(format!("{column} = replace({column}, ?, ?)"));
                values.extend([from, to]);
            }
            Within | Bytes => {}
        }
    }
    parts.extend(place.emptied().iter().map(|column| format!("{column} = NULL")));
    (parts.join(", "), values)
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
            assert!(place.texts().count() <= 2, "{}: the store reads two", place.table);
            for is_sqlite in [true, false] {
                let (text, values) = exactly(place, &subject, is_sqlite);
                assert_eq!(text.matches('?').count(), values.len(), "{text}");
            }
            let (text, values) = replacing(place, &subject);
            assert_eq!(text.matches('?').count(), values.len(), "{text}");
        }
    }

    #[test]
    fn what_the_engine_saw_keeps_its_groups() {
        assert_eq!(seen(&subject()).unwrap().1, "\"d\":447400120000,");
    }
}
