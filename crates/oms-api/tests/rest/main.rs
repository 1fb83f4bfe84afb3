//! The interface over a real partition, real views and real sockets; only the venue is a script.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod accounts;
mod audit;
mod books;
mod brokers;
mod client;
mod commands;
mod desk;
mod errors;
mod fix;
mod grpc;
mod leaves;
mod orders;
mod past;
mod pnl;
mod queries;
mod quotes;
mod settings;
mod setup;
mod shadow;
mod socket;
mod socket_views;
mod sockets;
mod streams;
mod tenants;
mod wire;
