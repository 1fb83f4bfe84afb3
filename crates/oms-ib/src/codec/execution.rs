//! What is told of orders besides their terms: statuses, executions, commissions.

use super::layout::Wire;
use super::text::{TextIn, TextOut};
use super::{Contract, Fault, Number, Size};

/// The first text server version whose executions say whether their price may be revised.
const REVISION_VERSION: u16 = 178;

message! {
    /// Where an order stands.
    OrderStatus {
        /// Of the client.
        order_id: i32 = 1,
        /// `PreSubmitted`, `Submitted`, `Filled`, `Cancelled` and others.
        status: String = 2,
        /// Executed.
        filled: Size = 3,
        /// Left.
        remaining: Size = 4,
        /// Average price of what is executed.
        avg_price: Number = 5,
        /// The broker's permanent id, 0 until there is one.
        perm_id: i64 = 6,
        /// Order id of the parent.
        parent_id: i32 = 7,
        /// Price of the last execution.
        last_price: Number = 8,
        /// Whose order.
        client_id: i32 = 9,
        /// Why it is held: `locate`.
        why_held: String = 10,
        /// A price cap that the exchange put on it.
        cap_price: Option<Number> = 11,
    }
}
text!(OrderStatus { order_id, status, filled, remaining, avg_price, perm_id, parent_id, last_price, client_id, why_held, cap_price });
message! {
    /// An execution.
    Execution {
        /// Of the client; 0 where a person placed the order.
        order_id: i32 = 1,
        /// The broker's id of it. A correction has the same id but for what follows the last dot.
        exec_id: String = 2,
        /// `YYYYMMDD HH:MM:SS ZONE`.
        time: String = 3,
        /// Whose.
        account: String = 4,
        /// Where.
        exchange: String = 5,
        /// `BOT` or `SLD`.
        side: String = 6,
        /// Quantity.
        shares: Size = 7,
        /// Price.
        price: Number = 8,
        /// The broker's permanent id of the order.
        perm_id: i64 = 9,
        /// Whose order.
        client_id: i32 = 10,
        /// Whether the broker liquidated the position.
        liquidation: i32 = 11,
        /// Executed of the order, this included.
        cum_qty: Size = 12,
        /// Average price of what is executed of the order.
        avg_price: Number = 13,
        /// Our own reference, as the order had it.
        order_ref: String = 14,
        /// Economic value rule.
        ev_rule: String = 15,
        /// Economic value multiplier.
        ev_multiplier: Option<Number> = 16,
        /// Model.
        model: String = 17,
        /// 1 added, 2 removed liquidity, 3 routed out.
        liquidity: i32 = 18,
        /// The price may be revised (from text version 178).
        revision_pending: bool = 19,
    }
}
message! {
    /// An execution and what was traded.
    ExecutionReport {
        /// Of the request; -1 when it has just happened.
        req_id: i32 = 1,
        /// What.
        contract: Contract = 2,
        /// How.
        execution: Execution = 3,
    }
}

impl Wire for ExecutionReport {
    fn write_text(&self, version: u16, out: &mut TextOut<'_>) {
        let execution = &self.execution;
        out.put(&self.req_id).put(&execution.order_id);
        self.contract.write_eleven(out);
        out.put(&execution.exec_id).put(&execution.time).put(&execution.account).put(&execution.exchange).put(&execution.side);
        out.put(&execution.shares).put(&execution.price).put(&execution.perm_id).put(&execution.client_id).put(&execution.liquidation);
        out.put(&execution.cum_qty).put(&execution.avg_price).put(&execution.order_ref).put(&execution.ev_rule);
        out.put(&execution.ev_multiplier).put(&execution.model).put(&execution.liquidity);
        if version >= REVISION_VERSION {
            out.put(&execution.revision_pending);
        }
    }

    fn read_text(version: u16, input: &mut TextIn<'_>) -> Result<Self, Fault> {
        let (req_id, order_id) = (input.get()?, input.get()?);
        let contract = Contract::read_eleven(input)?;
        let execution = Execution {
            order_id,
            exec_id: input.get()?,
            time: input.get()?,
            account: input.get()?,
            exchange: input.get()?,
            side: input.get()?,
            shares: input.get()?,
            price: input.get()?,
            perm_id: input.get()?,
            client_id: input.get()?,
            liquidation: input.get()?,
            cum_qty: input.get()?,
            avg_price: input.get()?,
            order_ref: input.get()?,
            ev_rule: input.get()?,
            ev_multiplier: input.get()?,
            model: input.get()?,
            liquidity: input.get()?,
            revision_pending: version >= REVISION_VERSION && input.get()?,
        };
        Ok(Self { req_id, contract, execution })
    }
}

message! {
    /// What an execution cost, told after it.
    Commission {
        /// The execution.
        exec_id: String = 1,
        /// The charge.
        amount: Number = 2,
        /// In which currency.
        currency: String = 3,
        /// Profit that the execution realised, where it closed something.
        realized_pnl: Option<Number> = 4,
        /// Yield of a bond.
        bond_yield: Option<Number> = 5,
        /// Redemption date that the yield is for.
        redemption_date: String = 6,
    }
}
text!(Commission version "1" { exec_id, amount, currency, realized_pnl, bond_yield, redemption_date });
message! {
    /// An order of a person now has an order id.
    OrderBound {
        /// The broker's permanent id.
        perm_id: i64 = 1,
        /// Bound to whom.
        client_id: i32 = 2,
        /// Its order id there.
        order_id: i32 = 3,
    }
}
text!(OrderBound { perm_id, client_id, order_id });
