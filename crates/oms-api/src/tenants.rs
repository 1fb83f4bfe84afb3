//! Every tenant of a process behind one door.
//!
//! A tenant has a partition, a log, views, names, bounds and an [`Api`] of its own. A request reaches exactly one of them,
//! chosen by its credential alone: there is no way to name another tenant, and no handler ever holds two.

use crate::api::{Api, Config};
use crate::auth;
use crate::call::Peer;
use crate::desk;
use crate::rest;
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use http::HeaderMap;
use oms_auth::Presented;
use oms_identity::Principal;
use oms_model::{Code, Refusal, TenantId, TraceId};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;
use tower::ServiceExt as _;

/// The most tenants of one process: the logical partitions of architecture section 4.
pub const MAX_TENANTS: usize = 64;

/// A tenant that is served.
#[derive(Clone)]
pub(crate) struct Member {
    tenant_id: TenantId,
    pub(crate) api: Api,
    router: Router,
}

impl Member {
    /// What its interface answers.
    pub(crate) async fn answer(&self, request: Request) -> Response {
        let Ok(response) = self.router.clone().oneshot(request).await;
        response
    }
}

#[derive(Default)]
struct Inner {
    members: RwLock<Arc<[Member]>>,
    founder: OnceLock<Arc<dyn Founder>>,
}

/// Founds the desks of tenants that are made while others are served.
pub trait Founder: Send + Sync {
    /// A desk of its own for a tenant, opened. It may block. `slug` names its folder. What was founded for this very tenant
    /// before, wholly or in part, is gone on with.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where `slug` is no name, `STATE_CONFLICT` where it is taken or there are too many, `INTERNAL`.
    fn found(&self, tenant_id: TenantId, slug: &str) -> Result<Api, Refusal>;
}

/// The tenants that this process serves. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tenants {
    inner: Arc<Inner>,
}

/// The tenants, for one of them: it does not keep them alive.
#[derive(Clone, Default)]
pub(crate) struct Neighbours(Weak<Inner>);

impl Neighbours {
    /// Everybody who is served beside this tenant, itself included; itself alone where it is served without others.
    pub(crate) fn all(&self, own: &Api) -> Vec<Api> {
        let all = self.0.upgrade().map(|inner| Tenants { inner }.all()).unwrap_or_default();
        if all.is_empty() { vec![own.clone()] } else { all }
    }

    /// The desk that a credential is of, and who it stands for.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `FORBIDDEN`, `OVERLOADED`; `NOT_FOUND` where its tenant has no desk here.
    pub(crate) async fn desk_of(&self, own: &Api, headers: &HeaderMap, peer: Option<IpAddr>) -> Result<(Api, Principal), Refusal> {
        let members = self.0.upgrade().map(|inner| Tenants { inner }.members()).unwrap_or_default();
        let (found, known) = whose(&members, headers, peer, false).await.unwrap_or_default();
        let api = found.map_or_else(|| own.clone(), |member| member.api);
        let principal = match known {
            Some(principal) => principal,
            // Keys of a desk's own log are known by that desk alone; and what is wrong with one that nobody knows it says too.
            None => auth::authenticate(&api, headers, peer, false).await?,
        };
        if principal.tenant_id != api.catalog().tenant_id {
            return Err(Refusal::new(Code::NotFound, "the tenant has no desk here"));
        }
        Ok((api, principal))
    }

    /// Founds a desk for a new tenant and serves it from now on. Whether there is anybody who founds any.
    ///
    /// # Errors
    /// As [`Founder::found`].
    pub(crate) async fn found(&self, tenant_id: TenantId, slug: String) -> Result<bool, Refusal> {
        let Some(tenants) = self.0.upgrade().map(|inner| Tenants { inner }) else { return Ok(false) };
        let Some(founder) = tenants.inner.founder.get().cloned() else { return Ok(false) };
        if tenants.of(tenant_id).is_some() {
            return Ok(true);
        }
        let founded = tokio::task::spawn_blocking(move || founder.found(tenant_id, &slug)).await;
        let api = founded.map_err(|_| Refusal::new(Code::Internal, "the desk could not be founded"))??;
        match tenants.serve(api) {
            // A request that asked for the same was here first.
            Ok(()) | Err(NotServed::Twice(_)) => Ok(true),
            Err(error) => Err(Refusal::new(Code::StateConflict, error.to_string())),
        }
    }

    /// Whether there are others.
    pub(crate) fn are_several(&self) -> bool {
        self.0.upgrade().is_some_and(|inner| Tenants { inner }.members().len() > 1)
    }
}

/// Why a tenant is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotServed {
    /// It is served already, or two logs say that they are the same tenant's.
    #[error("tenant {0} is served already")]
    Twice(TenantId),
    /// There are [`MAX_TENANTS`].
    #[error("a process serves at most {MAX_TENANTS} tenants")]
    TooMany,
}

impl Tenants {
    /// Serves one more tenant from now on. The first one also answers where a request has no valid credential.
    ///
    /// # Errors
    /// [`NotServed`].
    pub fn serve(&self, api: Api) -> Result<(), NotServed> {
        let tenant_id = api.catalog().tenant_id;
        let mut members = self.inner.members.write().unwrap_or_else(PoisonError::into_inner);
        if members.iter().any(|member| member.tenant_id == tenant_id) {
            return Err(NotServed::Twice(tenant_id));
        }
        if members.len() == MAX_TENANTS {
            return Err(NotServed::TooMany);
        }
        api.meet(Neighbours(Arc::downgrade(&self.inner)));
        let new = Member { tenant_id, router: rest::router(api.clone()), api };
        *members = members.iter().cloned().chain([new]).collect();
        Ok(())
    }

    /// Who founds the desks of tenants that are made from now on; said once.
    pub fn founded_by(&self, founder: Arc<dyn Founder>) {
        let _first = self.inner.founder.set(founder);
    }

    fn members(&self) -> Arc<[Member]> {
        Arc::clone(&self.inner.members.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Every tenant's interface, in the order in which they were taken.
    #[must_use]
    pub fn all(&self) -> Vec<Api> {
        self.members().iter().map(|member| member.api.clone()).collect()
    }

    /// One tenant's interface; `None` where it is not served here.
    #[must_use]
    pub fn of(&self, tenant_id: TenantId) -> Option<Api> {
        self.members().iter().find(|member| member.tenant_id == tenant_id).map(|member| member.api.clone())
    }

    /// The bounds of connections: those of the first tenant.
    pub(crate) fn config(&self) -> Config {
        self.members().first().map(|first| first.api.config().clone()).unwrap_or_default()
    }

    /// The most bytes of a message, and how long it may take to come: those of the first tenant.
    pub(crate) fn bounds(&self) -> (usize, Duration) {
        let bounds = |first: &Member| (first.api.config().max_body, first.api.config().body_timeout);
        self.members().first().map(bounds).unwrap_or_default()
    }

    /// Whose the credential of a request is; the first tenant where nobody knows it, who says so. Who it is, is left with the
    /// request, so that it is not looked for twice. `None` where nobody is served.
    pub(crate) async fn member(&self, request: &mut Request) -> Option<Member> {
        let members = self.members();
        if let [only] = &*members {
            return Some(only.clone());
        }
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
        let changes = !request.method().is_safe();
        // Boxed, so that the requests of a tenant that is alone do not carry its place.
        let (own, principal) = Box::pin(whose(&members, request.headers(), peer, changes)).await.unwrap_or_default();
        if let Some(principal) = principal {
            request.extensions_mut().insert(principal);
        }
        own.or_else(|| members.first().cloned())
    }

    /// What the tenant answers whose credential a request carries.
    pub(crate) async fn answer(&self, mut request: Request) -> Response {
        match self.member(&mut request).await {
            Some(member) => member.answer(request).await,
            None => Response::default(),
        }
    }

    /// A trace for what is refused before it reaches a tenant.
    pub(crate) fn new_trace(&self) -> TraceId {
        self.members().first().map(|first| first.api.new_trace()).unwrap_or_default()
    }
}

/// Whose a credential is, and who it stands for where the accounts know it; `None` where there is none that can be looked up.
async fn whose(
    members: &[Member],
    headers: &HeaderMap,
    peer: Option<IpAddr>,
    changes: bool,
) -> Option<(Option<Member>, Option<Principal>)> {
    let first = &members.first()?.api;
    let presented = auth::presented(headers, changes).ok()?;
    if let Some(identity) = first.identity() {
        // What is wrong with it is said by whoever answers.
        if let Some(principal) = identity.authenticate(presented, auth::client_ip(first, headers, peer)).await.ok()? {
            let own = members.iter().find(|member| member.tenant_id == principal.tenant_id);
            return Some((own.cloned(), Some(principal)));
        }
    }
    let (Presented::Key(key) | Presented::Bearer(key)) = presented else { return None };
    let hash = auth::key_hash(key);
    let knows = |member: &&Member| member.api.catalog().keys.holder(&hash).is_some();
    if let Some(member) = members.iter().find(knows) {
        return Some((Some(member.clone()), None));
    }
    // The key may have been made a moment ago.
    for member in members {
        if member.api.catalog_now().await.is_ok_and(|catalog| catalog.keys.holder(&hash).is_some()) {
            return Some((Some(member.clone()), None));
        }
    }
    None
}

impl From<Api> for Tenants {
    fn from(api: Api) -> Self {
        let tenants = Self::default();
        // The first tenant is neither there twice nor one too many.
        let served = tenants.serve(api);
        debug_assert!(served.is_ok());
        tenants
    }
}

/// Hands a request to the tenant whose credential it carries. Without one the first tenant answers what is public, and that
/// it does not know the sender. The desk is everybody's: it holds nothing of a tenant.
pub(crate) async fn forward(tenants: Tenants, request: Request) -> Response {
    if let Some(page) = desk::answer(&request) {
        return page;
    }
    tenants.answer(request).await
}
