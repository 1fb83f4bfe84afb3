//! The engine that a script is played against, in this process: the echo acceptor, or an initiator.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use oms_fix::codec::SOH;
use oms_fix::codec::encode::Fields;
use oms_fix::codec::value::parse_uint;
use oms_fix::session::config::{Config, Credentials, ResetOn, Role, Secret, SessionId, WhenDown};
use oms_fix::session::outbox::{Outbox, Outgoing};
use oms_fix::store::{MemoryStore, MessageStore as _};
use oms_fix::transport::{Endpoint, Engine, Listener, ListenerConfig, Reconnect, SessionHandle};
use tokio::runtime::Runtime;

use crate::script::separated;
use crate::server;

/// A running engine.
pub struct Running {
    runtime: Runtime,
    handle: SessionHandle,
    listener: Option<Listener>,
}

fn apply(config: &mut Config, name: &str, value: &str) -> Result<(), String> {
    let wrong = || format!("!{name}={value} is no setting");
    let number = || value.parse::<u64>().map_err(|_| wrong());
    match name {
        "HeartBtInt" => config.heart_bt_int = u32::try_from(number()?).map_err(|_| wrong())?,
        "ResetOnLogon" => config.reset_on = ResetOn { logon: value == "Y", ..config.reset_on },
        "ResetOnLogout" => config.reset_on.logout = value == "Y",
        "ResendChunk" => config.resend_chunk = Some(number()?),
        "ResendTimeout" => config.timeouts.resend = number()? * 1_000_000_000,
        "NextExpected" => config.next_expected = value == "Y",
        "LastProcessed" => config.last_processed = value == "Y",
        "WhenDown" => config.when_down = if value == "store" { WhenDown::Store } else { WhenDown::Refuse },
        "UserDefined" => config.checks.user_defined = value == "Y",
        "NeverResend" => config.never_resend = vec![value.as_bytes().to_vec()],
        "Password" => config.credentials = Some(Credentials { username: "user".to_owned(), password: Secret::new(value) }),
        "NextIn" | "NextOut" => (),
        _ => return Err(wrong()),
    }
    Ok(())
}

impl Running {
    /// Starts the echo acceptor on a free port, or an initiator that dials `address`.
    ///
    /// # Errors
    /// A setting is not known, or the engine does not start.
    pub fn start(settings: &[(String, String)], dial: Option<SocketAddr>) -> Result<Self, String> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().map_err(|error| error.to_string())?;
        let mut config = match dial {
            None => server::config(SessionId::fix44("ISLD", "TW44")),
            Some(_) => {
                let config = server::config(SessionId::fix44("TW44", "ISLD"));
                Config { role: Role::Initiator, reset_on: ResetOn::default(), ..config }
            }
        };
        let (mut store, mut start) = (MemoryStore::default(), Outbox::default());
        start.batch.reset = Some(1);
        for (name, value) in settings {
            apply(&mut config, name, value)?;
            match name.as_str() {
                "NextIn" => start.batch.next_in = parse_uint(value.as_bytes()),
                "NextOut" => start.batch.next_out = parse_uint(value.as_bytes()),
                _ => (),
            }
        }
        store.commit(&start).map_err(|error| error.to_string())?;
        let mut spec = server::spec(config, Box::new(store));
        spec.endpoints = dial.iter().map(|address| Endpoint::plain(&address.to_string())).collect();
        spec.reconnect = Reconnect { first: Duration::from_millis(20), longest: Duration::from_millis(100), ..Reconnect::default() };
        let (handle, listener) = runtime.block_on(async {
            let engine = Engine::new();
            let handle = engine.add(spec).map_err(|error| error.to_string())?;
            let listener = match dial {
                None => Some(engine.listen(ListenerConfig::new((Ipv4Addr::LOCALHOST, 0).into())).await.map_err(|error| error.to_string())?),
                Some(_) => None,
            };
            Ok::<_, String>((handle, listener))
        })?;
        Ok(Self { runtime, handle, listener })
    }

    /// Where the acceptor listens.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.as_ref().map(Listener::address)
    }

    /// Does something on the engine's own side.
    ///
    /// # Errors
    /// It is not known, or it fails.
    pub fn act(&self, verb: &str, rest: &str, patience: Duration) -> Result<(), String> {
        let number = || parse_uint(rest.as_bytes()).ok_or_else(|| format!("{rest} is no number"));
        let handle = &self.handle;
        self.runtime.block_on(async {
            match verb {
                "LOGOUT" => handle.logout(rest).await.map_err(|error| error.to_string()),
                "RESET" => handle.reset().await.map_err(|error| error.to_string()),
                "NEXTOUT" => handle.set_next_out(number()?).await.map_err(|error| error.to_string()),
                "NEXTIN" => handle.set_next_in(number()?).await.map_err(|error| error.to_string()),
                "SEND" => handle.send(outgoing(rest)?).await.map(drop).map_err(|error| error.to_string()),
                "REFUSED" => match handle.send(outgoing(rest)?).await {
                    Ok(sent) => Err(format!("it was taken: {sent:?}")),
                    Err(_) => Ok(()),
                },
                "STATE" => self.wait_for(rest, patience).await,
                _ => Err(format!("a{verb} is not known")),
            }
        })
    }

    /// Waits until the next numbers are these: `IN OUT`.
    async fn wait_for(&self, numbers: &str, patience: Duration) -> Result<(), String> {
        let wanted: Vec<u64> = numbers.split(' ').filter_map(|number| number.parse().ok()).collect();
        let until = Instant::now() + patience;
        loop {
            let (next_in, next_out) = self.handle.numbers();
            if wanted == [next_in, next_out] {
                return Ok(());
            }
            if until < Instant::now() {
                return Err(format!("the next numbers are {next_in} {next_out}, expected {numbers}"));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// A message of the application: `35=D|...`.
fn outgoing(text: &str) -> Result<Outgoing, String> {
    let bytes = separated(text.as_bytes());
    let end = bytes.iter().position(|byte| *byte == SOH).ok_or("a message starts with 35=")?;
    let msg_type = bytes[..end].strip_prefix(b"35=").ok_or("a message starts with 35=")?;
    Ok(Outgoing { body: Fields::from_encoded(bytes[end + 1..].to_vec()), ..Outgoing::new(msg_type) })
}
