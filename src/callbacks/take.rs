//! Reports of a carrier, from its signature to the database.

use super::heard::{Heard, count};
use crate::accounts::Directory;
use crate::app::App;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::inbound::{self, From};
use crate::messages::{self, Trouble};
use crate::providers::{Carrier, Hook, HookFault, HookReply, Report};
use crate::{templates, whatsapp};

/// Checks, translates and stores what the carrier `name` reports; the answer it wants may be given once this returns,
/// for then the reports are on disk. Repeats change nothing; receipts of hand-offs that are not known (yet) wait for
/// them. Errors: 404 where no such carrier reports here, 403 for a bad signature, 400 for a body that cannot be read,
/// 503 where the database cannot take it (carriers then try again).
pub(super) async fn take(app: &App, name: &str, hook: &Hook<'_>) -> Result<HookReply> {
    let carrier = app.carriers.find(name).ok_or_else(|| Error::new(Code::NotFound))?;
    let reports = read(app, &*carrier, hook)?;
    keep(app, name, reports).await?;
    Ok(carrier.hook_reply())
}

/// The same for a callback that several carriers share: each takes what is its own, and one of them has to believe it.
pub(super) async fn take_shared(app: &App, hook: &Hook<'_>) -> Result<()> {
    let mut believed = false;
    let mut refused = Error::new(Code::NotFound).detail("No carrier of this kind is configured.");
    for carrier in app.carriers.iter().filter(|carrier| carrier.is_meta()) {
        match read(app, &**carrier, hook) {
            Ok(reports) => {
                believed = true;
                keep(app, carrier.name(), reports).await?;
            }
            Err(fault) => refused = fault,
        }
    }
    if believed { Ok(()) } else { Err(refused) }
}

/// Stores what the carrier `name` told; on disk when this returns.
pub(super) async fn keep(app: &App, name: &str, reports: Vec<Report>) -> Result<()> {
    if !reports.is_empty() {
        let of_numbers = reports.iter().any(|report| matches!(report, Report::Number(_)));
        let (carrier, clock, keyring) = (String::from(name), app.clock.clone(), app.keyring.clone());
        let of_templates = reports.iter().any(|report| matches!(report, Report::Template(_)));
        let known = app.config.carriers.iter().find(|carrier| carrier.name == name);
        let own = known.and_then(|carrier| carrier.kind.originator()).map(String::from);
        let stored = app.db.write(move |conn| {
            let now = crate::db::now(conn, &clock)?;
            let from = From {
                carrier: &carrier,
                keyring: &keyring,
                originator: own.as_deref(),
                other_names: whatsapp::other_names,
            };
            store(conn, &from, reports, now)
        });
        let troubles = stored.await.inspect_err(|_| count(app, name, Heard::NotStored))?;
        if of_numbers {
            // A tier that moved acts on the keys there are.
            app.room::<Directory>().forget();
            messages::forget_tables(app);
        }
        if of_templates {
            templates::forget_templates(app);
        }
        // What is told is stored: nobody need tell it again because of this.
        if let Err(fault) = messages::heed_troubles(app, name, &troubles, app.clock.now()).await {
            tracing::warn!(
                carrier = name,
                error = fault.sentence(),
                "that a carrier is stopped could not be written down"
            );
        }
    }
    count(app, name, Heard::Taken);
    Ok(())
}

/// Stores what was told; what of it is about the carrier rather than about one message, and new.
fn store(conn: &mut Conn, from: &From<'_>, reports: Vec<Report>, now: Millis) -> Result<Vec<Trouble>> {
    let (mut receipts, mut messages_in, mut troubles) = (Vec::new(), Vec::new(), Vec::new());
    let (mut of_numbers, mut of_templates) = (Vec::new(), Vec::new());
    for report in reports {
        match report {
            Report::Receipt(receipt) => receipts.push(receipt),
            Report::Inbound(message) => messages_in.push(message),
            Report::Number(report) => of_numbers.push(report),
            Report::Template(report) => of_templates.push(report),
            Report::Trouble(cause) => troubles.push(Trouble { cause, about: None }),
        }
    }
    troubles.extend(messages::take_receipts(conn, from.carrier, &receipts, now)?);
    templates::take_reports(conn, &of_templates, now)?;
    inbound::take_inbound(conn, from, &messages_in, now)?;
    whatsapp::take_number_reports(conn, &of_numbers, now)?;
    Ok(troubles)
}

fn read(app: &App, carrier: &dyn Carrier, hook: &Hook<'_>) -> Result<Vec<Report>> {
    carrier.reports(hook).map_err(|fault| refusal(app, carrier.name(), fault))
}

fn refusal(app: &App, name: &str, fault: HookFault) -> Error {
    match fault {
        HookFault::Signature => {
            count(app, name, Heard::BadSignature);
            tracing::warn!(carrier = name, "a callback with a bad signature was refused");
            Error::new(Code::PermissionDenied)
                .detail("The signature is missing or wrong; check the public URL and the signing key of this carrier.")
        }
        HookFault::Malformed => {
            count(app, name, Heard::Malformed);
            tracing::warn!(carrier = name, "a signed callback that cannot be read was refused: what it tells is lost");
            Error::new(Code::MalformedRequest).detail("The callback is signed, and cannot be read as a report.")
        }
        HookFault::NotHere => Error::new(Code::NotFound).detail("This carrier sends no callbacks here."),
    }
}
