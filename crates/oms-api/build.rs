//! Lists what `cargo xtask ui` built, so that the binary embeds it. Never runs anything of Node: without a build the list is
//! empty, and the desk says so in place of itself. And compiles the schemas of gRPC to the descriptors that the server is made of.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let missing = |name| io::Error::other(format!("{name} is not set"));
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| missing("CARGO_MANIFEST_DIR"))?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| missing("OUT_DIR"))?);
    let dist = here.join("../../ui/dist");
    // The folder itself is committed: a path that is not there would make cargo build this anew each time.
    println!("cargo::rerun-if-changed={}", dist.display());
    let built = dist.join("desk");
    let mut files = Vec::new();
    if built.join("index.html").is_file() {
        walk(&built, &mut files)?;
    }
    files.sort();
    let mut text = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&built).map_err(io::Error::other)?.to_string_lossy().replace('\\', "/");
        let _written = writeln!(text, "    ({:?}, include_bytes!({:?})),", format!("/{name}"), file.display().to_string());
    }
    text.push_str("]\n");
    fs::write(out.join("desk.rs"), text)?;
    fs::write(out.join("oms.v1.bin"), descriptors(&here.join("../../schemas/proto"))?)
}

/// Every file of the services with what they import, as a `FileDescriptorSet`.
fn descriptors(root: &Path) -> io::Result<Vec<u8>> {
    println!("cargo::rerun-if-changed={}", root.join("oms/v1").display());
    let mut compiler = protox::Compiler::new([root]).map_err(io::Error::other)?;
    compiler.include_imports(true).open_file(root.join("oms/v1/services.proto")).map_err(io::Error::other)?;
    // Encoded here, for the options are extensions, which the plain types of descriptors lose.
    Ok(compiler.encode_file_descriptor_set())
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
