//! A test acceptor that sends orders back as they came: `echo PORT [--host ADDRESS] [--journal DIR] [--target NAME] [--threads N]`.
//!
//! It is ISLD to the counterparty TW44, for the public session acceptance scripts and for load tests.

mod server;

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;

use oms_fix::session::config::SessionId;
use oms_fix::store::{JournalStore, MemoryStore, MessageStore};
use oms_fix::transport::{Engine, ListenerConfig};

const USAGE: &str = "usage: echo PORT [--host ADDRESS] [--journal DIR] [--target NAME] [--threads N]";

struct Arguments {
    address: SocketAddr,
    journal: Option<String>,
    target: String,
    threads: usize,
}

fn arguments() -> Option<Arguments> {
    let mut words = std::env::args().skip(1);
    let port = words.next()?.parse().ok()?;
    let mut found =
        Arguments { address: SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port), journal: None, target: "TW44".to_owned(), threads: 1 };
    while let Some(flag) = words.next() {
        let value = words.next()?;
        match flag.as_str() {
            "--host" => found.address.set_ip(value.parse().ok()?),
            "--journal" => found.journal = Some(value),
            "--target" => found.target = value,
            "--threads" => found.threads = value.parse().ok()?,
            _ => return None,
        }
    }
    Some(found)
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = match arguments.threads {
        0 | 1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    if 1 < arguments.threads {
        builder.worker_threads(arguments.threads);
    }
    let runtime = builder.enable_all().build()?;
    runtime.block_on(async {
        let id = SessionId::fix44("ISLD", &arguments.target);
        let journal = arguments.journal.as_ref().map(server::open_journal).transpose()?;
        let store: Box<dyn MessageStore> = match &journal {
            Some(journal) => Box::new(JournalStore::session(journal, &id)),
            None => Box::new(MemoryStore::default()),
        };
        let engine = Engine::new();
        engine.add(server::spec(server::config(id), store))?;
        let listener = engine.listen(ListenerConfig::new(arguments.address)).await?;
        println!("echo: listening on {}", listener.address());
        tokio::signal::ctrl_c().await?;
        Ok(())
    })
}
