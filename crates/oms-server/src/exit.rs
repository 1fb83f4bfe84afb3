//! How the program ends: the meaning of each exit code, in one place.

use std::process::ExitCode;

/// What `oms --help` says about exit codes.
pub const HELP: &str = "\
Exit codes:
   0  done
   1  refused: the server's code is on stderr; or the journal is damaged or does not agree with itself
   2  usage: the command line, a setting or a file of settings is wrong
   3  cannot connect, or the connection was lost
  70  fault: the log failed; nothing more was answered
 134  fault: a thread of the engine panicked";

/// The log failed: the process stops, because it cannot promise anything any more.
pub const FAULT: i32 = 70;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Somebody with the right to do so said no.
    #[error("{0}")]
    Refused(String),
    /// What was given makes no sense.
    #[error("{0}")]
    Usage(String),
    /// Nobody is there.
    #[error("{0}")]
    Unreachable(String),
    /// The machinery under us failed.
    #[error("{0}")]
    Fault(String),
}

impl Failure {
    /// The exit code that stands for it.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
            Self::Fault(_) => 70,
        }
    }
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> Self {
        Self::from(failure.code())
    }
}

/// The answer of a command.
pub type Outcome = Result<(), Failure>;

/// Ends quietly where a reader of the output has gone (`oms order list | head`).
///
/// # Errors
/// [`Failure::Fault`] where the output cannot be written for another reason.
pub fn written(result: std::io::Result<()>) -> Outcome {
    match result {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::Fault(format!("the output cannot be written: {error}"))),
    }
}
