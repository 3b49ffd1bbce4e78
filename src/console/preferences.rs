//! How a reader wants the console: live or test, light or dark, in which language. A cookie of this browser; no secret.

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, post};

use crate::console::desk::Desk;
use crate::error::{Code, Error, Language, Result};
use crate::http::query::pairs;
use crate::http::{Raw, reader};
use crate::words::languages;

/// The cookie's name.
const COOKIE: &str = "postern_view";

/// The choices.
#[derive(Debug, Clone, Default)]
pub(super) struct Preferences {
    is_test: bool,
    theme: Theme,
    language: Option<&'static str>,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Theme {
    /// As the system has it.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// Every choice, as the menu has them.
    pub(super) const ALL: [Theme; 3] = [Theme::Auto, Theme::Light, Theme::Dark];

    /// The word in the cookie and in `<html data-theme>`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

impl Preferences {
    /// As the request's cookie has them.
    pub(super) fn of(req: &HttpRequest) -> Preferences {
        let cookie = req.cookie(COOKIE);
        let words = cookie.as_ref().map(Cookie::value).unwrap_or_default().split('.');
        words.fold(Preferences::default(), Preferences::with)
    }

    fn with(self, word: &str) -> Preferences {
        match word {
            "live" => Preferences { is_test: false, ..self },
            "test" => Preferences { is_test: true, ..self },
            "auto" => Preferences { theme: Theme::Auto, ..self },
            "light" => Preferences { theme: Theme::Light, ..self },
            "dark" => Preferences { theme: Theme::Dark, ..self },
            "browser" => Preferences { language: None, ..self },
            tag => Preferences { language: languages().find(|one| *one == tag).or(self.language), ..self },
        }
    }

    fn cookie(&self) -> Cookie<'static> {
        let language = self.language.map(|tag| format!(".{tag}")).unwrap_or_default();
        Cookie::build(COOKIE, format!("{}.{}{language}", self.mode(), self.theme.word()))
            .path("/console")
            .same_site(SameSite::Lax)
            .http_only(true)
            .max_age(Duration::days(365))
            .finish()
    }

    /// `live` or `test`.
    pub(super) fn mode(&self) -> &'static str {
        if self.is_test { "test" } else { "live" }
    }

    /// Light or dark.
    pub(super) fn theme(&self) -> Theme {
        self.theme
    }

    /// The chosen language's tag; none where the browser's is taken.
    pub(super) fn chosen_language(&self) -> Option<&'static str> {
        self.language
    }

    /// The language to answer in.
    pub(super) fn language(&self, headers: &HeaderMap) -> Language {
        match self.language {
            Some(tag) => Language::asked_by(tag),
            None => reader::language(reader::languages(headers).as_ref()),
        }
    }
}

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(prefer);
}

/// Keeps what was chosen and shows the page again.
#[post("/prefer")]
async fn prefer(desk: Desk, req: HttpRequest, body: Raw) -> Result<HttpResponse> {
    let text = std::str::from_utf8(&body.0).map_err(|_| Error::new(Code::MalformedRequest))?;
    let sent = pairs(text)?;
    let value = |name: &str| sent.iter().find(|(one, _)| one == name).map_or("", |(_, value)| value.as_str());
    let chosen = ["mode", "theme", "language"].iter().map(|name| value(name)).filter(|word| !word.is_empty());
    let preferences = chosen.fold(Preferences::of(&req), Preferences::with);
    let desk = desk.came_from(value("back"));
    Ok(HttpResponse::SeeOther().cookie(preferences.cookie()).insert_header((header::LOCATION, desk.back())).finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_stays_and_an_unknown_one_changes_nothing() {
        let chosen = ["test", "dark", "nonsense"].into_iter().fold(Preferences::default(), Preferences::with);
        assert_eq!(chosen.cookie().value(), "test.dark");
        assert_eq!(chosen.with("live").cookie().value(), "live.dark");
    }
}
