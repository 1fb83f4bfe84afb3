//! The commands that talk to a desk over its REST interface.

mod brokers;
mod evidence;
mod executions;
mod fix;
mod leaves;
mod market;
mod orders;
mod quotes;
mod risk;
mod setup;
mod shadow;
mod show;
mod tail;

use crate::cli::{Allocation, Command, Remote, Setup};
use crate::config::Settings;
use crate::exit::{Failure, Outcome, written};
use crate::serve::key;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
pub use tail::row;
use ureq::Agent;
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// The largest answer that is read.
const MAX_ANSWER: u64 = 256 << 20;

/// A desk, as whom we talk to it, and how its answers are shown.
pub struct Client {
    agent: Agent,
    url: String,
    key: String,
    /// Whether answers are shown as they came.
    json: bool,
    timeout: Option<Duration>,
}

/// The body of an answer that is no refusal.
struct Answer {
    body: String,
}

/// Does one command.
///
/// # Errors
/// See [`Failure`].
pub fn run(command: Command, settings: &Settings) -> Outcome {
    match command {
        Command::Order(order) => orders::run(order, settings),
        Command::Quote(quote) => quotes::run(quote, settings),
        Command::Position(position) => market::position(position, settings),
        Command::Execution(execution) => executions::run(execution, settings),
        Command::Allocation(Allocation::List { remote }) => market::allocations(&remote, settings),
        Command::Risk(risk) => risk::risk(risk, settings),
        Command::Sor(sor) => market::sor(sor, settings),
        Command::Fix(command) => fix::run(command, settings),
        Command::Brokers(command) => brokers::run(command, settings),
        Command::Setup(Setup::Apply { file, remote }) => setup::apply(&file, &remote, settings),
        Command::Serve(_)
        | Command::Sim(_)
        | Command::Allocation(Allocation::Verify { .. })
        | Command::Journal(_)
        | Command::Audit(_)
        | Command::Tenant(_)
        | Command::Admin(_)
        | Command::Calendar(_)
        | Command::Load(_)
        | Command::Config(_) => Err(Failure::Usage("this command does not talk to a desk".to_owned())),
    }
}

/// The key to use: the flag, the setting, or that of the demo desk.
///
/// # Errors
/// [`Failure::Usage`] where there is none.
pub fn credential(flag: Option<&str>, settings: &Settings) -> Result<String, Failure> {
    if let Some(key) = flag {
        return Ok(key.to_owned());
    }
    if !settings.client.api_key.is_empty() {
        return Ok(settings.client.api_key.clone());
    }
    key::read(&settings.server.data).map_err(|error| {
        let path = key::path(&settings.server.data);
        Failure::Usage(format!("no API key: give --key or set OMS_API_KEY (there is no demo key in {}: {error})", path.display()))
    })
}

fn agent(timeout: Option<Duration>, tls: TlsConfig) -> Agent {
    Agent::config_builder().http_status_as_error(false).timeout_global(timeout).proxy(None).tls_config(tls).build().new_agent()
}

/// TLS with whoever one of these certificates vouches for.
fn vouched_by(roots: &[Certificate<'static>]) -> TlsConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    TlsConfig::builder().root_certs(RootCerts::new_with_certs(roots)).unversioned_rustls_crypto_provider(provider).build()
}

impl Client {
    fn new(remote: &Remote, settings: &Settings) -> Result<Self, Failure> {
        let key = credential(remote.key.as_deref(), settings)?;
        let url = remote.url.clone().unwrap_or_else(|| settings.client.url.clone());
        let cacert = remote.cacert.clone().unwrap_or_else(|| settings.client.cacert.clone().into());
        let client = Self::to(&url, &key, remote.json, Some(Duration::from_millis(settings.client.timeout_ms)));
        if url.starts_with("https:") { client.trusting(&cacert) } else { Ok(client) }
    }

    /// A client of the desk at `url`.
    #[must_use]
    pub fn to(url: &str, key: &str, json: bool, timeout: Option<Duration>) -> Self {
        // Nobody vouches for an https address until somebody is named.
        let agent = agent(timeout, vouched_by(&[]));
        Self { agent, url: url.trim_end_matches('/').to_owned(), key: key.to_owned(), json, timeout }
    }

    /// The same, for a desk that a certificate in this file vouches for.
    fn trusting(self, cacert: &Path) -> Result<Self, Failure> {
        if cacert.as_os_str().is_empty() {
            return Err(Failure::Usage(format!("{}: --cacert must name the certificates that vouch for the desk", self.url)));
        }
        let bad = |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", cacert.display()));
        let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(cacert).map_err(|error| bad(&error))?.collect();
        let found: Vec<_> = found.map_err(|error| bad(&error))?.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
        if found.is_empty() {
            return Err(bad(&"it holds no certificate"));
        }
        Ok(Self { agent: agent(self.timeout, vouched_by(&found)), ..self })
    }

    /// The same, which waits as long as it takes: for a stream, which has no end to wait for.
    fn patient(&self) -> Agent {
        agent(None, self.agent.config().tls_config().clone())
    }

    /// Reads a resource.
    ///
    /// # Errors
    /// [`Failure::Refused`] with the server's code, [`Failure::Unreachable`].
    pub fn read(&self, path: &str) -> Result<Value, Failure> {
        parsed(&self.get(path, "application/json")?.body)
    }

    fn get(&self, path: &str, accept: &str) -> Result<Answer, Failure> {
        let request = self.agent.get(format!("{}/api/v1{path}", self.url)).header("x-api-key", &self.key).header("accept", accept);
        self.answer(request.call())
    }

    fn post(&self, path: &str, headers: &[(&str, String)], body: &Value) -> Result<Answer, Failure> {
        let mut request = self.agent.post(format!("{}/api/v1{path}", self.url));
        request = request.header("x-api-key", &self.key).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        self.answer(request.send(body.to_string()))
    }

    fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.answer(self.agent.delete(format!("{}/api/v1{path}", self.url)).header("x-api-key", &self.key).call())
    }

    fn upload(&self, path: &str, media: &str, text: &str) -> Result<Answer, Failure> {
        let request = self.agent.post(format!("{}/api/v1{path}", self.url)).header("x-api-key", &self.key).header("content-type", media);
        self.answer(request.send(text))
    }

    /// Sends a request and answers what came, refusals too.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] where nothing did.
    pub fn send(&self, path: &str, headers: &[(&str, String)], body: &Value) -> Result<(u16, Value), Failure> {
        let mut request = self.agent.post(format!("{}/api/v1{path}", self.url));
        request = request.header("x-api-key", &self.key).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let mut response = request.send(body.to_string()).map_err(|error| self.unreachable(&error))?;
        let text = response.body_mut().with_config().limit(MAX_ANSWER).read_to_string().map_err(|error| self.unreachable(&error))?;
        Ok((response.status().as_u16(), parsed(&text)?))
    }

    fn answer(&self, sent: Result<Response<ureq::Body>, ureq::Error>) -> Result<Answer, Failure> {
        let mut response = sent.map_err(|error| self.unreachable(&error))?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(MAX_ANSWER).read_to_string().map_err(|error| self.unreachable(&error))?;
        if status < 400 { Ok(Answer { body }) } else { Err(self.refused(status, &body)) }
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => Failure::Usage(format!("{}: {error}", self.url)),
            _ => Failure::Unreachable(format!("{}: {error}", self.url)),
        }
    }

    /// What a refusal says; with `--json` its body goes to stdout as well.
    fn refused(&self, status: u16, body: &str) -> Failure {
        if self.json {
            // The refusal itself is on stderr and in the exit code.
            let _shown = writeln!(std::io::stdout(), "{body}");
        }
        let Ok(envelope) = serde_json::from_str::<Value>(body) else {
            return Failure::Refused(format!("HTTP {status}: {}", body.trim()));
        };
        let field = |name: &str| envelope.get(name).and_then(Value::as_str).unwrap_or_default();
        let mut text = format!("{}: {}", field("code"), field("message"));
        if let Some(details) = envelope.get("details").and_then(Value::as_object).filter(|details| !details.is_empty()) {
            let details: Vec<String> = details.iter().map(|(name, value)| format!("{name}={}", show::text(value))).collect();
            text.push_str(&format!(" ({})", details.join(", ")));
        }
        if !field("hint").is_empty() {
            text.push_str(&format!("\nhint: {}", field("hint")));
        }
        text.push_str(&format!("\ntrace: {}", field("trace_id")));
        Failure::Refused(text)
    }

    /// Shows an answer: as it came, or as `people` would have it.
    fn show(&self, answer: &Answer, people: impl FnOnce(&Value) -> String) -> Outcome {
        if self.json {
            return print(&answer.body);
        }
        print(&people(&parsed(&answer.body)?))
    }
}

fn parsed(body: &str) -> Result<Value, Failure> {
    serde_json::from_str(body).map_err(|error| Failure::Unreachable(format!("the answer is not JSON: {error}")))
}

fn print(text: &str) -> Outcome {
    written(writeln!(std::io::stdout(), "{}", text.trim_end()))
}

/// A value as part of a path or a query.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b':' | b',' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_path_is_escaped() {
        assert_eq!(escaped("cl_ord_id:A/1 ü?"), "cl_ord_id:A%2F1%20%C3%BC%3F");
    }

    #[test]
    fn a_refusal_shows_code_figures_and_hint() {
        let client = Client::to("http://127.0.0.1:1/", "k", false, None);
        let body = r#"{"trace_id":"t1","code":"PRICE_COLLAR","message":"too far","details":{"limit":"10"},"hint":"move it"}"#;
        let failure = client.refused(422, body);
        assert_eq!(failure.code(), 1);
        assert_eq!(failure.to_string(), "PRICE_COLLAR: too far (limit=10)\nhint: move it\ntrace: t1");
        assert_eq!(client.refused(502, "bad gateway").to_string(), "HTTP 502: bad gateway");
    }

    #[test]
    fn nobody_there_is_its_own_failure() {
        // A port that was free a moment ago: nobody listens on it.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let client = Client::to(&format!("http://127.0.0.1:{port}"), "k", false, Some(Duration::from_secs(5)));
        assert_eq!(client.read("/orders").unwrap_err().code(), 3);
    }
}
