//! Orders as they are placed and told.
//!
//! The tags are those of the protocol; those of fields that are not in the project's own tables (sizes shown, algorithms)
//! are as an independent open-source client has them. What neither dialect's table below names is written as the clients
//! do when it is not set, and passed over when it is read.

use super::{Contract, Number, Size};

message! {
    /// An order's terms.
    Order {
        /// Whose.
        client_id: i32 = 1,
        /// Of the client; 0 where a person placed it.
        order_id: i32 = 2,
        /// The broker's permanent id; 0 until there is one.
        perm_id: i64 = 3,
        /// Order id of the parent; 0 for none.
        parent_id: i32 = 4,
        /// `BUY`, `SELL` or `SSHORT`.
        action: String = 5,
        /// How much; 0 where cash is given.
        quantity: Size = 6,
        /// Shown of it.
        display_size: Option<i32> = 7,
        /// `LMT`, `MKT`, `STP`, `STP LMT`, `TRAIL`, `TRAIL LIMIT`, `MOC`, `LOC`, `MTL`, `REL` and others.
        order_type: String = 8,
        /// Limit price.
        limit: Option<Number> = 9,
        /// Stop price, trailing amount or offset, by order type.
        aux: Option<Number> = 10,
        /// `DAY`, `GTC`, `IOC`, `FOK`, `GTD`, `OPG`; empty is `DAY`.
        tif: String = 11,
        /// Whose account; empty where there is only one.
        account: String = 12,
        /// All of it in one execution.
        all_or_none: bool = 16,
        /// Not shown at all.
        hidden: bool = 18,
        /// Outside of regular hours too.
        outside_rth: bool = 19,
        /// Offset of a relative order in percent.
        percent_offset: Option<Number> = 21,
        /// Trailing amount in percent.
        trailing_percent: Option<Number> = 22,
        /// Where a trailing stop begins.
        trail_stop: Option<Number> = 23,
        /// Smallest execution.
        min_qty: Option<i32> = 24,
        /// Not before, `YYYYMMDD HH:MM:SS ZONE`.
        good_after: String = 25,
        /// Not after, of a `GTD` order.
        good_till: String = 26,
        /// Of the orders in one such group only one is executed.
        oca_group: String = 27,
        /// Our own reference, told back with everything about the order.
        order_ref: String = 28,
        /// What happens to the rest of the group: 1 canceled, 2 reduced with block, 3 reduced.
        oca_type: i32 = 30,
        /// What elects a stop.
        trigger_method: i32 = 31,
        /// Algorithm.
        algo_strategy: String = 61,
        /// Its parameters.
        algo_params: Vec<(String, String)> = 62,
        /// Only what it would cost; it is not placed.
        what_if: bool = 65,
        /// Otherwise it waits for one of its family that says so.
        transmit: bool = 66,
        /// Offset of the limit of a `TRAIL LIMIT` order.
        limit_offset: Option<Number> = 99,
        /// The money that it is for, in place of a quantity.
        cash_qty: Option<Number> = 106,
        /// `O` or `C`; text only.
        open_close: String,
        /// 0 customer, 1 firm; text only.
        origin: i32,
        /// Conditions; text only.
        conditions: Vec<Condition>,
        /// Whether conditions hold outside of regular hours; text only, with conditions.
        conditions_ignore_rth: bool,
        /// Whether conditions cancel the order rather than place it; text only, with conditions.
        conditions_cancel: bool,
    }
}

/// Something that must come true first. Its fields are kept as they came.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Condition {
    /// 1 price, 3 time, 4 margin, 5 execution, 6 volume, 7 percent change.
    pub kind: i32,
    /// As many as [`Condition::fields`] says, the conjunction with the next condition first.
    pub fields: Vec<String>,
}

impl Condition {
    /// How many fields a kind of condition has; `None` where the kind is not known.
    #[must_use]
    pub const fn fields(kind: i32) -> Option<usize> {
        match kind {
            1 => Some(6),
            3 | 4 => Some(3),
            5 => Some(4),
            6 | 7 => Some(5),
            _ => None,
        }
    }
}

message! {
    /// A new order; with an id that is taken, new terms of that order.
    PlaceOrder {
        /// Of the client.
        order_id: i32 = 1,
        /// What to trade.
        contract: Contract = 2,
        /// How.
        order: Order = 3,
    }
}

message! {
    /// Where an order stands, what it would cost, how it ended.
    OrderState {
        /// As in an order status.
        status: String = 1,
        /// Initial margin before.
        init_margin_before: Option<Number> = 2,
        /// Maintenance margin before.
        maint_margin_before: Option<Number> = 3,
        /// Equity with loan value before.
        equity_before: Option<Number> = 4,
        /// Change of the initial margin.
        init_margin_change: Option<Number> = 5,
        /// Change of the maintenance margin.
        maint_margin_change: Option<Number> = 6,
        /// Change of the equity.
        equity_change: Option<Number> = 7,
        /// Initial margin after.
        init_margin_after: Option<Number> = 8,
        /// Maintenance margin after.
        maint_margin_after: Option<Number> = 9,
        /// Equity after.
        equity_after: Option<Number> = 10,
        /// What it cost or would cost.
        commission: Option<Number> = 11,
        /// At least.
        min_commission: Option<Number> = 12,
        /// At most.
        max_commission: Option<Number> = 13,
        /// In which currency.
        commission_currency: String = 14,
        /// Why it was rejected; protobuf only.
        reject_reason: String = 26,
        /// What to know about it.
        warning: String = 28,
        /// When it was done; of completed orders.
        completed_time: String = 29,
        /// How it ended; of completed orders.
        completed_status: String = 30,
    }
}

message! {
    /// An order that is open, or has just changed.
    OpenOrder {
        /// Of its client.
        order_id: i32 = 1,
        /// What.
        contract: Contract = 2,
        /// How.
        order: Order = 3,
        /// Where it stands.
        state: OrderState = 4,
    }
}

message! {
    /// An order that is done. It has no order id any more.
    CompletedOrder {
        /// What.
        contract: Contract = 1,
        /// How.
        order: Order = 2,
        /// How it ended.
        state: OrderState = 3,
        /// Executed of it; text only.
        filled: Option<Size>,
    }
}
