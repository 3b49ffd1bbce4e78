//! The link's stream: plain, or under TLS with the public roots or the operator's.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::config::{SmppCarrier, SmppTls};
use crate::error::{Error, Result};

/// A stream of either kind.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// How the stream is made.
pub struct Dial {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Dial {
    /// For the centre of `keys`. Errors: its certificates cannot be read, or its name cannot be one of TLS.
    pub fn new(keys: &SmppCarrier) -> Result<Dial> {
        let (host, port) = (keys.host.clone(), keys.port);
        let tls = match keys.tls {
            SmppTls::None => None,
            SmppTls::Tls => {
                let name = ServerName::try_from(host.clone()).map_err(|_| fault("its host is no name"))?;
                Some((connector(keys.ca_file.as_deref())?, name))
            }
        };
        Ok(Dial { host, port, tls })
    }

    /// Connects. Errors: the network's, and TLS's.
    pub async fn connect(&self) -> std::io::Result<Box<dyn Stream>> {
        let plain = TcpStream::connect((self.host.as_str(), self.port)).await?;
        plain.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Box::new(plain)),
            Some((connector, name)) => Ok(Box::new(connector.connect(name.clone(), plain).await?)),
        }
    }
}

fn connector(ca_file: Option<&Path>) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let read = CertificateDer::pem_file_iter(path).map_err(fault)?;
            for certificate in read {
                roots.add(certificate.map_err(fault)?).map_err(fault)?;
            }
            if roots.is_empty() {
                return Err(fault("ca_file holds no certificate"));
            }
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(fault)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn fault(cause: impl std::fmt::Display) -> Error {
    Error::internal(format!("TLS to the SMPP carrier cannot be set up: {cause}"))
}
