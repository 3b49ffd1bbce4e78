//! From a name, a channel and a locale to what is handed to a carrier.

use askama::Template;

use crate::error::{Error, Result};
use crate::terms::Channel;
use crate::text::{AppHash, Host, fits_retriever, with_app_hash, with_origin};

use super::catalog::{Texts, Wording, texts};
use super::{Locale, Params, TemplateName, fill};

/// A finished message. No Debug: it holds a code.
#[derive(Clone)]
pub struct Rendered {
    /// The subject of an email; without the code.
    pub subject: Option<String>,
    /// The text: the whole of an SMS or WhatsApp message, the plain part of an email.
    pub text: String,
    /// The HTML part of an email.
    pub html: Option<String>,
}

/// Renders template `name` for `channel` in `locale`.
///
/// # Errors
/// None that a caller can cause: parameters were checked when `Params` was made.
pub fn render(name: TemplateName, channel: Channel, locale: Locale, params: &Params) -> Result<Rendered> {
    let texts = texts(locale)?;
    let wording = texts.wording(name);
    match channel {
        Channel::Sms | Channel::Whatsapp => {
            Ok(Rendered { subject: None, text: fill(&wording.text, &params.values())?, html: None })
        }
        Channel::Email => mail(locale, texts, wording, params),
    }
}

/// A verification's message: a template, and the forms by which phones fill the code in.
#[derive(Clone, Copy)]
pub struct CodeText<'a> {
    /// The template.
    pub template: TemplateName,
    /// The channel of this step.
    pub channel: Channel,
    /// The negotiated locale.
    pub locale: Locale,
    /// Code, name and validity.
    pub params: &'a Params,
    /// `web_origin`: adds the origin-bound last line.
    pub origin: Option<&'a Host>,
    /// `app_hash`: adds the SMS Retriever line.
    pub app_hash: Option<&'a AppHash>,
}

/// Renders a verification's message. The autofill forms go on SMS only: no phone reads them elsewhere. Where the
/// locale's text is too long for SMS Retriever, the app's name and the code alone stand in for it.
///
/// # Errors
/// A fault of `app_hash` where even that is longer than SMS Retriever reads.
pub fn verification_text(spec: &CodeText<'_>) -> Result<Rendered> {
    with_phone_forms(render(spec.template, spec.channel, spec.locale, spec.params)?, spec)
}

/// The same for a text that is an organization's own.
///
/// # Errors
/// As for [`verification_text`].
pub fn with_phone_forms(mut rendered: Rendered, spec: &CodeText<'_>) -> Result<Rendered> {
    if spec.channel == Channel::Sms {
        rendered.text = with_forms(rendered.text, spec)?;
    }
    Ok(rendered)
}

/// What stands in for a text that is too long for SMS Retriever; needs no translation.
const SHORT: &str = "{app}: {code}";

fn with_forms(text: String, spec: &CodeText<'_>) -> Result<String> {
    let whole = dressed(text, spec);
    if spec.app_hash.is_none() || fits_retriever(&whole) {
        return Ok(whole);
    }
    let short = dressed(fill(SHORT, &spec.params.values())?, spec);
    if fits_retriever(&short) {
        return Ok(short);
    }
    Err(Error::field("app_hash", "makes the text longer than the 140 bytes of SMS Retriever; leave web_origin out"))
}

/// The hash first: the origin-bound line must stay last.
fn dressed(mut text: String, spec: &CodeText<'_>) -> String {
    if let Some(hash) = spec.app_hash {
        text = with_app_hash(&text, hash);
    }
    if let Some(host) = spec.origin {
        text = with_origin(&text, host, spec.params.code());
    }
    text
}

/// What both parts of an email show.
#[derive(Clone, Copy)]
struct Letter<'a> {
    lang: &'a str,
    direction: &'a str,
    subject: &'a str,
    lead: &'a str,
    code: &'a str,
    expiry: &'a str,
    ignore: &'a str,
    app: &'a str,
}

#[derive(Template)]
#[template(path = "mail/code.txt")]
struct PlainPart<'a> {
    letter: Letter<'a>,
}

#[derive(Template)]
#[template(path = "mail/code.html")]
struct HtmlPart<'a> {
    letter: Letter<'a>,
}

fn mail(locale: Locale, texts: &Texts, wording: &Wording, params: &Params) -> Result<Rendered> {
    let values = params.values();
    let subject = fill(&wording.subject, &values)?;
    let (lead, expiry) = (fill(&wording.lead, &values)?, fill(&texts.expiry, &values)?);
    let letter = Letter {
        lang: locale.as_str(),
        direction: &texts.direction,
        subject: &subject,
        lead: &lead,
        code: params.code(),
        expiry: &expiry,
        ignore: &texts.ignore,
        app: params.app(),
    };
    let text = PlainPart { letter }.render().map_err(Error::internal)?;
    let html = HtmlPart { letter }.render().map_err(Error::internal)?;
    Ok(Rendered { subject: Some(subject), text, html: Some(html) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::templates::Defaults;
    use crate::text::origin_bound;

    fn params(app: &str) -> Params {
        let given = BTreeMap::from([("code".to_owned(), "481516".to_owned())]);
        Params::read(&given, Defaults { app, valid: Duration::from_secs(600) }).unwrap()
    }

    fn verification(locale: &str, params: &Params, origin: Option<&Host>, app_hash: Option<&AppHash>) -> String {
        let locale = Locale::parse("locale", locale).unwrap();
        let template = TemplateName::Verification;
        let spec = CodeText { template, channel: Channel::Sms, locale, params, origin, app_hash };
        verification_text(&spec).unwrap().text
    }

    #[test]
    fn an_sms_is_the_text_of_its_locale() {
        let params = params("ACME");
        let text = verification("en-GB", &params, None, None);
        assert_eq!(text, "481516 is your ACME code. It expires in 10 min. Do not share it.");
        let text = verification("pt", &params, None, None);
        assert_eq!(text, "Use 481516 para verificar sua identidade em ACME. Expira em 10 min. Nunca compartilhe.");
    }

    #[test]
    fn every_message_shows_the_code_once_in_every_channel_and_locale() {
        let params = params("ACME");
        for locale in Locale::all() {
            for (name, channel) in TemplateName::ALL.iter().flat_map(|n| Channel::ALL.iter().map(move |c| (*n, *c))) {
                let made = render(name, channel, locale, &params).unwrap();
                assert_eq!(made.text.matches("481516").count(), 1, "{}", locale.as_str());
                assert!(made.text.contains("10") && !made.text.contains(['{', '}']));
                assert_eq!(made.html.is_some(), channel == Channel::Email);
                let html = made.html.unwrap_or_else(|| "481516".to_owned());
                assert_eq!(html.matches("481516").count(), 1, "{}", locale.as_str());
                assert!(!html.contains("http"), "a mail of ours links nowhere");
                assert!(made.subject.is_none_or(|s| s.contains("ACME") && !s.contains("481516")));
            }
        }
    }

    #[test]
    fn an_email_escapes_what_it_is_filled_with() {
        let made = render(TemplateName::Login, Channel::Email, Locale::ENGLISH, &params("<b>A&B</b>"));
        let made = made.unwrap();
        let html = made.html.unwrap();
        assert!(!html.contains("<b>") && html.contains("A&#38;B"), "{html}");
        assert_eq!(made.subject.as_deref(), Some("Your <b>A&B</b> login code"));
        let lines: Vec<&str> = made.text.lines().collect();
        assert_eq!(lines[..3], ["Use this code to log in to <b>A&B</b>:", "", "481516"]);
    }

    #[test]
    fn an_arabic_email_reads_from_the_right_with_the_code_from_the_left() {
        let arabic = Locale::parse("locale", "ar-EG").unwrap();
        let made = render(TemplateName::Login, Channel::Email, arabic, &params("ACME")).unwrap();
        let html = made.html.unwrap();
        assert!(html.contains("<html lang=\"ar\" dir=\"rtl\">") && html.contains("<p dir=\"ltr\""), "{html}");
    }

    #[test]
    fn a_web_origin_is_the_last_line_in_every_locale() {
        let (params, host) = (params("ACME"), Host::parse("acme.example").unwrap());
        for locale in Locale::all() {
            let text = verification(locale.as_str(), &params, Some(&host), None);
            let bound = origin_bound(&text).unwrap();
            assert_eq!((bound.host, bound.code), ("acme.example", "481516"));
        }
    }

    #[test]
    fn an_app_hash_fits_in_every_locale_even_beside_an_origin() {
        let (hash, host) = (AppHash::parse("FA+9qCX9VSu").unwrap(), Host::parse("acme.example").unwrap());
        for (app, origin) in [("ACME", None), ("ACME", Some(&host)), ("Ein ziemlich langer Name von vierzig Zch", None)]
        {
            let params = params(app);
            for locale in Locale::all() {
                let text = verification(locale.as_str(), &params, origin, Some(&hash));
                assert!(fits_retriever(&text) && text.contains("\n\nFA+9qCX9VSu"), "{text}");
                assert_eq!(origin_bound(&text).is_some(), origin.is_some());
            }
        }
    }

    #[test]
    fn an_origin_too_long_for_the_retriever_is_a_fault_of_app_hash() {
        let (hash, host) = (AppHash::parse("FA+9qCX9VSu"), Host::parse(&format!("{}.example", "a.".repeat(60))));
        assert!(host.is_err(), "an empty label is no domain");
        let (hash, host) = (hash.unwrap(), Host::parse(&format!("{}example", "a.".repeat(60))).unwrap());
        let (params, template) = (params("ACME"), TemplateName::Verification);
        let spec = CodeText {
            template,
            channel: Channel::Sms,
            locale: Locale::ENGLISH,
            params: &params,
            origin: Some(&host),
            app_hash: Some(&hash),
        };
        assert!(verification_text(&spec).err().is_some_and(|error| error.fields().contains_key("app_hash")));
    }

    #[test]
    fn the_forms_stay_out_of_email() {
        let (params, host) = (params("ACME"), Host::parse("acme.example").unwrap());
        let spec = CodeText {
            template: TemplateName::Verification,
            channel: Channel::Email,
            locale: Locale::ENGLISH,
            params: &params,
            origin: Some(&host),
            app_hash: None,
        };
        assert!(!verification_text(&spec).unwrap().text.contains("acme.example"));
    }
}
