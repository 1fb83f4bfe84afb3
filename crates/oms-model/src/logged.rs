//! Words of others, as the program's own log shows them.
//!
//! That log is read by other people than a desk's data are, is copied elsewhere, and nothing in it can be erased. So it says
//! who did what, and not what they wrote about it: that stands where it was written, in the log of events or of messages.

use core::fmt::{self, Write as _};

/// The most characters of what is quoted.
pub const MAX_QUOTED: usize = 200;

/// What a client or a person wrote: a reason, a note, Text(58) of a client. It is shown as how much it is.
#[derive(Clone, Copy)]
pub struct Withheld<'t>(pub &'t str);

impl fmt::Display for Withheld<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.chars().count() {
            0 => f.write_str("(nothing)"),
            1 => f.write_str("(1 character)"),
            n => write!(f, "({n} characters)"),
        }
    }
}

impl fmt::Debug for Withheld<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a venue or broker said, which whoever runs the desk has to know: on one line whatever is in it, so that it cannot look
/// like a line of the log, and cut to [`MAX_QUOTED`] characters.
#[derive(Clone, Copy)]
pub struct Quoted<'t>(pub &'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, c) in self.0.chars().enumerate() {
            if n == MAX_QUOTED {
                return f.write_str("...");
            }
            if breaks_a_line(c) {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Controls, separators of lines and paragraphs, and what turns the direction of the text behind it (Unicode UAX 9).
fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_withheld_shows_how_much_it_is_and_nothing_of_it() {
        for (text, shown) in [("", "(nothing)"), ("x", "(1 character)"), ("für Müller", "(10 characters)")] {
            assert_eq!((Withheld(text).to_string(), format!("{:?}", Withheld(text))), (shown.to_owned(), shown.to_owned()));
        }
    }

    #[test]
    fn what_is_quoted_stays_on_its_line() {
        assert_eq!(Quoted("201 Order rejected - reason: no price").to_string(), "201 Order rejected - reason: no price");
        let forged = "gone\r\n2026-11-28 ERROR \u{1b}[31mall is lost\u{2028}\u{202e}";
        let shown = format!("{:?}", Quoted(forged));
        assert_eq!(shown, r"gone\u{d}\u{a}2026-11-28 ERROR \u{1b}[31mall is lost\u{2028}\u{202e}");
        let long = "ä".repeat(MAX_QUOTED + 1);
        assert_eq!(Quoted(&long).to_string(), format!("{}...", "ä".repeat(MAX_QUOTED)));
        assert_eq!(Quoted(&long[2..]).to_string(), long[2..], "what fits is whole");
    }
}
