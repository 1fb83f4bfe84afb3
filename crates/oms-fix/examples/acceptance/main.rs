//! Plays session acceptance scripts: `acceptance [--connect HOST:PORT] FILE_OR_DIR ...`.
//!
//! Without `--connect`, each script has an echo acceptor (or initiator) of its own in this process, and
//! several are played at once. With it, they are played one after the other against what listens there.

mod engine;
mod runner;
mod script;
#[path = "../echo/server.rs"]
mod server;
mod suite;

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let mut connect: Option<SocketAddr> = None;
    if words.first().is_some_and(|word| word == "--connect") && 2 <= words.len() {
        connect = words[1].to_socket_addrs().ok().and_then(|mut found| found.next());
        if connect.is_none() {
            eprintln!("acceptance: {} is no address", words[1]);
            return ExitCode::from(2);
        }
        words.drain(..2);
    }
    if words.is_empty() {
        eprintln!("usage: acceptance [--connect HOST:PORT] FILE_OR_DIR ...");
        return ExitCode::from(2);
    }
    let paths: Vec<PathBuf> = words.iter().map(PathBuf::from).collect();
    match suite::run(&paths, connect) {
        Ok(results) => {
            for (path, result) in &results {
                match result {
                    Ok(()) => println!("ok      {}", path.display()),
                    Err(why) => println!("FAILED  {}\n    {why}", path.display()),
                }
            }
            let failed = results.iter().filter(|(_, result)| result.is_err()).count();
            println!("{} passed, {failed} failed", results.len() - failed);
            if failed == 0 && !results.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            eprintln!("acceptance: {why}");
            ExitCode::FAILURE
        }
    }
}
