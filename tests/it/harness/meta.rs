//! Meta's Cloud API as the project simulates it, on a real socket, on the clock of the application under test.

use std::net::TcpListener;

use actix_web::dev::ServerHandle;
use postern::config::{CarrierConfig, Config, Source};
use postern::simulator::{Settings, Simulator};
use serde_json::{Value, json};

use super::actor::Actor;
use super::app::TestApp;

/// The simulator; stops when dropped.
pub struct MetaSim {
    /// Calls its controls.
    pub control: Actor,
    /// Where it is.
    pub base: String,
    handle: ServerHandle,
}

impl MetaSim {
    /// An application whose WhatsApp goes by a simulated number, and that number. Webhooks wait for [`MetaSim::flush`].
    /// Its throughput stays out of the way.
    pub async fn beside(change: impl FnOnce(&mut Config)) -> (TestApp, MetaSim) {
        let (app, meta) = MetaSim::at_its_pace(change).await;
        app.app.carriers.note_pace("meta", 100_000);
        meta.set("limits", json!({"per_second": 100_000})).await;
        (app, meta)
    }

    /// The same with a number of Meta's usual throughput.
    pub async fn at_its_pace(change: impl FnOnce(&mut Config)) -> (TestApp, MetaSim) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let carrier = carrier(&base);
        let app = TestApp::start_with(|config| {
            config.carriers.push(carrier);
            change(config);
        })
        .await;
        app.route(&[("sms", "acme", 1), ("email", "post", 1), ("whatsapp", "meta", 1)]).await;
        let meta = MetaSim::on(listener, &app, format!("{}/hooks/meta", app.base));
        (app, meta)
    }

    /// A simulated number whose webhooks go to `callback`.
    pub fn on(listener: TcpListener, app: &TestApp, callback: String) -> MetaSim {
        let base = format!("http://{}", listener.local_addr().unwrap());
        let settings = Settings { callback: Some(callback), ..Settings::default() };
        let simulator = Simulator::new(settings, app.app.clock.clone()).unwrap();
        let server = simulator.serve(listener).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        MetaSim { control: Actor::anonymous(&base), base, handle }
    }

    /// A caller with the number's token.
    pub fn caller(&self) -> Actor {
        self.control.with_token(&Settings::default().access_token)
    }

    /// Moves one of its controls.
    pub async fn set(&self, control: &str, body: Value) {
        self.control.post(&format!("/_sim/{control}"), body).await.expect(200);
    }

    /// Tells everything that waits; calls that the callback took, and those that it did not.
    pub async fn flush(&self) -> (u64, u64) {
        let told = self.control.post("/_sim/flush", json!({})).await.expect(200).json;
        (told["taken"].as_u64().unwrap(), told["refused"].as_u64().unwrap())
    }

    /// The messages it took, oldest first.
    pub async fn sent(&self) -> Vec<Value> {
        let state = self.control.get("/_sim/state").await.expect(200).json;
        state["sent"].as_array().unwrap().clone()
    }

    /// `from` writes, and their session is open.
    pub async fn hears_from(&self, from: &str) {
        self.set("inbound", json!({"from": from, "text": "hello"})).await;
        assert_eq!(self.flush().await.1, 0);
    }
}

impl Drop for MetaSim {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// The carrier `meta` that calls `base`.
pub fn carrier(base: &str) -> CarrierConfig {
    let text = Settings::default().carrier_toml(base);
    let source = Source { name: "tests".to_owned(), text, ..Source::default() };
    let loaded = Config::load(source).unwrap_or_else(|faults| panic!("{faults}"));
    loaded.carriers.into_iter().find(|carrier| carrier.name == "meta").unwrap()
}
