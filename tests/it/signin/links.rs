//! First run and invitations.

use std::time::Duration;

use postern::error::Code;
use serde_json::json;

use super::{Browser, PASSWORD, audited, choose, first_link, fresh, invitation, operator, person};

#[actix_web::test]
async fn the_first_owner_is_made_by_a_link_that_works_once_and_there_is_no_default_password() {
    let app = fresh().await;
    let mut browser = Browser::fresh(&app, "198.51.100.7");
    let door = browser.get("/console").await.expect(303);
    assert_eq!(door.header("location"), Some("/console/sign-in"));
    for (name, password) in [("admin", "admin"), ("first owner", ""), ("first owner", "password"), ("root", "postern")]
    {
        let told = browser.sign_in(name, password).await;
        assert!(told.status == 403 && !told.text.contains("first owner has"), "{name}: {}", told.status);
    }
    let (link, another) = (first_link(&app).await.unwrap(), first_link(&app).await.unwrap());
    let page = browser.get(&link).await.expect(200);
    assert!(page.text.contains("The first owner") && page.text.contains("autocomplete=\"new-password\""));
    // What is wrong is said, and the link is not used up by it.
    choose(&mut browser, &link, "Ada", "password1234").await.expect(422);
    choose(&mut browser, &link, "Ada", "Ada has a long password").await.expect(422);
    choose(&mut browser, &link, "", PASSWORD).await.expect(422);
    assert!(!browser.is_in().await);
    let done = choose(&mut browser, &link, "Ada", PASSWORD).await.expect(303);
    assert_eq!(done.header("location"), Some("/console/account/second-factor"));
    assert!(browser.is_in().await);
    // Closed for good, for the other link as well.
    let mut late = Browser::fresh(&app, "198.51.100.8");
    for used in [&link, &another] {
        late.get(used).await.expect(404);
        assert!(choose(&mut late, used, "Eve", PASSWORD).await.expect(404).text.contains("used or has expired"));
    }
    late.get("/console/setup").await.expect(404);
    assert!(first_link(&app).await.is_none());
    let owners = app.operator().get("/v1/admin/operators").await.expect(200);
    assert_eq!(owners.json["data"][0]["name"], "Ada");
    assert_eq!(owners.json["data"][0]["role"], "owner");
    // From now on by the door.
    assert!(late.sign_in("Ada", PASSWORD).await.expect(303).header("location") == Some("/console"));
    assert!(audited(&app, "operator.password.set").await.len() == 1);
}

#[actix_web::test]
async fn the_owner_of_the_configurations_token_may_take_the_first_link() {
    let app = fresh().await;
    let link = first_link(&app).await.unwrap();
    let mut browser = Browser::fresh(&app, "198.51.100.7");
    choose(&mut browser, &link, "first owner", PASSWORD).await.expect(303);
    let owners = app.operator().get("/v1/admin/operators").await.expect(200);
    assert_eq!(owners.json["data"].as_array().unwrap().len(), 1, "{}", owners.text);
}

#[actix_web::test]
async fn an_invitation_sets_a_password_and_ends_every_session() {
    let app = fresh().await;
    let (id, mut old) = person(&app, "Grace", "operator").await;
    assert!(old.is_in().await);
    let (first, second) = (invitation(&app, &id).await, invitation(&app, &id).await);
    let mut browser = Browser::fresh(&app, "198.51.100.9");
    browser.get(&first).await.expect(404);
    assert!(browser.get(&second).await.expect(200).text.contains("<strong>Grace</strong>"));
    choose(&mut browser, &second, "Somebody else", "another long password").await.expect(303);
    assert!(browser.is_in().await && !old.is_in().await);
    assert_eq!(old.sign_in("Grace", PASSWORD).await.status, 403);
    browser.get(&second).await.expect(404);
    // A day, and no longer.
    let link = invitation(&app, &id).await;
    app.advance(Duration::from_secs(24 * 3600));
    browser.get(&link).await.expect(404);
    choose(&mut browser, &link, "", PASSWORD).await.expect(404);
}

#[actix_web::test]
async fn an_invitation_is_given_again_for_its_key_and_kept_nowhere_in_the_clear() {
    let app = fresh().await;
    let id = operator(&app, "Grace", "viewer").await;
    let path = format!("/v1/admin/operators/{id}/invitations");
    let keyed = app.operator().with_header("Idempotency-Key", "invite-1");
    let made = keyed.post(&path, json!({"reason": "new here"})).await.expect(201);
    let again = keyed.post(&path, json!({"reason": "new here"})).await.expect(201);
    assert_eq!(made.text, again.text);
    let url = made.text_at("/url");
    let token = url.split("token=").nth(1).unwrap();
    let audit = app.operator().get("/v1/admin/audit").await.expect(200);
    assert!(!audit.text.contains(token) && audit.text.contains("operator.invite"));
    app.operator().patch(&format!("/v1/admin/operators/{id}"), json!({"disabled": true})).await.expect(200);
    app.operator().post(&path, json!({})).await.refused(Code::ValidationFailed);
    Browser::fresh(&app, "198.51.100.9").get(&super::local(&url)).await.expect(404);
}
