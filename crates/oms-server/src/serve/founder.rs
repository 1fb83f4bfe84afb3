//! Tenants that are made while the desk runs get a desk of their own, as `oms tenant create` founds one.

use super::settings::Desk;
use super::tenant::Tenant;
use super::tenants;
use crate::exit::{Failure, Outcome};
use oms_api::Api;
use oms_api::tenants::MAX_TENANTS;
use oms_auth::Identity;
use oms_fix::transport::Engine;
use oms_model::{Code, Refusal, TenantId};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;

/// The desks that run, until they are told to stop: then there are none, and no more are founded.
#[derive(Clone)]
pub(super) struct Running {
    tenants: Arc<Mutex<Option<Vec<Tenant>>>>,
}

impl Running {
    pub fn new(tenants: Vec<Tenant>) -> Self {
        Self { tenants: Arc::new(Mutex::new(Some(tenants))) }
    }

    /// Everybody who runs. Nobody runs from now on.
    pub fn take(&self) -> Vec<Tenant> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }
}

/// Founds desks beside those that run.
pub(super) struct Founder {
    pub desk: Desk,
    pub http: Handle,
    pub accounts: Identity,
    /// The FIX sessions of all desks.
    pub fix: Engine,
    pub running: Running,
}

impl oms_api::tenants::Founder for Founder {
    fn found(&self, tenant_id: TenantId, slug: &str) -> Result<Api, Refusal> {
        let bad = |text: String| Refusal::new(Code::ValidationError, text).with("field", "slug");
        if !tenants::is_slug(slug) {
            return Err(bad(format!("slug {slug:?} must be small letters, digits and hyphens, beginning with a letter")));
        }
        // Held to the end: one desk is founded after the other.
        let mut running = self.running.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(running) = running.as_mut() else { return Err(Refusal::new(Code::Overloaded, "the desk is stopping")) };
        if let Some(founded) = running.iter().find(|tenant| tenant.api.catalog().tenant_id == tenant_id) {
            return Ok(founded.api.clone());
        }
        let place = tenants::folder(&self.desk.data).join(slug);
        let taken = || Refusal::new(Code::StateConflict, format!("there is a desk called {slug}")).with("slug", slug);
        if running.iter().any(|tenant| tenant.place == place) {
            return Err(taken());
        }
        if running.len() >= MAX_TENANTS {
            return Err(Refusal::new(Code::StateConflict, format!("a process serves at most {MAX_TENANTS} tenants")));
        }
        let failed = |failure: Failure| {
            tracing::error!(%failure, slug, "a desk could not be founded");
            Refusal::new(Code::Internal, "the desk could not be founded")
        };
        // One that is there and does not run was founded, and could not be opened then.
        if !place.exists() {
            tenants::found(&self.desk, slug, tenant_id, None).map_err(failed)?;
        }
        let tenant = self.open(slug).map_err(failed)?;
        if tenant.api.catalog().tenant_id != tenant_id {
            tenant.stop().map_err(failed)?;
            return Err(taken());
        }
        let api = tenant.api.clone();
        running.push(tenant);
        tracing::info!(slug, %tenant_id, "a desk was founded");
        Ok(api)
    }
}

impl Founder {
    fn open(&self, slug: &str) -> Result<Tenant, Failure> {
        Tenant::open(&self.desk.at(tenants::folder(&self.desk.data).join(slug))?, &self.http, &self.accounts, &self.fix)
    }
}

/// Stops them all, whatever one of them says.
pub(super) fn stop(running: Vec<Tenant>) -> Outcome {
    let stopped: Vec<Outcome> = running.into_iter().map(Tenant::stop).collect();
    stopped.into_iter().collect()
}
