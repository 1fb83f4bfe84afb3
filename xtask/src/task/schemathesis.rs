//! `make schemathesis`: requests made from the OpenAPI document, more of them than `make test` makes.

use super::run::build;
use crate::cargo::{call, cargo, oms};

/// Examples of each operation in each phase where nobody says how many.
const EXAMPLES: &str = "100";

/// Runs that end-to-end test alone; a seed of one's own is `OMS_SEED`.
///
/// # Errors
/// It cannot be built, or something does not keep to its description.
pub fn run(words: &[String]) -> Result<(), String> {
    build()?;
    let examples = words.first().map_or(EXAMPLES, String::as_str);
    let mut command = cargo(["test", "--package", "oms-e2e", "--locked", "--test", "schemathesis", "--", "--nocapture"]);
    command.env("OMS_BIN", oms()).env("OMS_SCHEMATHESIS_EXAMPLES", examples);
    call(command)
}
