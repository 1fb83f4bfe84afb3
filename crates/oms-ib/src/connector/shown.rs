//! What is shown of a connector.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Connector, ForeignOrder};
use crate::codec::{AccountValue, Position};
use crate::reconcile::book::Book;

/// How the link stands, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// By the desk's own will.
    Disconnected,
    /// A connection or its beginning is under way, or waited for.
    Connecting,
    /// What there is at the gateway is being looked at.
    Reconciling,
    /// The gateway has lost the broker.
    LineLost,
    /// Orders flow.
    Up,
}

impl LinkState {
    /// As text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "DISCONNECTED",
            Self::Connecting => "CONNECTING",
            Self::Reconciling => "RECONCILING",
            Self::LineLost => "LINE_LOST",
            Self::Up => "UP",
        }
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Attempts to connect.
    pub attempts: u64,
    /// Sessions that have begun.
    pub sessions: u64,
    /// Sessions that were lost while orders could flow.
    pub lost: u64,
    /// Of these, by a gateway that had fallen silent.
    pub frozen: u64,
    /// Messages received.
    pub received: u64,
    /// Messages of ids that are not known.
    pub unknown: u64,
    /// Messages that could not be read.
    pub unreadable: u64,
    /// Orders and new terms that left.
    pub orders: u64,
    /// Cancels that left.
    pub cancels: u64,
    /// Orders and requests that did not leave after all.
    pub not_sent: u64,
    /// Orders of which two whole looks had no trace.
    pub never_arrived: u64,
    /// Looks at the gateway.
    pub looks: u64,
    /// Looks whose lists did not end in time.
    pub unfinished: u64,
    /// Executions in the account that are not the desk's.
    pub foreign: u64,
    /// Times that the gateway wanted fewer messages.
    pub paced: u64,
}

/// A position as the broker has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldPosition {
    /// Whose.
    pub account: String,
    /// What.
    pub contract: crate::codec::Contract,
    /// How much; short is below zero.
    pub quantity: crate::codec::Number,
    /// At what it was acquired.
    pub avg_cost: crate::codec::Number,
}

/// A value of the account as the broker tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFigure {
    /// Which: `NetLiquidation` and others.
    pub key: String,
    /// In which currency, if in one.
    pub currency: String,
    /// The value, as told.
    pub value: String,
}

/// What the broker says of the account.
#[derive(Debug, Default)]
pub(super) struct Account {
    positions: BTreeMap<(String, i32, String), HeldPosition>,
    /// Those that the list under way has named.
    named: std::collections::BTreeSet<(String, i32, String)>,
    is_whole: bool,
    values: BTreeMap<(String, String), String>,
}

/// Positions and values that are kept.
const MAX_ROWS: usize = 20_000;

impl Account {
    /// What is held in one account.
    pub(super) fn held<'a>(&'a self, account: &'a str) -> impl Iterator<Item = &'a HeldPosition> {
        self.positions.values().filter(move |held| held.account == account)
    }

    pub(super) fn position(&mut self, row: &Position) {
        let key = (row.account.clone(), row.contract.con_id, row.contract.local_symbol.clone());
        self.named.insert(key.clone());
        if row.position.0.is_zero() {
            self.positions.remove(&key);
        } else if self.positions.len() < MAX_ROWS || self.positions.contains_key(&key) {
            let held = HeldPosition {
                account: row.account.clone(),
                contract: row.contract.clone(),
                quantity: row.position.0,
                avg_cost: row.avg_cost,
            };
            self.positions.insert(key, held);
        }
    }

    /// The list has ended: what it did not name is not held.
    pub(super) fn positions_end(&mut self) {
        let named = std::mem::take(&mut self.named);
        self.positions.retain(|key, _| named.contains(key));
        self.is_whole = true;
    }

    pub(super) fn value(&mut self, row: &AccountValue) {
        let key = (row.key.clone(), row.currency.clone());
        if self.values.len() < MAX_ROWS || self.values.contains_key(&key) {
            self.values.insert(key, row.value.clone());
        }
    }
}

/// A connector as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How the link stands.
    pub state: LinkState,
    /// Why it is not up.
    pub reason: String,
    /// The server version, once it is agreed.
    pub version: Option<u16>,
    /// The accounts of the login.
    pub accounts: Vec<String>,
    /// The next order id.
    pub next_order_id: i64,
    /// Orders of the desk that work there or may.
    pub live_orders: usize,
    /// Orders that worked there and are not among its orders any more.
    pub missing_orders: usize,
    /// Orders of others.
    pub foreign: Vec<ForeignOrder>,
    /// Positions, and whether these are all.
    pub positions: (Vec<HeldPosition>, bool),
    /// Values of the account.
    pub values: Vec<AccountFigure>,
    /// Executions may be missing that cannot be asked for any more.
    pub has_hole: bool,
    /// What is counted.
    pub figures: Figures,
    /// Runs and breaks.
    pub book: Arc<Book>,
}

impl Connector {
    /// How it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let value = |((key, currency), value): (&(String, String), &String)| AccountFigure {
            key: key.clone(),
            currency: currency.clone(),
            value: value.clone(),
        };
        Status {
            state: self.link_state(),
            reason: self.link.reason.clone(),
            version: self.link.dialect.map(crate::codec::Dialect::version),
            accounts: self.link.accounts.clone().unwrap_or_default(),
            next_order_id: i64::from(self.ledger.highest_id) + 1,
            live_orders: self.ledger.live().count(),
            missing_orders: self.missing.len(),
            foreign: self.ledger.foreign().cloned().collect(),
            positions: (self.account.positions.values().cloned().collect(), self.account.is_whole),
            values: self.account.values.iter().map(value).collect(),
            has_hole: self.ledger.has_hole,
            figures: self.figures,
            book: self.reconciling.shown(),
        }
    }
}
