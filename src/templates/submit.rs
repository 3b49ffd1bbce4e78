//! Submitting to the carrier that reviews: a job, never a request. It is tried again until the carrier takes it or turns
//! it down; what went wrong is shown with the template.

use serde::{Deserialize, Serialize};

use super::change::move_to;
use super::shelf::forget_templates;
use super::slots::numbered;
use super::status::{Deed, Status};
use super::store::{self, Row, Version};
use super::words::Words;
use crate::app::App;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::TemplateId;
use crate::jobs::{self, Job};
use crate::providers::{Carriers, Reviewed, TemplateForm, TemplateState};
use crate::routing;
use crate::terms::Channel;

/// Examples of what every template may use, for the reviewer.
const EXAMPLES: [(&str, &str); 3] = [("code", "481516"), ("app", "ACME"), ("minutes", "10")];

/// The carrier that reviews a template, with the account that it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewer {
    /// Its name in the configuration.
    pub carrier: String,
    /// Its account.
    pub account: String,
}

/// A version to submit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Submission {
    template: TemplateId,
    version: i32,
}

impl Job for Submission {
    const KIND: &'static str = "template.submit";
}

/// Who reviews `row`: of the carriers that review templates the one that the organization's messages go by, else any;
/// none where an operator does.
pub fn reviewer_of(conn: &mut Conn, carriers: &Carriers, row: &Row) -> Result<Option<Reviewer>> {
    if row.channel != Channel::Whatsapp {
        return Ok(None);
    }
    let routes = routing::load(conn)?;
    let want = routing::Want { channel: row.channel, country: None, recipient: "", org_id: row.org_id };
    let routed = routing::eligible(&routes, &want);
    let routed = routed.iter().filter_map(|route| carriers.find(&route.carrier));
    let any = carriers.iter().cloned();
    let found = routed.chain(any).find_map(|carrier| {
        let account = carrier.template_account().map(String::from)?;
        Some(Reviewer { carrier: String::from(carrier.name()), account })
    });
    Ok(found)
}

/// Puts a version into the queue.
pub(super) fn enqueue(conn: &mut Conn, version: &Version, now: Millis) -> Result<()> {
    let submission = Submission { template: version.template_id, version: version.version };
    jobs::enqueue(conn, Submission::KIND, &submission, now).map(drop)
}

/// Submits up to `limit` versions that are due; how many were. The worker calls this in its loop, tests by hand.
pub async fn run_submissions(app: &App, limit: i64) -> Result<usize> {
    jobs::run_due::<Submission, _, _>(&app.db, &app.clock, limit, |payload| submit(app, payload)).await
}

async fn submit(app: &App, payload: String) -> Result<()> {
    let due: Submission = serde_json::from_str(&payload).map_err(Error::internal)?;
    let (id, number) = (due.template, due.version);
    let found = app.db.read(move |conn| found(conn, id, number)).await?;
    let Some((row, version)) = found else { return Ok(()) };
    let form = form_of(&row, &version)?;
    let carrier = version.reviewer.as_deref().and_then(|name| app.carriers.find(name));
    let reviewed = match carrier {
        Some(carrier) => carrier.submit_template(&form).await,
        None => Reviewed::Failed(String::from("the carrier is not configured on this node")),
    };
    let failed = match &reviewed {
        Reviewed::Failed(why) => Some(why.clone()),
        _ => None,
    };
    let clock = app.clock.clone();
    app.db
        .write(move |conn| {
            let now = crate::db::now(conn, &clock)?;
            keep(conn, (id, number), reviewed, now)
        })
        .await?;
    forget_templates(app);
    match failed {
        Some(why) => Err(Error::new(Code::ProviderUnavailable).cause(why)),
        None => Ok(()),
    }
}

/// What is to be submitted still: not what was deleted or decided meanwhile.
fn found(conn: &mut Conn, id: TemplateId, version: i32) -> Result<Option<(Row, Version)>> {
    let found = store::find(conn, id).and_then(|row| Ok((row, store::load_version(conn, id, version)?)));
    match found {
        Ok((row, version)) => {
            Ok((version.status == Status::Pending && version.remote_id.is_none()).then_some((row, version)))
        }
        Err(fault) if fault.code() == Code::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn keep(conn: &mut Conn, (id, number): (TemplateId, i32), reviewed: Reviewed, now: Millis) -> Result<()> {
    // Whoever deleted it meanwhile has no use for the answer.
    let Some((mut row, mut version)) =
        store::find_locked(conn, id).and_then(|_| found(conn, id, number)).or_else(gone)?
    else {
        return Ok(());
    };
    version.updated_at = now;
    let (state, reason) = match reviewed {
        Reviewed::Failed(why) => {
            version.submit_error = Some(why);
            return store::save(conn, &row, &version);
        }
        Reviewed::Taken { id, state } => {
            version.remote_id = id;
            (state, None)
        }
        Reviewed::Refused(why) => (Some(TemplateState::Rejected), Some(why)),
    };
    version.submit_error = None;
    match state.and_then(|state| version.status.after(Deed::Told(state))) {
        Some(next) => move_to(conn, (&mut row, &mut version), next, reason, now),
        None => store::save(conn, &row, &version),
    }
}

fn gone<T>(fault: Error) -> Result<Option<T>> {
    if fault.code() == Code::NotFound { Ok(None) } else { Err(fault) }
}

fn form_of(row: &Row, version: &Version) -> Result<TemplateForm> {
    let words = version.words()?;
    let body = words.body.as_deref().map(|body| -> Result<(String, Vec<String>)> {
        let (text, names) = numbered(body)?;
        Ok((text, names.into_iter().map(|name| example_of(&words, name)).collect()))
    });
    Ok(TemplateForm {
        name: version.remote_name.clone().unwrap_or_else(|| row.name.clone()),
        locale: row.locale.clone(),
        category: row.category,
        body: body.transpose()?,
        footer: words.footer.clone(),
        security_recommendation: words.security_recommendation,
        expiry_minutes: words.expiry_minutes,
        button: words.button.clone(),
    })
}

fn example_of(words: &Words, name: &str) -> String {
    let own = || EXAMPLES.iter().find(|(known, _)| *known == name).map_or("example", |(_, example)| example);
    words.examples.get(name).cloned().unwrap_or_else(|| String::from(own()))
}
