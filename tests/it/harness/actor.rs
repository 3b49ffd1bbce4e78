//! Those who call: a value per caller, with a verb per method, speaking to the server over a socket.

use std::collections::BTreeMap;

use serde_json::Value;

/// One caller: where it calls, and what it says about itself in every request.
#[derive(Clone)]
pub struct Actor {
    client: reqwest::Client,
    base: String,
    headers: Vec<(String, String)>,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    /// Every `Set-Cookie`.
    pub cookies: Vec<String>,
    /// The body as text.
    pub text: String,
    /// The body as JSON, `Null` where it is none.
    pub json: Value,
}

impl Actor {
    /// Somebody without a key.
    pub fn anonymous(base: &str) -> Actor {
        Actor { client: client(), base: base.to_owned(), headers: Vec::new() }
    }

    /// The same caller with a bearer token.
    pub fn with_token(&self, token: &str) -> Actor {
        self.with_header("Authorization", &format!("Bearer {token}"))
    }

    /// The same caller, calling another process.
    pub fn at(&self, base: &str) -> Actor {
        Actor { base: base.to_owned(), ..self.clone() }
    }

    /// The same caller, on connections that nobody has used yet.
    pub fn afresh(&self) -> Actor {
        Actor { client: client(), ..self.clone() }
    }

    /// The same caller, saying one more header.
    pub fn with_header(&self, name: &str, value: &str) -> Actor {
        let mut actor = self.clone();
        actor.headers.retain(|(said, _)| !said.eq_ignore_ascii_case(name));
        actor.headers.push((name.to_owned(), value.to_owned()));
        actor
    }

    /// The same caller with this header besides one of that name.
    pub fn with_also(&self, name: &str, value: &str) -> Actor {
        let mut actor = self.clone();
        actor.headers.push((name.to_owned(), value.to_owned()));
        actor
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, None).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path, None).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.call("POST", path, Some(body)).await
    }

    /// `PUT` of JSON.
    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.call("PUT", path, Some(body)).await
    }

    /// `PATCH` of JSON.
    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.call("PATCH", path, Some(body)).await
    }

    /// Any method, JSON or nothing.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        match body {
            Some(body) => self.send(method, path, "application/json", body.to_string().into_bytes()).await,
            None => self.finish(self.request(method, path)).await,
        }
    }

    /// Any method, any bytes: for what is not JSON, or not quite.
    pub async fn send(&self, method: &str, path: &str, content_type: &str, body: Vec<u8>) -> Reply {
        self.finish(self.request(method, path).header("Content-Type", content_type).body(body)).await
    }

    /// Any method, JSON or nothing, to a server that may be dead or stalled: an error where no answer came.
    pub async fn attempt(&self, method: &str, path: &str, body: Option<Value>) -> reqwest::Result<Reply> {
        let request = self.request(method, path).timeout(ANSWER_WITHIN);
        read(match body {
            Some(body) => request.header("Content-Type", "application/json").body(body.to_string()),
            None => request,
        })
        .await
    }

    /// `GET` of an answer that does not end by itself; its pieces are read as they come.
    pub async fn open(&self, path: &str) -> reqwest::Response {
        self.request("GET", path).send().await.unwrap()
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let start = self.client.request(method, format!("{}{path}", self.base));
        self.headers.iter().fold(start, |request, (name, value)| request.header(name, value))
    }

    async fn finish(&self, request: reqwest::RequestBuilder) -> Reply {
        read(request).await.unwrap()
    }
}

/// Longer than any answer may take; only a server that hangs meets it.
const ANSWER_WITHIN: std::time::Duration = std::time::Duration::from_secs(20);

async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<Reply> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let cookies = response.headers().get_all("set-cookie").iter();
    let cookies = cookies.map(|value| String::from_utf8_lossy(value.as_bytes()).into()).collect();
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()));
    let headers = headers.collect();
    let text = response.text().await?;
    let json = serde_json::from_str(&text).unwrap_or_default();
    Ok(Reply { status, headers, cookies, text, json })
}

impl Reply {
    /// The reply itself, if it has this status; the test ends here with the body in view if not.
    #[track_caller]
    pub fn expect(self, status: u16) -> Reply {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// An error of the registry: its status and code; gives the reply back for a closer look.
    #[track_caller]
    pub fn refused(self, code: postern::error::Code) -> Reply {
        assert_eq!(
            (self.status, self.json["code"].as_str()),
            (code.entry().status, Some(code.as_str())),
            "{}",
            self.text
        );
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text);
        self
    }

    /// One header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// A text of the JSON body by pointer, e.g. `/id`.
    #[track_caller]
    pub fn text_at(&self, pointer: &str) -> String {
        let found = self.json.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no text at {pointer}: {}", self.text)).to_owned()
    }
}

fn client() -> reqwest::Client {
    // The first caller of the process installs it; the others find it there.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
}

#[cfg(test)]
mod tests {
    use super::super::fake_carrier::{FakeCarrier, Script};
    use super::*;

    #[actix_web::test]
    async fn an_actor_says_who_it_is_and_reads_the_answer() {
        let server = FakeCarrier::start();
        let anonymous = Actor::anonymous(&server.url(""));
        let known = anonymous.with_token("a").with_token("b").with_header("X-Ref", "7");
        let reply = known.post("/v1/x", serde_json::json!({"n": 1})).await.expect(201);
        assert!(reply.text_at("/sid").starts_with("SM"));
        known.put("/y", serde_json::json!({})).await.expect(201);
        known.patch("/y", serde_json::json!({})).await.expect(201);
        known.delete("/y").await.expect(201);
        anonymous.get("/y").await.expect(201);
        let seen = server.hand_offs();
        assert_eq!((seen[0].header("authorization"), seen[0].header("x-ref")), (Some("Bearer b"), Some("7")));
        assert_eq!((seen[0].json()["n"].as_i64(), seen[4].header("authorization")), (Some(1), None));
        let methods: Vec<_> = seen.iter().map(|call| call.method.as_str()).collect();
        assert_eq!(methods, ["POST", "PUT", "PATCH", "DELETE", "GET"]);
    }

    #[actix_web::test]
    async fn a_refusal_is_its_code_and_its_status() {
        let server = FakeCarrier::start();
        let body = serde_json::json!({"code": "not_found"}).to_string().into_bytes();
        server.next(Script::Answer(404, vec![("Content-Type", "application/problem+json".into())], body));
        Actor::anonymous(&server.url("")).get("/").await.refused(postern::error::Code::NotFound);
    }
}
