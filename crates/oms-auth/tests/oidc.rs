//! Tokens of a real OpenID Connect provider (PyPI `oidc-provider-mock`), which the test starts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use oms_auth::password::Cost;
use oms_auth::{Config, ControlLog, Identity, Presented, SecretBox, VaultBox, oidc, system_clock};
use oms_identity::event::{AllowListSet, TenantCreated};
use oms_identity::{Command, Principal, Role, Scope, Scopes};
use oms_model::{Code, Refusal, TenantId};
use oms_store::MemoryJournal;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

const PACKAGE: &str = "oidc-provider-mock==0.3.4";
const TENANT: TenantId = TenantId::from_u128(0x7000_8000_0000_0000_0001);

/// A Python that has the provider: the one that `OMS_OIDC_PYTHON` names, or one of the test's own.
fn python() -> PathBuf {
    if let Some(python) = std::env::var_os("OMS_OIDC_PYTHON") {
        return python.into();
    }
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oidc-venv");
    let python = home.join("bin/python");
    let has =
        |python: &Path| Process::new(python).args(["-W", "ignore", "-c", "import oidc_provider_mock"]).status().is_ok_and(|s| s.success());
    if !has(&python) {
        let made = Process::new("python3").args(["-m", "venv"]).arg(&home).status().unwrap();
        assert!(made.success(), "python3 -m venv; or let OMS_OIDC_PYTHON name a Python that has {PACKAGE}");
        let got = Process::new(&python).args(["-m", "pip", "install", "--quiet", PACKAGE]).status().unwrap();
        assert!(got.success(), "pip install {PACKAGE}; or let OMS_OIDC_PYTHON name a Python that has it");
    }
    python
}

struct Provider {
    child: Child,
    issuer: String,
    tokens: Value,
}

impl Provider {
    fn start(users: &Value) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc/provider.py");
        let mut child = Process::new(python())
            .args(["-W", "ignore"])
            .arg(script)
            .arg(users.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).expect("the provider says where it is");
        Self { child, issuer: said["issuer"].as_str().unwrap().to_owned(), tokens: said["tokens"].clone() }
    }

    fn token(&self, subject: &str) -> String {
        self.tokens[subject].as_str().unwrap().to_owned()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// The vault's box; its keys lie in the tests' own folder.
fn secrets() -> Box<dyn SecretBox> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let name = format!("oidc-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&dir).unwrap();
    let secrets = VaultBox::open_dir(&dir, &dir, None).unwrap();
    // Its key is read once and held from then on.
    secrets.seal("first", b"use").unwrap();
    std::fs::remove_dir_all(dir).unwrap();
    Box::new(secrets)
}

async fn identity(external: oidc::Config) -> Identity {
    let log = ControlLog::open(Box::new(MemoryJournal::new(9)), system_clock()).unwrap();
    let config = Config { cost: Cost { memory_kib: 64, passes: 1, lanes: 1 }, external: Some(external), ..Config::default() };
    let identity = Identity::open(log, secrets(), config, system_clock()).await.unwrap();
    let tenant = TenantCreated { tenant_id: TENANT, name: "desk".to_owned() };
    identity.execute_as_console(Command::CreateTenant(tenant)).await.unwrap();
    identity
}

async fn ask(identity: &Identity, token: &str, ip: &str) -> Result<Principal, Refusal> {
    let ip: IpAddr = ip.parse().unwrap();
    identity.authenticate(Presented::Bearer(token), Some(ip)).await.map(Option::unwrap)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_the_issuer_name_tenant_and_scopes() {
    let tenant = TENANT.to_string();
    let users = json!({
        "ada": {"tenant_id": tenant, "groups": ["desk-traders", "risk:manage", "strangers"]},
        "bob": {"tenant_id": tenant, "groups": ["VIEWER", "tenants:admin"]},
        "eve": {"tenant_id": "00000000-0000-7000-8000-00000000000f", "groups": ["ADMIN"]},
        "nil": {"groups": ["ADMIN"]},
    });
    let provider = Provider::start(&users);
    let config = oidc::Config {
        issuer: provider.issuer.clone(),
        jwks_uri: String::new(),
        audience: "oms".to_owned(),
        tenant_claim: "tenant_id".to_owned(),
        scope_claim: "groups".to_owned(),
        names: [("desk-traders".to_owned(), "TRADER".to_owned())].into(),
    };
    let identity_of = identity(config.clone()).await;
    let ada = ask(&identity_of, &provider.token("ada"), "192.0.2.1").await.unwrap();
    assert_eq!((ada.tenant_id, ada.scopes), (TENANT, Role::Trader.scopes() | Scopes::of(&[Scope::RiskManage])));
    let again = ask(&identity_of, &provider.token("ada"), "192.0.2.1").await.unwrap();
    let bob = ask(&identity_of, &provider.token("bob"), "192.0.2.1").await.unwrap();
    assert!(ada.user_id == again.user_id && ada.user_id != bob.user_id);
    assert_eq!(bob.scopes, Role::Viewer.scopes(), "nobody outside makes somebody run the installation");
    for stranger in ["eve", "nil"] {
        assert_eq!(ask(&identity_of, &provider.token(stranger), "192.0.2.1").await.unwrap_err().code, Code::Forbidden, "{stranger}");
    }
    // A token is for whom it says, unchanged.
    let token = provider.token("bob");
    let parts: Vec<&str> = token.split('.').collect();
    let swapped = format!("{}.{}.{}", parts[0], provider.token("ada").split('.').nth(1).unwrap(), parts[2]);
    for bad in [swapped, format!("{}.{}.", parts[0], parts[1])] {
        assert_eq!(ask(&identity_of, &bad, "192.0.2.1").await.unwrap_err().code, Code::Unauthenticated);
    }
    let other = identity(oidc::Config { audience: "somebody else".to_owned(), ..config.clone() }).await;
    assert_eq!(ask(&other, &token, "192.0.2.1").await.unwrap_err().code, Code::Unauthenticated);
    let nobody = identity(oidc::Config { issuer: "http://localhost:1".to_owned(), ..config }).await;
    assert_eq!(ask(&nobody, &token, "192.0.2.1").await.unwrap_err().code, Code::Unauthenticated);
    // The tenant's list of addresses holds for them too.
    let nets = vec!["10.0.0.0/8".parse().unwrap()];
    identity_of.execute_as_console(Command::SetAllowList(AllowListSet { tenant_id: TENANT, nets })).await.unwrap();
    assert_eq!(ask(&identity_of, &token, "192.0.2.1").await.unwrap_err().code, Code::Forbidden);
    assert!(ask(&identity_of, &token, "10.9.9.9").await.is_ok());
}
