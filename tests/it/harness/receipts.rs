//! What carriers report back, signed as they sign.

use std::collections::BTreeMap;

use base64::Engine;
use postern::secret::{hmac_sha1, hmac_sha256};
use serde_json::json;

use super::actor::Reply;
use super::app::{ACME_SECRET, TWILIO_TOKEN, TestApp};

impl TestApp {
    /// `acme` reports on the hand-off it answered with this id: `SENT`, `DELIVRD`, `UNDELIV` or `REJECTD`.
    pub async fn acme_reports(&self, id: &str, status: &str) -> Reply {
        let body = json!({"id": id, "status": status}).to_string();
        let mac = hmac_sha256(ACME_SECRET.as_bytes(), body.as_bytes());
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        let caller = self.anonymous().with_header("X-Signature", &hex);
        caller.send("POST", "/hooks/acme/status", "application/json", body.into_bytes()).await
    }

    /// `twilio` reports on the hand-off it answered with this sid: `sent`, `delivered`, `undelivered`, `failed`.
    pub async fn twilio_reports(&self, sid: &str, status: &str) -> Reply {
        let path = "/hooks/twilio/status";
        // In the order of their names, which is the order Twilio signs them in.
        let form = BTreeMap::from([("AccountSid", "AC0"), ("MessageSid", sid), ("MessageStatus", status)]);
        let url = format!("{}{path}", self.app.config.public_url());
        let signed = form.iter().fold(url, |text, (name, value)| text + name + value);
        let mac = hmac_sha1(TWILIO_TOKEN.as_bytes(), signed.as_bytes());
        let signature = base64::engine::general_purpose::STANDARD.encode(mac);
        let body: Vec<_> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let caller = self.anonymous().with_header("X-Twilio-Signature", &signature);
        caller.send("POST", path, "application/x-www-form-urlencoded", body.join("&").into_bytes()).await
    }
}

#[actix_web::test]
async fn receipts_of_both_shapes_end_a_message() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let body = json!({"to": "+447911123456", "body": "hello", "kind": "transactional"});
    for (carrier, status) in [("acme", "DELIVRD"), ("twilio", "undelivered")] {
        app.route(&[("sms", carrier, 1)]).await;
        let id = tenant.live.post("/v1/messages", body.clone()).await.expect(202).text_at("/id");
        app.step().await;
        // The fakes number their answers from 1.
        let provider_id = format!("SM{:032x}", 1);
        let reply = match carrier {
            "acme" => app.acme_reports(&provider_id, status).await.expect(204),
            _ => app.twilio_reports(&provider_id, status).await.expect(200),
        };
        assert!(!reply.text.contains("error"), "{}", reply.text);
        let seen = tenant.live.get(&format!("/v1/messages/{id}")).await.expect(200).text_at("/status");
        assert_eq!(seen, if carrier == "acme" { "delivered" } else { "undelivered" });
    }
}
