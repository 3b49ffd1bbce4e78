//! The second factor: enrolled by proving a code, taken once a step; recovery codes stand in for it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::accounts::find_operator;
use crate::audit::{By, Change};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::OperatorId;
use crate::secret::{Keyring, Purpose, Secret, random_token};
use crate::signin::{sessions, store, totp};

/// Recovery codes of an operator.
const RECOVERY_CODES: usize = 8;
/// Their letters: base 62, 59 bits, and guesses are few.
const RECOVERY_LEN: usize = 10;

/// A second factor on its way: shown to its operator, and kept by their browser, sealed, until they prove it.
#[derive(Debug)]
pub(super) struct Enrolment {
    /// The secret, as people type it.
    pub spelled: String,
    /// The same as an address for apps.
    pub uri: String,
    /// What comes back with the first code.
    pub sealed: String,
}

/// A new second factor for an operator; nothing is stored before it is proved.
pub(super) fn enrolment(ring: &Keyring, operator: OperatorId, name: &str) -> Enrolment {
    again(ring, operator, name, &totp::fresh())
}

/// The same second factor as before, where the first code was wrong.
pub(super) fn enrolment_again(ring: &Keyring, operator: OperatorId, name: &str, sealed: &str) -> Option<Enrolment> {
    Some(again(ring, operator, name, &opened(ring, operator, &URL_SAFE_NO_PAD.decode(sealed).ok()?)?))
}

fn again(ring: &Keyring, operator: OperatorId, name: &str, secret: &[u8]) -> Enrolment {
    let sealed = ring.seal(Purpose::Signin, context(operator).as_bytes(), secret);
    Enrolment {
        spelled: totp::spelled(secret),
        uri: totp::uri(secret, "Postern", name),
        sealed: URL_SAFE_NO_PAD.encode(sealed),
    }
}

/// Enrols a second factor whose first code was given, with fresh recovery codes, which are in the answer and nowhere
/// else. Error: `validation_failed` on `code`.
pub(super) fn enrol(
    conn: &mut Conn,
    ring: &Keyring,
    by: &By,
    operator: OperatorId,
    (sealed, code): (&str, &str),
) -> Result<Vec<Secret<String>>> {
    let wrong = || Error::field("code", "does not fit; check the clock of your device and take the next one");
    let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| wrong())?;
    let secret = opened(ring, operator, &sealed).ok_or_else(wrong)?;
    let step = totp::step_of(&secret, &bare(code), by.now).ok_or_else(wrong)?;
    store::logins::put_totp(conn, operator, Some(sealed), (step, by.now))?;
    let codes = replace_codes(conn, ring, operator)?;
    by.tell(conn, "operator.second_factor.enrol", operator, Change::made(&serde_json::json!({"kind": "totp"})))?;
    Ok(codes)
}

/// Takes the second factor away, and its recovery codes.
pub(super) fn remove(conn: &mut Conn, by: &By, operator: OperatorId) -> Result<()> {
    store::logins::put_totp(conn, operator, None, (0, by.now))?;
    store::logins::replace_recovery(conn, operator, Vec::new())?;
    by.tell(conn, "operator.second_factor.remove", operator, Change::removed(&serde_json::json!({"kind": "totp"})))
}

/// Takes the second factor of an operator who lost it away, for somebody else who may: their sessions end, so that whoever
/// comes in with the password alone is seen to come in. False where there was none. Error: `not_found`.
pub fn remove_second_factor(conn: &mut Conn, by: &By, operator: OperatorId) -> Result<bool> {
    find_operator(conn, operator)?;
    if store::logins::hold(conn, operator)?.is_none_or(|login| login.totp.is_none()) {
        return Ok(false);
    }
    remove(conn, by, operator)?;
    sessions::end_sessions_of(conn, by, operator, None)?;
    Ok(true)
}

/// Makes fresh recovery codes; those of before work no longer.
pub(super) fn renew_codes(
    conn: &mut Conn,
    ring: &Keyring,
    by: &By,
    operator: OperatorId,
) -> Result<Vec<Secret<String>>> {
    let codes = replace_codes(conn, ring, operator)?;
    by.tell(conn, "operator.recovery_codes.renew", operator, Change::made(&serde_json::json!({"codes": codes.len()})))?;
    Ok(codes)
}

/// Whether `code` is the second factor's, or a recovery code; which of them it was. Each works once.
pub(super) fn judge(
    conn: &mut Conn,
    (ring, now): (&Keyring, Millis),
    operator: OperatorId,
    sealed: &[u8],
    code: &str,
) -> Result<Option<&'static str>> {
    let code = bare(code);
    let secret = opened(ring, operator, sealed)
        .ok_or_else(|| Error::internal("a second factor does not open; was the secret key changed?"))?;
    if let Some(step) = totp::step_of(&secret, &code, now) {
        return Ok(store::logins::take_step(conn, operator, step)?.then_some("code"));
    }
    let mac = recovery_mac(ring, operator, &code);
    Ok(store::logins::take_recovery(conn, operator, &mac, now)?.then_some("recovery"))
}

fn replace_codes(conn: &mut Conn, ring: &Keyring, operator: OperatorId) -> Result<Vec<Secret<String>>> {
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| random_token::<RECOVERY_LEN>()).collect();
    let macs = codes.iter().map(|code| recovery_mac(ring, operator, code)).collect();
    store::logins::replace_recovery(conn, operator, macs)?;
    Ok(codes.into_iter().map(Secret::new).collect())
}

fn recovery_mac(ring: &Keyring, operator: OperatorId, code: &str) -> Vec<u8> {
    ring.mac(Purpose::Signin, &[b"recovery", operator.as_str().as_bytes(), code.as_bytes()]).to_vec()
}

fn opened(ring: &Keyring, operator: OperatorId, sealed: &[u8]) -> Option<Vec<u8>> {
    ring.open(Purpose::Signin, context(operator).as_bytes(), sealed)
}

fn context(operator: OperatorId) -> String {
    format!("totp {operator}")
}

/// A code without the blanks and dashes that people and apps put in.
fn bare(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect()
}
