//! Checks what somebody typed.
//!
//! The check is counted first, by one statement that only an open verification lets pass; then the codes are derived
//! and compared in constant time; then one compare-and-set approves. All of it is one transaction, on PostgreSQL behind
//! the row's lock, so that parallel guesses come one after the other. Whatever fails after the count is undone to a
//! savepoint behind it: no rollback gives a guess back, and nobody is answered before the count is on disk.

use super::desk::{Ask, Done, Outcome};
use super::state::{Status, credited_send, good_codes};
use super::store::{self, Owner, Row};
use super::view::CheckView;
use crate::accounts::Caller;
use crate::clock::Millis;
use crate::db::{Conn, savepoint};
use crate::error::{Code, Error, Result};
use crate::idempotency::Stored;
use crate::ids::{OrgId, VerificationId};
use crate::limits::{Allowance, Policy, View};
use crate::messages::{EVER, GUARD_HORIZON, GuardKind, Lock, check_policies, load_guards, save_guards, tag_of};
use crate::otp::{CodeLength, CodeSeed, Otp, derive, matches, normalize};
use crate::phone::address_mac;
use crate::recipient::Recipient;
use crate::secret::Keyring;

/// Which verification is checked.
pub enum Target {
    /// The one with this id.
    Id(VerificationId),
    /// The one that is pending for this address.
    To(Recipient),
}

/// Checks a code. Errors: `not_found` for what is unknown, another's or not pending for that address;
/// `verification.already_decided` for what was approved or canceled; `rate_limited` where the number has had its share
/// of checks; `validation_failed` where no code could look like that.
pub async fn check(ask: Ask, target: Target, typed: &str) -> Result<Done> {
    let typed = normalize(typed).ok_or_else(|| Error::field("code", "must be 4 to 10 digits"))?;
    let (owner, caller, keyring) = (ask.owner(), ask.caller.clone(), ask.app.keyring.clone());
    ask.commit(move |conn, now| {
        let desk = Checking { caller, keyring, owner, typed, now };
        let Some(id) = desk.find(conn, &target)? else { return Err(desk.nothing_there()) };
        match store::count_check(conn, owner, id, now)? {
            Some(row) => desk.judge(conn, row),
            None => desk.closed(conn, id),
        }
    })
    .await
}

struct Checking {
    caller: Caller,
    keyring: Keyring,
    owner: Owner,
    typed: Otp,
    now: Millis,
}

impl Checking {
    fn find(&self, conn: &mut Conn, target: &Target) -> Result<Option<VerificationId>> {
        match target {
            Target::Id(id) => Ok(Some(*id)),
            Target::To(to) => {
                let mac = address_mac(&self.keyring, to.address());
                Ok(store::find_pending(conn, self.owner, &mac)?.map(|row| row.id))
            }
        }
    }

    /// A check that was counted: right or wrong. The number's own guard comes first; what it refuses, it refuses
    /// whole, and the count is undone with it.
    fn judge(&self, conn: &mut Conn, mut row: Row) -> Result<Outcome> {
        let view = self.pass_guard(conn, &row.recipient_mac)?;
        let right = self.right_code(&row)?;
        let decided = match right {
            Some(_) => Some(Status::Approved),
            None => (row.checks >= row.max_checks).then_some(Status::MaxChecks),
        };
        let written = savepoint(conn, |conn| {
            let Some(status) = decided else { return Ok(()) };
            if !store::decide(conn, row.id, status, self.now)? {
                return Err(Error::new(Code::VerificationAlreadyDecided));
            }
            right.map_or(Ok(()), |code| self.credit(conn, &row, code))
        });
        if let Err(fault) = written {
            return Ok(Outcome::Refused(fault));
        }
        row.status = decided.unwrap_or(row.status);
        let stored = answer(&row, self.now)?;
        Ok(Outcome::Done { stored, view, is_sending: false })
    }

    /// A verification that took no check: why not.
    fn closed(&self, conn: &mut Conn, id: VerificationId) -> Result<Outcome> {
        let Some(row) = store::find(conn, self.owner, id)? else { return Err(self.nothing_there()) };
        match row.life().at(self.now) {
            Status::Expired | Status::MaxChecks => Ok(Outcome::quiet(answer(&row, self.now)?)),
            Status::Approved | Status::Canceled => Err(Error::new(Code::VerificationAlreadyDecided)),
            Status::Pending => Err(Error::new(Code::Overloaded).cause("an open verification took no check")),
        }
    }

    /// What is unknown costs the same work as what is not, so that the time tells nothing.
    fn nothing_there(&self) -> Error {
        let at_start = Millis(0);
        let seed = CodeSeed {
            verification: VerificationId::first_at(at_start),
            attempt: 1,
            org: OrgId::first_at(at_start),
            destination: "+00000000000",
        };
        std::hint::black_box(matches(&derive(&self.keyring, &seed, CodeLength::default()), self.typed.expose()));
        Error::new(Code::NotFound)
    }

    /// The code that was typed, if it is one of the good ones. All of them are compared, whichever fits.
    fn right_code(&self, row: &Row) -> Result<Option<u32>> {
        let length = CodeLength::new(i64::from(row.code_length)).map_err(Error::internal)?;
        let mut found = None;
        for attempt in good_codes(row.resend_policy, row.sends) {
            let seed = CodeSeed { verification: row.id, attempt, org: row.org_id, destination: row.recipient.as_str() };
            if matches(&derive(&self.keyring, &seed, length), self.typed.expose()) {
                found = Some(attempt);
            }
        }
        Ok(found)
    }

    /// Counts the check for the number, over all its verifications: within the hour, where a right code forgives, and
    /// within the day, where none does.
    fn pass_guard(&self, conn: &mut Conn, mac: &[u8]) -> Result<View> {
        let mut view = View::new();
        let key = (GuardKind::Check, self.caller.mode(), mac.to_vec());
        for (key, kept) in load_guards(conn, &[key].into(), Lock::Write, self.now)? {
            let mut log = kept.value;
            for (policy, tag) in check_policies(self.caller.org_id()) {
                if let Allowance::Rate(rate) = self.caller.policies.get(policy) {
                    view.push(log.check(Some(tag), policy, rate, self.now));
                }
            }
            if let (Some(wait), Some(binding)) = (view.wait(), view.binding()) {
                return Err(Error::new(Code::RateLimited).retry_after(wait).policy(binding.hit()));
            }
            log.prune(GUARD_HORIZON, self.now);
            check_policies(self.caller.org_id()).iter().for_each(|(_, tag)| log.add(*tag, self.now));
            save_guards(conn, &[(&key, &log)])?;
            view.mark_taken(self.now, |_| true);
        }
        Ok(view)
    }

    /// Notes which send worked, and that this organization knows the number from now on; its wrong checks are forgiven.
    fn credit(&self, conn: &mut Conn, row: &Row, code: u32) -> Result<()> {
        store::mark_converted(conn, row.id, credited_send(row.resend_policy, code, row.sends))?;
        let key = (GuardKind::Verified, row.mode, row.recipient_mac.clone());
        let tag = tag_of(row.org_id);
        for (key, kept) in load_guards(conn, &[key].into(), Lock::Write, self.now)? {
            let mut log = kept.value;
            if log.check(Some(tag), Policy::OtpNumber, EVER, self.now).used == 0 {
                log.add(tag, self.now);
                save_guards(conn, &[(&key, &log)])?;
            }
        }
        let key = (GuardKind::Check, row.mode, row.recipient_mac.clone());
        for (key, kept) in load_guards(conn, &[key].into(), Lock::Write, self.now)? {
            let mut log = kept.value;
            log.forget(tag);
            save_guards(conn, &[(&key, &log)])?;
        }
        Ok(())
    }
}

fn answer(row: &Row, now: Millis) -> Result<Stored> {
    let life = row.life();
    let status = life.at(now);
    let view = CheckView { status, valid: status == Status::Approved, checks_left: life.checks_left() };
    Ok(Stored { status: 200, body: serde_json::to_vec(&view).map_err(Error::internal)?, location: None })
}
