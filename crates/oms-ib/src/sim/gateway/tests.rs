mod faults;
mod orders;
mod sessions;

use super::*;
use crate::codec::{CancelOrder, Contract, Number, Order, OrderCancel, PlaceOrder, Size, StartApi};
use crate::sim::faults::Command;

const MS: i64 = 1_000_000;
const SECOND: i64 = 1_000 * MS;
/// Noon of a day, so that no test runs over midnight.
const NOON: Time = Time(1_795_780_800 * SECOND);

/// A gateway on a market that moves a tick each second, fifty shares on each side, and everything that it says.
struct Desk {
    gateway: Gateway,
    now: Time,
}

fn ibm() -> Contract {
    let text = |text: &str| text.to_owned();
    Contract { symbol: text("IBM"), sec_type: text("STK"), exchange: text("SMART"), currency: text("USD"), ..Contract::default() }
}

fn number(text: &str) -> Number {
    text.parse().unwrap()
}

fn limit(action: &str, quantity: i64, price: &str) -> Order {
    Order {
        action: action.to_owned(),
        quantity: Size(Number::whole(quantity)),
        order_type: "LMT".to_owned(),
        limit: Some(number(price)),
        transmit: true,
        ..Order::default()
    }
}

impl Desk {
    fn new() -> Self {
        Self::on(None, NOON)
    }

    fn on(folder: Option<PathBuf>, start: Time) -> Self {
        let config = GatewayConfig { folder, ..GatewayConfig::new(stage::ibm(600), start) };
        let mut desk = Self { gateway: Gateway::open(config).unwrap(), now: start };
        desk.run(SECOND);
        desk
    }

    /// What is told until so much time has passed.
    fn run(&mut self, ns: i64) -> Vec<Told> {
        let until = self.now.plus(ns);
        let mut told = Vec::new();
        loop {
            self.gateway.advance(self.now);
            while let Some(one) = self.gateway.poll() {
                told.push(one);
            }
            match self.gateway.next_due().filter(|due| *due <= until) {
                Some(due) => self.now = self.now.max(due),
                None if self.now == until => return told,
                None => self.now = until,
            }
        }
    }

    /// As [`Desk::run`], what one session is told, in words.
    fn words(&mut self, session: SessionId, ns: i64) -> Vec<String> {
        let told = self.run(ns);
        told.into_iter()
            .filter_map(|told| match told {
                Told::Reply(to, reply) | Told::Answer(to, reply) if to == session => words(&reply),
                Told::Close(whom) if whom == session => Some("closed".to_owned()),
                _ => None,
            })
            .collect()
    }

    /// A session that has begun.
    fn client(&mut self, client_id: i32) -> SessionId {
        let session = self.gateway.connected(self.now);
        self.ask(session, Request::StartApi(StartApi { client_id, capabilities: String::new() }));
        self.run(MS);
        session
    }

    fn ask(&mut self, session: SessionId, request: Request) {
        self.gateway.request(self.now, session, request);
    }

    fn place(&mut self, session: SessionId, order_id: i32, order: Order) {
        self.ask(session, Request::PlaceOrder(PlaceOrder { order_id, contract: ibm(), order }));
    }

    fn cancel(&mut self, session: SessionId, order_id: i32) {
        self.ask(session, Request::CancelOrder(CancelOrder { order_id, cancel: OrderCancel::default() }));
    }

    fn order(&mut self, line: &str) -> String {
        let now = self.now;
        self.gateway.command(now, line.parse::<Command>().unwrap()).unwrap()
    }
}

/// What matters of a reply; nothing of market data and account values.
fn words(reply: &Reply) -> Option<String> {
    Some(match reply {
        Reply::OpenOrder(row) => format!("open {} {}", row.order_id, row.state.status),
        Reply::OrderStatus(row) => {
            let held = if row.why_held.is_empty() { String::new() } else { format!(" ({})", row.why_held) };
            format!("status {} {} {}/{}{held}", row.order_id, row.status, row.filled, row.remaining)
        }
        Reply::Execution(row) => format!("execution {} {} {}", row.execution.order_id, row.execution.side, row.execution.shares),
        Reply::Commission(row) => format!("commission {}", row.amount),
        Reply::Notice(notice) => format!("notice {} {}", notice.id, notice.code),
        Reply::NextValidId(next) => format!("next id {}", next.order_id),
        Reply::ManagedAccounts(accounts) => format!("accounts {}", accounts.accounts),
        Reply::OpenOrdersEnd(_) => "end of open orders".to_owned(),
        Reply::CompletedEnd(_) => "end of completed orders".to_owned(),
        Reply::ExecutionsEnd(_) => "end of executions".to_owned(),
        Reply::PositionsEnd(_) => "end of positions".to_owned(),
        Reply::Position(row) => format!("position {}", row.position),
        Reply::CompletedOrder(row) => format!("completed {}", row.state.completed_status),
        Reply::CurrentTime(_) => "time".to_owned(),
        Reply::OrderBound(bound) => format!("bound {}", bound.order_id),
        _ => return None,
    })
}

/// Whether the words come in this order, whatever is between them.
#[track_caller]
fn follows(said: &[String], wanted: &[&str]) {
    let mut rest = said.iter();
    for word in wanted {
        assert!(rest.any(|said| said == word), "{word:?} is missing, or too early, in {said:#?}");
    }
}

fn count(said: &[String], word: &str) -> usize {
    said.iter().filter(|said| said.starts_with(word)).count()
}
