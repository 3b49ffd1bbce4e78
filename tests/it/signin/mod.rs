//! Operators at the console's door, as their browsers see it.

mod admin;
mod factor;
mod forgery;
mod guesses;
mod links;
mod sessions;

use std::collections::BTreeMap;

use postern::signin;
use serde_json::json;

use crate::harness::actor::{Actor, Reply};
use crate::harness::app::TestApp;

/// A password that passes.
pub const PASSWORD: &str = "correct horse battery staple";

/// A browser: it keeps cookies, and says where its requests come from.
#[derive(Clone)]
pub struct Browser {
    actor: Actor,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// A browser that nobody has used, at an address of its own.
    pub fn fresh(app: &TestApp, address: &str) -> Browser {
        let actor =
            app.anonymous().with_header("X-Forwarded-For", address).with_header("Sec-Fetch-Site", "same-origin");
        Browser { actor, cookies: BTreeMap::new() }
    }

    /// The same browser, saying one more header.
    pub fn saying(&self, name: &str, value: &str) -> Browser {
        Browser { actor: self.actor.with_header(name, value), ..self.clone() }
    }

    /// The same browser, at another process.
    pub fn at(&self, app: &TestApp) -> Browser {
        Browser { actor: self.actor.at(&app.base), ..self.clone() }
    }

    /// A cookie that it keeps.
    pub fn cookie(&self, name: &str) -> Option<&String> {
        self.cookies.get(name)
    }

    /// The same browser with another cookie.
    pub fn with_cookie(mut self, name: &str, value: &str) -> Browser {
        self.cookies.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same browser after it was closed: what lasts is the device's cookie.
    pub fn reopened(mut self) -> Browser {
        self.cookies.retain(|name, _| name.ends_with("-device"));
        self
    }

    pub async fn get(&mut self, path: &str) -> Reply {
        let reply = self.speaker().get(path).await;
        self.keep(reply)
    }

    /// A stream, to be read as it comes.
    pub async fn open(&self, path: &str) -> reqwest::Response {
        self.speaker().open(path).await
    }

    /// Sends a form as it is.
    pub async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let body =
            fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect::<Vec<_>>().join("&");
        let form = "application/x-www-form-urlencoded";
        let reply = self.speaker().send("POST", path, form, body.into_bytes()).await;
        self.keep(reply)
    }

    /// Sends a form with the session's token in it.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let csrf = self.csrf().await;
        self.send(path, &[fields, &[("csrf", &csrf)]].concat()).await
    }

    /// The token against forged forms, as the pages have it.
    pub async fn csrf(&mut self) -> String {
        let page = self.get("/console/account").await.expect(200);
        value_of(&page.text, "csrf")
    }

    pub async fn sign_in(&mut self, name: &str, password: &str) -> Reply {
        self.send("/console/sign-in", &[("name", name), ("password", password)]).await
    }

    /// Whether it is signed in.
    pub async fn is_in(&mut self) -> bool {
        self.get("/console/account").await.status == 200
    }

    fn speaker(&self) -> Actor {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { self.actor.clone() } else { self.actor.with_header("Cookie", &pairs.join("; ")) }
    }

    fn keep(&mut self, reply: Reply) -> Reply {
        for line in &reply.cookies {
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }
}

/// The value of a field of a form.
pub fn value_of(page: &str, field: &str) -> String {
    let after =
        page.split(&format!("name=\"{field}\" value=\"")).nth(1).unwrap_or_else(|| panic!("no {field}: {page}"));
    after.split('"').next().unwrap().to_owned()
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A server that believes what the tests say about addresses.
pub async fn fresh() -> TestApp {
    TestApp::start_with(|config| config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await
}

/// A new operator's id.
pub async fn operator(app: &TestApp, name: &str, role: &str) -> String {
    app.operator().post("/v1/admin/operators", json!({"name": name, "role": role})).await.expect(201).text_at("/id")
}

/// The path of an invitation.
pub async fn invitation(app: &TestApp, id: &str) -> String {
    let path = format!("/v1/admin/operators/{id}/invitations");
    local(&app.operator().post(&path, json!({})).await.expect(201).text_at("/url"))
}

/// The path of the link that a first start shows; `None` where somebody has a password.
pub async fn first_link(app: &TestApp) -> Option<String> {
    let (ring, now) = (app.app.keyring.clone(), app.app.clock.now());
    let link = app.write(move |conn| signin::first_link(conn, &ring, "http://localhost:8080", now)).await;
    link.map(|link| local(&link.url))
}

fn local(url: &str) -> String {
    url.strip_prefix("http://localhost:8080").unwrap_or_else(|| panic!("{url}")).to_owned()
}

/// Chooses a password by a link.
pub async fn choose(browser: &mut Browser, link: &str, name: &str, password: &str) -> Reply {
    let token = link.split("token=").nth(1).unwrap();
    browser
        .send("/console/setup", &[("token", token), ("name", name), ("password", password), ("again", password)])
        .await
}

/// A new operator who has chosen `PASSWORD`, and the browser they did it with.
pub async fn person(app: &TestApp, name: &str, role: &str) -> (String, Browser) {
    let id = operator(app, name, role).await;
    let link = invitation(app, &id).await;
    let mut browser = Browser::fresh(app, "198.51.100.1");
    choose(&mut browser, &link, "", PASSWORD).await.expect(303);
    (id, browser)
}

/// The rows of the audit log whose action starts so, oldest first: action, target, after.
pub async fn audited(app: &TestApp, start: &str) -> Vec<(String, String, serde_json::Value)> {
    let page = app.operator().get("/v1/admin/audit?limit=200").await.expect(200);
    let rows = page.json["data"].as_array().unwrap().iter().rev();
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.filter(|row| text(row, "action").starts_with(start))
        .map(|row| (text(row, "action"), text(row, "target"), row["after"].clone()))
        .collect()
}
