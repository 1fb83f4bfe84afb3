//! TLS of the real desk, with certificates made here: TLS 1.3 alone, both HTTP versions, renewal, certificates of clients.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use oms_e2e::server::{Home, Launch, Process, run};
use oms_e2e::{PATIENCE, until};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Somebody who vouches for others.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, in PEM form.
struct Issued {
    certificate: String,
    key: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn issue(&self, name: &str) -> Issued {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        Issued { certificate: params.signed_by(&key, &self.0).unwrap().pem(), key: key.serialize_pem() }
    }

    fn pem(&self) -> String {
        self.0.pem()
    }
}

impl Issued {
    fn lay(&self, dir: &Path) -> (PathBuf, PathBuf) {
        let (certificate, key) = (dir.join("tls.crt"), dir.join("tls.key"));
        std::fs::write(&key, &self.key).unwrap();
        std::fs::write(&certificate, &self.certificate).unwrap();
        (certificate, key)
    }
}

/// How a client connects.
struct Caller<'c> {
    address: SocketAddr,
    roots: &'c str,
    versions: &'static [&'static SupportedProtocolVersion],
    speaks: &'static [&'static [u8]],
    own: Option<&'c Issued>,
}

const TLS13: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];
const TLS12: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];

type Stream = StreamOwned<ClientConnection, TcpStream>;

impl Caller<'_> {
    fn of<'c>(address: SocketAddr, roots: &'c str) -> Caller<'c> {
        Caller { address, roots, versions: TLS13, speaks: &[b"http/1.1"], own: None }
    }

    /// A connection once both sides have shaken hands.
    fn connect(&self) -> std::io::Result<Stream> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.roots.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(self.versions).unwrap();
        let builder = builder.with_root_certificates(roots);
        let mut config = match self.own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let chain = vec![CertificateDer::from_pem_slice(own.certificate.as_bytes()).unwrap()];
                builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap()).unwrap()
            }
        };
        config.alpn_protocols = self.speaks.iter().map(|name| name.to_vec()).collect();
        let mut socket = TcpStream::connect(self.address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        Ok(StreamOwned::new(connection, socket))
    }

    /// The head of an answer on a connection of its own.
    fn ask(&self) -> std::io::Result<String> {
        ask(&mut self.connect()?)
    }
}

/// Asks on a connection that stays open.
fn ask(stream: &mut Stream) -> std::io::Result<String> {
    stream.write_all(b"GET /api/v1/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(head)
}

/// The name in the certificate that the desk shows.
fn shown(stream: &Stream) -> Vec<u8> {
    stream.conn.peer_certificates().unwrap()[0].to_vec()
}

fn launch(files: &(PathBuf, PathBuf)) -> Launch {
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    Launch::default().with("OMS_TLS_CERTIFICATE", &path(&files.0)).with("OMS_TLS_KEY", &path(&files.1))
}

#[test]
fn the_interface_speaks_tls_1_3_alone_and_takes_a_new_certificate_without_dropping_anybody() {
    let home = Home::new("tls");
    let authority = Authority::new("the desk's");
    let first = authority.issue("first");
    let files = first.lay(home.path());
    let mut process = Process::start(home.path(), &launch(&files));
    let address = process.greeted(PATIENCE).expect("it starts");
    let roots = authority.pem();
    let caller = Caller::of(address, &roots);

    let mut open = caller.connect().unwrap();
    assert_eq!(open.conn.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    let head = ask(&mut open).unwrap();
    assert!(head.starts_with("http/1.1 200") && head.contains("strict-transport-security: max-age=63072000"), "{head}");
    let http2 = Caller { speaks: &[b"h2", b"http/1.1"], ..Caller::of(address, &roots) }.connect().unwrap();
    assert_eq!(http2.conn.alpn_protocol(), Some(&b"h2"[..]));
    let refused = Caller { versions: TLS12, ..Caller::of(address, &roots) }.connect().unwrap_err();
    assert!(refused.to_string().to_lowercase().contains("version"), "{refused}");
    let stranger = Authority::new("somebody else's").pem();
    assert!(Caller::of(address, &stranger).ask().is_err(), "a client takes no certificate that nobody vouches for");
    let mut plain = TcpStream::connect(address).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ended = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/"), "nothing is said in clear");

    // The command line takes the authority that it is told.
    let (ca, url) = (home.path().join("ca.crt"), format!("https://localhost:{}", address.port()));
    std::fs::write(&ca, &roots).unwrap();
    let key = std::fs::read_to_string(home.path().join("demo-api-key")).unwrap();
    let list = |more: &[&str]| run(&[&["order", "list", "--url", &url, "--key", key.trim()], more].concat());
    assert!(list(&["--cacert", ca.to_str().unwrap()]).status.success());
    assert_eq!(list(&[]).status.code(), Some(2), "without one it says what is missing");
    std::fs::write(&ca, &stranger).unwrap();
    assert_eq!(list(&["--cacert", ca.to_str().unwrap()]).status.code(), Some(3));

    // Files that do not go together change nothing; good ones are for those who come, and who is there stays.
    let hangup = || {
        let pid = rustix::process::Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    };
    std::fs::write(&files.0, "nothing of the kind").unwrap();
    hangup();
    until("the desk says so", || if process.output().contains("the one before stays in force") { Ok(()) } else { Err(String::new()) });
    assert_eq!(shown(&caller.connect().unwrap()), shown(&open));
    let second = authority.issue("second");
    second.lay(home.path());
    hangup();
    until("the new certificate", || if shown(&caller.connect().unwrap()) == shown(&open) { Err(String::new()) } else { Ok(()) });
    assert!(ask(&mut open).unwrap().starts_with("http/1.1 200"), "the connection of before is still there");
    // Without a signal too.
    let before = shown(&caller.connect().unwrap());
    authority.issue("third").lay(home.path());
    until("the changed file is seen", || if shown(&caller.connect().unwrap()) == before { Err(String::new()) } else { Ok(()) });
    drop((open, http2));
    process.terminate();
}

#[test]
fn clients_show_a_certificate_where_the_desk_asks_for_one() {
    let home = Home::new("mtls");
    let (authority, clients) = (Authority::new("the desk's"), Authority::new("the clients'"));
    let files = authority.issue("desk").lay(home.path());
    let roots_of_clients = home.path().join("clients.crt");
    std::fs::write(&roots_of_clients, clients.pem()).unwrap();
    let launch = launch(&files).with("OMS_TLS_CLIENTS", roots_of_clients.to_str().unwrap());
    let mut process = Process::start(home.path(), &launch);
    let address = process.greeted(PATIENCE).expect("it starts");
    let roots = authority.pem();
    let (good, wrong) = (clients.issue("client"), authority.issue("client"));
    assert!(Caller { own: Some(&good), ..Caller::of(address, &roots) }.ask().unwrap().starts_with("http/1.1 200"));
    // In TLS 1.3 the client learns of it with the first answer.
    assert!(Caller::of(address, &roots).ask().is_err(), "without a certificate");
    assert!(Caller { own: Some(&wrong), ..Caller::of(address, &roots) }.ask().is_err(), "with one that nobody vouches for");
    process.terminate();
}
