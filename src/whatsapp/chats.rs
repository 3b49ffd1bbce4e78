//! What the accepting transaction has to know of WhatsApp for a batch: windows of portfolios, sessions of users.

use std::collections::{BTreeMap, BTreeSet};

use super::sessions::{Person, Sessions};
use super::store;
use super::window::ContactWindow;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::OrgId;
use crate::inbound;
use crate::terms::Mode;

/// A portfolio's window, live or test.
pub type WindowKey = (String, Mode);

/// What a batch asks for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Contacts (keyed hashes) by the window they would count in.
    pub contacts: BTreeMap<WindowKey, BTreeSet<Vec<u8>>>,
    /// Users whose sessions matter.
    pub people: BTreeSet<Person>,
}

/// The state that is decided on.
#[derive(Debug, Clone, Default)]
pub struct Chats {
    /// Windows.
    pub windows: BTreeMap<WindowKey, ContactWindow>,
    /// Sessions.
    pub sessions: Sessions,
}

impl Chats {
    /// The same with nothing counted yet: what a full window would let through.
    #[must_use]
    pub fn emptied(&self) -> Chats {
        let windows = self.windows.iter().map(|(key, window)| (key.clone(), window.emptied())).collect();
        Chats { windows, sessions: self.sessions.clone() }
    }
}

/// Loads what `asked` names; with `hold` windows are locked until the transaction ends, in the order of their keys.
/// Costs nothing where nothing is asked.
pub fn load_chats(conn: &mut Conn, asked: &Asked, hold: bool, now: Millis) -> Result<Chats> {
    let mut chats = Chats::default();
    for (key, contacts) in &asked.contacts {
        let window = store::load_window(conn, key, contacts, hold, now)?;
        chats.windows.insert(key.clone(), window);
    }
    chats.sessions = sessions_of(conn, &asked.people)?;
    Ok(chats)
}

/// Writes back the windows that counted.
pub fn save_chats(conn: &mut Conn, chats: &Chats) -> Result<()> {
    for (key, window) in &chats.windows {
        if let Some((stored, taken)) = window.to_store() {
            store::save_window(conn, key, stored, taken)?;
        }
    }
    Ok(())
}

/// The sessions of `people`, whichever name they wrote under: their number, or an id of the business's own.
pub fn sessions_of(conn: &mut Conn, people: &BTreeSet<Person>) -> Result<Sessions> {
    let mut sessions = Sessions::default();
    if people.is_empty() {
        return Ok(sessions);
    }
    // Under which names they may have written, and whom those mean.
    let mut names: BTreeMap<Person, Vec<&Person>> = BTreeMap::new();
    let (ids, phones) = (store::user_ids(conn, people)?, store::phones(conn, people)?);
    for person in people {
        names.entry(person.clone()).or_default().push(person);
        let key = (person.0, person.2.clone());
        for name in ids.get(&key).into_iter().flatten().chain(phones.get(&key)) {
            names.entry((person.0, person.1, name.clone())).or_default().push(person);
        }
    }
    for written in inbound::latest_chats(conn, &names.keys().cloned().collect())? {
        for person in names.get(&(written.org_id, written.mode, written.sender)).into_iter().flatten() {
            sessions.note((*person).clone(), written.recipient.clone(), written.at);
        }
    }
    Ok(sessions)
}

/// Under which other names `org` knows who is called `name`: the ids of a number, the number of an id.
pub fn other_names(conn: &mut Conn, org: OrgId, name: &str) -> Result<Vec<String>> {
    let asked: BTreeSet<Person> = [(org, Mode::Live, String::from(name))].into();
    let mut names: Vec<String> = store::user_ids(conn, &asked)?.into_values().flatten().collect();
    names.extend(store::phones(conn, &asked)?.into_values());
    Ok(names)
}
