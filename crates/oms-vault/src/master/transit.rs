//! A master key that never leaves the transit engine of Vault or `OpenBao`.
//!
//! The HTTP interface is that of "Transit secrets engine (API)" in Vault's documentation: `POST /v1/transit/encrypt/:name`
//! and `/decrypt/:name` with `plaintext`, `ciphertext` and `associated_data` in base64, and `GET /v1/transit/keys/:name`.

use super::{Master, Wrapped};
use crate::{Secret, VaultError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use zeroize::Zeroizing;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes of an answer.
const MAX_ANSWER: u64 = 64 << 10;

/// See the module.
pub struct Transit {
    agent: Agent,
    /// Where the service is, without a slash at the end.
    url: String,
    /// The path that the engine is mounted at, `transit` where nothing else was chosen.
    mount: String,
    key: String,
    token: Secret,
}

impl Transit {
    /// The key of this name in the engine at `url`. Its type must be one with associated data, such as `aes256-gcm96`.
    /// At an https address it must show a certificate that one of `roots` (in PEM form) vouches for.
    ///
    /// # Errors
    /// [`VaultError::Malformed`] where `roots` are no certificates.
    pub fn new(url: &str, mount: &str, key: &str, token: Secret, roots: &[u8]) -> Result<Self, VaultError> {
        let mut vouching = Vec::new();
        for item in parse_pem(roots) {
            match item {
                Ok(PemItem::Certificate(certificate)) => vouching.push(certificate),
                _ => return Err(VaultError::Malformed("a file of certificates")),
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&vouching)).unversioned_rustls_crypto_provider(provider);
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).proxy(None).max_redirects(0);
        let config = config.tls_config(tls.build());
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { agent: config.build().new_agent(), url, mount: mount.to_owned(), key: key.to_owned(), token })
    }

    fn path(&self, verb: &str) -> String {
        format!("{}/v1/{}/{verb}/{}", self.url, self.mount, self.key)
    }

    fn token(&self) -> Result<&str, VaultError> {
        self.token.expose_text().map(str::trim).ok_or(VaultError::Malformed("the token"))
    }

    fn post(&self, verb: &str, body: &Value) -> Result<Value, VaultError> {
        let request = self.agent.post(self.path(verb)).header("x-vault-token", self.token()?).header("content-type", "application/json");
        let text = Zeroizing::new(body.to_string());
        answer(request.send(text.as_str()))
    }
}

/// What the service says; an error tells its status and its own words, which hold no secret of ours.
fn answer(sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, VaultError> {
    let failed = |error: &dyn std::fmt::Display| VaultError::Service(error.to_string());
    let mut response = sent.map_err(|error| failed(&error))?;
    let status = response.status().as_u16();
    let text = Zeroizing::new(response.body_mut().with_config().limit(MAX_ANSWER).read_to_string().map_err(|error| failed(&error))?);
    let document: Value = serde_json::from_str(&text).unwrap_or_default();
    if status == 200 {
        return Ok(document);
    }
    let errors = document.get("errors").map(Value::to_string).unwrap_or_default();
    Err(VaultError::Service(format!("HTTP {status} {errors}")))
}

fn field(document: &Value, pointer: &'static str) -> Result<String, VaultError> {
    let text = document.pointer(pointer).and_then(Value::as_str);
    text.map(ToOwned::to_owned).ok_or_else(|| VaultError::Service(format!("its answer has no {pointer}")))
}

/// `vault:v3:...` is wrapped by version 3.
fn version(text: &str) -> Option<&str> {
    let version = text.strip_prefix("vault:")?.split(':').next()?;
    version.strip_prefix('v').filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.is_empty())
}

impl Master for Transit {
    fn current(&self) -> Result<String, VaultError> {
        let request = self.agent.get(self.path("keys")).header("x-vault-token", self.token()?);
        let document = answer(request.call())?;
        let latest = document.pointer("/data/latest_version").and_then(Value::as_u64);
        latest.map(|version| format!("transit:{version}")).ok_or_else(|| VaultError::Service("its answer has no version".to_owned()))
    }

    fn wrap(&self, key: &Secret, owner: &str) -> Result<Wrapped, VaultError> {
        let plaintext = Zeroizing::new(STANDARD.encode(key.expose()));
        let body = json!({"plaintext": plaintext.as_str(), "associated_data": STANDARD.encode(owner)});
        let text = field(&self.post("encrypt", &body)?, "/data/ciphertext")?;
        let version = version(&text).ok_or_else(|| VaultError::Service("its answer is no ciphertext".to_owned()))?;
        Ok(Wrapped { master: format!("transit:{version}"), text })
    }

    fn unwrap(&self, wrapped: &Wrapped, owner: &str) -> Result<Secret, VaultError> {
        if !wrapped.master.starts_with("transit:") {
            return Err(VaultError::NoKey(wrapped.master.clone()));
        }
        let body = json!({"ciphertext": wrapped.text, "associated_data": STANDARD.encode(owner)});
        let text = Zeroizing::new(field(&self.post("decrypt", &body)?, "/data/plaintext")?);
        STANDARD.decode(text.as_bytes()).map(Secret::new).map_err(|_| VaultError::Service("its answer is not base64".to_owned()))
    }
}
