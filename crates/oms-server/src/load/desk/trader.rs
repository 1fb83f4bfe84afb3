//! One trader: a connection, a market as it was last seen, and a book of what was answered.

use super::plays;
use crate::client::Client;
use crate::exit::Failure;
use crate::load::order::Quote;
use crate::load::quote;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Plays after which a trader looks at the market again.
const LOOK_AGAIN: u64 = 50;
/// Faults that are kept in words.
const MAX_FAULTS: usize = 20;

/// What became of one kind of order.
#[derive(Debug, Default)]
pub(super) struct Kind {
    /// Orders that were taken.
    pub accepted: u64,
    /// Orders that were refused, by code.
    pub refused: BTreeMap<String, u64>,
}

/// What was answered.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// By kind of order.
    pub kinds: BTreeMap<&'static str, Kind>,
    /// Other requests by name and answer.
    pub requests: BTreeMap<String, u64>,
    /// Answers that the desk should not give, in words.
    pub faults: Vec<String>,
}

impl Book {
    /// Orders that were answered.
    pub(super) fn orders(&self) -> u64 {
        self.kinds.values().map(|kind| kind.accepted + kind.refused.values().sum::<u64>()).sum()
    }

    /// Adds what another trader has.
    pub(super) fn add(&mut self, other: Self) {
        for (name, kind) in other.kinds {
            let mine = self.kinds.entry(name).or_default();
            mine.accepted += kind.accepted;
            for (code, count) in kind.refused {
                *mine.refused.entry(code).or_default() += count;
            }
        }
        for (name, count) in other.requests {
            *self.requests.entry(name).or_default() += count;
        }
        self.faults.extend(other.faults);
    }

    fn fault(&mut self, fault: String) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault);
        }
    }
}

/// See the module.
pub(super) struct Trader {
    client: Client,
    symbols: Vec<String>,
    quotes: Vec<Quote>,
    run: u64,
    number: u32,
    count: u64,
    chance: u64,
    /// What was answered so far.
    pub book: Book,
}

impl Trader {
    /// A trader of a run, in these instruments.
    pub(super) fn new(client: Client, run: u64, number: u32, symbols: &[String]) -> Result<Self, Failure> {
        let chance = run ^ (u64::from(number) << 40);
        let symbols = symbols.to_vec();
        let mut trader = Self { client, symbols, quotes: Vec::new(), run, number, count: 0, chance, book: Book::default() };
        // Seeds that lie near each other give chances that do not: traders who think alike send equal orders.
        let mixed = trader.below(u64::MAX);
        trader.chance = mixed;
        trader.look()?;
        Ok(trader)
    }

    fn look(&mut self) -> Result<(), Failure> {
        self.quotes = self.symbols.iter().map(|symbol| quote(&self.client, symbol)).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// The next play. How many orders it had.
    pub(super) fn play(&mut self) -> Result<u64, Failure> {
        if self.count % LOOK_AGAIN == LOOK_AGAIN - 1 {
            self.look()?;
        }
        self.count += 1;
        let before = self.book.orders();
        if let Some(play) = plays::pick(self.below(plays::weights())) {
            (play.run)(self)?;
        }
        Ok(self.book.orders() - before)
    }

    /// SplitMix64.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.chance = self.chance.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.chance;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ z >> 31) % bound.max(1)
    }

    /// An instrument with its market.
    pub(super) fn instrument(&mut self) -> Quote {
        let at = self.below(self.quotes.len() as u64);
        let quote = usize::try_from(at).ok().and_then(|at| self.quotes.get(at));
        quote.cloned().unwrap_or_else(|| Quote { symbol: String::new(), bid: 0, ask: 0 })
    }

    /// A new id: no other request of this run has it.
    pub(super) fn id(&mut self) -> String {
        self.count += 1;
        format!("D{:016x}-{}-{}", self.run, self.number, self.count)
    }

    fn ask(&mut self, path: &str, key: &str, wait: bool, body: &Value) -> Result<(u16, Value), Failure> {
        let mut headers = vec![("idempotency-key", key.to_owned())];
        if wait {
            headers.push(("prefer", "wait=10".to_owned()));
        }
        let (status, answer) = self.client.send(path, &headers, body)?;
        if status >= 500 && status != 503 {
            self.book.fault(format!("{path}: {status} {answer}; asked: {body}"));
        }
        Ok((status, answer))
    }

    /// Places an order by a typed command, counted as `kind`. Its id where it was taken.
    pub(super) fn place(&mut self, kind: &'static str, mut order: Value) -> Result<Option<String>, Failure> {
        let id = self.id();
        if let Some(fields) = order.as_object_mut() {
            fields.insert("type".to_owned(), json!("OrderCreateCmd"));
            fields.insert("cl_ord_id".to_owned(), json!(id));
        }
        let (status, answer) = self.ask("/commands/execute", &id, false, &order)?;
        self.note(kind, status, &answer);
        Ok(answer.pointer("/ids/0").and_then(Value::as_str).map(str::to_owned))
    }

    /// Counts what was answered to one order.
    pub(super) fn note(&mut self, kind: &'static str, status: u16, answer: &Value) {
        let of = self.book.kinds.entry(kind).or_default();
        if status < 300 {
            of.accepted += 1;
        } else {
            let code = answer.get("code").and_then(Value::as_str).unwrap_or("NO_CODE");
            *of.refused.entry(code.to_owned()).or_default() += 1;
        }
    }

    /// Another request than an order, counted by its name and answer. What was answered.
    pub(super) fn request(&mut self, name: &str, path: &str, wait: bool, body: &Value) -> Result<Value, Failure> {
        let key = self.id();
        let (status, answer) = self.ask(path, &key, wait, body)?;
        let word = |field: &str| answer.get(field).and_then(Value::as_str);
        let outcome = if status < 300 { word("status").unwrap_or("DONE") } else { word("code").unwrap_or("NO_CODE") };
        *self.book.requests.entry(format!("{name} {outcome}")).or_default() += 1;
        Ok(answer)
    }

    /// Another typed command than an order.
    pub(super) fn command(&mut self, command: &Value) -> Result<Value, Failure> {
        let name = command.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.request(&name, "/commands/execute", false, command)
    }

    /// Says that something is not as it should be.
    pub(super) fn fault(&mut self, fault: String) {
        self.book.fault(fault);
    }
}
