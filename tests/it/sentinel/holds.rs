//! Holds: seen by their own organization and by operators, and released by one call.

use postern::error::Code;
use postern::sentinel;
use serde_json::{Value, json};

use super::{audited, guarded, pumped, pumps, rows};
use crate::harness::app::TestApp;

const HOLDS: &str = "/v1/admin/fraud/holds";

#[actix_web::test]
async fn a_hold_is_shown_and_one_call_releases_it() {
    let app = TestApp::start().await;
    let (acme, other) = (guarded(&app).await, guarded(&app).await);
    let (passed, _) = pumped(&app, &acme.test).await;
    assert!(passed < 60, "{passed}");
    sentinel::keep_holds(&app.app).await.unwrap();
    let held = rows(&app.operator(), HOLDS).await;
    assert_eq!(held.len(), 1, "{held:?}");
    let (id, group) = (held[0]["id"].as_str().unwrap(), held[0]["group"].as_str().unwrap());
    assert!(group.starts_with("block") && group.contains(":+37120"), "{group}");
    assert_eq!((&held[0]["org_id"], &held[0]["mode"]), (&json!(acme.org), &json!("test")));
    let own = rows(&acme.test, "/v1/fraud/holds").await;
    assert_eq!((&own[0]["id"], &own[0]["group"]), (&json!(id), &json!(group)));
    assert!(own[0]["reasons"][0].get("evidence").is_none(), "{}", own[0]);
    for nobody_s in [&acme.live, &other.test] {
        assert_eq!(rows(nobody_s, "/v1/fraud/holds").await.len(), 0);
    }
    assert_eq!(rows(&app.operator(), &format!("{HOLDS}?org_id={}&mode=test", acme.org)).await.len(), 1);
    assert_eq!(rows(&app.operator(), &format!("{HOLDS}?org_id={}", other.org)).await.len(), 0);

    pumps(&app, &acme.test, 500).await.refused(Code::FraudBlocked);
    let path = format!("{HOLDS}/{id}");
    let released = app.operator().delete(&format!("{path}?reason=a%20flash%20sale")).await.expect(200).json;
    assert!(released["ended_by"].as_str().unwrap().starts_with("opr_"), "{released}");
    assert_eq!(pumps(&app, &acme.test, 501).await.status, 201, "the group is given another chance");
    assert_eq!(rows(&app.operator(), HOLDS).await.len(), 0);
    assert_eq!(rows(&app.operator(), &format!("{HOLDS}?all=true")).await.len(), 1);
    assert_eq!(app.operator().get(&path).await.expect(200).json["ended_by"], released["ended_by"]);
    let told = audited(&app, "hold.release").await;
    assert_eq!((&told["target"], &told["reason"]), (&json!(id), &json!("a flash sale")));
    // Once more changes nothing and tells nobody.
    assert_eq!(app.operator().delete(&path).await.expect(200).json, released);
    let log = rows(&app.operator(), "/v1/admin/audit").await;
    assert_eq!(log.iter().filter(|row: &&Value| row["action"] == "hold.release").count(), 1);
    app.operator().delete(&format!("{HOLDS}/hld_01h455vb4pex5vsknk084sn02q")).await.refused(Code::NotFound);
}
