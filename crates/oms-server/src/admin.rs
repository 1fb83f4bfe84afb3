//! `oms admin`: accounts from the console of the machine. Whoever can write the data folder may do everything.

mod asked;
pub mod console;
mod secrets;

use crate::cli::{Admin, AdminKey, AdminTenant, AdminUser, Serve, Stored};
use crate::config::Settings;
use crate::exit::{Failure, Outcome, written};
use crate::serve::{Desk, identity};
use asked::Asked;
use serde_json::Value;
use std::io::Write as _;

/// The longest password that is read, bytes.
const MAX_LINE: usize = 1_024;

/// Runs it.
///
/// # Errors
/// See [`Failure`].
pub fn run(command: Admin, settings: Settings) -> Outcome {
    let (asked, stored) = match command {
        Admin::MasterKey { key_version } => return secrets::master_key(key_version),
        Admin::Rewrap { stored } => return secrets::rewrap(&stored, &settings),
        Admin::Bootstrap(stored) => (Asked::Bootstrap, stored),
        Admin::Tenant(AdminTenant::List(stored)) => (Asked::Tenants, stored),
        Admin::Tenant(AdminTenant::Allow { tenant, nets, stored }) => (Asked::AllowList { tenant, nets }, stored),
        Admin::User(AdminUser::List(stored)) => (Asked::Users, stored),
        Admin::User(AdminUser::Create(new)) => {
            (Asked::CreateUser { name: new.name, email: new.email, password: password()?, break_glass: new.break_glass }, new.stored)
        }
        Admin::User(AdminUser::Member { user, tenant, role, scopes, stored }) => {
            (Asked::SetMember { user, tenant, role: role.to_uppercase(), scopes }, stored)
        }
        Admin::User(AdminUser::Erase { user, stored }) => (Asked::EraseUser { user }, stored),
        Admin::Key(AdminKey::List(stored)) => (Asked::Keys, stored),
        Admin::Key(AdminKey::Revoke { key, stored }) => (Asked::RevokeKey { key }, stored),
        Admin::Key(AdminKey::RotateSigning { retire, stored }) => (Asked::RotateSigning { retire }, stored),
    };
    let listen = settings.server.listen.clone();
    let rows = rows(asked, &stored, settings)?;
    // Only the answer to a bootstrap has a token.
    match rows.first().and_then(|row| row["token"].as_str()) {
        Some(token) if !stored.json => bootstrap(token, &listen),
        _ => show(&stored, &rows),
    }
}

/// Asks the desk that runs, or does it upon the control log itself where none does.
fn rows(asked: Asked, stored: &Stored, settings: Settings) -> Result<Vec<Value>, Failure> {
    let control = identity::folder(stored.data.as_ref().unwrap_or(&settings.server.data));
    if let Some(rows) = console::ask(&control, &asked)? {
        return Ok(rows);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Fault(error.to_string()))?;
    runtime.block_on(async {
        let flags = Serve { demo: false, data: stored.data.clone(), listen: None, fix: None, speed: None, seed: None };
        let identity = identity::open(&Desk::of(&flags, settings)?).await?;
        asked.done_by(&identity).await
    })
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

fn bootstrap(token: &str, listen: &str) -> Outcome {
    let text = format!(
        r#"token  {token}   (good once, for a day)

With the desk running, register its first administrator in a browser at

  http://{listen}/login#join={token}

or by

  curl -s http://{listen}/api/v1/auth/register -H 'Content-Type: application/json' \
    -d '{{"token":"{token}","email":"you@example.com","name":"You","password":"...","tenant_name":"Your firm"}}'
"#
    );
    written(std::io::stdout().lock().write_all(text.as_bytes()))
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
