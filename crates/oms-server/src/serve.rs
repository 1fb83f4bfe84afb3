//! `oms serve`: the desk, from its log outwards, and back again at the end.

mod audit;
mod demo;
mod fault;
mod figures;
mod fix;
mod fix_venues;
mod founder;
mod greeting;
mod ib_books;
mod ib_breaks;
mod ib_messages;
mod ib_venues;
pub mod identity;
pub mod key;
mod settings;
mod tenant;
pub mod tenants;
mod tls;
pub mod vault;
mod venues;

use crate::cli::Serve;
use crate::config::Settings;
use crate::exit::{Failure, Outcome};
use crate::logging;
use founder::{Founder, Running};
use oms_api::Tenants;
use oms_fix::transport::{Engine, Listener};
pub use settings::{Desk, check};
use std::net::SocketAddr;
use std::sync::Arc;
use tenant::Tenant;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Runs a desk until it is told to stop.
///
/// # Errors
/// See [`Failure`].
pub fn run(flags: &Serve, settings: Settings) -> Outcome {
    let desk = Desk::of(flags, settings)?;
    logging::start(&desk.settings.log)?;
    fault::abort_on_engine_panic();
    let http = http_runtime(&desk)?;
    let stop = http.block_on(async { Stop::listen() })?;
    let tls = tls::Files::of(&desk.settings.tls)?.map(|files| http.block_on(async { files.follow() })).transpose()?;
    let grpc_tls = tls::Files::of(&tls::of_grpc(&desk.settings))?.map(|files| http.block_on(async { files.follow() })).transpose()?;
    let listener = bind(&http, desk.listen)?;
    let grpc = desk.grpc.map(|address| bind(&http, address)).transpose()?;

    tenant::require_log(&desk)?;
    let accounts = http.block_on(identity::open(&desk))?;
    http.block_on(async { identity::listen(&desk, &accounts) });
    desk.require_tenants()?;
    // Sessions of all tenants: a Logon belongs to the one whose CompIDs it has.
    let fix = Engine::new();
    let first = Tenant::open(&desk, http.handle(), &accounts, &fix)?;
    let tenants = Tenants::default();
    let mut running = vec![first];
    for settings in desk.others()? {
        running.push(Tenant::open(&settings, http.handle(), &accounts, &fix)?);
    }
    for tenant in &running {
        tenants.serve(tenant.api.clone()).map_err(|error| Failure::Refused(error.to_string()))?;
    }
    http.block_on(identity::adopt(&accounts, &tenants))?;
    let fix_listener = fix::listen(&desk, &fix, http.handle())?;
    let address = listener.local_addr().map_err(|error| Failure::Fault(error.to_string()))?;
    let of_grpc = grpc.as_ref().map(TcpListener::local_addr).transpose().map_err(|error| Failure::Fault(error.to_string()))?;
    greeting::print(address, of_grpc, fix_listener.as_ref().map(Listener::address), &desk, &running);
    let running = Running::new(running);
    tenants.founded_by(Arc::new(Founder { desk, http: http.handle().clone(), accounts, fix, running: running.clone() }));
    let served = http.block_on(serve((listener, tls), grpc.map(|grpc| (grpc, grpc_tls)), tenants, stop));
    let mut running = running.take();
    drop(fix_listener);
    for tenant in &mut running {
        if let Some(fix) = tenant.fix.take() {
            http.block_on(fix.stop());
        }
    }
    tracing::info!("stopping");
    http.shutdown_timeout(std::time::Duration::from_secs(1));
    let stopped = founder::stop(running);
    served.and(stopped)
}

fn bind(http: &Runtime, address: SocketAddr) -> Result<TcpListener, Failure> {
    http.block_on(TcpListener::bind(&address)).map_err(|error| Failure::Usage(format!("{address}: {error}")))
}

/// A listener, and what its connections are encrypted with.
type Door = (TcpListener, Option<oms_api::Tls>);

/// Serves at both doors until the process is told to stop.
async fn serve((listener, tls): Door, grpc: Option<Door>, tenants: Tenants, stop: Stop) -> Outcome {
    let (stopping, _) = watch::channel(false);
    let told = || {
        let mut stopping = stopping.subscribe();
        async move { drop(stopping.wait_for(|stopping| *stopping).await) }
    };
    let of_grpc = async {
        match grpc {
            Some((listener, tls)) => oms_api::serve_grpc(listener, tenants.clone(), tls, told()).await,
            None => Ok(()),
        }
    };
    let waiting = async {
        stop.wait().await;
        stopping.send_replace(true);
    };
    let ((), rest, of_grpc) = tokio::join!(waiting, oms_api::serve_with(listener, tenants.clone(), tls, told()), of_grpc);
    rest.and(of_grpc).map_err(|error| Failure::Fault(format!("the listener failed: {error}")))
}

fn http_runtime(desk: &Desk) -> Result<Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(desk.threads).thread_name("http").enable_all();
    builder.build().map_err(|error| Failure::Fault(format!("no threads for the interface: {error}")))
}

/// The signals that ask the process to stop.
pub struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    /// Begins to listen for them; within a runtime.
    ///
    /// # Errors
    /// [`Failure::Fault`].
    pub fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error: std::io::Error| Failure::Fault(format!("signals cannot be caught: {error}"));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
        })
    }

    /// Waits for one of them.
    pub async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }
}
