//! Frames as they have been written since they were first looked at. `OMS_BLESS=1` writes the file anew.

use std::fmt::Write as _;

use super::*;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/test-data/golden-frames.txt");

#[test]
fn frames_are_written_as_they_were() {
    let mut text = "# Every message from seed 7: dialect, then the frame; text with | for NUL, protobuf in hexadecimal.\n".to_owned();
    for dialect in [Dialect::Text(176), Dialect::Text(178), Dialect::Proto(225)] {
        let mut dice = Dice::new(7);
        let mut frames: Vec<Vec<u8>> = Vec::new();
        for request in requests(&mut dice, dialect) {
            frames.push(Vec::new());
            request.encode(dialect, frames.last_mut().unwrap());
        }
        for reply in replies(&mut dice, dialect) {
            frames.push(Vec::new());
            reply.encode(dialect, frames.last_mut().unwrap());
        }
        for frame in frames {
            let shown = match dialect {
                Dialect::Text(_) => String::from_utf8(body(&frame).to_vec()).unwrap().replace('\0', "|"),
                Dialect::Proto(_) => body(&frame).iter().fold(String::new(), |mut hex, byte| {
                    write!(hex, "{byte:02x}").unwrap();
                    hex
                }),
            };
            writeln!(text, "{} {shown}", dialect.version()).unwrap();
        }
    }
    if std::env::var_os("OMS_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(FILE, &text).unwrap();
    }
    assert!(std::fs::read_to_string(FILE).unwrap_or_default() == text, "frames are written otherwise; OMS_BLESS=1 writes the file");
}
