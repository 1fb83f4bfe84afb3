//! The logic behind the Makefile.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

mod calendars;
mod cargo;
mod slice;
mod step;
mod task;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask TASK [ARGUMENT ...]

tasks:
  run  [FLAG ...]                   build the program as it is shipped and open a demo desk: oms serve --demo
  test                              everything that must hold before a change is taken, with a summary
  check                             the quick half of it: format, lints, types
  bench [FILTER ...]                the benchmarks of engine, router, gate, codec, journal and views
  sim  [FLAG ...]                   the simulator: crashes, lying disks, faulty venues, planted bugs
  load [FLAG ...]                   orders at a rate against a running desk: oms load
  fix-acceptance [FILE_OR_DIR ...]  FIX session acceptance scripts against the echo acceptor
  schemathesis [EXAMPLES]           requests made from the OpenAPI document, EXAMPLES of each operation in each phase
  ui                                build the desk in a browser, which the program embeds (needs Node)
  bench-ui                          how the desk stands a load, in a real browser: frames, memory, event to pixel
  fmt                               format the code
  clean                             take away what was built
  calendars [INPUT [OUTPUT]]        cut the calendars that the product ships
  slice [INPUT_DIR [OUTPUT_FILE]]   cut the market data slice that the product ships";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((task, rest)) => match task.as_str() {
            "run" => task::run::run(rest),
            "test" => task::test::run(rest),
            "check" => task::check::run(rest),
            "bench" => task::bench::run(rest),
            "sim" => task::sim::run(rest),
            "load" => task::load::run(rest),
            "fix-acceptance" => task::fix::run(rest),
            "schemathesis" => task::schemathesis::run(rest),
            "ui" => task::ui::run(rest),
            "bench-ui" => task::ui::bench(rest),
            "fmt" => task::tidy::fmt(rest),
            "clean" => task::tidy::clean(rest),
            "calendars" => calendars::run(rest),
            "slice" => slice::run(rest).map_err(|error| error.to_string()),
            _ => return usage(),
        },
        None => return usage(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}
