//! What the simulated account looks like.

use std::time::Duration;

/// One number of one WhatsApp Business account, the app that calls it, and how it behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where webhooks go, e.g. `http://127.0.0.1:8080/hooks/meta`; none: they are kept until there is one.
    pub callback: Option<String>,
    /// The token that calls must carry.
    pub access_token: String,
    /// The key of the webhooks' signatures.
    pub app_secret: String,
    /// What the handshake shows.
    pub verify_token: String,
    /// The number's id.
    pub phone_number_id: String,
    /// The number, digits only.
    pub display_phone_number: String,
    /// The account's id, which templates belong to.
    pub waba_id: String,
    /// When webhooks follow a message.
    pub pace: Pace,
    /// Messages a second before 130429.
    pub per_second: u32,
    /// Whether templates are approved by themselves.
    pub auto_review: bool,
}

/// How long after a message its webhooks come.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// `sent`, and failures.
    pub sent: Duration,
    /// `delivered`.
    pub delivered: Duration,
    /// `read`.
    pub read: Duration,
    /// The review of a template.
    pub review: Duration,
}

impl Default for Settings {
    /// The ids of the published fixtures, and secrets that are none.
    fn default() -> Self {
        Settings {
            callback: None,
            access_token: String::from("simulator-access-token"),
            app_secret: String::from("simulator-app-secret"),
            verify_token: String::from("simulator-verify-token"),
            phone_number_id: String::from("800100200300401"),
            display_phone_number: String::from("447400900100"),
            waba_id: String::from("900100200300400"),
            pace: Pace::default(),
            per_second: 80,
            auto_review: true,
        }
    }
}

impl Default for Pace {
    fn default() -> Self {
        let ms = Duration::from_millis;
        Pace { sent: ms(200), delivered: ms(800), read: ms(3_000), review: ms(2_000) }
    }
}

impl Settings {
    /// The carrier that calls this account at `base_url`, as `postern.toml` names it.
    pub fn carrier_toml(&self, base_url: &str) -> String {
        let Settings { access_token, phone_number_id, waba_id, app_secret, verify_token, .. } = self;
        format!(
            "[[carriers]]\nname = \"meta\"\nkind = \"meta\"\nbase_url = \"{base_url}\"\naccess_token = \"{access_token}\"\n\
             phone_number_id = \"{phone_number_id}\"\nwaba_id = \"{waba_id}\"\napp_secret = \"{app_secret}\"\nverify_token = \"{verify_token}\"\n\
             otp_template = \"login_otp\"\n"
        )
    }
}
