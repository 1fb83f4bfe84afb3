use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

fn local(lines: &str) -> Result<LocalMaster, VaultError> {
    LocalMaster::parse(&Secret::of(lines))
}

#[test]
fn the_highest_version_wraps_and_all_unwrap() {
    let (one, two) = (LocalMaster::generate(1).unwrap(), LocalMaster::generate(2).unwrap());
    let text = |secret: &Secret| secret.expose_text().unwrap().to_owned();
    let old = local(&text(&one)).unwrap();
    let new = local(&format!("# rotated\n\n{}{}", text(&two), text(&one))).unwrap();
    assert_eq!((old.current().unwrap(), new.current().unwrap()), ("local:1".to_owned(), "local:2".to_owned()));
    let wrapped = old.wrap(&Secret::of("key"), "owner").unwrap();
    assert_eq!(new.unwrap(&wrapped, "owner").unwrap().expose(), b"key");
    assert!(matches!(new.unwrap(&wrapped, "another"), Err(VaultError::Refused)));
    let renamed = Wrapped { master: "local:2".to_owned(), ..wrapped };
    assert!(matches!(new.unwrap(&renamed, "owner"), Err(VaultError::Refused)));
    assert!(matches!(old.unwrap(&renamed, "owner"), Err(VaultError::NoKey(_))));
}

#[test]
fn what_is_no_master_key_is_refused_without_showing_it() {
    let good = STANDARD.encode([7; 32]);
    for wrong in
        [String::new(), good.clone(), format!("0:{good}"), format!("1:{good}\n1:{good}"), "1:c2hvcnQ=".to_owned(), "1:???".to_owned()]
    {
        let error = local(&wrong).err().unwrap().to_string();
        assert!(!error.contains("BwcH") && !error.contains("c2hvcnQ"), "{error}");
    }
}

/// What the documentation of the transit engine says, kept in memory: a key that can be rotated, ciphertexts that are bound
/// to their associated data, a token, errors with their status. The values are looked up, not encrypted.
#[derive(Default)]
struct Service {
    version: u64,
    values: BTreeMap<String, (String, String)>,
}

impl Service {
    fn answer(&mut self, method: &str, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        if token != "s.token" {
            return (403, json!({"errors": ["permission denied"]}));
        }
        match (method, path) {
            ("GET", "/v1/transit/keys/oms") => {
                (200, json!({"data": {"name": "oms", "type": "aes256-gcm96", "latest_version": self.version}}))
            }
            ("POST", "/v1/transit/encrypt/oms") if STANDARD.decode(text("plaintext")).is_ok() => {
                let ciphertext = format!("vault:v{}:{}", self.version, STANDARD.encode(self.values.len().to_string()));
                self.values.insert(ciphertext.clone(), (text("plaintext"), text("associated_data")));
                (200, json!({"data": {"ciphertext": ciphertext, "key_version": self.version}}))
            }
            ("POST", "/v1/transit/decrypt/oms") => match self.values.get(&text("ciphertext")) {
                Some((plaintext, bound)) if *bound == text("associated_data") => (200, json!({"data": {"plaintext": plaintext}})),
                _ => (400, json!({"errors": ["cipher: message authentication failed"]})),
            },
            _ => (404, json!({"errors": []})),
        }
    }

    fn serve(service: &Arc<Mutex<Self>>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = service.clone();
        std::thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(|stream| Self::one(&service, stream)));
        url
    }

    fn one(service: &Mutex<Self>, stream: TcpStream) {
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            lines.push(line.trim().to_owned());
        }
        let header = |name: &str| {
            lines
                .iter()
                .find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)))
                .map(|(_, value)| value.to_owned())
        };
        let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().unwrap())];
        reader.read_exact(&mut body).unwrap();
        let mut first = lines.first().unwrap().split(' ');
        let (method, path) = (first.next().unwrap(), first.next().unwrap());
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let token = header("x-vault-token").unwrap_or_default();
        let (status, document) = service.lock().unwrap().answer(method, path, &token, &body);
        let text = document.to_string();
        let mut stream = reader.into_inner();
        write!(
            stream,
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
            text.len()
        )
        .unwrap();
    }
}

#[test]
fn the_transit_engine_wraps_and_unwraps() {
    let service = Arc::new(Mutex::new(Service { version: 1, ..Service::default() }));
    let url = Service::serve(&service);
    let transit = Transit::new(&format!("{url}/"), "transit", "oms", Secret::of("s.token"), b"").unwrap();
    assert_eq!(transit.current().unwrap(), "transit:1");
    let wrapped = transit.wrap(&Secret::new(vec![0xff, 0]), "tenant-1").unwrap();
    assert_eq!(wrapped.master, "transit:1");
    assert_eq!(transit.unwrap(&wrapped, "tenant-1").unwrap().expose(), [0xff, 0]);
    assert!(matches!(transit.unwrap(&wrapped, "tenant-2"), Err(VaultError::Service(text)) if text.contains("400")));
    service.lock().unwrap().version = 2;
    assert_eq!(transit.current().unwrap(), "transit:2");
    assert_eq!(transit.wrap(&Secret::of("x"), "o").unwrap().master, "transit:2");
    // A token that is refused, a key that is not there, nobody there.
    let other = Transit::new(&url, "transit", "oms", Secret::of("s.wrong"), b"").unwrap();
    let error = other.wrap(&Secret::of("hunter2"), "o").unwrap_err().to_string();
    assert!(error.contains("403") && error.contains("permission denied") && !error.contains("s.wrong"), "{error}");
    assert!(matches!(Transit::new(&url, "transit", "none", Secret::of("s.token"), b"").unwrap().current(), Err(VaultError::Service(_))));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(matches!(
        Transit::new(&format!("http://{nobody}"), "transit", "oms", Secret::of("t"), b"").unwrap().current(),
        Err(VaultError::Service(_))
    ));
    // Nobody vouches for an https address that was not told of; what is no certificate is refused.
    let secure = Transit::new(&url.replace("http:", "https:"), "transit", "oms", Secret::of("s.token"), b"").unwrap();
    assert!(matches!(secure.current(), Err(VaultError::Service(_))));
    let wrong = b"-----BEGIN CERTIFICATE-----\n???\n-----END CERTIFICATE-----\n";
    assert!(matches!(Transit::new(&url, "transit", "oms", Secret::of("t"), wrong), Err(VaultError::Malformed(_))));
}
