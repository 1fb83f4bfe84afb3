//! What sessions ask, and what they are answered.

use oms_model::InstrumentId;

use super::{Gateway, SessionId};
use crate::codec::{
    AccountData, AccountEnd, CompletedEnd, CompletedOrder, ContractData, ContractQuery, CurrentTime, ExecutionFilter, Executions,
    ManagedAccounts, MarketData, OpenOrdersEnd, OrderBound, PositionsEnd, Reply, Request, RequestEnd, SummaryQuery,
};
use crate::sim::book::size;
use crate::sim::stamp;

/// A day, nanoseconds.
const DAY_NS: i64 = 86_400_000_000_000;
/// Subscriptions and lists that one session has at most.
const MAX_SUBSCRIPTIONS: usize = 1000;
const NO_CONTRACT: &str = "No security definition has been found for the request";

impl Gateway {
    /// A request of a session that has begun.
    pub(super) fn serve(&mut self, session: SessionId, client: i32, request: Request) {
        match request {
            Request::PlaceOrder(place) => self.place(session, client, place),
            Request::CancelOrder(cancel) => self.cancel_asked(session, client, cancel.order_id),
            Request::GlobalCancel(_) => {
                for perm in self.orders.live(|_| true) {
                    self.cancel(perm);
                }
            }
            Request::OpenOrders(_) => self.open_orders(session, |owner| owner == client),
            Request::AllOpenOrders(_) => self.open_orders(session, |_| true),
            Request::AutoOpenOrders(auto) => self.auto_bind(session, client, auto.auto_bind),
            Request::CompletedOrders(which) => self.completed_orders(session, which.api_only),
            Request::Executions(which) => self.list_executions(session, &which),
            Request::Ids(_) => self.tell_next_id(session),
            Request::ManagedAccounts(_) => {
                let accounts = self.accounts.iter().map(|account| account.name.as_str()).collect::<Vec<_>>().join(",");
                self.tell(session, Reply::ManagedAccounts(ManagedAccounts { accounts }));
            }
            Request::CurrentTime(_) => {
                self.tell(session, Reply::CurrentTime(CurrentTime { seconds: stamp::seconds(self.now) }));
            }
            Request::ContractData(query) => self.contracts(session, &query),
            Request::MarketData(data) => self.market_data(session, &data),
            Request::CancelMarketData(cancel) => drop(self.subscriptions.remove(&(session, cancel.req_id))),
            // There is live data for everything: what a session would take instead does not matter.
            Request::MarketDataKind(_) => (),
            request => self.account_request(session, request),
        }
    }

    fn account_request(&mut self, session: SessionId, request: Request) {
        match request {
            Request::Positions(_) => self.positions(session),
            Request::CancelPositions(_) => self.subscribed(session, |known| known.positions = false),
            Request::AccountData(data) => self.account_data(session, data),
            Request::AccountSummary(query) => self.summary(session, query),
            Request::CancelAccountSummary(cancel) => self.subscribed(session, |known| drop(known.summaries.remove(&cancel.req_id))),
            Request::AccountDataMulti(data) => {
                let account = self.named(&data.account);
                self.tell_multi(session, data.req_id, &account);
                self.subscribed(session, |known| drop(known.multis.insert(data.req_id, account)));
                self.tell_end(session, Reply::AccountMultiEnd(RequestEnd { req_id: data.req_id }));
            }
            Request::CancelAccountDataMulti(cancel) => self.subscribed(session, |known| drop(known.multis.remove(&cancel.req_id))),
            Request::Pnl(query) => {
                let account = self.named(&query.account);
                self.tell_pnl(session, query.req_id, &account);
                self.subscribed(session, |known| drop(known.pnls.insert(query.req_id, account)));
            }
            Request::CancelPnl(cancel) => self.subscribed(session, |known| drop(known.pnls.remove(&cancel.req_id))),
            _ => (),
        }
    }

    /// Changes what a session is told from now on.
    fn subscribed(&mut self, session: SessionId, change: impl FnOnce(&mut super::Session)) {
        if let Some(known) = self.sessions.get_mut(&session) {
            change(known);
            for list in [&mut known.multis, &mut known.pnls] {
                while list.len() > MAX_SUBSCRIPTIONS {
                    list.pop_first();
                }
            }
            while known.summaries.len() > MAX_SUBSCRIPTIONS {
                known.summaries.pop_first();
            }
        }
    }

    /// An account by name; the first where none is named.
    pub(super) fn named(&self, account: &str) -> String {
        if account.is_empty() { self.accounts.first().map(|account| account.name.clone()).unwrap_or_default() } else { account.to_owned() }
    }

    fn open_orders(&mut self, session: SessionId, whose: impl Fn(i32) -> bool) {
        for perm in self.orders.live(|order| whose(order.client)) {
            self.show_order(session, perm);
        }
        self.tell_end(session, Reply::OpenOrdersEnd(OpenOrdersEnd {}));
    }

    /// Client 0 takes over what people enter.
    fn auto_bind(&mut self, session: SessionId, client: i32, auto_bind: bool) {
        if client != 0 {
            self.notice(session, -1, 327, "Only the default client (i.e 0) can auto bind orders.");
            return;
        }
        self.subscribed(session, |known| known.auto_bind = auto_bind);
        if auto_bind {
            for perm in self.orders.live(|order| order.order_id == 0) {
                self.bind(session, perm);
            }
        }
    }

    /// A person's order gets an id of client 0's. These go down from -1, so that they meet none that a client gave.
    pub(super) fn bind(&mut self, session: SessionId, perm: i64) {
        let order_id = -1 - i32::try_from(self.orders.by_perm.values().filter(|order| order.order_id < 0).count()).unwrap_or(0);
        self.orders.bind(perm, order_id);
        self.tell(session, Reply::OrderBound(OrderBound { perm_id: perm, client_id: 0, order_id }));
        self.tell_order(perm);
    }

    fn completed_orders(&mut self, session: SessionId, api_only: bool) {
        let done: Vec<i64> =
            self.orders.by_perm.values().filter(|order| order.done && (!api_only || order.order_id > 0)).map(|order| order.perm).collect();
        for perm in done {
            let Some(order) = self.orders.by_perm.get(&perm) else { continue };
            let row = order.row(self.contract(order.instrument), perm);
            let filled = Some(size(order.cum));
            self.tell(
                session,
                Reply::CompletedOrder(CompletedOrder { contract: row.contract, order: row.order, state: row.state, filled }),
            );
        }
        self.tell_end(session, Reply::CompletedEnd(CompletedEnd {}));
    }

    fn list_executions(&mut self, session: SessionId, which: &Executions) {
        let (filter, req_id) = (&which.filter, which.req_id);
        let midnight = self.now.0 - self.now.0.rem_euclid(DAY_NS);
        let days = i64::from(filter.last_days.unwrap_or(1)).clamp(1, 7) - 1;
        let since = stamp::read(&filter.time).map_or(midnight - days * DAY_NS, |time| time.0);
        let rows: Vec<_> = self
            .executions
            .iter()
            .filter(|done| done.at.0 >= since && fits(filter, &done.report))
            .map(|done| (done.report.clone(), done.commission.clone()))
            .collect();
        for (mut report, commission) in rows {
            report.req_id = req_id;
            self.tell(session, Reply::Execution(report));
            if let Some(commission) = commission {
                self.tell(session, Reply::Commission(commission));
            }
        }
        self.tell_end(session, Reply::ExecutionsEnd(RequestEnd { req_id }));
    }

    fn contracts(&mut self, session: SessionId, query: &ContractQuery) {
        let Some(item) = self.catalog.find(&query.contract) else {
            self.notice(session, query.req_id, 200, NO_CONTRACT);
            return;
        };
        let mut contract = item.contract.clone();
        if !query.contract.exchange.is_empty() {
            contract.exchange.clone_from(&query.contract.exchange);
        }
        let data = ContractData { req_id: query.req_id, contract, details: item.details.clone() };
        self.tell(session, Reply::ContractData(data));
        self.tell_end(session, Reply::ContractDataEnd(RequestEnd { req_id: query.req_id }));
    }

    fn market_data(&mut self, session: SessionId, data: &MarketData) {
        let Some(instrument) = self.catalog.find(&data.contract).map(|item| item.instrument) else {
            self.notice(session, data.req_id, 200, NO_CONTRACT);
            return;
        };
        if self.subscriptions.keys().filter(|(owner, _)| *owner == session).count() >= MAX_SUBSCRIPTIONS {
            self.notice(session, data.req_id, 101, "Max number of tickers has been reached");
            return;
        }
        self.subscribe(session, data.req_id, instrument, data.snapshot);
    }

    fn held(&self, account: &str) -> Vec<InstrumentId> {
        self.account(account).map(|account| account.holdings.keys().copied().collect()).unwrap_or_default()
    }

    fn positions(&mut self, session: SessionId) {
        let accounts: Vec<String> = self.accounts.iter().map(|account| account.name.clone()).collect();
        for account in accounts {
            for instrument in self.held(&account) {
                self.tell_position(session, &account, instrument);
            }
        }
        self.subscribed(session, |known| known.positions = true);
        self.tell_end(session, Reply::PositionsEnd(PositionsEnd {}));
    }

    fn account_data(&mut self, session: SessionId, data: AccountData) {
        if !data.subscribe {
            self.subscribed(session, |known| known.account_data = None);
            return;
        }
        let account = self.named(&data.account);
        self.tell_values(session, &account);
        for instrument in self.held(&account) {
            self.tell_portfolio(session, &account, instrument);
        }
        self.subscribed(session, |known| known.account_data = Some(account.clone()));
        self.tell_end(session, Reply::AccountEnd(AccountEnd { account }));
    }

    fn summary(&mut self, session: SessionId, query: SummaryQuery) {
        let tags: Vec<String> = query.tags.split(',').map(|tag| tag.trim().to_owned()).collect();
        let accounts: Vec<String> = self.accounts.iter().map(|account| account.name.clone()).collect();
        for account in accounts {
            self.tell_summary(session, query.req_id, &account, &tags);
        }
        self.subscribed(session, |known| drop(known.summaries.insert(query.req_id, tags)));
        self.tell_end(session, Reply::AccountSummaryEnd(RequestEnd { req_id: query.req_id }));
    }
}

/// Whether an execution is among those asked for.
fn fits(filter: &ExecutionFilter, report: &crate::codec::ExecutionReport) -> bool {
    let (contract, execution) = (&report.contract, &report.execution);
    let same = |want: &str, has: &str| want.is_empty() || want == has;
    let side = match filter.side.as_str() {
        "BUY" => execution.side == "BOT",
        "SELL" => execution.side == "SLD",
        _ => true,
    };
    side && (filter.client_id == 0 || filter.client_id == execution.client_id)
        && same(&filter.account, &execution.account)
        && same(&filter.symbol, &contract.symbol)
        && same(&filter.sec_type, &contract.sec_type)
        && same(&filter.exchange, &execution.exchange)
}
