//! Routing through its public interface: routes, their circuits, drains, senders and what became of hand-offs.

mod circuits;
mod conversion;
mod drain;
mod failover;
mod routes;
mod senders;

use serde_json::{Value, json};

use crate::harness::actor::Reply;
use crate::harness::app::TestApp;

/// Replaces the routes as an operator does.
pub async fn put_routes(app: &TestApp, routes: Value) -> Reply {
    app.operator().put("/v1/admin/routes", routes).await.expect(200)
}

/// A route of SMS to `carrier`.
pub fn sms(carrier: &str, priority: i32) -> Value {
    json!({"channel": "sms", "carrier": carrier, "priority": priority})
}

/// One step of the watch over routes.
pub async fn watch(app: &TestApp) {
    postern::messages::watch_routes(&app.app).await.unwrap();
}

/// The routes as operators see them.
pub async fn routes(app: &TestApp) -> Vec<Value> {
    app.operator().get("/v1/admin/routes").await.expect(200).json["data"].as_array().unwrap().clone()
}

/// The history of a route: from, to and reason, newest first.
pub async fn history(app: &TestApp, id: &str) -> Vec<[String; 3]> {
    let page = app.operator().get(&format!("/v1/admin/routes/{id}/history")).await.expect(200);
    let step = |event: &Value| ["from", "to", "reason"].map(|name| event[name].as_str().unwrap().to_owned());
    page.json["data"].as_array().unwrap().iter().map(step).collect()
}
