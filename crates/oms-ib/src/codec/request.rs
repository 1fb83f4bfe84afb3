//! What clients ask.

use super::layout::Wire;
use super::text::{TextIn, TextOut};
use super::{Contract, Fault, PlaceOrder};

message! {
    /// Begins a session, after the handshake.
    StartApi {
        /// Who: one session at a time for each.
        client_id: i32 = 1,
        /// Optional capabilities.
        capabilities: String = 2,
    }
}
text!(StartApi version "2" { client_id, capabilities });

message! {
    /// Subscribes to positions: all, an end marker, then changes.
    Positions {}
}
text!(Positions version "1" {});
message! {
    /// Ends [`Positions`].
    CancelPositions {}
}
text!(CancelPositions version "1" {});
message! {
    /// Asks for the open orders of this client.
    OpenOrders {}
}
text!(OpenOrders version "1" {});
message! {
    /// Asks for the open orders of all clients, and of people.
    AllOpenOrders {}
}
text!(AllOpenOrders version "1" {});
message! {
    /// Binds orders that people enter to client 0.
    AutoOpenOrders {
        /// On or off.
        auto_bind: bool = 1,
    }
}
text!(AutoOpenOrders version "1" { auto_bind });
message! {
    /// Asks for orders that are done.
    CompletedOrders {
        /// Only those of clients.
        api_only: bool = 1,
    }
}
text!(CompletedOrders { api_only });
message! {
    /// Subscribes to values and positions of one account.
    AccountData {
        /// On or off.
        subscribe: bool = 1,
        /// Which; empty where there is only one.
        account: String = 2,
    }
}
text!(AccountData version "2" { subscribe, account });
message! {
    /// Subscribes to values of one account or model.
    AccountDataMulti {
        /// Of the request.
        req_id: i32 = 1,
        /// Which account.
        account: String = 2,
        /// Which model.
        model: String = 3,
        /// Only the ledger and the net liquidation value.
        ledger_and_nlv: bool = 4,
    }
}
text!(AccountDataMulti version "1" { req_id, account, model, ledger_and_nlv });
message! {
    /// Subscribes to chosen values of accounts.
    SummaryQuery {
        /// Of the request.
        req_id: i32 = 1,
        /// `All` or a group.
        group: String = 2,
        /// Which values, with commas.
        tags: String = 3,
    }
}
text!(SummaryQuery version "1" { req_id, group, tags });
message! {
    /// Ends what `req_id` asked for.
    CancelById {
        /// Of the request.
        req_id: i32 = 1,
    }
}
text!(CancelById version "1" { req_id });
message! {
    /// Ends [`MarketData`].
    CancelMarketData {
        /// Of the request.
        req_id: i32 = 1,
    }
}
text!(CancelMarketData version "2" { req_id });
message! {
    /// Asks for the next order id.
    Ids {
        /// How many; not heeded.
        count: i32 = 1,
    }
}
text!(Ids version "1" { count });
message! {
    /// Asks for the accounts.
    RequestAccounts {}
}
text!(RequestAccounts version "1" {});
message! {
    /// Asks for the time: the heartbeat of a session.
    RequestTime {}
}
text!(RequestTime version "1" {});
message! {
    /// Which market data: 1 live, 2 frozen, 3 delayed, 4 both.
    MarketDataKind {
        /// The kind.
        kind: i32 = 1,
    }
}
text!(MarketDataKind version "1" { kind });
message! {
    /// When and by whom a cancel was decided.
    OrderCancel {
        /// When a person decided it.
        manual_time: String = 1,
    }
}
message! {
    /// Cancels an order of this client.
    CancelOrder {
        /// Which.
        order_id: i32 = 1,
        /// When and by whom it was decided.
        cancel: OrderCancel = 2,
    }
}
message! {
    /// Cancels every order, of people too.
    GlobalCancel {}
}
text!(GlobalCancel version "1" {});
message! {
    /// Which executions are asked for.
    ExecutionFilter {
        /// Of which client; 0 of all.
        client_id: i32 = 1,
        /// Of which account.
        account: String = 2,
        /// Since when, `YYYYMMDD-HH:MM:SS`.
        time: String = 3,
        /// In what.
        symbol: String = 4,
        /// In which kind of contract.
        sec_type: String = 5,
        /// Where.
        exchange: String = 6,
        /// `BUY` or `SELL`.
        side: String = 7,
        /// Of how many days; unset is since midnight. Protobuf only.
        last_days: Option<i32> = 8,
    }
}
message! {
    /// Asks for executions.
    Executions {
        /// Of the request.
        req_id: i32 = 1,
        /// Which.
        filter: ExecutionFilter = 2,
    }
}
message! {
    /// Asks which contracts fit.
    ContractQuery {
        /// Of the request.
        req_id: i32 = 1,
        /// What is known.
        contract: Contract = 2,
        /// Expired ones too; text only.
        include_expired: bool,
        /// Scheme of `sec_id`; text only.
        sec_id_type: String,
        /// Identifier; text only.
        sec_id: String,
    }
}
message! {
    /// Subscribes to market data.
    MarketData {
        /// Of the request.
        req_id: i32 = 1,
        /// Of what.
        contract: Contract = 2,
        /// Generic ticks, with commas.
        generic_ticks: String = 3,
        /// Once, then an end marker.
        snapshot: bool = 4,
    }
}
message! {
    /// Subscribes to profit and loss of an account.
    PnlQuery {
        /// Of the request.
        req_id: i32 = 1,
        /// Which account.
        account: String = 2,
        /// Which model.
        model: String = 3,
    }
}
text!(PnlQuery { req_id, account, model });
message! {
    /// Ends [`PnlQuery`].
    CancelPnl {
        /// Of the request.
        req_id: i32 = 1,
    }
}
text!(CancelPnl { req_id });

impl Wire for CancelOrder {
    fn write_text(&self, _: u16, out: &mut TextOut<'_>) {
        out.raw("1").put(&self.order_id).put(&self.cancel.manual_time);
    }
    fn read_text(_: u16, input: &mut TextIn<'_>) -> Result<Self, Fault> {
        input.skip(1)?;
        Ok(Self { order_id: input.get()?, cancel: OrderCancel { manual_time: input.get()? } })
    }
}

impl Wire for Executions {
    fn write_text(&self, _: u16, out: &mut TextOut<'_>) {
        let filter = &self.filter;
        out.raw("3").put(&self.req_id).put(&filter.client_id).put(&filter.account).put(&filter.time);
        out.put(&filter.symbol).put(&filter.sec_type).put(&filter.exchange).put(&filter.side);
    }
    fn read_text(_: u16, input: &mut TextIn<'_>) -> Result<Self, Fault> {
        input.skip(1)?;
        let req_id = input.get()?;
        let filter = ExecutionFilter {
            client_id: input.get()?,
            account: input.get()?,
            time: input.get()?,
            symbol: input.get()?,
            sec_type: input.get()?,
            exchange: input.get()?,
            side: input.get()?,
            last_days: None,
        };
        Ok(Self { req_id, filter })
    }
}

impl Wire for ContractQuery {
    fn write_text(&self, _: u16, out: &mut TextOut<'_>) {
        out.raw("8").put(&self.req_id);
        self.contract.write_twelve(out);
        out.put(&self.include_expired).put(&self.sec_id_type).put(&self.sec_id).raw("");
    }
    fn read_text(_: u16, input: &mut TextIn<'_>) -> Result<Self, Fault> {
        input.skip(1)?;
        let (req_id, contract) = (input.get()?, Contract::read_twelve(input)?);
        let (include_expired, sec_id_type, sec_id) = (input.get()?, input.get()?, input.get()?);
        input.skip(1)?;
        Ok(Self { req_id, contract, include_expired, sec_id_type, sec_id })
    }
}

impl Wire for MarketData {
    fn write_text(&self, _: u16, out: &mut TextOut<'_>) {
        out.raw("11").put(&self.req_id);
        self.contract.write_twelve(out);
        if self.contract.sec_type == "BAG" {
            out.raw("0");
        }
        out.raw("0").put(&self.generic_ticks).put(&self.snapshot).all(&["0", ""]);
    }
    fn read_text(_: u16, input: &mut TextIn<'_>) -> Result<Self, Fault> {
        input.skip(1)?;
        let (req_id, contract) = (input.get()?, Contract::read_twelve(input)?);
        if contract.sec_type == "BAG" {
            let legs = input.count(4)?;
            input.skip(4 * legs)?;
        }
        if input.get()? {
            input.skip(3)?;
        }
        let (generic_ticks, snapshot) = (input.get()?, input.get()?);
        input.skip(2)?;
        Ok(Self { req_id, contract, generic_ticks, snapshot })
    }
}

direction! {
    /// What clients ask.
    Request {
        /// Market data.
        MarketData(MarketData) = 1,
        /// No market data any more.
        CancelMarketData(CancelMarketData) = 2,
        /// A new order, or new terms of one.
        PlaceOrder(PlaceOrder) = 3,
        /// A cancel.
        CancelOrder(CancelOrder) = 4,
        /// Own open orders.
        OpenOrders(OpenOrders) = 5,
        /// Values and positions of an account.
        AccountData(AccountData) = 6,
        /// Executions.
        Executions(Executions) = 7,
        /// The next order id.
        Ids(Ids) = 8,
        /// Which contracts fit.
        ContractData(ContractQuery) = 9,
        /// Orders that people enter are client 0's.
        AutoOpenOrders(AutoOpenOrders) = 15,
        /// All open orders.
        AllOpenOrders(AllOpenOrders) = 16,
        /// The accounts.
        ManagedAccounts(RequestAccounts) = 17,
        /// The time.
        CurrentTime(RequestTime) = 49,
        /// Cancels everything.
        GlobalCancel(GlobalCancel) = 58,
        /// Which market data.
        MarketDataKind(MarketDataKind) = 59,
        /// Positions.
        Positions(Positions) = 61,
        /// Chosen values of accounts.
        AccountSummary(SummaryQuery) = 62,
        /// No chosen values any more.
        CancelAccountSummary(CancelById) = 63,
        /// No positions any more.
        CancelPositions(CancelPositions) = 64,
        /// Begins the session.
        StartApi(StartApi) = 71,
        /// Values of an account or model.
        AccountDataMulti(AccountDataMulti) = 76,
        /// No values any more.
        CancelAccountDataMulti(CancelById) = 77,
        /// Profit and loss.
        Pnl(PnlQuery) = 92,
        /// No profit and loss any more.
        CancelPnl(CancelPnl) = 93,
        /// Orders that are done.
        CompletedOrders(CompletedOrders) = 99,
    }
}
