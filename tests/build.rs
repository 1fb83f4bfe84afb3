//! Generates the client of gRPC from the schemas that the server is built with.

use std::path::PathBuf;
use std::{env, io};

fn main() -> io::Result<()> {
    // Read when it runs: a target directory that two checkouts share would remember the other's path.
    let here = env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| io::Error::other("CARGO_MANIFEST_DIR is not set"))?;
    let root = PathBuf::from(here).join("../schemas/proto");
    println!("cargo::rerun-if-changed={}", root.join("oms/v1").display());
    let compiled = protox::compile(["oms/v1/services.proto"], [&root]).map_err(io::Error::other)?;
    tonic_prost_build::configure().build_server(false).compile_fds(compiled)
}
