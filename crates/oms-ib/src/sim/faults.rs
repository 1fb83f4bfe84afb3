//! What can go wrong, and the words in which it is asked for.
//!
//! Each line of a scenario or of the admin port is one [`Command`]. A switch stays until it is switched off; a count is
//! used up; an action happens at once.

use std::fmt;
use std::str::FromStr;

use oms_model::{Price, Qty};

/// Nanoseconds of a millisecond.
const MS: i64 = 1_000_000;
/// Longest delay that is taken, milliseconds: an hour.
const MAX_DELAY_MS: i64 = 3_600_000;

/// When something is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Telling {
    /// At once.
    #[default]
    Prompt,
    /// So many nanoseconds later.
    Late(i64),
    /// Never.
    Missing,
}

/// The line from the gateway to the broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Line {
    /// It works.
    #[default]
    Up,
    /// Lost (code 1100): what clients ask waits in the gateway.
    Lost,
}

/// Why an order is not worked although it was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Idle {
    /// No reason is given.
    Plain,
    /// Shares to sell short are looked for.
    Locate,
}

/// The switches as they stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Faults {
    /// So many connections are cut when an order comes, before it is taken.
    pub drop_before: u32,
    /// So many connections are cut when an order was taken, before anything is told of it.
    pub drop_after: u32,
    /// Nothing is read and nothing written, on every connection.
    pub frozen: bool,
    /// The line to the broker.
    pub line: Line,
    /// A session goes on holding its client id for so long after its connection ended, nanoseconds.
    pub linger: i64,
    /// The next order id is lower by so many, once.
    pub rollback: i32,
    /// So many orders leave no trace.
    pub swallow: u32,
    /// Nothing is told of an order before its first execution.
    pub execution_first: bool,
    /// Every order status comes twice.
    pub duplicate_status: bool,
    /// No order status comes.
    pub no_status: bool,
    /// When commissions are told.
    pub commission: Telling,
    /// A canceled order is executed nevertheless.
    pub fill_after_cancel: bool,
    /// So many modifications are refused with code 110.
    pub refuse_modify: u32,
    /// So many orders are taken and not worked.
    pub idle: Option<(Idle, u32)>,
    /// When ends of lists are told.
    pub end: Telling,
    /// The permanent id is 0 the first time that an order is told.
    pub perm_zero: bool,
    /// So many modifications leave the order as it was and add a second with the same order id.
    pub second_perm: u32,
    /// Questions what an order would cost that are taken for orders.
    pub what_if_placed: u32,
    /// Requests in one second before code 100; 0 for no limit.
    pub pacing: u32,
    /// Everything is told so much later, nanoseconds.
    pub latency: i64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            drop_before: 0,
            drop_after: 0,
            frozen: false,
            line: Line::Up,
            linger: 0,
            rollback: 0,
            swallow: 0,
            execution_first: false,
            duplicate_status: false,
            no_status: false,
            commission: Telling::Prompt,
            fill_after_cancel: false,
            refuse_modify: 0,
            idle: None,
            end: Telling::Prompt,
            perm_zero: false,
            second_perm: 0,
            what_if_placed: 0,
            pacing: 50,
            latency: 0,
        }
    }
}

/// What is asked of the simulator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// `drop-before N`
    DropBefore(u32),
    /// `drop-after N`
    DropAfter(u32),
    /// `drop all`
    DropAll,
    /// `freeze on|off`
    Freeze(bool),
    /// `line lost`: code 1100.
    LineLost,
    /// `line restored kept|lost`: code 1102 or 1101.
    LineRestored {
        /// Market data subscriptions are gone.
        data_lost: bool,
    },
    /// `linger MS`
    Linger(i64),
    /// `rollback N`
    Rollback(i32),
    /// `swallow N`
    Swallow(u32),
    /// `execution-first on|off`
    ExecutionFirst(bool),
    /// `duplicate-status on|off`
    DuplicateStatus(bool),
    /// `no-status on|off`
    NoStatus(bool),
    /// `commission prompt|missing|late MS`
    Commission(Telling),
    /// `correct PRICE [QTY]`: the last execution is corrected.
    Correct {
        /// What it was done at, after all.
        price: Price,
        /// How much it was, after all.
        qty: Option<Qty>,
    },
    /// `fill-after-cancel on|off`
    FillAfterCancel(bool),
    /// `refuse-modify N`
    RefuseModify(u32),
    /// `inactive plain|locate N`
    Inactive(Idle, u32),
    /// `activate`: what is inactive is worked after all.
    Activate,
    /// `end prompt|missing|late MS`
    End(Telling),
    /// `perm-zero on|off`
    PermZero(bool),
    /// `second-perm N`
    SecondPerm(u32),
    /// `what-if-placed N`
    WhatIfPlaced(u32),
    /// `pacing N`
    Pacing(u32),
    /// `latency MS`
    Latency(i64),
    /// `restart`: the daily restart; sessions end, orders for the day expire.
    Restart,
    /// `close`: the market closes; orders for the close are worked, orders for the day expire.
    Close,
    /// `manual BUY|SELL QTY SYMBOL LIMIT`: a person enters an order.
    Manual {
        /// `BUY` or `SELL`.
        action: String,
        /// How much.
        qty: Qty,
        /// Of what.
        symbol: String,
        /// At which price at most or at least.
        limit: Price,
    },
    /// `notice CODE TEXT`: something is said about nothing in particular.
    Notice {
        /// The code.
        code: i32,
        /// In words.
        text: String,
    },
    /// `reset`: every switch is switched off.
    Reset,
    /// `status`: what stands.
    Status,
}

/// The words, for whoever asks.
pub const HELP: &str = "\
drop-before N | drop-after N | drop all | freeze on|off | line lost | line restored kept|lost | linger MS | rollback N
swallow N | execution-first on|off | duplicate-status on|off | no-status on|off | commission prompt|missing|late MS
correct PRICE [QTY] | fill-after-cancel on|off | refuse-modify N | inactive plain|locate N | activate
end prompt|missing|late MS | perm-zero on|off | second-perm N | what-if-placed N | pacing N | latency MS | restart | close
manual BUY|SELL QTY SYMBOL LIMIT | notice CODE TEXT | reset | status";

/// A line that is no command.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{line:?} is no command; one of:\n{HELP}")]
pub struct NoCommand {
    line: String,
}

impl FromStr for Command {
    type Err = NoCommand;

    fn from_str(line: &str) -> Result<Self, NoCommand> {
        let words: Vec<&str> = line.split_whitespace().collect();
        parse(&words).ok_or_else(|| NoCommand { line: line.to_owned() })
    }
}

fn parse(words: &[&str]) -> Option<Command> {
    let on = |word: &str| match word {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    };
    let ms = |word: &str| word.parse().ok().filter(|ms| (0..=MAX_DELAY_MS).contains(ms)).map(|ms: i64| ms * MS);
    Some(match *words {
        ["drop-before", n] => Command::DropBefore(n.parse().ok()?),
        ["drop-after", n] => Command::DropAfter(n.parse().ok()?),
        ["drop", "all"] => Command::DropAll,
        ["freeze", word] => Command::Freeze(on(word)?),
        ["line", "lost"] => Command::LineLost,
        ["line", "restored", "kept"] => Command::LineRestored { data_lost: false },
        ["line", "restored", "lost"] => Command::LineRestored { data_lost: true },
        ["linger", word] => Command::Linger(ms(word)?),
        ["rollback", n] => Command::Rollback(n.parse().ok().filter(|n| *n >= 0)?),
        ["swallow", n] => Command::Swallow(n.parse().ok()?),
        ["execution-first", word] => Command::ExecutionFirst(on(word)?),
        ["duplicate-status", word] => Command::DuplicateStatus(on(word)?),
        ["no-status", word] => Command::NoStatus(on(word)?),
        ["commission", ref how @ ..] => Command::Commission(telling(how, ms)?),
        ["correct", price] => Command::Correct { price: price.parse().ok()?, qty: None },
        ["correct", price, qty] => Command::Correct { price: price.parse().ok()?, qty: Some(qty.parse().ok()?) },
        ["fill-after-cancel", word] => Command::FillAfterCancel(on(word)?),
        ["refuse-modify", n] => Command::RefuseModify(n.parse().ok()?),
        ["inactive", "plain", n] => Command::Inactive(Idle::Plain, n.parse().ok()?),
        ["inactive", "locate", n] => Command::Inactive(Idle::Locate, n.parse().ok()?),
        ["activate"] => Command::Activate,
        ["end", ref how @ ..] => Command::End(telling(how, ms)?),
        ["perm-zero", word] => Command::PermZero(on(word)?),
        ["second-perm", n] => Command::SecondPerm(n.parse().ok()?),
        ["what-if-placed", n] => Command::WhatIfPlaced(n.parse().ok()?),
        ["pacing", n] => Command::Pacing(n.parse().ok()?),
        ["latency", word] => Command::Latency(ms(word)?),
        ["restart"] => Command::Restart,
        ["close"] => Command::Close,
        ["manual", action @ ("BUY" | "SELL"), qty, symbol, limit] => {
            Command::Manual { action: action.to_owned(), qty: qty.parse().ok()?, symbol: symbol.to_owned(), limit: limit.parse().ok()? }
        }
        ["notice", code, ref text @ ..] if !text.is_empty() => Command::Notice { code: code.parse().ok()?, text: text.join(" ") },
        ["reset"] => Command::Reset,
        ["status"] => Command::Status,
        _ => return None,
    })
}

fn telling(words: &[&str], ms: impl Fn(&str) -> Option<i64>) -> Option<Telling> {
    match *words {
        ["prompt"] => Some(Telling::Prompt),
        ["missing"] => Some(Telling::Missing),
        ["late", word] => ms(word).map(Telling::Late),
        _ => None,
    }
}

/// A step of a scenario: a command and when it is given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Nanoseconds after the beginning.
    pub after: i64,
    /// What.
    pub command: Command,
}

/// Why a scenario cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct ScenarioError {
    line: usize,
    why: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// Reads a scenario: `MS COMMAND` on each line, milliseconds after the beginning; `#` begins a comment.
///
/// # Errors
/// The first line that is none, or goes back in time.
pub fn scenario(text: &str) -> Result<Vec<Step>, ScenarioError> {
    let mut steps: Vec<Step> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let fail = |why: String| ScenarioError { line: at + 1, why };
        let (when, command) = line.split_once(char::is_whitespace).ok_or_else(|| fail("has no command".to_owned()))?;
        let ms: i64 = when.parse().ok().filter(|ms| (0..=24 * MAX_DELAY_MS).contains(ms)).ok_or_else(|| fail("has no time".to_owned()))?;
        let step = Step { after: ms * MS, command: command.parse().map_err(|error: NoCommand| fail(error.to_string()))? };
        if steps.last().is_some_and(|last| last.after > step.after) {
            return Err(fail("is earlier than the line before".to_owned()));
        }
        steps.push(step);
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_help_is_a_command() {
        let lines = [
            "drop-before 1",
            "drop-after 1",
            "drop all",
            "freeze on",
            "line lost",
            "line restored kept",
            "line restored lost",
            "linger 20",
            "rollback 4",
            "swallow 1",
            "execution-first on",
            "duplicate-status off",
            "no-status on",
            "commission prompt",
            "commission missing",
            "commission late 20",
            "correct 1.5",
            "correct 1.5 10",
            "fill-after-cancel on",
            "refuse-modify 1",
            "inactive plain 1",
            "inactive locate 1",
            "activate",
            "end prompt",
            "end missing",
            "end late 20",
            "perm-zero on",
            "second-perm 1",
            "what-if-placed 1",
            "pacing 0",
            "latency 5",
            "restart",
            "close",
            "manual BUY 5 IBM 20.5",
            "manual SELL 5 IBM 20.5",
            "notice 399 hear this",
            "reset",
            "status",
        ];
        for line in lines {
            assert!(line.parse::<Command>().is_ok(), "{line}");
        }
        let named = HELP.split(['|', '\n']).filter_map(|form| form.split_whitespace().next());
        for word in named.filter(|word| !["off", "missing", "late", "locate", "lost", "kept", "SELL"].contains(word)) {
            assert!(lines.iter().any(|line| line.starts_with(word)), "{word}");
        }
    }

    #[test]
    fn what_is_no_command_is_refused_with_the_words_that_are() {
        for line in ["", "freeze", "freeze maybe", "swallow -1", "linger 99999999999", "commission late", "manual HOLD 5 IBM 20"] {
            assert!(line.parse::<Command>().unwrap_err().to_string().contains("drop-before N"), "{line}");
        }
    }

    #[test]
    fn a_scenario_is_read_in_order_of_time() {
        let steps = scenario("# begin\n0 perm-zero on\n\n500 freeze on # now\n900 freeze off\n").unwrap();
        assert_eq!(steps.len(), 3);
        assert_eq!(steps[1], Step { after: 500 * MS, command: Command::Freeze(true) });
        assert_eq!(scenario("5 reset\n1 reset").unwrap_err().to_string(), "line 2: is earlier than the line before");
        assert_eq!(scenario("reset").unwrap_err().to_string(), "line 1: has no command");
    }
}
