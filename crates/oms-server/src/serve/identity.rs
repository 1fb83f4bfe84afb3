//! The accounts of an installation: one control log beside the desks' logs, for all tenants.

use super::settings::Desk;
use crate::exit::Failure;
use oms_api::{Api, Tenants};
use oms_auth::{Cadence, ControlLog, Identity, People, VaultBox, system_clock};
use oms_identity::Command;
use oms_identity::event::TenantCreated;
use oms_model::Refusal;
use oms_store::EmbeddedJournal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often the signing keys are looked after.
const TEND: Duration = Duration::from_secs(600);
/// Size of a segment of the control log: it is small.
const SEGMENT: u64 = 1 << 20;

/// Where the control log and the key of its secrets are.
#[must_use]
pub fn folder(data: &Path) -> PathBuf {
    data.join("control")
}

fn failed(refusal: Refusal) -> Failure {
    Failure::Refused(refusal.message)
}

/// Opens the accounts of the installation in a data folder.
///
/// # Errors
/// [`Failure::Refused`]: the log is damaged, or somebody else has it; [`Failure::Usage`]: the master key cannot be used.
pub async fn open(desk: &Desk) -> Result<Identity, Failure> {
    let folder = folder(&desk.data);
    std::fs::create_dir_all(&folder).map_err(|error| Failure::Usage(format!("{}: {error}", folder.display())))?;
    let master = super::vault::master(&desk.settings.vault)?;
    let secrets = VaultBox::open_dir(&desk.vault_dir(), &folder, master);
    let secrets = Arc::new(secrets.map_err(|error| Failure::Usage(format!("the secrets of accounts: {error}")))?);
    let dir = folder.join("log");
    let config = oms_store::Config { segment_bytes: SEGMENT, prepare_ahead: false, ..desk.journal.clone() };
    let shown = |error: &dyn std::fmt::Display| Failure::Refused(format!("the control log in {}: {error}", dir.display()));
    let journal = EmbeddedJournal::open_dir(&dir, config).map_err(|error| shown(&error))?;
    let people: Arc<dyn People> = Arc::<VaultBox>::clone(&secrets);
    let log = ControlLog::open_with(Box::new(journal), system_clock(), Cadence::default(), Some(people)).map_err(|error| shown(&error))?;
    Identity::open(log, Box::new(secrets), desk.identity.clone(), system_clock()).await.map_err(failed)
}

/// Takes the commands of `oms admin` while the desk runs; within a runtime.
pub fn listen(desk: &Desk, accounts: &Identity) {
    if let Err(error) = crate::admin::console::listen(&folder(&desk.data), accounts.clone()) {
        tracing::warn!(%error, "`oms admin` does not reach this desk while it runs");
    }
}

/// Makes the tenants of the desks known, and looks after the keys from now on.
///
/// # Errors
/// [`Failure::Refused`]: the control log cannot be written.
pub async fn adopt(identity: &Identity, tenants: &Tenants) -> Result<(), Failure> {
    for api in tenants.all() {
        adopt_one(identity, &api).await?;
    }
    let tended = identity.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(TEND).await;
            if let Err(refusal) = tended.tend().await {
                tracing::error!(%refusal, "the signing keys could not be looked after");
            }
        }
    });
    Ok(())
}

async fn adopt_one(identity: &Identity, api: &Api) -> Result<(), Failure> {
    let tenant_id = api.catalog().tenant_id;
    if identity.state().tenant(tenant_id).is_some() {
        return Ok(());
    }
    let slug = api.handle().inspect(|state, _| state.slug().to_owned()).await.map_err(failed)?;
    let taken = identity.state().tenants().any(|(_, tenant)| tenant.name == slug);
    // One whose founding was cut short is called what it was to be called.
    let asked = identity.state().founding(tenant_id).map(|founding| founding.name.clone());
    let asked = asked.filter(|name| !identity.state().tenants().any(|(_, tenant)| tenant.name == *name));
    let name = asked.unwrap_or_else(|| if slug.is_empty() || taken { tenant_id.to_string() } else { slug });
    identity.execute_as_console(Command::CreateTenant(TenantCreated { tenant_id, name })).await.map(drop).map_err(failed)
}
