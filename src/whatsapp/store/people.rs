//! Which business-scoped user ids are whose number.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::{exists, select};
use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::whatsapp_people as people;
use crate::error::Result;
use crate::ids::OrgId;
use crate::recipient::is_user_id;
use crate::whatsapp::sessions::Person;

#[derive(Insertable)]
#[diesel(table_name = people)]
struct PersonRow<'a> {
    org_id: OrgId,
    user_id: &'a str,
    phone: &'a str,
    seen_at: Millis,
}

/// How long a pair that is seen again is left as it is.
const SEEN_AGAIN: std::time::Duration = std::time::Duration::from_secs(86_400);

/// Notes that `user_id` is who has the number `phone`. The latest word counts; one that is known is written again once a
/// day at most, since it comes with every receipt.
pub fn note_person(conn: &mut Conn, org_id: OrgId, user_id: &str, phone: &str, seen_at: Millis) -> Result<()> {
    let known = people::table
        .find((org_id, user_id))
        .filter(people::phone.eq(phone))
        .filter(people::seen_at.gt(seen_at.minus(SEEN_AGAIN)));
    if select(exists(known)).get_result::<bool>(conn)? {
        return Ok(());
    }
    let row = PersonRow { org_id, user_id, phone, seen_at };
    crate::both!(conn, c => diesel::insert_into(people::table)
        .values(&row)
        .on_conflict((people::org_id, people::user_id))
        .do_update()
        .set((people::phone.eq(phone), people::seen_at.eq(seen_at)))
        .execute(c))?;
    Ok(())
}

/// The ids of `asked`, by organization and number.
pub fn user_ids(conn: &mut Conn, asked: &BTreeSet<Person>) -> Result<BTreeMap<(OrgId, String), Vec<String>>> {
    let orgs: BTreeSet<OrgId> = asked.iter().map(|person| person.0).collect();
    let mut found: BTreeMap<(OrgId, String), Vec<String>> = BTreeMap::new();
    for org in orgs {
        let phones: BTreeSet<&str> =
            asked.iter().filter(|person| person.0 == org).map(|person| person.2.as_str()).collect();
        for chunk in phones.into_iter().collect::<Vec<_>>().chunks(CHUNK) {
            let rows: Vec<(String, String)> = people::table
                .filter(people::org_id.eq(org))
                .filter(people::phone.eq_any(chunk.iter().copied()))
                .select((people::phone, people::user_id))
                .load(conn)?;
            for (phone, user_id) in rows {
                found.entry((org, phone)).or_default().push(user_id);
            }
        }
    }
    Ok(found)
}

/// The number of who has one of the ids of `asked`, by organization and id.
pub fn phones(conn: &mut Conn, asked: &BTreeSet<Person>) -> Result<BTreeMap<(OrgId, String), String>> {
    let mut found = BTreeMap::new();
    for (org, _, user_id) in asked.iter().filter(|person| is_user_id(&person.2)) {
        let known = people::table.find((org, user_id)).select(people::phone).first::<String>(conn).optional()?;
        found.extend(known.map(|phone| ((*org, user_id.clone()), phone)));
    }
    Ok(found)
}

/// Values of one `IN`: below what SQLite takes.
const CHUNK: usize = 1_000;

/// Drops up to `limit` that were last seen before `before`.
pub fn purge_people(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    let old: Vec<(OrgId, String)> = people::table
        .filter(people::seen_at.lt(before))
        .select((people::org_id, people::user_id))
        .limit(limit)
        .load(conn)?;
    for (org, user_id) in &old {
        diesel::delete(people::table.find((org, user_id)).filter(people::seen_at.lt(before))).execute(conn)?;
    }
    Ok(old.len())
}
