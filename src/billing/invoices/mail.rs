//! Mailing invoices, each once: noted before it is sent and taken back where the mail server did not take it. A process
//! that dies between leaves an invoice that is noted and not mailed, rather than one that is mailed twice.

use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use super::issue::{InvoiceView, view_of};
use super::pdf::pdf;
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
    let rows = app.db.read(|conn| store::unmailed(conn, ROUND)).await?;
    let mut sent = 0;
    for row in rows {
        let (id, now) = (row.id, app.clock.now());
        if !app.db.write(move |conn| store::set_mailed(conn, id, Some(now))).await? {
            continue;
        }
        if let Err(fault) = mail(app, &account, &row).await {
            app.db.write(move |conn| store::set_mailed(conn, id, None)).await?;
            return Err(fault);
        }
        sent += 1;
    }
    Ok(sent)
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
