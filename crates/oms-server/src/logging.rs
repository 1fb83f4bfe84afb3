//! What the process says of itself, on stderr.

use crate::config::{Log, LogFormat};
use crate::exit::Failure;
use tracing_subscriber::EnvFilter;

/// Begins to log.
///
/// # Errors
/// [`Failure::Usage`] where the filter is malformed.
pub fn start(log: &Log) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| Failure::Usage(format!("log.filter {:?}: {error}", log.filter)))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let begun = match log.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    begun.map_err(|error| Failure::Fault(format!("logging cannot begin: {error}")))
}
