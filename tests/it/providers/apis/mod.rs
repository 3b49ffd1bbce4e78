//! The adapters to HTTP APIs, by one driver and a table of each: every kind of answer over a real socket, the request
//! as documented, and what callbacks say.

mod answers;
mod callbacks;
mod hostile;
mod meta;
mod requests;
mod site;

use std::sync::Arc;

use postern::providers::{Carrier, Outgoing};
use postern::terms::Channel;
use serde_json::json;

use super::{acme, text_to};
use crate::harness::Backend;
use crate::harness::fake_carrier::Script;

/// A secret that proves callbacks.
const TOKEN: &str = "a-token-of-sixteen-and-more";

/// One API as the configuration names it.
struct Api {
    kind: &'static str,
    /// Its keys but for `base_url`.
    keys: &'static str,
    channel: Channel,
    /// What it answers when it takes a message, and the id in it; without an id, the hand-off's own.
    taken: fn() -> Script,
    id: Option<&'static str>,
    /// Answers of its own, and what they mean.
    answers: fn() -> Vec<(&'static str, Script, &'static str)>,
}

const WAMID: &str = "wamid.HBgMNDQ3NzAwOTAwMTIzFQIAERgSRklYVFVSRTAwMDAwMDAwMDAwMQA=";

const APIS: [Api; 8] = [
    Api {
        kind: "vonage_sms",
        keys: "api_key = \"abcd1234\"\napi_secret = \"key-canary\"\nfrom = \"ACME\"\ncallback_token = \"a-token-of-sixteen-and-more\"\n",
        channel: Channel::Sms,
        taken: || Script::Answer(200, vec![], fixture("providers/vonage_sms_response_ok.json")),
        id: Some("aaaaaaaa-bbbb-4ccc-8ddd-000000000001"),
        answers: answers::vonage_sms,
    },
    Api {
        kind: "vonage",
        keys: "api_key = \"abcd1234\"\napi_secret = \"key-canary\"\nfrom = \"ACME\"\nsignature_secret = \"fixture-vonage-signature-secret-00000001\"\n",
        channel: Channel::Sms,
        taken: || Script::Answer(202, vec![], fixture("providers/vonage_messages_response_202.json")),
        id: Some("aaaaaaaa-bbbb-4ccc-8ddd-000000000002"),
        answers: answers::vonage,
    },
    Api {
        kind: "infobip",
        keys: "api_key = \"key-canary\"\nfrom = \"ACME\"\ncallback_token = \"a-token-of-sixteen-and-more\"\n",
        channel: Channel::Sms,
        taken: || Script::Answer(200, vec![], fixture("providers/infobip_response_200.json")),
        id: Some("msg_01JFIXTURE0000000000000001"),
        answers: answers::infobip,
    },
    Api {
        kind: "plivo",
        keys: "auth_id = \"MA0000000000000000AA\"\nauth_token = \"fixture-plivo-auth-token\"\nfrom = \"ACME\"\n",
        channel: Channel::Sms,
        taken: || Script::Answer(202, vec![], fixture("providers/plivo_response_202.json")),
        id: Some("11111111-2222-4333-8444-000000000001"),
        answers: answers::plivo,
    },
    Api {
        kind: "bird",
        keys: "api_key = \"key-canary\"\nfrom = \"ACME\"\nwebhook_secret = \"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3\"\n",
        channel: Channel::Sms,
        taken: || Script::json(202, json!({"id": "sms_01krdgeqcxet5s7t44vh8rt9mg", "status": "accepted"})),
        id: Some("sms_01krdgeqcxet5s7t44vh8rt9mg"),
        answers: answers::bird,
    },
    Api {
        kind: "sns",
        keys: "access_key_id = \"AKIDEXAMPLE\"\nsecret_access_key = \"key-canary\"\nregion = \"eu-west-1\"\n",
        channel: Channel::Sms,
        taken: || {
            let id = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\n  \
                      <MessageId>00000000-1111-4222-8333-000000000001</MessageId></PublishResult></PublishResponse>";
            Script::Answer(200, vec![("Content-Type", "text/xml".into())], id.into())
        },
        id: Some("00000000-1111-4222-8333-000000000001"),
        answers: answers::sns,
    },
    Api {
        kind: "kannel",
        keys: "username = \"postern\"\npassword = \"key-canary\"\ncallback_token = \"a-token-of-sixteen-and-more\"\n",
        channel: Channel::Sms,
        taken: || Script::Answer(202, vec![], b"0: Accepted for delivery".to_vec()),
        id: None,
        answers: answers::kannel,
    },
    Api {
        kind: "meta",
        keys: "access_token = \"key-canary\"\nphone_number_id = \"800100200300401\"\napp_secret = \"fixture-app-secret-0001\"\nverify_token = \"fixture-verify-token\"\nwaba_id = \"900100200300400\"\n",
        channel: Channel::Whatsapp,
        taken: || Script::Answer(200, vec![], fixture("meta/send_response_200.json")),
        id: Some(WAMID),
        answers: answers::meta,
    },
];

impl Api {
    fn of(kind: &str) -> &'static Api {
        APIS.iter().find(|api| api.kind == kind).unwrap()
    }

    /// The carrier `acme` of this kind, at `base`.
    fn carrier(&self, base: &str) -> (Arc<dyn Carrier>, Backend) {
        self.carrier_with(base, "")
    }

    fn carrier_with(&self, base: &str, more: &str) -> (Arc<dyn Carrier>, Backend) {
        acme(&format!("kind = \"{}\"\nbase_url = \"{base}\"\n{}{more}", self.kind, self.keys))
    }

    fn message(&self) -> Outgoing {
        Outgoing { channel: self.channel, ..text_to("+447700900123") }
    }
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn json_fixture(name: &str) -> serde_json::Value {
    serde_json::from_slice(&fixture(name)).unwrap()
}
