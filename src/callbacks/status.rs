//! A carrier's delivery receipts, from its signature to the database.

use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::messages;
use crate::providers::{Hook, HookFault, HookReply};

/// Checks, translates and stores what the carrier `name` reports; the answer it wants may be given once this returns,
/// for then the receipts are on disk. Repeats change nothing; receipts of hand-offs that are not known (yet) wait for
/// them. Errors: 404 where no such carrier reports here, 403 for a bad signature, 400 for a body that cannot be read,
/// 503 where the database cannot take it (carriers then try again).
pub async fn take(app: &App, name: &str, hook: &Hook<'_>) -> Result<HookReply> {
    let carrier = app.carriers.find(name).ok_or_else(|| Error::new(Code::NotFound))?;
    let receipts = match carrier.receipts(hook) {
        Ok(receipts) => receipts,
        Err(fault) => return Err(refusal(name, fault)),
    };
    if !receipts.is_empty() {
        let (carrier, clock) = (String::from(name), app.clock.clone());
        let stored = app.db.write(move |conn| {
            let now = crate::db::now(conn, &clock)?;
            messages::take_receipts(conn, &carrier, &receipts, now)
        });
        stored.await.inspect_err(|_| count(name, "not_stored"))?;
    }
    count(name, "taken");
    Ok(carrier.hook_reply())
}

fn refusal(name: &str, fault: HookFault) -> Error {
    match fault {
        HookFault::Signature => {
            count(name, "bad_signature");
            tracing::warn!(carrier = name, "a callback with a bad signature was refused");
            Error::new(Code::PermissionDenied)
                .detail("The signature is missing or wrong; check the public URL and the signing key of this carrier.")
        }
        HookFault::Malformed => {
            count(name, "malformed");
            Error::new(Code::MalformedRequest).detail("The callback is signed, and cannot be read as a receipt.")
        }
        HookFault::NotHere => Error::new(Code::NotFound).detail("This carrier sends no callbacks here."),
    }
}

/// Only names of configured carriers become labels.
fn count(carrier: &str, outcome: &'static str) {
    metrics::counter!("postern_callbacks_total", "carrier" => String::from(carrier), "outcome" => outcome).increment(1);
}
