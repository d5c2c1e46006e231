//! TLS to a server.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme, StreamOwned,
};

use super::stream::{Channel, Socket};
use crate::mysql::error::{Error, Result};

/// Where systems keep the certificates they trust.
const SYSTEM_ROOTS: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What is asked of TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Tls {
    /// Certificates to trust, in a file.
    pub ca: Option<PathBuf>,
    /// Certificates to trust, in files of a folder.
    pub ca_path: Option<PathBuf>,
    /// The client's certificate.
    pub cert: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
    /// Certificates that are revoked.
    pub crl: Option<PathBuf>,
    /// Whether the certificate has to be the host's.
    pub verify_host: bool,
}

impl Tls {
    /// Whether the server's certificate is looked at.
    fn verifies(&self) -> bool {
        self.verify_host || self.ca.is_some() || self.ca_path.is_some()
    }

    fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        if let Some(file) = &self.ca {
            add(&mut roots, file)?;
        }
        if let Some(folder) = &self.ca_path {
            let files = std::fs::read_dir(folder).map_err(|error| cannot_read("the folder", folder, error))?;
            for file in files.flatten() {
                let _ = add(&mut roots, &file.path()); // other files may lie there too
            }
        }
        if self.ca.is_none() && self.ca_path.is_none() {
            let file = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
            let known = SYSTEM_ROOTS.iter().map(PathBuf::from);
            if let Some(file) = file.into_iter().chain(known).find(|file| file.exists()) {
                add(&mut roots, &file)?;
            }
        }
        Ok(roots)
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
        let algorithms = Arc::clone(provider);
        if !self.verifies() {
            return Ok(Arc::new(Lenient { chain: None, provider: algorithms }));
        }
        let roots = self.roots()?;
        if roots.is_empty() {
            return Err(Error::tls("no certificate to trust was found; name a file of them (ssl_ca_file)"));
        }
        let mut builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        if let Some(file) = &self.crl {
            builder = builder.with_crls(read_all::<CertificateRevocationListDer<'static>>(file)?);
        }
        let chain = builder.build().map_err(Error::tls)?;
        Ok(if self.verify_host { chain } else { Arc::new(Lenient { chain: Some(chain), provider: algorithms }) })
    }

    fn config(&self) -> Result<ClientConfig> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(Error::tls)?
            .dangerous()
            .with_custom_certificate_verifier(self.verifier(&provider)?);
        let (cert, key) = match (&self.cert, &self.key) {
            (None, None) => return Ok(builder.with_no_client_auth()),
            (Some(cert), Some(key)) => (cert, key),
            // Both may be in one file.
            (Some(both), None) | (None, Some(both)) => (both, both),
        };
        let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| cannot_read("the key in", key, error))?;
        builder.with_client_auth_cert(read_all(cert)?, key_der).map_err(Error::tls)
    }

    /// Speaks TLS on `socket` from now on.
    pub fn begin(&self, socket: Socket, host: &str) -> Result<Channel> {
        // A certificate of another name is none for this host.
        let name = ServerName::try_from(host.to_owned())
            .or_else(|error| if self.verify_host { Err(error) } else { ServerName::try_from("localhost") });
        let name = name.map_err(Error::tls)?;
        let client = ClientConnection::new(Arc::new(self.config()?), name).map_err(Error::tls)?;
        let mut stream = StreamOwned::new(client, socket);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).map_err(|error| refused(&error))?;
        }
        Ok(Channel::Tls(Box::new(stream)))
    }
}

/// Why TLS could not be agreed on, in words that scripts look for.
fn refused(error: &io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
        Some(TlsError::InvalidCertificate(why)) => Error::tls(format!("certificate verify failed ({why})")),
        Some(other) => Error::tls(other),
        None => Error::tls(error),
    }
}

fn add(roots: &mut RootCertStore, file: &Path) -> Result<()> {
    let (added, _) = roots.add_parsable_certificates(read_all::<CertificateDer<'static>>(file)?);
    if added == 0 { Err(Error::tls(format!("no certificate in {}", file.display()))) } else { Ok(()) }
}

fn read_all<T: PemObject>(file: &Path) -> Result<Vec<T>> {
    T::pem_file_iter(file).and_then(Iterator::collect).map_err(|error| cannot_read("certificates in", file, error))
}

fn cannot_read(what: &str, path: &Path, error: impl std::fmt::Display) -> Error {
    Error::tls(format!("cannot read {what} {}: {error}", path.display()))
}

/// Asks for no name in the certificate, or for no certificate that is known either: what the C client library does
/// unless told to verify. The server proves that it has the certificate's key in any case.
#[derive(Debug)]
struct Lenient {
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            Err(TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
