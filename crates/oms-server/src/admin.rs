//! `oms admin`: accounts from the console of the machine. Whoever can write the data folder may do everything.

mod secrets;

use crate::cli::{Admin, AdminKey, AdminTenant, AdminUser, Serve, Stored};
use crate::config::Settings;
use crate::exit::{Failure, Outcome, written};
use crate::serve::{Desk, identity};
use oms_auth::Identity;
use oms_identity::event::{AllowListSet, MemberSet};
use oms_identity::{Command, Role, Scope, Scopes};
use oms_model::{ApiKeyId, Refusal, TenantId, UserId};
use serde_json::{Value, json};
use std::io::Write as _;
use std::str::FromStr;

/// The longest password that is read, bytes.
const MAX_LINE: usize = 1_024;

/// Runs it.
///
/// # Errors
/// See [`Failure`].
pub fn run(command: Admin, settings: Settings) -> Outcome {
    match command {
        Admin::MasterKey { key_version } => return secrets::master_key(key_version),
        Admin::Rewrap { stored } => return secrets::rewrap(&stored, &settings),
        _ => (),
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Fault(error.to_string()))?;
    runtime.block_on(act(command, settings))
}

async fn act(command: Admin, settings: Settings) -> Outcome {
    match command {
        // They need no control log.
        Admin::MasterKey { .. } | Admin::Rewrap { .. } => Ok(()),
        Admin::Bootstrap(stored) => bootstrap(&stored, settings).await,
        Admin::Tenant(AdminTenant::List(stored)) => {
            let identity = open(&stored, settings).await?;
            let rows = tenants(&identity);
            show(&stored, &rows)
        }
        Admin::Tenant(AdminTenant::Allow { tenant, nets, stored }) => {
            let nets = nets.iter().map(|net| net.parse().map_err(|_| Failure::Usage(format!("{net:?} is no range of addresses"))));
            let command = AllowListSet { tenant_id: parsed(&tenant)?, nets: nets.collect::<Result<_, _>>()? };
            done(&open(&stored, settings).await?, Command::SetAllowList(command)).await
        }
        Admin::User(AdminUser::List(stored)) => {
            let identity = open(&stored, settings).await?;
            let rows = users(&identity);
            show(&stored, &rows)
        }
        Admin::User(AdminUser::Create(new)) => {
            let identity = open(&new.stored, settings).await?;
            let user_id = identity.create_user(&new.name, &new.email, password()?, new.break_glass).await.map_err(failed)?;
            show(&new.stored, &[json!({"user_id": user_id.to_string()})])
        }
        Admin::User(AdminUser::Member { user, tenant, role, scopes, stored }) => {
            let role: Role = role.to_uppercase().parse().map_err(|_| Failure::Usage(format!("{role:?} is no role")))?;
            let extra: Scopes = scopes.iter().map(|scope| parsed_scope(scope)).collect::<Result<_, _>>()?;
            let member = MemberSet { tenant_id: parsed(&tenant)?, user_id: parsed(&user)?, role, extra };
            done(&open(&stored, settings).await?, Command::SetMember(member)).await
        }
        Admin::Key(AdminKey::List(stored)) => {
            let identity = open(&stored, settings).await?;
            let rows = keys(&identity);
            show(&stored, &rows)
        }
        Admin::Key(AdminKey::Revoke { key, stored }) => {
            let api_key_id: ApiKeyId = parsed(&key)?;
            done(&open(&stored, settings).await?, Command::RevokeApiKey { api_key_id }).await
        }
        Admin::Key(AdminKey::RotateSigning { retire, stored }) => rotate(&open(&stored, settings).await?, retire).await,
    }
}

async fn open(stored: &Stored, settings: Settings) -> Result<Identity, Failure> {
    let flags = Serve { demo: false, data: stored.data.clone(), listen: None, fix: None, speed: None, seed: None };
    identity::open(&Desk::of(&flags, settings)?).await
}

fn failed(refusal: Refusal) -> Failure {
    Failure::Refused(refusal.to_string())
}

fn parsed<T: FromStr>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(|_| Failure::Usage(format!("{text:?} is no id")))
}

fn parsed_scope(text: &str) -> Result<Scope, Failure> {
    text.parse().map_err(|_| Failure::Usage(format!("{text:?} is no scope")))
}

async fn done(identity: &Identity, command: Command) -> Outcome {
    identity.execute_as_console(command).await.map(drop).map_err(failed)
}

async fn bootstrap(stored: &Stored, settings: Settings) -> Outcome {
    let listen = settings.server.listen.clone();
    let token = open(stored, settings).await?.issue_bootstrap().await.map_err(failed)?;
    if stored.json {
        return show(stored, &[json!({"token": token})]);
    }
    let text = format!(
        r#"token  {token}   (good once, for a day)

Start the desk, then register its first administrator in a browser at

  http://{listen}/login#join={token}

or by


  curl -s http://{listen}/api/v1/auth/register -H 'Content-Type: application/json' \
    -d '{{"token":"{token}","email":"you@example.com","name":"You","password":"...","tenant_name":"Your firm"}}'
"#
    );
    written(std::io::stdout().lock().write_all(text.as_bytes()))
}

/// A new key signs from now on. What the others signed is good until its end or, where they are retired, no more.
async fn rotate(identity: &Identity, retire: bool) -> Outcome {
    let others: Vec<String> = identity.state().signing_keys().map(|(kid, _)| kid.to_owned()).collect();
    identity.add_signing_key(0).await.map_err(failed)?;
    for kid in others.into_iter().filter(|_| retire) {
        done(identity, Command::RetireSigningKey { kid }).await?;
    }
    Ok(())
}

/// The first line of the standard input.
fn password() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|error| Failure::Usage(format!("no password on the standard input: {error}")))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() || password.len() > MAX_LINE {
        return Err(Failure::Usage("the password is read from the first line of the standard input".to_owned()));
    }
    Ok(password.to_owned())
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
            "user_id": id.to_string(), "email": user.email, "name": user.name, "totp": user.second_factor().is_some(),
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

/// A line for each, or all as JSON.
fn show(stored: &Stored, rows: &[Value]) -> Outcome {
    let mut text = String::new();
    if stored.json {
        text = format!("{}\n", Value::from(rows.to_vec()));
    } else {
        for row in rows {
            let fields = row.as_object().into_iter().flatten();
            let fields: Vec<String> =
                fields.map(|(name, value)| format!("{name} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))).collect();
            text.push_str(&fields.join("  "));
            text.push('\n');
        }
    }
    written(std::io::stdout().lock().write_all(text.as_bytes()))
}
