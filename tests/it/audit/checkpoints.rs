//! What only checkpoints can show: a tail that was cut, an older copy put back, a log that was replaced.

use postern::audit::{Checkpoint, CheckpointFault, Signer, Witness, checkpoint_now, verify_against};
use postern::config::Config;
use postern::ids::NodeId;
use postern::secret::Keyring;

use super::*;

fn signer(byte: u8) -> Signer {
    Signer::of(&Keyring::new([byte; 32])).unwrap()
}

async fn checkpoint(db: &Db) -> Checkpoint {
    let made = db.write(|conn| {
        let by = By::local(Actor::Cli, NOW);
        checkpoint_now(conn, &by, (&signer(7), NodeId::new(NOW)), &Config::for_tests().audit)
    });
    made.await.unwrap()
}

/// What a walk finds beside these checkpoints: whether the chain alone looks whole, and what they say.
async fn compared(db: &Db, exported: Vec<Checkpoint>) -> (bool, Verdict) {
    let alone = verdict(db).await.whole;
    let witness = Witness::new(exported, &signer(7).public().unwrap());
    (alone, db.read(move |conn| verify_against(conn, Some(witness))).await.unwrap())
}

/// Somebody who can write everything in the database forgets the rows behind `seq`, and where the chain ended.
fn forget_after(conn: &mut Conn, seq: i64) -> Result<()> {
    diesel::delete(audit_log::table.filter(audit_log::seq.gt(seq))).execute(conn)?;
    let last = audit_log::table.filter(audit_log::seq.eq(seq)).select(audit_log::hash).first(conn).optional()?;
    let last: Vec<u8> = last.unwrap_or_default();
    diesel::update(audit_head::table).set((audit_head::seq.eq(seq), audit_head::hash.eq(last))).execute(conn)?;
    Ok(())
}

/// The last row that the checkpoint of a chain of five vouches for: it covers the row that tells of it.
const COVERED: i64 = 6;

#[actix_web::test]
async fn a_chain_that_went_on_agrees_with_every_checkpoint() {
    let (db, _backend) = told(5).await;
    let first = checkpoint(&db).await;
    db.write(|conn| tell(conn, 9)).await.unwrap();
    let second = checkpoint(&db).await;
    assert_eq!((first.seq, second.seq), (COVERED, COVERED + 2));
    let (alone, found) = compared(&db, vec![second, first]).await;
    let covered = found.checkpoints.unwrap();
    assert!(alone && found.whole);
    assert_eq!((covered.agreeing, covered.up_to, covered.fault), (2, Some(COVERED + 2), None));
}

#[actix_web::test]
async fn a_tail_that_was_cut_together_with_the_recorded_end_is_found() {
    let (db, _backend) = told(5).await;
    let exported = checkpoint(&db).await;
    db.write(|conn| forget_after(conn, 4)).await.unwrap();
    let (alone, found) = compared(&db, vec![exported.clone()]).await;
    let covered = found.checkpoints.unwrap();
    assert!(alone, "the chain alone cannot show it");
    assert!(!found.whole);
    assert_eq!((covered.fault, covered.seq), (Some(CheckpointFault::CutOff), Some(COVERED)));
    assert_eq!((found.rows, covered.checkpoint), (4, Some(exported.id)));
}

#[actix_web::test]
async fn an_older_copy_that_was_written_on_is_found() {
    let (db, _backend) = told(5).await;
    let before = checkpoint(&db).await;
    db.write(|conn| tell(conn, 6)).await.unwrap();
    let after = checkpoint(&db).await;
    let work = |conn: &mut Conn| {
        forget_after(conn, COVERED)?;
        (20..25).try_for_each(|number| tell(conn, number))
    };
    db.write(work).await.unwrap();
    let (alone, found) = compared(&db, vec![before, after]).await;
    let covered = found.checkpoints.unwrap();
    assert!(alone && !found.whole);
    assert_eq!((covered.agreeing, covered.fault), (1, Some(CheckpointFault::Diverged)));
}

#[actix_web::test]
async fn a_log_that_was_written_anew_is_found() {
    let (db, _backend) = told(5).await;
    let exported = checkpoint(&db).await;
    let work = |conn: &mut Conn| {
        forget_after(conn, 0)?;
        (20..29).try_for_each(|number| tell(conn, number))
    };
    db.write(work).await.unwrap();
    let (alone, found) = compared(&db, vec![exported]).await;
    assert!(alone && !found.whole);
    assert_eq!(found.checkpoints.unwrap().fault, Some(CheckpointFault::Replaced));
}

#[actix_web::test]
async fn a_checkpoint_that_was_changed_or_is_another_s_counts_for_nothing() {
    let (db, _backend) = told(5).await;
    let good = checkpoint(&db).await;
    let changed = Checkpoint { seq: 4, ..good.clone() };
    let foreign = signer(8).sign((2, String::from("00")), NOW, NodeId::new(NOW)).unwrap();
    for strange in [changed, foreign] {
        let (_, found) = compared(&db, vec![good.clone(), strange.clone()]).await;
        let covered = found.checkpoints.unwrap();
        assert!(!found.whole);
        assert_eq!((covered.fault, covered.checkpoint), (Some(CheckpointFault::Unsigned), Some(strange.id)));
        assert_eq!(covered.agreeing, 1);
    }
}
