//! Brokers as the interface shows and steers them. Whoever is connected to them implements [`Brokers`]; the interface knows
//! no broker's protocol.

pub use oms_engine::input::IdempotencyKey;
use oms_model::command::Actor;
use oms_model::{OrderId, Refusal, Time, UserId};
use oms_runtime::port::WireOrder;
use std::collections::BTreeSet;

/// An order in a broker's account that is not the desk's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignOrder {
    /// The broker's permanent id.
    pub perm_id: String,
    /// Whose: the client id at the broker; 0 is a person's.
    pub client_id: i32,
    /// In which account.
    pub account: String,
    /// What, as the broker calls it.
    pub symbol: String,
    /// `BUY` or `SELL`.
    pub action: String,
    /// The broker's word for its type.
    pub order_type: String,
    /// How much.
    pub quantity: String,
    /// Executed of it.
    pub filled: String,
    /// The broker's word for how it stands.
    pub status: String,
}

/// A position as the broker has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerPosition {
    /// Whose.
    pub account: String,
    /// What, as the broker calls it.
    pub symbol: String,
    /// The broker's word for what kind of contract it is.
    pub sec_type: String,
    /// In which currency.
    pub currency: String,
    /// How much; short is below zero.
    pub quantity: String,
    /// At what it was acquired, on average.
    pub avg_cost: String,
}

/// A value of the account, as the broker tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerValue {
    /// Which.
    pub key: String,
    /// In which currency; empty where it is none.
    pub currency: String,
    /// As told.
    pub value: String,
}

/// A broker as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broker {
    /// What the desk calls it: the venue of its orders.
    pub broker: String,
    /// How it is reached: IB.
    pub kind: &'static str,
    /// Where.
    pub address: String,
    /// The account of the desk's orders.
    pub account: String,
    /// Whether that is a live account.
    pub live: bool,
    /// What the desk is called there.
    pub client_id: i32,
    /// UP, LINE_LOST, RECONCILING, CONNECTING, DISCONNECTED.
    pub state: &'static str,
    /// Why it is not up; empty where it is.
    pub reason: String,
    /// The version of its protocol that was agreed on.
    pub version: Option<u16>,
    /// The accounts of the login.
    pub accounts: Vec<String>,
    /// Orders of the desk that work there or may.
    pub live_orders: u64,
    /// Orders that worked there and that a whole look at it does not show any more.
    pub missing_orders: u64,
    /// Executions may be missing that cannot be asked for any more.
    pub executions_missing: bool,
    /// Whether the positions are all.
    pub positions_whole: bool,
    /// Counts since the start of the desk, with their names.
    pub counts: Vec<(&'static str, u64)>,
    /// Orders that are not the desk's.
    pub foreign_orders: Vec<ForeignOrder>,
    /// Positions.
    pub positions: Vec<BrokerPosition>,
    /// Values of the account.
    pub values: Vec<BrokerValue>,
}

/// What is done to the connection to a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerAction {
    /// Take it up, or try at once.
    Connect,
    /// Take it down, until it is taken up.
    Disconnect,
}

/// A run of the reconciliation: what the desk has booked, what the connector's log has and what the broker shows, compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerRun {
    /// Counts up.
    pub run: u64,
    /// RECOVERY, SCHEDULE, DEMAND.
    pub trigger: &'static str,
    /// Who asked for it, where a person did.
    pub user_id: Option<UserId>,
    /// When it began.
    pub began_at: Time,
    /// When it ended.
    pub ended_at: Time,
    /// COMPLETE or INCOMPLETE.
    pub outcome: &'static str,
    /// Why it is incomplete, or why it was asked for.
    pub reason: String,
    /// Whole looks at the broker that it took.
    pub looks: u32,
    /// Orders, executions and positions that were compared.
    pub compared: [u64; 3],
    /// Breaks that it opened.
    pub opened: u64,
    /// Breaks that it closed.
    pub closed: u64,
    /// Breaks that were open after it.
    pub open: u64,
    /// Differences that were not opened because too many breaks are.
    pub left_out: u64,
}

/// What a person did to a break.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BreakDeed {
    /// When.
    pub at: Time,
    /// Who.
    pub user_id: UserId,
    /// To whom it was given; `None` where it was closed.
    pub owner: Option<UserId>,
    /// In words.
    pub note: String,
    /// The version of the break since.
    pub version: u32,
}

/// A difference between the books, the log and the broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerBreak {
    /// Counts up for each broker.
    pub number: u64,
    /// What kind: MISSING_AT_BROKER and its neighbours.
    pub kind: &'static str,
    /// OPEN, ACKNOWLEDGED, CLOSED.
    pub status: &'static str,
    /// What it is about: an order, an execution, a contract.
    pub subject: String,
    /// The contract in the broker's words.
    pub contract: String,
    /// The desk's order, where it is about one.
    pub order_id: Option<OrderId>,
    /// The desk's figure.
    pub desk: Option<String>,
    /// The figure of the connector's log.
    pub ledger: Option<String>,
    /// The broker's figure.
    pub shown: Option<String>,
    /// The money at stake, where there is a price to value it at: an exact decimal.
    pub value: Option<String>,
    /// In which currency.
    pub currency: String,
    /// Who has taken it on.
    pub owner: Option<UserId>,
    /// When it was first seen.
    pub first_seen: Time,
    /// When it was last seen.
    pub last_seen: Time,
    /// The run that opened it.
    pub first_run: u64,
    /// Raised by every change; the ETag.
    pub version: u32,
    /// When it was closed.
    pub closed_at: Option<Time>,
    /// The run that does not show it any more, where that closed it.
    pub closing_run: Option<u64>,
    /// Who closed it, where a person did.
    pub closed_by: Option<UserId>,
    /// That person's word.
    pub closing_note: Option<String>,
    /// What persons did to it, oldest first.
    pub deeds: Vec<BreakDeed>,
}

/// What a person wants done to a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakAsked {
    /// Which.
    pub number: u64,
    /// The owner to be; `None` closes it.
    pub owner: Option<UserId>,
    /// In words.
    pub note: String,
    /// Only if it has this version.
    pub version: Option<u32>,
    /// What makes the request repeatable.
    pub key: Option<IdempotencyKey>,
}

/// What a broker says of an order that is not placed: exact decimals, each where it says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerPreview {
    /// How much more initial margin it would need.
    pub init_margin_change: Option<String>,
    /// How much more maintenance margin it would need.
    pub maint_margin_change: Option<String>,
    /// Initial margin of the account with it.
    pub init_margin_after: Option<String>,
    /// Maintenance margin of the account with it.
    pub maint_margin_after: Option<String>,
    /// Equity with loan value of the account with it.
    pub equity_with_loan_after: Option<String>,
    /// What it would cost.
    pub commission: Option<String>,
    /// At least.
    pub min_commission: Option<String>,
    /// At most.
    pub max_commission: Option<String>,
    /// In which currency; empty where it does not say.
    pub commission_currency: String,
    /// What to know about it; empty where there is nothing.
    pub warning: String,
}

/// Whose messages are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerAbout {
    /// The order and its legs.
    pub orders: BTreeSet<OrderId>,
    /// Not before.
    pub from: Time,
    /// Not after.
    pub until: Time,
    /// Only those behind this entry of the log of this broker, and those of brokers behind it.
    pub after: Option<BrokerCursor>,
    /// The most messages.
    pub most: usize,
}

/// Where a page of messages ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerCursor {
    /// The broker.
    pub broker: String,
    /// The entry of its log.
    pub entry: u64,
}

/// A message that went to a broker or came from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerMessage {
    /// The broker.
    pub broker: String,
    /// Where it stands in the log of the connection.
    pub entry: u64,
    /// The order or leg that it is about.
    pub order_id: OrderId,
    /// Whether it came; it was sent otherwise.
    pub inbound: bool,
    /// When it came, or was about to be sent.
    pub at: Time,
    /// Its name, such as `OpenOrder`.
    pub name: String,
    /// Name and value of each field that says something, in their order.
    pub fields: Vec<(String, String)>,
    /// As the log of the connection keeps it.
    pub raw: Vec<u8>,
}

/// The messages about an order: those of one broker after those of another, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerMessages {
    /// The messages.
    pub messages: Vec<BrokerMessage>,
    /// Where the next page begins, where there is one.
    pub next: Option<BrokerCursor>,
    /// Whether the log of every broker was read to the end: otherwise there is a next page, or more than is looked at.
    pub complete: bool,
}

/// The brokers of a desk.
pub trait Brokers: Send + Sync {
    /// All of them.
    fn all(&self) -> Vec<Broker>;
    /// What a broker says that a leg would cost and bind, or why it does not say so; `None` where there is no such broker.
    /// Nothing is placed. Blocks until it answers or was waited for long enough.
    fn what_if(&self, broker: &str, leg: &WireOrder) -> Option<Result<BrokerPreview, String>>;
    /// Takes an action on, for somebody and for a reason.
    ///
    /// # Errors
    /// `NOT_FOUND`; `OVERLOADED` where the connection has ended or too much waits for it.
    fn act(&self, broker: &str, action: BrokerAction, actor: &Actor, reason: &str) -> Result<(), Refusal>;
    /// The messages about an order and its legs. May read much of the logs of the connections: not for a thread that may not
    /// block.
    ///
    /// # Errors
    /// `INTERNAL` where a log cannot be read.
    fn messages(&self, about: &BrokerAbout) -> Result<BrokerMessages, Refusal>;
    /// The runs that are kept of a broker, oldest first; `None` where there is no such broker.
    fn runs(&self, broker: &str) -> Option<Vec<BrokerRun>>;
    /// The breaks that are kept of a broker, oldest first; `None` where there is no such broker.
    fn breaks(&self, broker: &str) -> Option<Vec<BrokerBreak>>;
    /// Compares the sides now. Blocks until that is done. The run, and whether the request had been made before.
    ///
    /// # Errors
    /// `NOT_FOUND`, `BROKER_UNAVAILABLE`, `REQUEST_IN_PROGRESS`, `IDEMPOTENCY_CONFLICT`, `OVERLOADED`; `OUTCOME_IN_DOUBT` where
    /// it does not answer.
    fn reconcile(&self, broker: &str, actor: &Actor, reason: &str, key: Option<IdempotencyKey>) -> Result<(BrokerRun, bool), Refusal>;
    /// Does something to a break, durably. Blocks until that is done. What was done, and whether it had been before.
    ///
    /// # Errors
    /// `NOT_FOUND`, `STATE_CONFLICT` where it is closed, `VERSION_MISMATCH`, `IDEMPOTENCY_CONFLICT`, `OVERLOADED`;
    /// `OUTCOME_IN_DOUBT` where it does not answer.
    fn on_break(&self, broker: &str, actor: &Actor, asked: BreakAsked) -> Result<(BreakDeed, bool), Refusal>;
}
