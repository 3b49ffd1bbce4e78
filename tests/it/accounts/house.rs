//! What the tests of accounts and operators ask of the test application over and over.

use std::ops::Deref;

use serde_json::{Value, json};

use crate::harness::actor::{Actor, Reply};
use crate::harness::app::TestApp;

/// A test application whose organizations, keys and operators are made one by one.
pub struct House(TestApp);

impl House {
    /// A house on a fresh database.
    pub async fn fresh() -> House {
        House(TestApp::start().await)
    }

    /// Another process on the same database.
    pub async fn another(&self) -> House {
        House(self.0.another().await)
    }

    /// The first owner.
    pub fn owner(&self) -> Actor {
        self.operator()
    }

    /// An organization on the enterprise plan, so that door limits stay out of the way.
    pub async fn org(&self, name: &str) -> String {
        let body = json!({"name": name, "plan": "enterprise", "country": "GB"});
        self.owner().post("/v1/admin/orgs", body).await.expect(201).text_at("/id")
    }

    /// A key of an organization: the answer that made it.
    pub async fn made_key(&self, org: &str, body: Value) -> Reply {
        self.owner().post(&format!("/v1/admin/orgs/{org}/keys"), body).await.expect(201)
    }

    /// A caller with a new live key that may do everything.
    pub async fn caller(&self, org: &str) -> Actor {
        self.key(org, json!({"mode": "live"})).await
    }

    /// An operator of this role.
    pub async fn with_role(&self, role: &str) -> Actor {
        let body = json!({"name": format!("a {role}"), "role": role});
        let id = self.owner().post("/v1/admin/operators", body).await.expect(201).text_at("/id");
        let made = self.owner().post(&format!("/v1/admin/operators/{id}/tokens"), json!({})).await.expect(201);
        self.anonymous().with_token(&made.text_at("/secret"))
    }
}

impl Deref for House {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.0
    }
}
