//! The three sides as they are compared: in the broker's contracts, in exact amounts.

use std::collections::{BTreeMap, BTreeSet};

use oms_model::instrument::Currency;
use oms_model::{Decimal, Notional, OrderId, Price, Qty, Time};

use crate::codec::Contract;

/// The part of an execution's id that does not change, and its revision: what is behind the last dot counts corrections.
#[must_use]
pub fn root(exec_id: &str) -> (&str, u32) {
    let parts = exec_id.rsplit_once('.').and_then(|(base, revision)| Some((base, revision.parse().ok()?)));
    parts.unwrap_or((exec_id, 0))
}

/// A contract by what every side calls it: kind, symbol, currency and, of a derivative, its terms. An exchange is no part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContractName(String);

impl ContractName {
    /// The name of a contract.
    #[must_use]
    pub fn of(contract: &Contract) -> Self {
        let mut name = format!("{} {} {}", contract.sec_type, contract.symbol, contract.currency);
        // The text dialect writes a strike of zero where there is none, and a time behind the date.
        let terms = matches!(contract.sec_type.as_str(), "OPT" | "FUT" | "FOP" | "WAR");
        if terms {
            name.push(' ');
            name.push_str(contract.last_trade_date.get(..8).unwrap_or(&contract.last_trade_date));
        }
        if let Some(strike) = contract.strike.filter(|strike| terms && !strike.is_zero()) {
            let right = contract.right.get(..1).unwrap_or_default();
            name.push_str(&format!(" {right} {strike}"));
        }
        Self(name)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a contract is worth by: its currency, and how many units one of it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worth {
    /// The currency of its prices.
    pub currency: Currency,
    /// Units of one contract; `None` for one.
    pub multiplier: Option<Decimal>,
}

impl Worth {
    /// What the broker's contract says.
    #[must_use]
    pub fn of(contract: &Contract) -> Self {
        let currency = Currency::of(&contract.currency).unwrap_or_default();
        Self { currency, multiplier: contract.multiplier.and_then(crate::codec::Number::decimal).filter(|by| by.raw() != 0) }
    }

    /// The value of a quantity at a price, without its sign; `None` beyond all amounts.
    #[must_use]
    pub fn value(self, qty: Qty, price: Price) -> Option<Notional> {
        let value = price.notional(qty)?;
        let value = self.multiplier.map_or(Some(value), |by| value.at_rate(by))?;
        Some(value.abs())
    }
}

/// An order as one side has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderView {
    /// FIX 38.
    pub order_qty: Qty,
    /// FIX 14.
    pub cum_qty: Qty,
    /// FIX 44.
    pub price: Option<Price>,
    /// It works, or may.
    pub is_working: bool,
}

/// An execution as one side has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionView {
    /// Whether it bought.
    pub is_buy: bool,
    /// FIX 32.
    pub qty: Qty,
    /// FIX 31.
    pub price: Price,
    /// Of which contract.
    pub contract: ContractName,
    /// What that is worth by.
    pub worth: Worth,
    /// Of which order of the desk's.
    pub order_id: Option<OrderId>,
}

/// An order of the desk's at the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskOrder {
    /// How it stands.
    pub view: OrderView,
    /// Of which contract.
    pub contract: ContractName,
    /// What that is worth by.
    pub worth: Worth,
    /// Something was handed over for it that is not answered: its figures are on their way.
    pub is_moving: bool,
}

/// What is held of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeskPosition {
    /// The sum of the executions that were booked at this broker; short is below zero.
    pub qty: Qty,
    /// The last price that something was done at.
    pub last_px: Price,
    /// What it is worth by.
    pub worth: Worth,
}

/// What is asked of the desk's books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeskAsked {
    /// Executions since then.
    pub since: Time,
    /// Orders that are told however long ago they ended.
    pub orders: BTreeSet<OrderId>,
    /// Executions that are told however old they are, by the root of their ids.
    pub roots: BTreeSet<String>,
}

/// What the desk has booked at one broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeskSide {
    /// Its orders there that are in the books: those that work, and those that ended lately.
    pub orders: BTreeMap<OrderId, DeskOrder>,
    /// The executions booked since the time that was asked for, by the root of their ids.
    pub executions: BTreeMap<String, Vec<ExecutionView>>,
    /// Roots of the ids of executions that wait for a person, because they match no order.
    pub suspense: Vec<String>,
    /// Roots of the ids of those that a person has decided not to be the desk's.
    pub dismissed: Vec<String>,
    /// Everything that was ever executed there, by contract.
    pub positions: BTreeMap<ContractName, DeskPosition>,
}

/// An order of the desk's as the connector's log and the look have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayOrder {
    /// By the log.
    pub ledger: OrderView,
    /// As the look shows it; `None` where no list does.
    pub broker: Option<OrderView>,
    /// It was told to work, and no list of this look shows it.
    pub is_missing: bool,
    /// Orders of the broker's that work under its id.
    pub working: usize,
    /// What left for it is not answered, or left after the look.
    pub is_moving: bool,
    /// Of which contract; `None` where the log has lost its terms.
    pub contract: Option<(ContractName, Worth)>,
}

/// An order at the broker that is nobody's here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignView {
    /// Its permanent id.
    pub perm_id: i64,
    /// How it stands there.
    pub view: OrderView,
    /// `BUY` or `SELL`.
    pub action: String,
    /// Of which contract.
    pub contract: ContractName,
    /// What that is worth by.
    pub worth: Worth,
}

/// An execution in the account as the connector's log and the look have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayExecution {
    /// By the log.
    pub ledger: Option<ExecutionView>,
    /// As the look shows it.
    pub broker: Option<ExecutionView>,
    /// The look lists every execution of its day: that it does not show this one means something.
    pub is_covered: bool,
}

/// What the broker says is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldView {
    /// Short is below zero.
    pub qty: Qty,
    /// What one of it cost, multiplier included.
    pub avg_cost: Price,
    /// In which currency.
    pub currency: Currency,
}

/// What the connector's log and a whole look at the broker have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewaySide {
    /// Orders of the desk's.
    pub orders: BTreeMap<OrderId, GatewayOrder>,
    /// Orders of others.
    pub foreign: Vec<ForeignView>,
    /// Executions in the account, by the root of their ids.
    pub executions: BTreeMap<String, GatewayExecution>,
    /// What is held in the account.
    pub positions: BTreeMap<ContractName, HeldView>,
    /// What is held by the executions of the log, the desk's and others'.
    pub derived: BTreeMap<ContractName, Qty>,
    /// The log has forgotten orders: what it has not proves nothing, and what is derived from it is not compared.
    pub has_forgotten: bool,
}
