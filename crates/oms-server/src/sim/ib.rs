//! `oms sim ib`: a TWS or Gateway that was never there.

use crate::cli::SimIb;
use crate::config::Settings;
use crate::exit::{Failure, Outcome, written};
use crate::serve::Stop;
use crate::{logging, paper};
use oms_ib::sim::faults;
use oms_ib::sim::gateway::{FeeSchedule, GatewayConfig};
use oms_ib::sim::server::{Server, ServerConfig, ServerError};
use oms_runtime::{Clock as _, SystemClock};
use oms_venues::replay::{Recording, Speed};
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

fn usage(flag: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::Usage(format!("--{flag}: {error}"))
}

/// An address on loopback: neither clients nor whoever switches faults needs a password.
fn loopback(flag: &str, text: &str) -> Result<String, Failure> {
    let address: SocketAddr =
        text.parse().map_err(|_| usage(flag, &format!("{text:?} is not an address and port such as 127.0.0.1:4002")))?;
    if address.ip().is_loopback() { Ok(text.to_owned()) } else { Err(usage(flag, &format!("{address} is not on loopback"))) }
}

fn plan(flags: &SimIb, settings: &Settings) -> Result<ServerConfig, Failure> {
    let recording = match &flags.market {
        Some(path) => Recording::open(path).map_err(|error| usage("market", &error))?,
        None => paper::recording(&settings.paper)?,
    };
    let speed: Speed = flags.speed.as_deref().unwrap_or(&settings.paper.speed).parse().map_err(|error| usage("speed", &error))?;
    let scenario = match &flags.scenario {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| usage("scenario", &format!("{}: {error}", path.display())))?;
            faults::scenario(&text).map_err(|error| usage("scenario", &format!("{}: {error}", path.display())))?
        }
        None => Vec::new(),
    };
    let fees = paper::fee(&settings.paper)?.map(FeeSchedule::per_share).unwrap_or_default();
    let gateway = GatewayConfig {
        fees,
        speed,
        seed: flags.seed.unwrap_or(settings.paper.seed),
        accounts: flags.accounts.clone(),
        folder: flags.data.clone(),
        ..GatewayConfig::new(Arc::new(recording), SystemClock.now())
    };
    Ok(ServerConfig {
        listen: loopback("listen", &flags.listen)?,
        admin: flags.admin.as_deref().map(|text| loopback("admin", text)).transpose()?,
        gateway,
        scenario,
    })
}

/// Runs until it is told to stop.
///
/// # Errors
/// See [`Failure`].
pub fn run(flags: &SimIb, settings: &Settings) -> Outcome {
    logging::start(&settings.log)?;
    let plan = plan(flags, settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Fault(format!("no runtime: {error}")))?;
    runtime.block_on(serve(plan))
}

async fn serve(plan: ServerConfig) -> Outcome {
    let symbols = plan.gateway.recording.symbols().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let accounts = plan.gateway.accounts.join(" ");
    let mut server = Server::start(plan).await.map_err(failed)?;
    let stop = Stop::listen()?;
    let mut out = std::io::stdout();
    written(writeln!(out, "accounts  {accounts}"))?;
    written(writeln!(out, "symbols   {symbols}"))?;
    if let Some(admin) = server.admin() {
        written(writeln!(out, "admin     {admin}"))?;
    }
    written(writeln!(out, "clients   {}", server.address()))?;
    written(out.flush())?;
    tokio::select! {
        () = stop.wait() => server.stop().await.map_err(failed),
        ended = server.ended() => ended.map_err(failed),
    }
}

fn failed(error: ServerError) -> Failure {
    match error {
        ServerError::Listen { .. } | ServerError::Gateway(_) => Failure::Usage(error.to_string()),
        ServerError::Journal(_) | ServerError::Panicked => Failure::Fault(error.to_string()),
    }
}
