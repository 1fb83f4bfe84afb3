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
use oms_auth::Presented;
use oms_model::TenantId;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use tower::ServiceExt as _;

/// The most tenants of one process: the logical partitions of architecture section 4.
pub const MAX_TENANTS: usize = 64;

#[derive(Clone)]
struct Member {
    tenant_id: TenantId,
    api: Api,
    router: Router,
}

#[derive(Default)]
struct Inner {
    members: RwLock<Arc<[Member]>>,
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

    /// Whose the credential of a request is; `None` where nobody knows it. Who it is, is left with the request, so that it
    /// is not looked for twice.
    async fn whose(&self, request: &mut Request) -> Option<Router> {
        let members = self.members();
        if let [only] = &*members {
            return Some(only.router.clone());
        }
        // Boxed, so that the requests of a tenant that is alone do not carry its place.
        Box::pin(Self::among(members, request)).await
    }

    async fn among(members: Arc<[Member]>, request: &mut Request) -> Option<Router> {
        let first = &members.first()?.api;
        let changes = !request.method().is_safe();
        if let Some(identity) = first.identity() {
            let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
            let ip = auth::client_ip(first, request.headers(), peer);
            let presented = auth::presented(request.headers(), changes).ok()?;
            // What is wrong with it is said by whoever answers.
            if let Some(principal) = identity.authenticate(presented, ip).await.ok()? {
                request.extensions_mut().insert(principal);
                let own = members.iter().find(|member| member.tenant_id == principal.tenant_id);
                return own.map(|member| member.router.clone());
            }
        }
        let (Presented::Key(key) | Presented::Bearer(key)) = auth::presented(request.headers(), changes).ok()? else { return None };
        let hash = auth::key_hash(key);
        let knows = |member: &&Member| member.api.catalog().keys.holder(&hash).is_some();
        if let Some(member) = members.iter().find(knows) {
            return Some(member.router.clone());
        }
        // The key may have been made a moment ago.
        for member in members.iter() {
            if member.api.catalog_now().await.is_ok_and(|catalog| catalog.keys.holder(&hash).is_some()) {
                return Some(member.router.clone());
            }
        }
        None
    }
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
pub(crate) async fn forward(tenants: Tenants, mut request: Request) -> Response {
    if let Some(page) = desk::answer(&request) {
        return page;
    }
    let known = tenants.whose(&mut request).await;
    let router = match known {
        Some(router) => router,
        None => tenants.members().first().map(|first| first.router.clone()).unwrap_or_default(),
    };
    let Ok(response) = router.oneshot(request).await;
    response
}
