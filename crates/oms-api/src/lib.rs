//! The REST, SSE, WebSocket and gRPC interface.
//!
//! - Tenant and actor come from the credential only.
//! - Every answer is durable when it is given, and every answer to a write is rendered from the events that
//!   the write led to, so that an idempotent repetition has the same bytes.
//! - A browser gets the desk ([`desk`]), which is a client of the interface like any other.
//! - Codes become HTTP in one place ([`error`]); requests become calls in one place ([`call`]); routes and the
//!   OpenAPI document come from one list ([`rest::endpoints`]).
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")
)]

pub mod api;
pub mod audit;
pub mod auth;
pub mod blotter;
pub mod brokers;
mod browser;
pub mod call;
pub mod catalog;
pub mod csv;
pub mod desk;
pub mod error;
pub mod evidence;
pub mod fix;
pub mod grpc;
pub mod idempotency;
pub mod json;
pub mod metrics;
pub mod openapi;
mod owners;
pub mod past;
pub mod query;
pub mod rate;
pub mod reply;
pub mod rest;
pub mod serve;
pub mod shadow;
pub mod sse;
pub mod tenants;
pub mod why;
pub mod ws;

pub use api::{Api, Config, Parts, Probe};
pub use metrics::{Exposition, Metrics};
pub use rest::router;
pub use serve::{Tls, serve, serve_grpc, serve_with};
pub use tenants::Tenants;
