//! Tenants that are made by a request that may be repeated, and people who are erased.

use super::{House, PASSWORD, get, login, no_limits, post, send};
use crate::client::{Client, Reply};
use oms_identity::Role;
use oms_model::{Refusal, TenantId};
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Founds nothing so often as it is told, and then says that the desk is there.
struct Reluctant {
    failures: AtomicU64,
    asked: Mutex<Vec<(TenantId, String)>>,
    api: oms_api::Api,
}

impl oms_api::tenants::Founder for Reluctant {
    fn found(&self, tenant_id: TenantId, slug: &str) -> Result<oms_api::Api, Refusal> {
        self.asked.lock().unwrap().push((tenant_id, slug.to_owned()));
        let left = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map_or_else(|_| Ok(self.api.clone()), |_| Err(Refusal::new(oms_model::Code::Internal, "the disk is full")))
    }
}

async fn keyed(client: &Client, key: &str, body: &serde_json::Value) -> Reply {
    let bearer = format!("Bearer {}", client.key);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json"), ("idempotency-key", key)];
    client.bare("POST", "/api/v1/tenants", &headers, Some(body.to_string().as_bytes())).await
}

/// A founding that failed half-way is finished by the same request, and then told again as it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_founding_that_failed_is_finished_by_the_same_request() {
    let house = House::open(no_limits()).await;
    let tenants = house.desk.tenants.as_ref().unwrap();
    let founder = Arc::new(Reluctant { failures: AtomicU64::new(2), asked: Mutex::default(), api: tenants.all().remove(0) });
    tenants.founded_by(founder.clone());
    let body = json!({"name": "Gamma Fund", "slug": "gamma"});
    for _ in 0..2 {
        keyed(&house.ada, "k", &body).await.refused(500, "INTERNAL");
        assert_eq!(house.identity.state().tenants().count(), 1, "there is no tenant without a desk");
    }
    keyed(&house.ada, "k", &json!({"name": "Delta Fund", "slug": "gamma"})).await.refused(422, "IDEMPOTENCY_CONFLICT");
    let made = keyed(&house.ada, "k", &body).await.expect(201);
    assert_eq!(made.header("idempotent-replay"), None);
    let tenant_id = made.get("/tenant_id");
    let asked = founder.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|(id, slug)| (id.to_string(), slug.as_str()) == (tenant_id.clone(), "gamma")), "{asked:?}");
    // The answer was lost, or the tenant has changed since: it is what it was.
    let change = json!({"name": "Gamma Partners", "time_zone": "Europe/Berlin"});
    send(&house.ada, "PUT", &format!("/api/v1/tenants/{tenant_id}"), Some(&change.to_string())).await.expect(200);
    let again = keyed(&house.ada, "k", &json!({"slug": "gamma", "name": "Gamma Fund"})).await.expect(201);
    assert_eq!(again.header("idempotent-replay"), Some("true"));
    assert!(again.header("etag").is_some());
    assert_eq!(again.body, made.body);
    assert_eq!(founder.asked.lock().unwrap().len(), 3, "nothing was founded again");
    // Without a key, and with another one, it is another request.
    let other = json!({"name": "Gamma Partners", "slug": "other"});
    keyed(&house.ada, "k2", &other).await.refused(409, "STATE_CONFLICT");
    post(&house.ada, "/api/v1/tenants", &other).await.refused(409, "STATE_CONFLICT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_that_comes_twice_at_once_makes_one_tenant() {
    let house = House::open(no_limits()).await;
    let body = json!({"name": "Gamma Fund"});
    let (one, other) = tokio::join!(keyed(&house.ada, "k", &body), keyed(&house.ada, "k", &body));
    assert_eq!((one.expect(201).body, house.identity.state().tenants().count()), (other.expect(201).body, 2));
}

/// Somebody is erased over the interface: nobody can sign in as them, and what is shown of them is that they are erased.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_is_erased_is_shown_to_nobody() {
    let house = House::open(no_limits()).await;
    let tom = house.member("tom", Role::Trader).await;
    let user_id = get(&tom, "/api/v1/auth/profile").await.expect(200).get("/user_id");
    let path = format!("/api/v1/tenants/00000000-0000-0000-0000-000000000001/members/{user_id}/erase");
    send(&tom, "POST", &path, None).await.refused(403, "FORBIDDEN");
    send(&house.ada, "POST", &path, None).await.expect(200);
    get(&tom, "/api/v1/auth/profile").await.refused(401, "UNAUTHENTICATED");
    let refused = login(&house.nobody(), "tom@example.com", PASSWORD).await.refused(401, "UNAUTHENTICATED");
    assert!(!refused.text().contains("tom"));
    let members = get(&house.ada, "/api/v1/tenants/00000000-0000-0000-0000-000000000001/members").await.expect(200);
    assert!(!members.text().contains("tom") && members.text().contains("ada@example.com"));
    let state = house.identity.state();
    let user = state.user(user_id.parse().unwrap()).unwrap();
    assert_eq!((user.shown_name(), user.shown_email()), ("erased", "erased"));
}
