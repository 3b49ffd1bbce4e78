//! The door's cookies: how they are named, written and read.

use std::time::Duration;

use actix_web::http::header::{COOKIE, HeaderMap};

use crate::app::App;

/// What a cookie holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The session's token.
    Session,
    /// A sign-in whose second factor is awaited.
    Pending,
    /// A device that has signed in before.
    Device,
}

/// Cookies of this server. Behind https they are `__Host-` and `Secure`: no other host can set them and no plain
/// connection carries them. Over plain http, which is for one's own machine, browsers differ about such cookies even on
/// loopback, so they are named and sent without.
#[derive(Debug, Clone, Copy)]
pub(super) struct Jar {
    https: bool,
}

impl Jar {
    /// As the public address says.
    pub(super) fn of(app: &App) -> Jar {
        Jar { https: app.config.public_url().is_https() }
    }

    fn name(self, kind: Kind) -> &'static str {
        match (self.https, kind) {
            (true, Kind::Session) => "__Host-postern",
            (true, Kind::Pending) => "__Host-postern-code",
            (true, Kind::Device) => "__Host-postern-device",
            (false, Kind::Session) => "postern",
            (false, Kind::Pending) => "postern-code",
            (false, Kind::Device) => "postern-device",
        }
    }

    /// A `Set-Cookie`; it goes with the browser where no life is given.
    pub(super) fn set(self, kind: Kind, value: &str, life: Option<Duration>) -> String {
        let secure = if self.https { "; Secure" } else { "" };
        let life = life.map(|life| format!("; Max-Age={}", life.as_secs())).unwrap_or_default();
        format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{life}", self.name(kind))
    }

    /// A `Set-Cookie` that takes it away.
    pub(super) fn drop(self, kind: Kind) -> String {
        self.set(kind, "", Some(Duration::ZERO))
    }

    /// The value that came with a request.
    pub(super) fn read(self, kind: Kind, headers: &HeaderMap) -> Option<String> {
        let lines = headers.get_all(COOKIE).filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, value)| *name == self.name(kind) && !value.is_empty()).map(|(_, value)| String::from(value))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn behind_https_a_cookie_is_bound_to_its_host() {
        let set = Jar { https: true }.set(Kind::Session, "abc", None);
        assert_eq!(set, "__Host-postern=abc; Path=/; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(
            Jar { https: false }.drop(Kind::Pending),
            "postern-code=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let req =
            TestRequest::default().append_header(("cookie", "a=1; postern-code=x.y; postern=t")).to_http_request();
        let read = |https, kind| Jar { https }.read(kind, req.headers());
        assert_eq!(read(false, Kind::Session).as_deref(), Some("t"));
        assert_eq!(read(false, Kind::Pending).as_deref(), Some("x.y"));
        assert_eq!(read(true, Kind::Session), None);
    }
}
