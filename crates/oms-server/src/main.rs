//! The `oms` program: command line, settings, wiring.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")
)]

mod admin;
mod audit;
mod calendars;
mod cli;
mod client;
mod config;
mod exit;
mod journal;
mod load;
mod logging;
mod paper;
mod serve;
mod sim;

use clap::Parser as _;
use cli::{Cli, Command};
use exit::Outcome;
use mimalloc::MiMalloc;
use std::process::ExitCode;

// A request's memory is taken on one thread and given back on another, which costs the system's allocator its locks
// and its caches.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("oms: {failure}");
            failure.into()
        }
    }
}

fn run(cli: Cli) -> Outcome {
    let loaded = config::load(cli.config.as_deref(), std::env::vars())?;
    match cli.command {
        Command::Serve(flags) => serve::run(&flags, loaded.settings),
        Command::Admin(command) => admin::run(command, loaded.settings),
        Command::Tenant(command) => serve::tenants::run(&command, loaded.settings),
        Command::Journal(command) => journal::run(command, &loaded.settings),
        Command::Audit(command) => audit::run(command, &loaded.settings),
        Command::Allocation(cli::Allocation::Verify { stored }) => journal::allocations::verify(&stored, &loaded.settings),
        Command::Fix(cli::Fix::Log(log)) => journal::messages::show(&log, &loaded.settings),
        Command::Brokers(cli::Brokers::Log(log)) => journal::brokers::show(&log, &loaded.settings),
        Command::Sim(cli::Sim::Fix(flags)) => sim::fix::run(&flags, &loaded.settings),
        Command::Sim(cli::Sim::Ib(flags)) => sim::ib::run(&flags, &loaded.settings),
        Command::Calendar(command) => calendars::run(&command, &loaded.settings.calendars),
        Command::Load(flags) => load::run(&flags, &loaded.settings),
        Command::Config(cli::Config::Check) => {
            serve::check(&loaded.settings)?;
            println!("the settings are good");
            Ok(())
        }
        Command::Config(cli::Config::Show { json }) => show(&loaded, json),
        command @ (Command::Order(_)
        | Command::Quote(_)
        | Command::Position(_)
        | Command::Execution(_)
        | Command::Allocation(_)
        | Command::Risk(_)
        | Command::Sor(_)
        | Command::Fix(_)
        | Command::Brokers(_)
        | Command::Setup(_)) => client::run(command, &loaded.settings),
    }
}

fn show(loaded: &config::Loaded, json: bool) -> Outcome {
    let rows = loaded.rows();
    if json {
        let row = |(path, value, source): &(String, String, String)| serde_json::json!({"setting": path, "value": value, "source": source});
        println!("{}", serde_json::Value::from(rows.iter().map(row).collect::<Vec<_>>()));
        return Ok(());
    }
    let width = rows.iter().map(|(path, _, _)| path.len()).max().unwrap_or(0);
    for (path, value, source) in rows {
        println!("{path:width$}  {value:<24}  {source}");
    }
    Ok(())
}
