//! What became of activations: `getStatus` and its kin, `setStatus`, and the lists of what was rented.

use actix_web::web::Data;
use serde::Serialize;

use super::answer::{Answer, bare, cents, moment};
use super::ask::Ask;
use super::rent::{digits, numeric};
use crate::accounts::Caller;
use crate::activations::act::{NoStep, act};
use crate::activations::state::{Event, Refusal, Status};
use crate::activations::store::{self, Owner, Search};
use crate::activations::view::{ActivationMessageView, ActivationView, view_of, views};
use crate::activations::{countries, forget_catalog};
use crate::app::App;
use crate::clock::Millis;
use crate::error::Result;
use crate::money::Micros;

/// Rows of a list at most, and where nothing is said.
const MOST_ROWS: i64 = 100;

fn owner_of(caller: &Caller) -> Owner {
    (caller.org_id(), caller.mode())
}

/// `setStatus`: 1 ready, 3 another code, 6 done, 8 (or -1, of old clients) off.
pub(super) async fn set(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Answer, Answer> {
    let (event, word) = match ask.get("status") {
        Some("1") => (Event::Ready, "ACCESS_READY"),
        Some("3") => (Event::Retry, "ACCESS_RETRY_GET"),
        Some("6") => (Event::Complete, "ACCESS_ACTIVATION"),
        Some("8" | "-1") => (Event::Cancel, "ACCESS_CANCEL"),
        _ => return Err(Answer::word("BAD_STATUS", 400)),
    };
    change(app, caller, ask, (event, word)).await
}

/// `finishActivation`, as `setStatus` 6.
pub(super) async fn finish(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Answer, Answer> {
    change(app, caller, ask, (Event::Complete, "ACCESS_ACTIVATION")).await
}

/// `cancelActivation`, as `setStatus` 8.
pub(super) async fn cancel(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Answer, Answer> {
    change(app, caller, ask, (Event::Cancel, "ACCESS_CANCEL")).await
}

/// Clients of this protocol have no idempotency keys: what is done already is answered as if it were done now.
async fn change(
    app: &Data<App>,
    caller: &Caller,
    ask: &Ask,
    (event, word): (Event, &'static str),
) -> Result<Answer, Answer> {
    let (name, owner, clock) = (ask.activation()?, owner_of(caller), app.clock.clone());
    let done = app.db.write(move |conn| {
        let now = crate::db::now(conn, &clock)?;
        match act(conn, owner, name, event, now) {
            Ok(_) => Ok(Ok(())),
            // Nothing was written.
            Err(NoStep::Refused(refusal, _)) => Ok(Err(refusal)),
            Err(NoStep::Other(fault)) => Err(fault),
        }
    });
    match done.await.map_err(Answer::from)? {
        Ok(()) => {
            forget_catalog(app);
            Ok(Answer::text(word))
        }
        Err(Refusal::Already) => Ok(Answer::text(word)),
        Err(refusal) => Err(Answer::from(refusal)),
    }
}

async fn look(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<ActivationView, Answer> {
    let (name, owner) = (ask.activation()?, owner_of(caller));
    let (keyring, now) = (app.keyring.clone(), app.clock.now());
    let view = app.db.read(move |conn| {
        let row = store::load(conn, owner, name)?;
        view_of(conn, &keyring, row, now)
    });
    view.await.map_err(Answer::from)
}

/// `getStatus`.
pub(super) async fn get(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Answer, Answer> {
    let view = look(app, caller, ask).await?;
    Ok(Answer::text(match (view.status, view.code) {
        (Status::Waiting, _) => String::from("STATUS_WAIT_CODE"),
        (Status::WaitingRetry, code) => format!("STATUS_WAIT_RETRY:{}", code.unwrap_or_default()),
        (Status::Received | Status::Finished, Some(code)) => format!("STATUS_OK:{code}"),
        (Status::Received | Status::Finished | Status::Cancelled | Status::Expired, _) => String::from("STATUS_CANCEL"),
    }))
}

/// The JSON of a status.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    verification_type: u8,
    sms: Option<Sms>,
    call: Option<()>,
}

/// A message with its code.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sms {
    date_time: String,
    code: String,
    text: String,
}

fn sms(message: &ActivationMessageView) -> Option<Sms> {
    let code = message.code.clone()?;
    Some(Sms { date_time: moment(message.received_at), code, text: message.text.clone()? })
}

/// `getStatusV2`: nulls while nothing has come, which every client takes.
pub(super) async fn get_v2(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Answer, Answer> {
    let view = look(app, caller, ask).await?;
    let sms = view.messages.iter().rev().find_map(sms);
    if sms.is_none() && matches!(view.status, Status::Cancelled | Status::Expired) {
        return Ok(Answer::text("STATUS_CANCEL"));
    }
    Ok(Answer::json(&Told { verification_type: 0, sms, call: None }))
}

/// `getFullSms`.
pub(super) async fn full_sms(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Answer, Answer> {
    let view = look(app, caller, ask).await?;
    Ok(Answer::text(match view.messages.last().map(|message| &message.text) {
        Some(Some(text)) => format!("FULL_SMS:{text}"),
        // Purged: it ended long ago.
        Some(None) => String::from("STATUS_CANCEL"),
        None => String::from("STATUS_WAIT_CODE"),
    }))
}

/// A row of `getActiveActivations`: texts or nulls, nothing else.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Active {
    activation_id: String,
    service_code: String,
    phone_number: String,
    activation_cost: String,
    activation_status: &'static str,
    sms_code: Option<String>,
    sms_text: Option<String>,
    activation_time: String,
    discount: &'static str,
    repeated: &'static str,
    country_code: String,
    country_name: String,
    can_get_another_sms: &'static str,
    currency: String,
}

/// One client reads `activeActivations`, another `data`: both are there.
#[derive(Serialize)]
struct ActiveList<'a> {
    status: &'static str,
    #[serde(rename = "activeActivations")]
    active: &'a [Active],
    data: &'a [Active],
}

/// `getActiveActivations`.
pub(super) async fn active(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Answer, Answer> {
    let search = Search { open: true, ..Search::default() };
    let page = (ask.count("start").unwrap_or(0), ask.count("limit").unwrap_or(MOST_ROWS).min(MOST_ROWS));
    let views = found(app, caller, search, page).await?;
    let rows: Vec<Active> = views.iter().filter(|view| !view.status.is_final()).map(active_row).collect();
    if rows.is_empty() {
        return Ok(Answer::none("NO_ACTIVATIONS", 200));
    }
    Ok(Answer::json(&ActiveList { status: "success", active: &rows, data: &rows }))
}

fn active_row(view: &ActivationView) -> Active {
    let country = countries::of(view.country);
    let last = view.messages.iter().rev().find(|message| message.code.is_some());
    Active {
        activation_id: view.serial.to_string(),
        service_code: view.service.clone(),
        phone_number: digits(&view.phone_number),
        activation_cost: bare(price(view)),
        activation_status: status_number(view.status),
        sms_code: view.code.clone(),
        sms_text: last.and_then(|message| message.text.clone()),
        activation_time: moment(view.created_at),
        discount: "0",
        repeated: "0",
        country_code: country.map(|country| country.id.to_string()).unwrap_or_default(),
        country_name: country.map(|country| String::from(country.eng)).unwrap_or_default(),
        can_get_another_sms: "1",
        currency: currency(view).to_string(),
    }
}

fn price(view: &ActivationView) -> Micros {
    Micros::parse(&view.price.amount).unwrap_or_default()
}

fn currency(view: &ActivationView) -> u16 {
    view.price.currency.parse().map_or(0, numeric)
}

/// How the lists of the protocol number states: by general knowledge of it.
fn status_number(status: Status) -> &'static str {
    match status {
        Status::Waiting => "4",
        Status::Received => "2",
        Status::WaitingRetry => "3",
        Status::Finished => "6",
        Status::Cancelled | Status::Expired => "8",
    }
}

/// A row of `getHistory`.
#[derive(Serialize)]
struct Past {
    id: String,
    date: String,
    phone: String,
    sms: Option<String>,
    cost: String,
    status: &'static str,
    currency: String,
    service: String,
    operator: String,
    country: u16,
}

/// `getHistory`: from `start` to `end`, Unix seconds; all of it where these are absent.
pub(super) async fn history(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Answer, Answer> {
    let at = |name| ask.count(name).map(|secs: i64| Millis(secs.saturating_mul(1_000)));
    let between = (at("start").unwrap_or(Millis(0)), at("end").unwrap_or(Millis(i64::MAX)));
    let search = Search { between: Some(between), ..Search::default() };
    let size = ask.count("size").or_else(|| ask.count("limit")).unwrap_or(MOST_ROWS).min(MOST_ROWS);
    let views = found(app, caller, search, (ask.count("offset").unwrap_or(0), size)).await?;
    let past = |view: &ActivationView| Past {
        id: view.serial.to_string(),
        date: moment(view.created_at),
        phone: digits(&view.phone_number),
        sms: view.messages.last().and_then(|message| message.text.clone()),
        cost: cents(price(view)),
        status: status_number(view.status),
        currency: currency(view).to_string(),
        service: view.service.clone(),
        operator: view.operator.clone(),
        country: countries::of(view.country).map_or(0, |country| country.id),
    };
    Ok(Answer::json(&views.iter().map(past).collect::<Vec<_>>()))
}

/// `getAllSms`: every message of an activation, the oldest first.
pub(super) async fn all_sms(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Answer, Answer> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Message {
        id: String,
        phone_from: String,
        code: Option<String>,
        text: Option<String>,
        service: String,
        date: String,
        #[serde(rename = "type")]
        kind: &'static str,
    }
    let view = look(app, caller, ask).await?;
    let size = usize::try_from(ask.count("size").unwrap_or(MOST_ROWS).clamp(1, MOST_ROWS)).unwrap_or(1);
    let page = usize::try_from(ask.count("page").unwrap_or(1).max(1) - 1).unwrap_or(0);
    let (serial, service) = (view.serial, view.service);
    let shown = |(place, message): (usize, ActivationMessageView)| Message {
        id: format!("{serial}-{}", place + 1),
        phone_from: message.from,
        code: message.code,
        text: message.text,
        service: service.clone(),
        date: moment(message.received_at),
        kind: "sms",
    };
    let messages = view.messages.into_iter().enumerate().skip(page.saturating_mul(size)).take(size);
    Ok(Answer::json(&messages.map(shown).collect::<Vec<_>>()))
}

async fn found(
    app: &Data<App>,
    caller: &Caller,
    search: Search,
    page: (i64, i64),
) -> Result<Vec<ActivationView>, Answer> {
    let (owner, keyring, now) = (owner_of(caller), app.keyring.clone(), app.clock.now());
    let found = app.db.read(move |conn| {
        let rows = store::list(conn, owner, &search, None, page)?;
        views(conn, &keyring, rows, now)
    });
    found.await.map_err(Answer::from)
}
