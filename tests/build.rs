//! Generates the client of gRPC from the schemas that the server is built with.

use std::io;

fn main() -> io::Result<()> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/proto");
    println!("cargo::rerun-if-changed={root}/oms/v1");
    let compiled = protox::compile(["oms/v1/services.proto"], [root]).map_err(io::Error::other)?;
    tonic_prost_build::configure().build_server(false).compile_fds(compiled)
}
