//! `oms admin`: keys of secrets at rest.

use crate::cli::Admin as Command;
use crate::config::Settings;
use crate::exit::{Failure, Outcome, written};
use crate::serve::vault;
use oms_vault::{LocalMaster, Rewrapped};
use serde_json::json;
use std::io::Write;

/// Does one command.
///
/// # Errors
/// [`Failure::Usage`] where no master key is set; [`Failure::Refused`] where a key cannot be wrapped anew.
pub fn run(command: &Command, settings: &Settings) -> Outcome {
    match command {
        Command::MasterKey { version } => {
            let line = LocalMaster::generate(*version).map_err(|error| Failure::Fault(error.to_string()))?;
            written(std::io::stdout().write_all(line.expose()))
        }
        Command::Rewrap { stored } => {
            let data = stored.data.as_ref().unwrap_or(&settings.server.data);
            let keys = vault::keys(&settings.vault, &data.join("vault"))?;
            let keys = keys.ok_or_else(|| Failure::Usage("the setting vault.master_key names no key".to_owned()))?;
            let Rewrapped { rewrapped, current, destroyed } = keys.rewrap().map_err(|error| Failure::Refused(error.to_string()))?;
            let text = if stored.json {
                json!({"rewrapped": rewrapped, "current": current, "destroyed_owners": destroyed}).to_string()
            } else {
                format!("{rewrapped} keys wrapped anew, {current} were; {destroyed} owners are erased")
            };
            written(writeln!(std::io::stdout(), "{text}"))
        }
    }
}
