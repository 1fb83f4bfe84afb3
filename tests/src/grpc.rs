//! The client of gRPC as anybody generates it from `schemas/proto/oms/v1`, with a key.

use crate::server::{Process, Server};
use crate::until;
use std::net::SocketAddr;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// What was generated.
pub mod v1 {
    #![allow(missing_docs, clippy::all, clippy::pedantic, rustdoc::invalid_html_tags, reason = "generated")]
    tonic::include_proto!("oms.v1");
}

/// Puts a key on every call.
#[derive(Clone, Debug)]
pub struct Key(MetadataValue<Ascii>);

impl tonic::service::Interceptor for Key {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("x-api-key", self.0.clone());
        Ok(request)
    }
}

/// A channel that carries a key.
pub type Keyed = InterceptedService<Channel, Key>;

/// The services of a desk, for the holder of a key.
#[derive(Clone)]
pub struct Client {
    /// Orders come in here.
    pub ingest: v1::ingest_client::IngestClient<Keyed>,
    /// What is, and what was.
    pub query: v1::query_client::QueryClient<Keyed>,
    /// What happens.
    pub stream: v1::stream_client::StreamClient<Keyed>,
    /// The gate.
    pub risk: v1::risk_client::RiskClient<Keyed>,
}

impl Client {
    /// Over a channel that is open.
    ///
    /// # Panics
    /// Where the key cannot be sent.
    #[must_use]
    pub fn over(channel: &Channel, key: &str) -> Self {
        let key = Key(key.parse().unwrap());
        let keyed = || InterceptedService::new(channel.clone(), key.clone());
        Self {
            ingest: v1::ingest_client::IngestClient::new(keyed()),
            query: v1::query_client::QueryClient::new(keyed()),
            stream: v1::stream_client::StreamClient::new(keyed()),
            risk: v1::risk_client::RiskClient::new(keyed()),
        }
    }

    /// Of a desk that listens for gRPC, with its own key.
    ///
    /// # Panics
    /// Where it cannot be reached.
    pub async fn of(server: &Server) -> Self {
        let channel = Channel::from_shared(format!("http://{}", address(server.process()))).unwrap().connect().await.unwrap();
        Self::over(&channel, server.key())
    }
}

/// Where a desk says that it listens for gRPC.
///
/// # Panics
/// Where it does not say so.
#[must_use]
pub fn address(process: &Process) -> SocketAddr {
    until("the address of gRPC", || {
        let said = process.output();
        let line = said.lines().find_map(|line| line.trim().strip_prefix("gRPC ")).map(str::to_owned);
        line.and_then(|line| line.trim().strip_prefix("on ").and_then(|text| text.parse().ok())).ok_or(said)
    })
}
