//! The audit chain on a real database: what tampering it finds, and that writers cannot break it.

mod checkpoints;
mod doors;
mod million;

use diesel::prelude::*;
use postern::accounts::{self, NewOrg, PlanName};
use postern::audit::{self, Actor, By, Change, Fault, Verdict};
use postern::clock::{Clock, Millis};
use postern::db::schema::{audit_head, audit_log, orgs};
use postern::db::{Conn, Db};
use postern::error::{Code, Error, Result};

use crate::harness::Backend;

const NOW: Millis = Millis(1_774_708_200_000);

fn tell(conn: &mut Conn, number: i64) -> Result<()> {
    let by = By { reason: Some(format!("because {number}")), ..By::local(Actor::Cli, Millis(NOW.0 + number)) };
    by.tell(conn, "org.update", format!("org_{number}"), Change::changed(&number, &(number + 1)))
}

async fn told(count: i64) -> (Db, Backend) {
    let backend = Backend::fresh();
    let db = backend.open(Clock::manual(NOW));
    db.write(move |conn| (1..=count).try_for_each(|number| tell(conn, number))).await.unwrap();
    (db, backend)
}

async fn verdict(db: &Db) -> Verdict {
    db.read(audit::verify).await.unwrap()
}

async fn after(tamper: fn(&mut Conn) -> Result<()>) -> (Option<i64>, Option<Fault>) {
    let (db, _backend) = told(5).await;
    assert_eq!((verdict(&db).await.whole, verdict(&db).await.rows), (true, 5));
    db.write(tamper).await.unwrap();
    let found = verdict(&db).await;
    assert!(!found.whole);
    (found.first_bad, found.fault)
}

#[actix_web::test]
async fn a_changed_byte_is_found_at_its_row() {
    let found = after(|conn| {
        diesel::update(audit_log::table.filter(audit_log::seq.eq(3)))
            .set(audit_log::target.eq("org_4"))
            .execute(conn)?;
        Ok(())
    });
    assert_eq!(found.await, (Some(3), Some(Fault::Changed)));
}

#[actix_web::test]
async fn a_removed_row_is_missed_at_its_place() {
    let found = after(|conn| {
        diesel::delete(audit_log::table.filter(audit_log::seq.eq(2))).execute(conn)?;
        Ok(())
    });
    assert_eq!(found.await, (Some(2), Some(Fault::Missing)));
}

#[actix_web::test]
async fn a_cut_tail_is_missed_behind_the_last_row() {
    let found = after(|conn| {
        diesel::delete(audit_log::table.filter(audit_log::seq.gt(3))).execute(conn)?;
        Ok(())
    });
    assert_eq!(found.await, (Some(4), Some(Fault::Missing)));
}

#[actix_web::test]
async fn an_inserted_row_is_found_before_the_chain_and_behind_it() {
    for seq in [0, 6] {
        let (db, _backend) = told(5).await;
        let forge = move |conn: &mut Conn| {
            diesel::insert_into(audit_log::table)
                .values((
                    audit_log::seq.eq(seq),
                    audit_log::at.eq(NOW),
                    audit_log::actor.eq("cli"),
                    audit_log::action.eq("org.update"),
                    audit_log::target.eq("org_9"),
                    audit_log::prev_hash.eq(vec![0_u8; 32]),
                    audit_log::hash.eq(vec![0_u8; 32]),
                ))
                .execute(conn)?;
            Ok(())
        };
        db.write(forge).await.unwrap();
        let found = verdict(&db).await;
        assert_eq!((found.whole, found.first_bad), (false, Some(seq)));
    }
}

#[actix_web::test]
async fn two_rows_that_changed_places_are_found_at_the_first() {
    let found = after(|conn| {
        for (from, to) in [(2, 99), (3, 2), (99, 3)] {
            diesel::update(audit_log::table.filter(audit_log::seq.eq(from)))
                .set(audit_log::seq.eq(to))
                .execute(conn)?;
        }
        Ok(())
    });
    assert_eq!(found.await, (Some(2), Some(Fault::Changed)));
}

#[actix_web::test]
async fn writers_at_once_make_one_chain() {
    let (db, _backend) = told(0).await;
    let writes = (1..=40).map(|number| {
        let db = db.clone();
        async move { db.write(move |conn| tell(conn, number)).await }
    });
    for outcome in futures_util::future::join_all(writes).await {
        outcome.unwrap();
    }
    let found = verdict(&db).await;
    assert_eq!((found.whole, found.rows), (true, 40));
}

#[actix_web::test]
async fn a_change_whose_row_cannot_be_written_does_not_happen() {
    let (db, _backend) = told(1).await;
    db.write(|conn| accounts::seed(conn, NOW)).await.unwrap();
    db.write(|conn| Ok(diesel::delete(audit_head::table).execute(conn)?)).await.unwrap();
    let made = db.write(|conn| {
        let new = NewOrg::named("ACME", PlanName::Free, "GB".parse().map_err(Error::internal)?);
        accounts::create_org(conn, &By::local(Actor::Cli, NOW), new)
    });
    assert_eq!(made.await.map_err(|fault| fault.code()).err(), Some(Code::Internal));
    let count: i64 = db.read(|conn| Ok(orgs::table.count().get_result(conn)?)).await.unwrap();
    assert_eq!(count, 0);
}
