//! How a venue's FIX differs from the standard, as data.
//!
//! One rule a line; `#` begins a comment. TYPES are message types separated by commas, or `*` for all of order flow.
//!
//! ```text
//! const TYPES TAG VALUE          a field that every such message of ours carries
//! logon TAG VALUE                a field of our Logon
//! omit TYPES TAG                 a field of ours that the venue does not want
//! tag TYPES OURS THEIRS          the venue's tag for what is OURS in FIX 4.4, both ways
//! value TAG OURS THEIRS          the venue's value, both ways; TAG is FIX 4.4's
//! ord_types NAME ...             what it takes; others are not sent there [MARKET LIMIT STOP STOP_LIMIT PREVIOUSLY_QUOTED]
//! times_in_force NAME ...        [DAY GTC IOC FOK GTD]
//! sides NAME ...                 [BUY SELL SELL_SHORT SELL_SHORT_EXEMPT SUBSCRIBE REDEEM]
//! max_order_qty QTY              larger orders are not sent there
//! max_open_orders N              nor more than so many at once
//! max_cl_ord_id N                the longest ClOrdID(11) that it takes: from 26 to 35 ours are written shorter [36]
//! order_status yes|no            answers OrderStatusRequest(H) [yes]
//! mass_status yes|no             answers OrderMassStatusRequest(AF), also where nothing works there [no]
//! repeats_executions yes|no      tells every execution again, with PossResend(97)=Y, before it answers a question [no]
//! cancel_on_disconnect yes|no    cancels what works there when the session is lost [no]
//! dont_know_trade yes|no         takes DontKnowTrade(Q) [yes]
//! exec_id_unique venue|day|symbol   within what an ExecID(17) is never used twice [venue]
//! field|group|component|message|add ...   its own tags and members, as in schemas/fix/FIX44.dict
//! ```

use std::str::FromStr;
use std::sync::Arc;

use oms_model::{OrdType, Qty, Side, TimeInForce};
use oms_runtime::port::WireOrder;

use super::cl_ord_id::{Names, SHORTEST};
use super::exec_id::ExecIdScope;
use crate::codec::encode::Fields;
use crate::codec::value::parse_qty;
use crate::desk::body::Body;
use crate::dictionary::{Dictionary, fix44};
use crate::tags;

/// A rule that cannot be read, or that makes messages which the venue's own dictionary refuses.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}{what}", if *.line == 0 { String::new() } else { format!("line {line}: ") })]
pub struct DialectError {
    /// The line, from 1; 0 if the whole does not fit together.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// What a venue can do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Capabilities {
    /// OrdType(40) that it takes.
    pub ord_types: Vec<OrdType>,
    /// TimeInForce(59) that it takes.
    pub times_in_force: Vec<TimeInForce>,
    /// Side(54) that it takes.
    pub sides: Vec<Side>,
    /// The largest order.
    pub max_order_qty: Option<Qty>,
    /// The most orders that work there at once.
    pub max_open_orders: Option<usize>,
    /// Answers OrderStatusRequest(H).
    pub order_status: bool,
    /// Answers OrderMassStatusRequest(AF), also where nothing works there.
    pub mass_status: bool,
    /// Tells every execution again before it answers a question.
    pub repeats_executions: bool,
    /// Cancels what works there when the session is lost.
    pub cancel_on_disconnect: bool,
    /// Takes DontKnowTrade(Q).
    pub dont_know_trade: bool,
    /// Within what an ExecID(17) is never used twice.
    pub exec_ids: ExecIdScope,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            ord_types: OrdType::ALL.iter().copied().filter(|kind| kind.is_native()).collect(),
            times_in_force: vec![TimeInForce::Day, TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok, TimeInForce::Gtd],
            sides: Side::ALL.to_vec(),
            max_order_qty: None,
            max_open_orders: None,
            order_status: true,
            mass_status: false,
            repeats_executions: false,
            cancel_on_disconnect: false,
            dont_know_trade: true,
            exec_ids: ExecIdScope::Venue,
        }
    }
}

impl Capabilities {
    /// Why the venue does not take an order, if it does not: then it is not sent there.
    pub(super) fn refuses(&self, order: &WireOrder) -> Option<String> {
        if !self.ord_types.contains(&order.ord_type) {
            return Some(format!("the venue takes no {} orders", order.ord_type));
        }
        if !self.times_in_force.contains(&order.time_in_force) {
            return Some(format!("the venue takes no orders with time in force {}", order.time_in_force));
        }
        if !self.sides.contains(&order.side) {
            return Some(format!("the venue takes no {} orders", order.side));
        }
        let large = self.max_order_qty.filter(|most| *most < order.order_qty);
        large.map(|most| format!("the venue takes orders of {most} at most"))
    }
}

/// The message types that a rule is about; empty: all of order flow.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Types(Vec<Vec<u8>>);

impl Types {
    fn has(&self, msg_type: &[u8]) -> bool {
        self.0.is_empty() || self.0.iter().any(|own| own == msg_type)
    }
}

/// How a venue's FIX differs. See the module for its form; the default is FIX 4.4 as it stands.
#[derive(Clone)]
pub struct Dialect {
    /// What the venue can do.
    pub can: Capabilities,
    /// Further fields of our Logon.
    pub logon: Fields,
    /// What its messages are checked against.
    pub dictionary: &'static Dictionary,
    /// As it was given.
    pub(super) text: Arc<str>,
    /// How our ids are written there.
    pub(super) names: Names,
    constants: Vec<(Types, i32, Vec<u8>)>,
    omitted: Vec<(Types, i32)>,
    tags: Vec<(Types, i32, i32)>,
    values: Vec<(i32, Vec<u8>, Vec<u8>)>,
}

impl std::fmt::Debug for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A dictionary fills pages.
        f.debug_struct("Dialect").field("can", &self.can).field("tags", &self.tags).field("values", &self.values).finish_non_exhaustive()
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            can: Capabilities::default(),
            logon: Fields::new(),
            dictionary: fix44(),
            text: "".into(),
            names: Names::default(),
            constants: Vec::new(),
            omitted: Vec::new(),
            tags: Vec::new(),
            values: Vec::new(),
        }
    }
}

/// The words of one line.
struct Words<'t>(std::str::SplitWhitespace<'t>);

impl<'t> Words<'t> {
    fn next(&mut self, what: &str) -> Result<&'t str, String> {
        self.0.next().ok_or_else(|| format!("{what} is missing"))
    }

    fn tag(&mut self, what: &str) -> Result<i32, String> {
        let text = self.next(what)?;
        text.parse().ok().filter(|tag| 0 < *tag).ok_or_else(|| format!("{text:?} is not a tag"))
    }

    fn types(&mut self) -> Result<Types, String> {
        let text = self.next("the message types")?;
        let all = text == "*";
        let types = if all { Vec::new() } else { text.split(',').map(|one| one.as_bytes().to_vec()).collect() };
        match types.iter().find(|one| tags::is_admin(one) || fix44().message(one).is_none()) {
            Some(one) => Err(format!("{:?} is not the type of an application message", String::from_utf8_lossy(one))),
            None => Ok(Types(types)),
        }
    }

    /// The rest of the line, with single spaces.
    fn rest(&mut self, what: &str) -> Result<String, String> {
        let rest = self.0.by_ref().collect::<Vec<_>>().join(" ");
        if rest.is_empty() { Err(format!("{what} is missing")) } else { Ok(rest) }
    }

    fn list<T: FromStr>(&mut self, what: &str) -> Result<Vec<T>, String> {
        let read = |text: &str| text.parse().map_err(|_| format!("{text:?} is not {what}"));
        let all: Vec<T> = self.0.by_ref().map(read).collect::<Result<_, _>>()?;
        if all.is_empty() { Err(format!("{what} is missing")) } else { Ok(all) }
    }

    fn yes(&mut self) -> Result<bool, String> {
        match self.next("yes or no")? {
            "yes" => Ok(true),
            "no" => Ok(false),
            other => Err(format!("{other:?} is neither yes nor no")),
        }
    }
}

impl Dialect {
    /// Reads a dialect, and tries on every kind of message whether the venue's dictionary takes what comes of it.
    ///
    /// # Errors
    /// The line that is wrong, or the message that cannot be made.
    pub fn parse(text: &str) -> Result<Self, DialectError> {
        let (mut dialect, mut overlay) = (Self { text: text.into(), ..Self::default() }, String::new());
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            // Lines of the dictionary keep their numbers.
            let own = !line.is_empty() && !dialect.is_dictionary(line);
            overlay.push_str(if own { "" } else { line });
            overlay.push('\n');
            if own {
                dialect.rule(line).map_err(|what| DialectError { line: number + 1, what })?;
            }
        }
        if !overlay.trim().is_empty() {
            let read = fix44().with_overlay(&overlay).map_err(|error| DialectError { line: error.line, what: error.what })?;
            // One for each venue, for as long as the process runs: messages borrow it everywhere.
            dialect.dictionary = Box::leak(Box::new(read));
        }
        super::sample::try_out(&dialect)?;
        Ok(dialect)
    }

    #[allow(clippy::unused_self, reason = "reads as what it asks")]
    fn is_dictionary(&self, line: &str) -> bool {
        let first = line.split_whitespace().next().unwrap_or_default();
        matches!(first, "field" | "group" | "component" | "message" | "add")
    }

    fn rule(&mut self, line: &str) -> Result<(), String> {
        let mut words = Words(line.split_whitespace());
        let statement = words.next("the statement")?;
        match statement {
            "const" => {
                let (types, tag) = (words.types()?, words.tag("the tag")?);
                self.constants.push((types, tag, words.rest("the value")?.into_bytes()));
            }
            "logon" => {
                let tag = words.tag("the tag")?;
                self.logon.text(tag, &words.rest("the value")?);
            }
            "omit" => self.omitted.push((words.types()?, words.tag("the tag")?)),
            "tag" => self.tags.push((words.types()?, words.tag("our tag")?, words.tag("the venue's tag")?)),
            "value" => {
                let (tag, ours) = (words.tag("the tag")?, words.next("our value")?);
                self.values.push((tag, ours.as_bytes().to_vec(), words.rest("the venue's value")?.into_bytes()));
            }
            "ord_types" => self.can.ord_types = words.list("an order type")?,
            "times_in_force" => self.can.times_in_force = words.list("a time in force")?,
            "sides" => self.can.sides = words.list("a side")?,
            "max_order_qty" => {
                let text = words.next("the quantity")?;
                let qty = parse_qty(text.as_bytes()).ok().filter(|qty| qty.is_positive());
                self.can.max_order_qty = Some(qty.ok_or_else(|| format!("{text:?} is not a quantity"))?);
            }
            "max_open_orders" => {
                let text = words.next("the number")?;
                let most = text.parse().ok().filter(|most| 0 < *most);
                self.can.max_open_orders = Some(most.ok_or_else(|| format!("{text:?} is not a number of orders"))?);
            }
            "max_cl_ord_id" => {
                let text = words.next("the number")?;
                let most: usize = text.parse().map_err(|_| format!("{text:?} is not a number of characters"))?;
                let names = Names::within(most).ok_or_else(|| format!("ids of the desk take {SHORTEST} characters at the least"));
                self.names = names?;
            }
            "order_status" => self.can.order_status = words.yes()?,
            "mass_status" => self.can.mass_status = words.yes()?,
            "repeats_executions" => self.can.repeats_executions = words.yes()?,
            "cancel_on_disconnect" => self.can.cancel_on_disconnect = words.yes()?,
            "dont_know_trade" => self.can.dont_know_trade = words.yes()?,
            "exec_id_unique" => self.can.exec_ids = words.next("within what")?.parse()?,
            other => return Err(format!("there is no rule {other:?}")),
        }
        words.0.next().map_or(Ok(()), |word| Err(format!("nothing is known of {word:?} here")))
    }

    /// A message as this venue wants it.
    pub(super) fn put(&self, body: &mut Body) {
        let msg_type = body.msg_type().to_vec();
        let fields = body.fields_mut();
        fields.retain(|(tag, _)| !self.omitted.iter().any(|(types, omitted)| omitted == tag && types.has(&msg_type)));
        for (tag, value) in fields.iter_mut() {
            if let Some((_, _, theirs)) = self.values.iter().find(|(of, ours, _)| of == tag && ours == value) {
                value.clone_from(theirs);
            }
            *tag = self.tag(&msg_type, *tag);
        }
        for (_, tag, value) in self.constants.iter().filter(|(types, ..)| types.has(&msg_type)) {
            fields.retain(|(known, _)| known != tag);
            fields.push((*tag, value.clone()));
        }
    }

    /// The venue's tag for one of FIX 4.4's.
    pub(super) fn tag(&self, msg_type: &[u8], ours: i32) -> i32 {
        self.tags.iter().find(|(types, own, _)| *own == ours && types.has(msg_type)).map_or(ours, |(.., theirs)| *theirs)
    }

    /// Our value for one of the venue's.
    pub(super) fn value<'v>(&'v self, tag: i32, theirs: &'v [u8]) -> &'v [u8] {
        self.values.iter().find(|(of, _, own)| *of == tag && own == theirs).map_or(theirs, |(_, ours, _)| ours)
    }
}

#[cfg(test)]
mod tests;
