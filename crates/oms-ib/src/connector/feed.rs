//! Market data: the broker's best quote of each side, and last sales.

use std::collections::{BTreeMap, VecDeque};

use oms_model::logged::Quoted;
use oms_model::{InstrumentId, Price};

use super::pace::{Class, Item};
use super::{Action, Connector, Now};
use crate::codec::tick::{ASK, ASK_SIZE, BID, BID_SIZE, LAST, LAST_SIZE};
use crate::codec::{CancelMarketData, Contract, MarketData, Notice, Number, Reply, Request};

/// Subscriptions have ids from here: apart from those of orders and of looks.
const FIRST_SUBSCRIPTION: i32 = 1_400_000_000;

/// What is subscribed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// The desk's number of it.
    pub instrument: InstrumentId,
    /// What the broker calls it.
    pub contract: Contract,
}

#[derive(Debug)]
struct Line {
    subscribed: Subscribed,
    /// The best price of each side, whose size may change alone.
    bid: Option<Price>,
    ask: Option<Price>,
    last: Option<Price>,
}

/// The subscriptions.
#[derive(Debug, Default)]
pub(super) struct Feed {
    lines: BTreeMap<i32, Line>,
    /// They are to be made in this session.
    wanted: bool,
    /// They are there, and are to be made anew so that every price is told again.
    standing: bool,
}

fn price(number: Number) -> Option<Price> {
    // -1 is the wire's word for none.
    number.price().filter(|price| price.is_positive())
}

impl Feed {
    /// Subscriptions are to be made. `standing`: the gateway has them.
    pub(super) fn begin_anew(&mut self, standing: bool) {
        (self.wanted, self.standing) = (true, standing);
    }

    /// Without the gateway there are no quotes.
    pub(super) fn lost(&mut self, out: &mut VecDeque<Action>) {
        for line in self.lines.values_mut() {
            let instrument = line.subscribed.instrument;
            for (is_bid, known) in [(true, line.bid.take()), (false, line.ask.take())] {
                out.extend(known.map(|_| Action::Quote(instrument, is_bid, None)));
            }
            line.last = None;
        }
    }

    pub(super) fn tick(&mut self, reply: &Reply, out: &mut VecDeque<Action>) {
        let (req_id, kind, told, size) = match reply {
            Reply::TickPrice(tick) => (tick.req_id, tick.kind, Some(price(tick.price)), tick.size.and_then(|size| size.0.qty())),
            Reply::TickSize(tick) => (tick.req_id, tick.kind, None, tick.size.0.qty()),
            _ => return,
        };
        let Some(line) = self.lines.get_mut(&req_id) else { return };
        let instrument = line.subscribed.instrument;
        let known = match kind {
            BID | BID_SIZE => &mut line.bid,
            ASK | ASK_SIZE => &mut line.ask,
            LAST | LAST_SIZE => &mut line.last,
            _ => return,
        };
        if let Some(told) = told {
            *known = told;
        }
        let level = known.zip(size).filter(|(_, size)| size.is_positive());
        match (kind, level) {
            (LAST, Some((price, size))) => out.push_back(Action::Trade(instrument, price, size)),
            // A size that changes alone is another trade at the price before.
            (LAST | LAST_SIZE, _) => (),
            // A price without a size is followed by its size.
            (_, None) if known.is_some() && size.is_none() => (),
            (_, level) => out.push_back(Action::Quote(instrument, matches!(kind, BID | BID_SIZE), level)),
        }
    }

    /// Something that was asked for under an id is refused.
    pub(super) fn refused(&self, notice: &Notice) {
        if let Some(line) = self.lines.get(&notice.id) {
            tracing::warn!(symbol = %line.subscribed.contract.symbol, code = notice.code, text = %Quoted(&notice.text), "no market data");
        }
    }
}

impl Connector {
    /// Subscribes to these besides those that are; each once.
    pub fn subscribe(&mut self, now: Now, more: impl IntoIterator<Item = Subscribed>) {
        self.pass(now);
        for subscribed in more {
            if self.feed.lines.values().any(|line| line.subscribed.instrument == subscribed.instrument) {
                continue;
            }
            let req_id = FIRST_SUBSCRIPTION.saturating_add(i32::try_from(self.feed.lines.len()).unwrap_or(0));
            let request = data_request(req_id, &subscribed.contract);
            self.feed.lines.insert(req_id, Line { subscribed, bid: None, ask: None, last: None });
            if !self.feed.wanted && self.link.is_working() {
                self.pace.push(Class::Data, Item::Plain(Box::new(request)));
            }
        }
        self.turn(now);
    }

    /// The session is recovered: what is subscribed to is asked for, once in a session.
    pub(super) fn subscribe_all(&mut self) {
        if !std::mem::take(&mut self.feed.wanted) {
            return;
        }
        let standing = self.feed.standing;
        let cancel = |req_id: i32| standing.then_some(Request::CancelMarketData(CancelMarketData { req_id }));
        let each = |(req_id, line): (&i32, &Line)| cancel(*req_id).into_iter().chain([data_request(*req_id, &line.subscribed.contract)]);
        let all: Vec<Request> = self.feed.lines.iter().flat_map(each).collect();
        all.into_iter().for_each(|request| self.pace.push(Class::Data, Item::Plain(Box::new(request))));
    }
}

fn data_request(req_id: i32, contract: &Contract) -> Request {
    Request::MarketData(MarketData { req_id, contract: contract.clone(), generic_ticks: String::new(), snapshot: false })
}
