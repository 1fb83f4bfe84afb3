//! Certificates and keys from files in PEM form.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem};

/// Why connections cannot be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds nothing of the kind.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// They do not go together.
    #[error("the certificates and the key: {0}")]
    Config(String),
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |source| TlsError::File { path: path.to_owned(), source };
    let all: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(failed)?.collect();
    let all = all.map_err(failed)?;
    if all.is_empty() { Err(failed(pem::Error::NoItemsFound)) } else { Ok(all) }
}

fn other(error: &dyn std::fmt::Display) -> TlsError {
    TlsError::Config(error.to_string())
}

/// How a connection to a counterparty is encrypted: who vouches for its certificate, and, where it wants one, our own
/// certificate with its key.
///
/// # Errors
/// [`TlsError`].
pub fn client_tls(roots: &Path, own: Option<(&Path, &Path)>) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut known = RootCertStore::empty();
    for root in certificates(roots)? {
        known.add(root).map_err(|error| other(&error))?;
    }
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(|error| other(&error))?;
    let builder = builder.with_root_certificates(known);
    let Some((certificate, key)) = own else { return Ok(Arc::new(builder.with_no_client_auth())) };
    let chain = certificates(certificate)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|source| TlsError::File { path: key.to_owned(), source })?;
    builder.with_client_auth_cert(chain, key).map(Arc::new).map_err(|error| other(&error))
}

/// How a listener encrypts: its certificate with those that vouch for it, its key, and, where clients must show a
/// certificate, those that vouch for theirs.
///
/// # Errors
/// [`TlsError`].
pub fn server_tls(certificate: &Path, key: &Path, clients: Option<&Path>) -> Result<Arc<ServerConfig>, TlsError> {
    server_tls_of(rustls::DEFAULT_VERSIONS, certificate, key, clients).map(Arc::new)
}

/// As [`server_tls`], with these versions of the protocol alone.
///
/// # Errors
/// [`TlsError`].
pub fn server_tls_of(
    versions: &[&'static SupportedProtocolVersion],
    certificate: &Path,
    key: &Path,
    clients: Option<&Path>,
) -> Result<ServerConfig, TlsError> {
    let chain = certificates(certificate)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions).map_err(|error| other(&error))?;
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for root in certificates(path)? {
                roots.add(root).map_err(|error| other(&error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| other(&error))?)
        }
    };
    let own = PrivateKeyDer::from_pem_file(key).map_err(|source| TlsError::File { path: key.to_owned(), source })?;
    builder.with_single_cert(chain, own).map_err(|error| other(&error))
}
