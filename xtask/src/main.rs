//! The logic behind the Makefile.

mod slice;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask TASK [ARGUMENT ...]

tasks:
  slice [INPUT_DIR [OUTPUT_FILE]]   cut the market data slice that the product ships";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((task, rest)) if task == "slice" => slice::run(rest),
        Some(_) | None => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
