//! What TWS or Gateway tell.

use super::{
    AccountEnd, AccountMulti, AccountSummary, AccountTime, AccountValue, Commission, CompletedOrder, ContractData, DataType,
    ExecutionReport, OpenOrder, OrderBound, OrderStatus, Pnl, PortfolioValue, Position, PositionsEnd, TickGeneric, TickParams, TickPrice,
    TickSize, TickString,
};

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
    /// The end of completed orders.
    CompletedEnd {}
}
text!(CompletedEnd {});
message! {
    /// The end of what a request asked for.
    RequestEnd {
        /// Of the request.
        req_id: i32 = 1,
    }
}
text!(RequestEnd version "1" { req_id });
message! {
    /// The server's time.
    CurrentTime {
        /// Seconds since 1970.
        seconds: i64 = 1,
    }
}
text!(CurrentTime version "1" { seconds });

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
