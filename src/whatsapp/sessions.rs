//! Sessions: for 24 h after a user's message to a number, that number may write to them freely. Pure.
//! Source: <https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages#customer-service-windows>.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Millis;
use crate::ids::OrgId;
use crate::terms::Mode;

/// How long a user's message opens a session.
pub const SESSION: Duration = Duration::from_secs(86_400);

/// A user as an organization writes to them, live or test: the number in E.164.
pub type Person = (OrgId, Mode, String);

/// The latest message of each user to each number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sessions(BTreeMap<Person, BTreeMap<String, Millis>>);

impl Sessions {
    /// Notes that `person` wrote to `number` at `at`.
    pub fn note(&mut self, person: Person, number: String, at: Millis) {
        let latest = self.0.entry(person).or_default().entry(number).or_insert(at);
        *latest = at.max(*latest);
    }

    /// When the session of `person` with `number` closes, or closed; `None` where there never was one.
    pub fn closes(&self, person: &Person, number: &str) -> Option<Millis> {
        self.0.get(person)?.get(number).map(|at| at.plus(SESSION))
    }

    /// Of `numbers` the first whose session with `person` is open at `at`.
    pub fn open<'a>(&self, person: &Person, mut numbers: impl Iterator<Item = &'a str>, at: Millis) -> Option<&'a str> {
        numbers.find(|number| self.closes(person, number).is_some_and(|closes| closes > at))
    }

    /// All of a person's: number, and when it closes.
    pub fn of(&self, person: &Person) -> impl Iterator<Item = (&str, Millis)> {
        self.0.get(person).into_iter().flatten().map(|(number, at)| (number.as_str(), at.plus(SESSION)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_with_one_number_and_ends_at_its_very_millisecond() {
        let person: Person = (OrgId::first_at(Millis(1)), Mode::Live, String::from("+447700900123"));
        let mut sessions = Sessions::default();
        sessions.note(person.clone(), String::from("+1"), Millis(1_000));
        sessions.note(person.clone(), String::from("+1"), Millis(500));
        let end = Millis(1_000).plus(SESSION);
        let open = |at| sessions.open(&person, ["+2", "+1"].into_iter(), at);
        assert_eq!(open(Millis(end.0 - 1)), Some("+1"));
        assert_eq!(open(end), None);
        assert_eq!(sessions.closes(&person, "+1"), Some(end));
        assert_eq!(sessions.closes(&person, "+2"), None);
        let other = (person.0, Mode::Test, person.2.clone());
        assert_eq!(sessions.open(&other, ["+1"].into_iter(), Millis(1_000)), None);
    }
}
