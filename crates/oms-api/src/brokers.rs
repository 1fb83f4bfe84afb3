//! Brokers as the interface shows and steers them. Whoever is connected to them implements [`Brokers`]; the interface knows
//! no broker's protocol.

use oms_model::Refusal;
use oms_model::command::Actor;

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

/// The brokers of a desk.
pub trait Brokers: Send + Sync {
    /// All of them.
    fn all(&self) -> Vec<Broker>;
    /// Takes an action on, for somebody and for a reason.
    ///
    /// # Errors
    /// `NOT_FOUND`; `OVERLOADED` where the connection has ended or too much waits for it.
    fn act(&self, broker: &str, action: BrokerAction, actor: &Actor, reason: &str) -> Result<(), Refusal>;
}
