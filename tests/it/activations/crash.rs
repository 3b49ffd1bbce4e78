//! A process that dies in the middle of an order or of an end leaves nothing half done.

use postern::wallet::check_books_within;
use serde_json::json;

use super::{act, order, owned};
use crate::harness::town::Town;

#[actix_web::test]
async fn a_number_is_rented_and_given_back_whole_or_not_at_all() {
    let town = Town::found().await;
    let on = ("POSTERN_ACTIVATIONS", "on");
    let mut server = town.serve_with(&[on, ("FAILPOINTS", "activation.before_hold=abort")]).await;
    let operator = town.operator(&server);
    let service = json!({"name": "Any other", "price": "0.50", "cool_down": "0s"});
    operator.put("/v1/admin/services/ot", service).await.expect(200);
    operator.post("/v1/admin/numbers", json!([{"phone_number": owned(100), "country": "GB"}])).await.expect(201);
    assert!(town.live(&server).attempt("POST", "/v1/activations", Some(json!({"service": "ot"}))).await.is_err());
    assert_eq!(server.end().await, -6, "it died in the order");

    server = town.serve_with(&[on, ("FAILPOINTS", "activation.before_commit=abort")]).await;
    let live = town.live(&server);
    let made = order(&live, "ot").await.expect(201);
    assert_eq!((made.json["serial"].as_i64(), order(&live, "ot").await.status), (Some(1_001), 404));
    let path = format!("/v1/activations/{}/complete", made.text_at("/id"));
    assert!(live.attempt("POST", &path, Some(json!({}))).await.is_err());
    assert_eq!(server.end().await, -6, "it died in the end of the rent");

    server = town.serve_with(&[on]).await;
    let live = town.live(&server);
    let id = made.text_at("/id");
    assert_eq!(super::shown(&live, &id).await["status"], "waiting");
    assert_eq!(order(&live, "ot").await.status, 404, "it is still rented");
    act(&live, &id, "complete").await.expect(200);
    order(&live, "ot").await.expect(201);
    assert_eq!(town.write(check_books_within).await.faults, Vec::<String>::new());
}
