//! What `oms admin` asks of the accounts, and the one place where it is done: by the command itself, or by a desk that runs.

use crate::exit::Failure;
use oms_auth::Identity;
use oms_identity::event::{AllowListSet, MemberSet};
use oms_identity::{Command, Role, Scope, Scopes};
use oms_model::{ApiKeyId, Refusal, TenantId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::str::FromStr;

/// One command. It is not shown: it may hold a password.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Asked {
    /// A token for the first administrator.
    Bootstrap,
    /// Every tenant.
    Tenants,
    /// From where a tenant's members may come.
    AllowList { tenant: String, nets: Vec<String> },
    /// Every user.
    Users,
    /// A new user.
    CreateUser { name: String, email: String, password: String, break_glass: bool },
    /// A member's role.
    SetMember { user: String, tenant: String, role: String, scopes: Vec<String> },
    /// A person who is to be erased.
    EraseUser { user: String },
    /// Every API key.
    Keys,
    /// A key that is good no more.
    RevokeKey { key: String },
    /// Another key signs.
    RotateSigning { retire: bool },
}

impl Asked {
    /// Does it; answers what is to be shown.
    ///
    /// # Errors
    /// [`Failure::Usage`] where something is not what it should be, [`Failure::Refused`] by the rules of accounts.
    pub async fn done_by(self, identity: &Identity) -> Result<Vec<Value>, Failure> {
        let command = match self {
            Self::Bootstrap => {
                let token = identity.issue_bootstrap().await.map_err(refused)?;
                return Ok(vec![json!({"token": token})]);
            }
            Self::Tenants => return Ok(tenants(identity)),
            Self::Users => return Ok(users(identity)),
            Self::Keys => return Ok(keys(identity)),
            Self::CreateUser { name, email, password, break_glass } => {
                let user_id = identity.create_user(&name, &email, password, break_glass).await.map_err(refused)?;
                return Ok(vec![json!({"user_id": user_id.to_string()})]);
            }
            Self::EraseUser { user } => {
                identity.erase_user_as_console(id(&user)?).await.map_err(refused)?;
                return Ok(Vec::new());
            }
            Self::RotateSigning { retire } => return rotate(identity, retire).await.map(|()| Vec::new()),
            Self::AllowList { tenant, nets } => {
                let nets = nets.iter().map(|net| net.parse().map_err(|_| Failure::Usage(format!("{net:?} is no range of addresses"))));
                Command::SetAllowList(AllowListSet { tenant_id: id(&tenant)?, nets: nets.collect::<Result<_, _>>()? })
            }
            Self::SetMember { user, tenant, role, scopes } => {
                let role: Role = role.parse().map_err(|_| Failure::Usage(format!("{role:?} is no role")))?;
                let extra: Scopes = scopes.iter().map(|one| scope(one)).collect::<Result<_, _>>()?;
                Command::SetMember(MemberSet { tenant_id: id(&tenant)?, user_id: id(&user)?, role, extra })
            }
            Self::RevokeKey { key } => Command::RevokeApiKey { api_key_id: id::<ApiKeyId>(&key)? },
        };
        identity.execute_as_console(command).await.map(|_| Vec::new()).map_err(refused)
    }
}

fn refused(refusal: Refusal) -> Failure {
    Failure::Refused(refusal.to_string())
}

fn id<T: FromStr>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(|_| Failure::Usage(format!("{text:?} is no id")))
}

fn scope(text: &str) -> Result<Scope, Failure> {
    text.parse().map_err(|_| Failure::Usage(format!("{text:?} is no scope")))
}

/// A new key signs from now on. What the others signed is good until its end or, where they are retired, no more.
async fn rotate(identity: &Identity, retire: bool) -> Result<(), Failure> {
    let others: Vec<String> = identity.state().signing_keys().map(|(kid, _)| kid.to_owned()).collect();
    identity.add_signing_key(0).await.map_err(refused)?;
    for kid in others.into_iter().filter(|_| retire) {
        identity.execute_as_console(Command::RetireSigningKey { kid }).await.map_err(refused)?;
    }
    Ok(())
}

fn tenants(identity: &Identity) -> Vec<Value> {
    let state = identity.state();
    let row = |(id, tenant): (TenantId, &oms_identity::state::Tenant)| json!({"tenant_id": id.to_string(), "name": tenant.name, "enabled": tenant.enabled, "members": state.members(id).count()});
    state.tenants().map(row).collect()
}

fn users(identity: &Identity) -> Vec<Value> {
    let state = identity.state();
    let row = |(id, user): (UserId, &oms_identity::state::User)| {
        let roles: Vec<String> = state.memberships(id).map(|(tenant_id, member)| format!("{} in {tenant_id}", member.role)).collect();
        json!({
            "user_id": id.to_string(), "email": user.shown_email(), "name": user.shown_name(), "totp": user.second_factor().is_some(),
            "break_glass": user.break_glass, "roles": roles.join(", "),
        })
    };
    state.users().map(row).collect()
}

fn keys(identity: &Identity) -> Vec<Value> {
    let state = identity.state();
    let mut rows = Vec::new();
    for (tenant_id, _) in state.tenants() {
        for (id, key) in state.keys(tenant_id) {
            rows.push(json!({
                "api_key_id": id.to_string(), "tenant_id": tenant_id.to_string(), "prefix": key.prefix, "name": key.name,
                "scopes": key.scopes.to_string(),
            }));
        }
    }
    rows
}
