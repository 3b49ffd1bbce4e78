//! Which template a message gets: the organization's own before the built-in one, on each of its channels.

use std::collections::BTreeMap;

use super::body::TemplateBody;
use super::content::{Content, OwnContent};
use super::new::{NewMessage, Words};
use crate::accounts::Caller;
use crate::error::{Code, Error, Result};
use crate::templates::{Choice, Chosen, Defaults, Locale, OwnTemplates, Params, TemplateName, Values, Wanted};
use crate::terms::{Channel, Mode};

/// What choosing looks at.
#[derive(Clone, Copy)]
pub struct Shelf<'a> {
    /// Organizations' own templates.
    pub own: &'a OwnTemplates,
    /// Whether a carrier of WhatsApp takes codes that no template of the organization's says.
    pub takes_plain_codes: bool,
}

/// The content of a request; checks its template's name, language and parameters. Errors: `validation_failed` by field,
/// and `template.not_approved`.
pub fn content_of(message: &NewMessage, caller: &Caller, shelf: Shelf<'_>) -> Result<Content> {
    match &message.words {
        Words::Text { text, subject } => Ok(Content::Text { text: text.clone(), subject: subject.clone() }),
        Words::Template(wanted) => by_template(message, wanted, caller, shelf),
    }
}

fn by_template(message: &NewMessage, body: &TemplateBody, caller: &Caller, shelf: Shelf<'_>) -> Result<Content> {
    let asked = body.locale.as_deref().unwrap_or(&caller.org.locale);
    let locale = Locale::parse("template.locale", asked)?;
    let channels = std::iter::once(message.channel).chain(message.fallback.iter().map(|step| step.channel));
    let built_in: Option<TemplateName> = body.name.parse().ok();
    let mut chosen: Vec<Chosen> = Vec::new();
    let mut others: Vec<Channel> = Vec::new();
    for channel in channels {
        let wanted = wanted(caller, channel, asked);
        match (shelf.own.choose(&body.name, &wanted), built_in) {
            (Choice::Found(found), _) => chosen.push(*found),
            (_, Some(_)) if channel == Channel::Whatsapp && caller.mode() == Mode::Live && !shelf.takes_plain_codes => {
                return Err(not_approved(channel));
            }
            (_, Some(_)) => others.push(channel),
            (Choice::NotApproved, None) => return Err(not_approved(channel)),
            (Choice::Elsewhere, None) => {
                return Err(Error::field(
                    "template.name",
                    format!("has no text for {channel}, which this message may go by"),
                ));
            }
            // An unknown name lists the built-in ones.
            (Choice::None, None) => TemplateName::read("template.name", &body.name).map(drop)?,
        }
    }
    if let Some(why) = chosen.iter().find_map(|one| one.kind_fault(message.kind)) {
        return Err(Error::field("kind", why));
    }
    let (app, valid) = (caller.org.name.clone(), message.ttl);
    let (params, valid_s) = (body.params.clone(), valid.as_secs());
    if let (true, Some(name)) = (chosen.is_empty(), built_in) {
        return Ok(Content::Template { name, locale: String::from(locale.as_str()), params, app, valid_s });
    }
    check_params(&chosen, built_in.filter(|_| !others.is_empty()), &params, Defaults { app: &app, valid })?;
    let built_in = built_in.map(|name| (name, String::from(locale.as_str())));
    Ok(Content::Own(OwnContent { name: body.name.clone(), chosen, built_in, params, app, valid_s }))
}

/// All that will be rendered can be: a fallback that lacks a parameter is told now.
fn check_params(
    chosen: &[Chosen],
    built_in: Option<TemplateName>,
    params: &BTreeMap<String, String>,
    defaults: Defaults<'_>,
) -> Result<()> {
    Values::read(chosen, params, defaults)?;
    if built_in.is_some() {
        let known = params.iter().filter(|(name, _)| matches!(name.as_str(), "code" | "app" | "minutes"));
        Params::read(&known.map(|(name, value)| (name.clone(), value.clone())).collect(), defaults)?;
    }
    Ok(())
}

/// The template by which a verification's code goes on `channel`: the one of that name, else (where the name is a
/// built-in one, or its own has no text there) the built-in text; on WhatsApp any that was approved for codes.
/// Errors: `template.not_approved`, and a fault of `template` for a name that is nobody's or takes more than a code.
pub fn for_code(
    name: &str,
    channel: Channel,
    locale: &str,
    caller: &Caller,
    shelf: Shelf<'_>,
) -> Result<(TemplateName, Option<Chosen>)> {
    let wanted = wanted(caller, channel, locale);
    let built_in: Option<TemplateName> = name.parse().ok();
    let base = built_in.unwrap_or(TemplateName::Verification);
    match shelf.own.choose(name, &wanted) {
        Choice::Found(found) if found.takes_code() => return Ok((base, Some(*found))),
        Choice::Found(_) => {
            return Err(Error::field(
                "template",
                "has placeholders that a verification does not fill; it fills code, app and minutes",
            ));
        }
        Choice::NotApproved if built_in.is_none() => return Err(not_approved(channel)),
        Choice::None if built_in.is_none() => TemplateName::read("template", name).map(drop)?,
        Choice::NotApproved | Choice::Elsewhere | Choice::None => {}
    }
    if channel != Channel::Whatsapp {
        return Ok((base, None));
    }
    match shelf.own.choose_for_code(&wanted) {
        Some(found) => Ok((base, Some(found))),
        None if caller.mode() == Mode::Test || shelf.takes_plain_codes => Ok((base, None)),
        None => Err(not_approved(channel)),
    }
}

fn wanted<'a>(caller: &'a Caller, channel: Channel, locale: &'a str) -> Wanted<'a> {
    Wanted { owner: (caller.org_id(), caller.mode()), channel, locale, home: &caller.org.locale }
}

fn not_approved(channel: Channel) -> Error {
    Error::new(Code::TemplateNotApproved).detail(format!(
        "No template of that name is approved for {channel} in any language; submit one at /v1/templates, or wait for its review."
    ))
}
