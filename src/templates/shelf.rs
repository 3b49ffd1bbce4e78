//! Organizations' own templates in memory, and which of them a message gets. Read anew only where they have changed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::chosen::Chosen;
use super::status::Status;
use super::store;
use crate::app::{App, FromApp};
use crate::db::{Conn, Fresh};
use crate::error::{Code, Result};
use crate::ids::{OrgId, TemplateId};
use crate::language::nearest_of;
use crate::terms::{Channel, Mode};
use crate::webhooks::Owner;

/// The templates' place in memory.
#[derive(Default)]
struct Shelf(Fresh<Arc<OwnTemplates>>);

impl FromApp for Shelf {
    fn from_app(_app: &App) -> Self {
        Shelf::default()
    }
}

/// Every organization's own templates as they stand.
pub async fn own_templates(app: &App) -> Result<Arc<OwnTemplates>> {
    let shelf = app.room::<Shelf>();
    let kept = match shelf.0.get() {
        Ok(known) => return Ok(known),
        Err(kept) => kept,
    };
    let at = Instant::now();
    let read = app.db.read(move |conn| OwnTemplates::load(conn, kept)).await?;
    shelf.0.put(at, Arc::clone(&read));
    Ok(read)
}

/// Makes them old: somebody changed one.
pub fn forget_templates(app: &App) {
    app.room::<Shelf>().0.forget();
}

/// The version of a template that may be sent now; `None` where there is none, or no such template.
pub fn approved(conn: &mut Conn, id: TemplateId) -> Result<Option<Chosen>> {
    let row = match store::find(conn, id) {
        Ok(row) => row,
        Err(fault) if fault.code() == Code::NotFound => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let Some(live) = row.live else { return Ok(None) };
    let version = store::load_version(conn, id, live)?;
    if version.status == Status::Approved { chosen(&row, version).map(Some) } else { Ok(None) }
}

fn chosen(row: &store::Row, version: store::Version) -> Result<Chosen> {
    Ok(Chosen {
        template: row.id,
        version: version.version,
        channel: row.channel,
        locale: row.locale.clone(),
        category: row.category,
        words: version.words()?,
        remote: version.account.is_some().then_some(version.remote_name).flatten(),
    })
}

/// Every organization's templates as they stood at a moment.
#[derive(Debug, Default)]
pub struct OwnTemplates {
    version: i64,
    of: BTreeMap<(OrgId, Mode), Vec<Kept>>,
}

#[derive(Debug)]
struct Kept {
    name: String,
    channel: Channel,
    /// In lower case.
    locale: String,
    /// What it sends; none while it may not.
    sends: Option<Chosen>,
}

/// What there is under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Nothing of the organization's own.
    None,
    /// Something, on other channels only.
    Elsewhere,
    /// Something, none of which may be sent now.
    NotApproved,
    /// This.
    Found(Box<Chosen>),
}

/// Which template is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Whose.
    pub owner: Owner,
    /// On this channel.
    pub channel: Channel,
    /// The reader's language.
    pub locale: &'a str,
    /// The organization's own, where there is nothing in the reader's.
    pub home: &'a str,
}

impl OwnTemplates {
    /// Reads them, unless `known` is what is stored.
    pub fn load(conn: &mut Conn, known: Option<Arc<OwnTemplates>>) -> Result<Arc<OwnTemplates>> {
        let version = store::version(conn)?;
        if let Some(known) = known.filter(|known| known.version == version) {
            return Ok(known);
        }
        let mut of: BTreeMap<(OrgId, Mode), Vec<Kept>> = BTreeMap::new();
        for (row, live) in store::all_live(conn)? {
            let live = live.filter(|version| version.status == Status::Approved);
            let sends = live.map(|version| chosen(&row, version));
            of.entry((row.org_id, row.mode)).or_default().push(Kept {
                sends: sends.transpose()?,
                name: row.name,
                channel: row.channel,
                locale: row.locale.to_ascii_lowercase(),
            });
        }
        Ok(Arc::new(OwnTemplates { version, of }))
    }

    /// The template called `name`: of those that may be sent the nearest to the reader's language, then to the
    /// organization's, then English, then the oldest.
    pub fn choose(&self, name: &str, wanted: &Wanted<'_>) -> Choice {
        let Some(all) = self.of.get(&wanted.owner) else { return Choice::None };
        let mut named = all.iter().filter(|kept| kept.name == name).peekable();
        if named.peek().is_none() {
            return Choice::None;
        }
        let here: Vec<&Kept> = named.filter(|kept| kept.channel == wanted.channel).collect();
        match nearest(&here, wanted) {
            Some(chosen) => Choice::Found(Box::new(chosen.clone())),
            None if here.is_empty() => Choice::Elsewhere,
            None => Choice::NotApproved,
        }
    }

    /// The template for a code made here, whatever its name: where the channel sends nothing else.
    pub fn choose_for_code(&self, wanted: &Wanted<'_>) -> Option<Chosen> {
        let all = self.of.get(&wanted.owner)?;
        let takes = |kept: &&Kept| {
            kept.channel == wanted.channel && kept.sends.as_ref().is_some_and(|chosen| chosen.takes_code())
        };
        nearest(&all.iter().filter(takes).collect::<Vec<_>>(), wanted).cloned()
    }
}

fn nearest<'a>(kept: &[&'a Kept], wanted: &Wanted<'_>) -> Option<&'a Chosen> {
    let sending: Vec<(&str, &Chosen)> =
        kept.iter().filter_map(|kept| Some((kept.locale.as_str(), kept.sends.as_ref()?))).collect();
    let tags: Vec<&str> = sending.iter().map(|(tag, _)| *tag).collect();
    let found = [wanted.locale, wanted.home, "en"].iter().find_map(|asked| nearest_of(asked, tags.iter().copied()));
    sending.get(found.unwrap_or(0)).map(|(_, chosen)| *chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;
    use crate::ids::TemplateId;
    use crate::providers::TemplateCategory;
    use crate::templates::words::Words;

    fn kept(name: &str, locale: &str, is_approved: bool) -> Kept {
        let chosen = Chosen {
            template: TemplateId::new(Millis(1_000)),
            version: 1,
            channel: Channel::Sms,
            locale: locale.to_owned(),
            category: TemplateCategory::Utility,
            words: Words { body: Some(format!("{name} {locale}")), ..Words::default() },
            remote: None,
        };
        let sends = is_approved.then_some(chosen);
        Kept { name: name.to_owned(), channel: Channel::Sms, locale: locale.to_ascii_lowercase(), sends }
    }

    fn chosen(all: &[(&str, &str, bool)], asked: &str, home: &str) -> Choice {
        let owner = (OrgId::first_at(Millis(1_000)), Mode::Live);
        let list = all.iter().map(|(name, locale, is_approved)| kept(name, locale, *is_approved)).collect();
        let own = OwnTemplates { version: 0, of: [(owner, list)].into() };
        own.choose("hi", &Wanted { owner, channel: Channel::Sms, locale: asked, home })
    }

    #[test]
    fn the_nearest_language_that_is_approved_is_chosen() {
        let all = [
            ("hi", "fr", true),
            ("hi", "pt-BR", true),
            ("hi", "pt-PT", false),
            ("hi", "en", true),
            ("hi", "de", false),
            ("ho", "nl", true),
        ];
        for (asked, home, expected) in [
            ("pt-BR", "en", "pt-BR"),
            ("pt_br", "en", "pt-BR"),
            ("pt", "en", "pt-BR"),
            ("pt-PT", "en", "pt-BR"),
            ("fr-CA", "en", "fr"),
            ("de-AT", "fr", "fr"),
            ("nl", "ja", "en"),
        ] {
            match chosen(&all, asked, home) {
                Choice::Found(found) => assert_eq!(found.locale, expected, "{asked} {home}"),
                other => panic!("{asked}: {other:?}"),
            }
        }
        let only = [("hi", "fr", true)];
        assert!(matches!(chosen(&only, "ja", "ko"), Choice::Found(found) if found.locale == "fr"));
    }

    #[test]
    fn what_is_not_there_is_told_apart_from_what_may_not_be_sent() {
        assert_eq!(chosen(&[("ho", "en", true)], "en", "en"), Choice::None);
        assert_eq!(chosen(&[("hi", "en", false)], "en", "en"), Choice::NotApproved);
        let owner = (OrgId::first_at(Millis(1_000)), Mode::Live);
        let own = OwnTemplates { version: 0, of: [(owner, vec![kept("hi", "en", true)])].into() };
        let wanted = Wanted { owner, channel: Channel::Email, locale: "en", home: "en" };
        assert_eq!(own.choose("hi", &wanted), Choice::Elsewhere);
        let others = Wanted { owner: (owner.0, Mode::Test), channel: Channel::Sms, ..wanted };
        assert_eq!(own.choose("hi", &others), Choice::None);
    }
}
