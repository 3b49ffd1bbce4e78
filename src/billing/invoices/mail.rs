//! Mailing invoices, each once: noted before it is sent and taken back where the mail server did not take it, to be tried
//! again later; the others are not kept waiting. A process that dies between leaves an invoice that is noted and not
//! mailed, rather than one that is mailed twice.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use super::pdf::pdf;
use super::view::{InvoiceView, view_of};
use crate::app::App;
use crate::billing::store::{self, InvoiceRow};
use crate::config::{CarrierKind, SmtpCarrier};
use crate::error::{Error, Result};
use crate::providers::post_mail;

/// Mails of one round.
const ROUND: i64 = 20;

/// Mails invoices that are to be; how many went.
pub async fn mail_due(app: &App) -> Result<usize> {
    let Some(account) = account(app) else { return Ok(0) };
    let now = app.clock.now();
    let rows = app.db.read(move |conn| store::unmailed(conn, now, MOST_TRIES, ROUND)).await?;
    let mut sent = 0;
    for row in rows {
        let (id, now, tries) = (row.id, app.clock.now(), row.mail_tries.saturating_add(1));
        if !app.db.write(move |conn| store::set_mailed(conn, id, now)).await? {
            continue;
        }
        match mail(app, &account, &row).await {
            Ok(()) => sent += 1,
            Err(fault) => {
                let why = fault.cause_text().unwrap_or(fault.sentence()).to_owned();
                tracing::warn!(invoice.id = %id, error = why, tries, most = MOST_TRIES, "an invoice could not be mailed");
                app.db.write(move |conn| store::set_unmailed(conn, id, tries, now.plus(wait(tries)))).await?;
            }
        }
    }
    Ok(sent)
}

/// An invoice that is refused so often, over some three days, is only kept.
const MOST_TRIES: i16 = 20;

/// How long to wait after so many tries: a minute, twice as long each time, six hours at most.
fn wait(tries: i16) -> Duration {
    let doubled = u32::try_from(tries.saturating_sub(1)).map_or(1, |times| 2u64.saturating_pow(times));
    Duration::from_secs(doubled.saturating_mul(60).min(6 * 3_600))
}

fn account(app: &App) -> Option<SmtpCarrier> {
    let name = app.config.billing.mail_carrier.as_deref()?;
    match &app.config.carrier(name)?.kind {
        CarrierKind::Smtp(account) => Some(account.clone()),
        _ => None,
    }
}

async fn mail(app: &App, account: &SmtpCarrier, row: &InvoiceRow) -> Result<()> {
    let view = view_of(row)?;
    let letter = letter(account, row.mail_to.as_deref().unwrap_or_default(), &view)?;
    post_mail(account, &app.config.outbound, &letter).await
}

fn letter(account: &SmtpCarrier, to: &str, view: &InvoiceView) -> Result<lettre::Message> {
    let to: lettre::Address = to.parse().map_err(|_| Error::internal("an invoice's mail address is none"))?;
    let from = Mailbox::new(Some(view.issuer.name.clone()), account.from.email.clone());
    let InvoiceView { number, month, total, due, due_on, .. } = view;
    let owed = match due.amount.as_str() {
        "0.00" => String::from("It is paid already, out of your prepaid balance."),
        amount => format!("{amount} {} is to be paid by {due_on}.", due.currency),
    };
    let text = format!(
        "Hello,\r\n\r\nattached is invoice {number} for {month}: {} {} in all. {owed}\r\n\r\nThe messages it is for are \
         at /v1/invoices/{}, as CSV too.\r\n\r\n{}\r\n",
        total.amount, total.currency, view.id, view.issuer.name
    );
    let kind = ContentType::parse("application/pdf").map_err(Error::internal)?;
    let file = Attachment::new(format!("{number}.pdf")).body(pdf(view)?, kind);
    let mail = lettre::Message::builder()
        .from(from)
        .to(Mailbox::new(None, to))
        .subject(format!("Invoice {number} for {month}"))
        .message_id(Some(format!("<{}@{}>", view.id, account.from.email.domain())))
        .multipart(MultiPart::mixed().singlepart(SinglePart::plain(text)).singlepart(file));
    mail.map_err(Error::internal)
}
