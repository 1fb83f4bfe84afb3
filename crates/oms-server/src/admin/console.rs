//! The console of a desk that runs: `oms admin` reaches it over a socket in the folder of the control log.
//!
//! A connection carries one command as a line of JSON, and its answer as another. Whoever may use the socket may do everything,
//! as whoever can write the folder may while no desk runs; so it is for the user alone whom the desk runs as.

use super::asked::Asked;
use crate::exit::Failure;
use oms_auth::Identity;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream as Blocking;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

/// The longest command or answer, bytes.
const MAX_LINE: u64 = 4 << 20;
/// How long a command may take to arrive, and its answer to be taken.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where it is, below the folder of the control log.
fn path(control: &Path) -> PathBuf {
    control.join("admin.sock")
}

/// What became of a command.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Became {
    Rows(Vec<Value>),
    Usage(String),
    Refused(String),
}

/// Asks the desk that runs there; `None` where none does.
///
/// # Errors
/// What the desk answers; [`Failure::Unreachable`] where it does not answer.
pub fn ask(control: &Path, asked: &Asked) -> Result<Option<Vec<Value>>, Failure> {
    let Ok(stream) = Blocking::connect(path(control)) else { return Ok(None) };
    let lost = |error: &dyn std::fmt::Display| Failure::Unreachable(format!("the desk that runs there does not answer: {error}"));
    let talk = || -> io::Result<String> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut line = serde_json::to_vec(asked)?;
        line.push(b'\n');
        (&stream).write_all(&line)?;
        let mut answer = String::new();
        BufReader::new((&stream).take(MAX_LINE)).read_line(&mut answer)?;
        Ok(answer)
    };
    let answer = talk().map_err(|error| lost(&error))?;
    match serde_json::from_str(&answer).map_err(|error| lost(&error))? {
        Became::Rows(rows) => Ok(Some(rows)),
        Became::Usage(what) => Err(Failure::Usage(what)),
        Became::Refused(what) => Err(Failure::Refused(what)),
    }
}

/// Listens for commands as long as the process runs; within a runtime. The control log is this process's own by now, so a
/// socket that is there was left by one that died.
///
/// # Errors
/// Of the system: also where the path of the folder is too long for a socket.
pub fn listen(control: &Path, identity: Identity) -> io::Result<()> {
    let path = path(control);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => (),
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let owner = std::fs::metadata(&path)?.uid();
    tokio::spawn(async move {
        // One after another: the commands are few, and the bound on each is the bound on them all.
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let served = tokio::time::timeout(PATIENCE, serve(stream, owner, &identity)).await;
                    if let Err(error) = served.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                        tracing::warn!(%error, "a command of the console was not answered");
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the console is closed; `oms admin` works again after a restart");
                    return;
                }
            }
        }
    });
    Ok(())
}

async fn serve(stream: UnixStream, owner: u32, identity: &Identity) -> io::Result<()> {
    // The mode of a socket is not looked at everywhere, and was another for a moment.
    let uid = stream.peer_cred()?.uid();
    if uid != owner && uid != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("it came from the user {uid}")));
    }
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    tokio::io::BufReader::new(read.take(MAX_LINE)).read_line(&mut line).await?;
    let became = match serde_json::from_str::<Asked>(&line) {
        Err(error) => Became::Usage(format!("this desk does not know the command: {error}")),
        Ok(asked) => match asked.done_by(identity).await {
            Ok(rows) => Became::Rows(rows),
            Err(Failure::Usage(what)) => Became::Usage(what),
            Err(failure) => Became::Refused(failure.to_string()),
        },
    };
    let mut answer = serde_json::to_vec(&became)?;
    answer.push(b'\n');
    write.write_all(&answer).await
}
