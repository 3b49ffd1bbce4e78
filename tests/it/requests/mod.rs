//! The request log, its sums, and all that one request left behind.

mod log;
mod summary;
mod trace;

use postern::requests;
use serde_json::Value;

use crate::harness::actor::Reply;
use crate::harness::app::TestApp;

/// Writes down what the process has noted, counts too.
async fn write(app: &TestApp) {
    requests::write_log(&app.app, true).await.unwrap();
}

/// The lines that a query finds, as the first owner sees them, newest first.
async fn lines(app: &TestApp, query: &str) -> Vec<Value> {
    write(app).await;
    let page = app.operator().get(&format!("/v1/admin/requests?limit=200&{query}")).await.expect(200);
    page.json["data"].as_array().unwrap().clone()
}

/// All that the request of this answer left behind, as the first owner sees it.
async fn trace_of(app: &TestApp, reply: &Reply) -> Value {
    write(app).await;
    let id = reply.header("x-request-id").unwrap();
    app.operator().get(&format!("/v1/admin/requests/{id}")).await.expect(200).json
}
