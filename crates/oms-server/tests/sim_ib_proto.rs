//! `oms sim ib` as a process, and the crate `ibapi` 5.5.0, which was not changed for it and speaks the protobuf dialect
//! alone. Whatever it cannot decode ends one of its streams with an error, and the test with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "ib_clients/rig.rs"]
mod rig;

use std::time::Duration;

use ibapi::contracts::tick_types::TickType;
use ibapi::orders::{CommissionReport, Execution, Executions, Order, OrderData, OrderState, OrderStatus, OrderStatusKind};
use ibapi::prelude::*;
use rig::Simulator;
use tokio::time::timeout;

/// The longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
const ACCOUNT: &str = "DU1000001";

/// A client, what it was told of orders, and the stream that tells.
struct Desk {
    client: Client,
    contract: Contract,
    stream: Subscription<OrderUpdate>,
    statuses: Vec<OrderStatus>,
    open: Vec<OrderData>,
    executions: Vec<Execution>,
    commissions: Vec<CommissionReport>,
    notices: Vec<(Option<i32>, i32)>,
}

impl Desk {
    async fn open(port: u16) -> Self {
        let client = Client::connect(&format!("127.0.0.1:{port}"), 9).await.unwrap();
        assert_eq!((client.server_version(), client.handshake_managed_accounts()), (225, &[ACCOUNT.to_owned()][..]));
        let stream = client.order_update_stream().await.unwrap();
        let contract = client.contract_details(&Contract::stock("IBM").build()).await.unwrap().remove(0).contract;
        Self {
            client,
            contract,
            stream,
            statuses: Vec::new(),
            open: Vec::new(),
            executions: Vec::new(),
            commissions: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// Reads what is told of orders until something holds.
    async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let read = async {
            while !holds(self) {
                match self.stream.next().await.expect("the stream goes on").expect("everything can be decoded") {
                    SubscriptionItem::Data(OrderUpdate::OrderStatus(status)) => self.statuses.push(status),
                    SubscriptionItem::Data(OrderUpdate::OpenOrder(order)) => self.open.push(order),
                    SubscriptionItem::Data(OrderUpdate::ExecutionData(data)) => self.executions.push(data.execution),
                    SubscriptionItem::Data(OrderUpdate::CommissionReport(report)) => self.commissions.push(report),
                    SubscriptionItem::Data(OrderUpdate::OrderBound(bound)) => panic!("nobody placed by hand: {bound:?}"),
                    SubscriptionItem::Notice(notice) => self.notices.push((notice.request_id, notice.code)),
                }
            }
        };
        if timeout(PATIENCE, read).await.is_err() {
            panic!("{what}: not within {PATIENCE:?}; {:?} {:?}", self.statuses.last(), self.notices);
        }
    }

    fn last(&self, order_id: i32) -> Option<&OrderStatus> {
        self.statuses.iter().rev().find(|status| status.order_id == order_id)
    }

    async fn status(&mut self, order_id: i32, wanted: OrderStatusKind) {
        let what = format!("order {order_id} {wanted:?}");
        self.until(&what, |desk| desk.last(order_id).is_some_and(|status| status.status == wanted)).await;
    }

    async fn place(&self, order: Order) -> i32 {
        let order_id = self.client.next_order_id();
        self.client.submit_order(order_id, &self.contract, &order).await.unwrap();
        order_id
    }

    async fn cancel(&mut self, order_id: i32) {
        let _told = self.client.cancel_order(order_id, "").await.unwrap();
        self.status(order_id, OrderStatusKind::Cancelled).await;
    }
}

/// Reads a list to its end.
async fn list<T>(mut rows: impl StreamExt<Item = Result<SubscriptionItem<T>, Error>> + Unpin, is_end: impl Fn(&T) -> bool) -> Vec<T> {
    let mut listed = Vec::new();
    loop {
        match timeout(PATIENCE, rows.next()).await.expect("the list ends") {
            Some(Ok(SubscriptionItem::Data(row))) if is_end(&row) => return listed,
            Some(Ok(SubscriptionItem::Data(row))) => listed.push(row),
            Some(Ok(SubscriptionItem::Notice(notice))) => panic!("{notice}"),
            Some(Err(error)) => panic!("{error}"),
            None => return listed,
        }
    }
}

/// The last price, once there are also a bid and an ask that fit.
async fn ticks(desk: &Desk) -> f64 {
    let mut stream = desk.client.market_data(&desk.contract).subscribe().await.unwrap();
    let (mut bid, mut ask, mut last) = (0.0, 0.0, 0.0);
    while bid <= 0.0 || ask <= bid || last <= 0.0 {
        let item = timeout(PATIENCE, stream.next()).await.expect("ticks come").expect("and go on").expect("and can be decoded");
        let (kind, price) = match item {
            SubscriptionItem::Data(TickTypes::Price(tick)) => (tick.tick_type, tick.price),
            SubscriptionItem::Data(TickTypes::PriceSize(tick)) => (tick.price_tick_type, tick.price),
            SubscriptionItem::Data(_) => continue,
            SubscriptionItem::Notice(notice) => panic!("{notice}"),
        };
        match kind {
            TickType::Bid => bid = price,
            TickType::Ask => ask = price,
            TickType::Last => last = price,
            _ => (),
        }
    }
    last
}

/// A price on the tick.
fn cents(price: f64) -> f64 {
    (price * 100.0).round() / 100.0
}

fn gtc(order: Order) -> Order {
    Order { tif: ibapi::orders::TimeInForce::GoodTillCanceled, order_ref: "stays".to_owned(), ..order }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_with_ibapi_in_protobuf_225() {
    let mut simulator = Simulator::start("ibapi", &[]);
    let mut desk = Desk::open(simulator.port()).await;
    assert_eq!(desk.contract.contract_id, 8314);
    assert!(desk.client.server_time().await.unwrap().year() >= 2024);
    assert!(desk.client.contract_details(&Contract::stock("NOSUCH").build()).await.is_err(), "an unknown symbol has no details");
    let last = ticks(&desk).await;
    let near = |offset: f64| cents(last + offset);

    filled_in_parts(&mut desk, near(1.0)).await;
    every_type(&mut desk, &near).await;
    let stays = modified(&mut desk, &near).await;
    refused(&mut desk).await;
    account(&desk, 120.0).await;

    let before = executions(&desk).await;
    assert_eq!(before.len(), desk.executions.len());
    let perm = desk.last(stays).unwrap().perm_id;
    simulator.kill();
    timeout(PATIENCE, connected(&desk.client)).await.expect("it comes back");
    came_back(&mut desk, perm, &before, near(-1.0)).await;
    let status = simulator.order("status");
    assert!(status.contains("clients 9 "), "{status}");
}

/// Waits until the client, which connects again by itself, is answered.
async fn connected(client: &Client) {
    loop {
        client.wait_connected().await.unwrap();
        match client.server_time().await {
            Ok(_) => return,
            // It had not noticed yet.
            Err(error) if error.is_connection_lost() => (),
            Err(error) => panic!("{error}"),
        }
    }
}

/// A marketable order is filled in parts, each with its commission.
async fn filled_in_parts(desk: &mut Desk, price: f64) {
    let order_id = desk.place(order_builder::limit_order(Action::Buy, 120.0, price)).await;
    desk.status(order_id, OrderStatusKind::Filled).await;
    desk.until("commissions", |desk| desk.commissions.len() == desk.executions.len()).await;
    let fills: Vec<&Execution> = desk.executions.iter().filter(|execution| execution.order_id == order_id).collect();
    assert!(fills.len() >= 2, "{fills:?}");
    assert!((fills.iter().map(|fill| fill.shares).sum::<f64>() - 120.0).abs() < f64::EPSILON);
    assert!(fills.iter().all(|fill| desk.commissions.iter().any(|report| report.execution_id == fill.execution_id)));
    let status = desk.last(order_id).unwrap();
    assert!((status.filled - 120.0).abs() < f64::EPSILON && status.remaining.abs() < f64::EPSILON);
}

/// Every type of order that is worked, and cancels.
async fn every_type(desk: &mut Desk, near: &impl Fn(f64) -> f64) {
    let limit_offset = Order { limit_price_offset: Some(0.1), aux_price: Some(9.0), ..Order::default() };
    let trail = |kind: &str| Order {
        action: Action::Sell,
        total_quantity: 10.0,
        order_type: kind.to_owned(),
        trail_stop_price: Some(near(-9.0)),
        ..limit_offset.clone()
    };
    let held = [
        order_builder::stop(Action::Sell, 10.0, near(-9.0)),
        Order { order_type: "STP LMT".to_owned(), limit_price: Some(near(-9.5)), ..order_builder::stop(Action::Sell, 10.0, near(-9.0)) },
        trail("TRAIL"),
        trail("TRAIL LIMIT"),
        order_builder::trailing_stop(Action::Sell, 10.0, 5.0, near(-9.0)),
        order_builder::market_if_touched(Action::Buy, 10.0, near(-9.0)),
        order_builder::market_on_close(Action::Sell, 10.0),
        order_builder::limit_on_close(Action::Sell, 10.0, near(9.0)),
    ];
    let mut placed = Vec::new();
    for order in held {
        let order_id = desk.place(order).await;
        desk.status(order_id, OrderStatusKind::PreSubmitted).await;
        placed.push(order_id);
    }
    for order_id in placed {
        desk.cancel(order_id).await;
        desk.until("202", |desk| desk.notices.contains(&(Some(order_id), 202))).await;
    }
    for order in [order_builder::market_order(Action::Buy, 10.0), order_builder::market_to_limit(Action::Sell, 10.0)] {
        let order_id = desk.place(order).await;
        desk.status(order_id, OrderStatusKind::Filled).await;
    }
    bracket(desk, near).await;
}

/// The children of a bracket wait for its parent, and end with each other.
async fn bracket(desk: &mut Desk, near: &impl Fn(f64) -> f64) {
    let builder = desk.client.order(&desk.contract).buy(10).bracket();
    let ids = builder.entry_limit(near(1.0)).take_profit(near(9.0)).stop_loss(near(-9.0)).submit_all().await.unwrap();
    let (parent, profit, loss) = (ids.parent.into(), ids.take_profit.into(), ids.stop_loss.into());
    desk.status(parent, OrderStatusKind::Filled).await;
    desk.status(profit, OrderStatusKind::Submitted).await;
    desk.status(loss, OrderStatusKind::PreSubmitted).await;
    desk.cancel(profit).await;
    desk.cancel(loss).await;
    let sold = desk.place(order_builder::market_order(Action::Sell, 10.0)).await;
    desk.status(sold, OrderStatusKind::Filled).await;
}

/// New terms under the same id. The order stays.
async fn modified(desk: &mut Desk, near: &impl Fn(f64) -> f64) -> i32 {
    let order_id = desk.place(gtc(order_builder::limit_order(Action::Buy, 10.0, near(-9.0)))).await;
    desk.status(order_id, OrderStatusKind::Submitted).await;
    let changed = gtc(order_builder::limit_order(Action::Buy, 12.0, near(-8.0)));
    desk.client.submit_order(order_id, &desk.contract, &changed).await.unwrap();
    let price = near(-8.0);
    desk.until("the modification", |desk| {
        let told = desk.open.iter().rev().find(|open| open.order_id == order_id);
        told.is_some_and(|open| open.order.limit_price == Some(price) && (open.order.total_quantity - 12.0).abs() < f64::EPSILON)
    })
    .await;
    assert_eq!(desk.last(order_id).unwrap().status, OrderStatusKind::Submitted);
    order_id
}

/// What is refused, and what only asks.
async fn refused(desk: &mut Desk) {
    let off_tick = desk.place(order_builder::limit_order(Action::Buy, 10.0, 180.001)).await;
    desk.until("110", |desk| desk.notices.contains(&(Some(off_tick), 110))).await;
    let unknown = Contract::stock("NOSUCH").build();
    let order_id = desk.client.next_order_id();
    desk.client.submit_order(order_id, &unknown, &order_builder::limit_order(Action::Buy, 1.0, 1.0)).await.unwrap();
    desk.until("200", |desk| desk.notices.contains(&(Some(order_id), 200))).await;
    let asks = desk.place(order_builder::what_if_limit_order(Action::Buy, 1000.0, 180.0)).await;
    desk.until("the preview", |desk| desk.open.iter().any(|open| open.order_id == asks)).await;
    let state: &OrderState = &desk.open.iter().find(|open| open.order_id == asks).unwrap().order_state;
    assert_eq!((state.commission, state.initial_margin_change), (Some(5.0), Some(90_000.0)));
}

/// Positions, values, summary, profit and loss.
async fn account(desk: &Desk, held: f64) {
    let rows = list(desk.client.positions().await.unwrap(), |row| matches!(row, PositionUpdate::PositionEnd)).await;
    let [PositionUpdate::Position(position)] = rows.as_slice() else { panic!("{rows:?}") };
    assert!((position.position - held).abs() < f64::EPSILON && position.average_cost > 100.0, "{position:?}");
    let account = AccountId(ACCOUNT.to_owned());
    let rows = list(desk.client.account_updates(&account).await.unwrap(), |row| matches!(row, AccountUpdate::End)).await;
    let value = |wanted: &str| {
        rows.iter().find_map(|row| match row {
            AccountUpdate::AccountValue(value) if value.key == wanted => value.value.parse::<f64>().ok(),
            _ => None,
        })
    };
    assert!(value("NetLiquidation").is_some_and(|value| value > 900_000.0));
    assert_eq!(rows.iter().filter(|row| matches!(row, AccountUpdate::PortfolioValue(_))).count(), 1);
    let tags = [AccountSummaryTags::NET_LIQUIDATION, AccountSummaryTags::BUYING_POWER];
    let summary = desk.client.account_summary(&AccountGroup("All".to_owned()), &tags).await.unwrap();
    let rows = list(summary, |row| matches!(row, AccountSummaryResult::End)).await;
    assert_eq!(rows.len(), 2, "{rows:?}");
    let mut pnl = desk.client.pnl(&account, None).await.unwrap();
    let Some(Ok(SubscriptionItem::Data(row))) = timeout(PATIENCE, pnl.next()).await.expect("profit and loss come") else { panic!() };
    assert!(row.daily_pnl.is_finite(), "{row:?}");
}

/// Executions by id.
async fn executions(desk: &Desk) -> Vec<(String, f64)> {
    let rows = list(desk.client.executions(ExecutionFilter::default()).await.unwrap(), |_| false).await;
    let commissions = rows.iter().filter(|row| matches!(row, Executions::CommissionReport(_))).count();
    let found: Vec<(String, f64)> = rows
        .into_iter()
        .filter_map(|row| match row {
            Executions::ExecutionData(data) => Some((data.execution.execution_id, data.execution.shares)),
            Executions::CommissionReport(_) => None,
        })
        .collect();
    assert_eq!(commissions, found.len());
    found
}

/// Everything is there again, and the stream of before goes on.
async fn came_back(desk: &mut Desk, perm: i64, before: &[(String, f64)], price: f64) {
    let rows = list(desk.client.all_open_orders().await.unwrap(), |_| false).await;
    let open: Vec<&OrderData> = rows.iter().filter_map(|row| if let Orders::OrderData(data) = row { Some(data) } else { None }).collect();
    assert_eq!(open.iter().map(|data| (data.order.perm_id, data.order.order_ref.as_str())).collect::<Vec<_>>(), [(perm, "stays")]);
    assert_eq!(executions(desk).await, before);
    let rows = list(desk.client.completed_orders(false).await.unwrap(), |_| false).await;
    assert!(rows.len() >= 10, "{}", rows.len());
    account(desk, 120.0).await;
    let order_id = desk.place(order_builder::limit_order(Action::Sell, 20.0, price)).await;
    desk.status(order_id, OrderStatusKind::Filled).await;
    desk.cancel(open.first().unwrap().order_id).await;
}
