//! What TWS or Gateway tell.

use super::layout::Wire;
use super::text::{TextIn, TextOut};
use super::{CompletedOrder, Contract, ContractData, Fault, Number, OpenOrder, Size};

/// The first text server version whose executions say whether their price may be revised.
const REVISION_VERSION: u16 = 178;

message! {
    /// The accounts of the login, with commas.
    ManagedAccounts {
        /// The list.
        accounts: String = 1,
    }
}
text!(ManagedAccounts version "1" { accounts });
message! {
    /// The least order id that the server has not seen.
    NextValidId {
        /// The id.
        order_id: i32 = 1,
    }
}
text!(NextValidId version "1" { order_id });
message! {
    /// An error, a warning or news: about a request, an order, or (id -1) about nothing in particular.
    Notice {
        /// Which request or order.
        id: i32 = 1,
        /// When, milliseconds since 1970; protobuf only.
        time: i64 = 2,
        /// What.
        code: i32 = 3,
        /// In words.
        text: String = 4,
        /// Details of a rejection as JSON; empty allowed.
        reject_json: String = 5,
    }
}
text!(Notice version "2" { id, code, text, reject_json });
message! {
    /// The end of open orders.
    OpenOrdersEnd {}
}
text!(OpenOrdersEnd version "1" {});
message! {
    /// The end of positions.
    PositionsEnd {}
}
text!(PositionsEnd version "1" {});
message! {
    /// The end of completed orders.
    CompletedEnd {}
}
text!(CompletedEnd {});
message! {
    /// The end of an account's values and positions.
    AccountEnd {
        /// Which account.
        account: String = 1,
    }
}
text!(AccountEnd version "1" { account });
message! {
    /// The end of what a request asked for.
    RequestEnd {
        /// Of the request.
        req_id: i32 = 1,
    }
}
text!(RequestEnd version "1" { req_id });
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
    /// A position.
    Position {
        /// Whose.
        account: String = 1,
        /// Of what.
        contract: Contract = 2,
        /// How much; negative is short.
        position: Size = 3,
        /// Average cost of one unit, multiplier and commission included.
        avg_cost: Number = 4,
    }
}
message! {
    /// A value of an account.
    AccountValue {
        /// Which value.
        key: String = 1,
        /// The value.
        value: String = 2,
        /// Its currency.
        currency: String = 3,
        /// Whose.
        account: String = 4,
    }
}
text!(AccountValue version "2" { key, value, currency, account });
message! {
    /// When an account's values were last looked at, `HH:MM`.
    AccountTime {
        /// The time.
        time: String = 1,
    }
}
text!(AccountTime version "1" { time });
message! {
    /// A position and its value.
    PortfolioValue {
        /// Of what.
        contract: Contract = 1,
        /// How much.
        position: Size = 2,
        /// At which price.
        price: Number = 3,
        /// Worth.
        value: Number = 4,
        /// Average cost.
        avg_cost: Number = 5,
        /// Profit that is not realised.
        unrealized: Number = 6,
        /// Profit that is realised.
        realized: Number = 7,
        /// Whose.
        account: String = 8,
    }
}
message! {
    /// A chosen value of an account.
    AccountSummary {
        /// Of the request.
        req_id: i32 = 1,
        /// Whose.
        account: String = 2,
        /// Which value.
        tag: String = 3,
        /// The value.
        value: String = 4,
        /// Its currency.
        currency: String = 5,
    }
}
text!(AccountSummary version "1" { req_id, account, tag, value, currency });
message! {
    /// A value of an account or model.
    AccountMulti {
        /// Of the request.
        req_id: i32 = 1,
        /// Whose.
        account: String = 2,
        /// Of which model.
        model: String = 3,
        /// Which value.
        key: String = 4,
        /// The value.
        value: String = 5,
        /// Its currency.
        currency: String = 6,
    }
}
text!(AccountMulti version "1" { req_id, account, model, key, value, currency });
message! {
    /// What market data of a request will be like.
    TickParams {
        /// Of the request.
        req_id: i32 = 1,
        /// The price increment.
        min_tick: Option<Size> = 2,
        /// Names the letters of exchanges.
        bbo_exchange: String = 3,
        /// Whether snapshots are permitted.
        permissions: i32 = 4,
    }
}
text!(TickParams { req_id, min_tick, bbo_exchange, permissions });
message! {
    /// Which market data a request gets: 1 live, 2 frozen, 3 delayed, 4 both.
    DataType {
        /// Of the request.
        req_id: i32 = 1,
        /// The kind.
        kind: i32 = 2,
    }
}
text!(DataType version "1" { req_id, kind });
message! {
    /// A price, with its size where it has one.
    TickPrice {
        /// Of the request.
        req_id: i32 = 1,
        /// 1 bid, 2 ask, 4 last.
        kind: i32 = 2,
        /// The price; -1 where there is none.
        price: Number = 3,
        /// The size.
        size: Option<Size> = 4,
        /// What may be done with it.
        mask: i32 = 5,
    }
}
text!(TickPrice version "6" { req_id, kind, price, size, mask });
message! {
    /// A size.
    TickSize {
        /// Of the request.
        req_id: i32 = 1,
        /// 0 bid, 3 ask, 5 last, 8 volume.
        kind: i32 = 2,
        /// The size.
        size: Size = 3,
    }
}
text!(TickSize version "6" { req_id, kind, size });
message! {
    /// Another figure.
    TickGeneric {
        /// Of the request.
        req_id: i32 = 1,
        /// Which.
        kind: i32 = 2,
        /// The figure.
        value: Number = 3,
    }
}
text!(TickGeneric version "1" { req_id, kind, value });
message! {
    /// Another text: 45 is the time of the last trade.
    TickString {
        /// Of the request.
        req_id: i32 = 1,
        /// Which.
        kind: i32 = 2,
        /// The text.
        value: String = 3,
    }
}
text!(TickString version "1" { req_id, kind, value });
message! {
    /// The server's time.
    CurrentTime {
        /// Seconds since 1970.
        seconds: i64 = 1,
    }
}
text!(CurrentTime version "1" { seconds });
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
message! {
    /// Profit and loss of an account.
    Pnl {
        /// Of the request.
        req_id: i32 = 1,
        /// Of the day.
        daily: Option<Number> = 2,
        /// Not realised.
        unrealized: Option<Number> = 3,
        /// Realised.
        realized: Option<Number> = 4,
    }
}
text!(Pnl { req_id, daily, unrealized, realized });

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

impl Wire for Position {
    fn write_text(&self, _: u16, out: &mut TextOut<'_>) {
        out.raw("3").put(&self.account);
        self.contract.write_eleven(out);
        out.put(&self.position).put(&self.avg_cost);
    }
    fn read_text(_: u16, input: &mut TextIn<'_>) -> Result<Self, Fault> {
        input.skip(1)?;
        let (account, contract) = (input.get()?, Contract::read_eleven(input)?);
        Ok(Self { account, contract, position: input.get()?, avg_cost: input.get()? })
    }
}

impl Wire for PortfolioValue {
    fn write_text(&self, _: u16, out: &mut TextOut<'_>) {
        out.raw("8");
        self.contract.write_portfolio(out);
        out.put(&self.position).put(&self.price).put(&self.value).put(&self.avg_cost).put(&self.unrealized);
        out.put(&self.realized).put(&self.account);
    }
    fn read_text(_: u16, input: &mut TextIn<'_>) -> Result<Self, Fault> {
        input.skip(1)?;
        Ok(Self {
            contract: Contract::read_portfolio(input)?,
            position: input.get()?,
            price: input.get()?,
            value: input.get()?,
            avg_cost: input.get()?,
            unrealized: input.get()?,
            realized: input.get()?,
            account: input.get()?,
        })
    }
}

direction! {
    /// What TWS or Gateway tell.
    Reply {
        /// A price.
        TickPrice(TickPrice) = 1,
        /// A size.
        TickSize(TickSize) = 2,
        /// Where an order stands.
        OrderStatus(OrderStatus) = 3,
        /// An error, a warning or news.
        Notice(Notice) = 4,
        /// An order that is open, or has just changed.
        OpenOrder(OpenOrder) = 5,
        /// A value of an account.
        AccountValue(AccountValue) = 6,
        /// A position and its value.
        PortfolioValue(PortfolioValue) = 7,
        /// When an account was looked at.
        AccountTime(AccountTime) = 8,
        /// The next order id.
        NextValidId(NextValidId) = 9,
        /// A contract.
        ContractData(ContractData) = 10,
        /// An execution.
        Execution(ExecutionReport) = 11,
        /// The accounts.
        ManagedAccounts(ManagedAccounts) = 15,
        /// Another figure.
        TickGeneric(TickGeneric) = 45,
        /// Another text.
        TickString(TickString) = 46,
        /// The time.
        CurrentTime(CurrentTime) = 49,
        /// The end of contracts.
        ContractDataEnd(RequestEnd) = 52,
        /// The end of open orders.
        OpenOrdersEnd(OpenOrdersEnd) = 53,
        /// The end of an account.
        AccountEnd(AccountEnd) = 54,
        /// The end of executions.
        ExecutionsEnd(RequestEnd) = 55,
        /// The end of a snapshot.
        SnapshotEnd(RequestEnd) = 57,
        /// Which market data.
        DataType(DataType) = 58,
        /// What an execution cost.
        Commission(Commission) = 59,
        /// A position.
        Position(Position) = 61,
        /// The end of positions.
        PositionsEnd(PositionsEnd) = 62,
        /// A chosen value.
        AccountSummary(AccountSummary) = 63,
        /// The end of chosen values.
        AccountSummaryEnd(RequestEnd) = 64,
        /// A value of an account or model.
        AccountMulti(AccountMulti) = 73,
        /// The end of them.
        AccountMultiEnd(RequestEnd) = 74,
        /// What market data will be like.
        TickParams(TickParams) = 81,
        /// Profit and loss.
        Pnl(Pnl) = 94,
        /// A person's order has an order id.
        OrderBound(OrderBound) = 100,
        /// An order that is done.
        CompletedOrder(CompletedOrder) = 101,
        /// The end of orders that are done.
        CompletedEnd(CompletedEnd) = 102,
    }
}
