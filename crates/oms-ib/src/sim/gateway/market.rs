//! Quotes, trades and ticks.

use std::collections::BTreeMap;

use oms_model::{InstrumentId, Mic, Price, Qty, Side};
use oms_venues::replay::Shown;

use super::{Gateway, SessionId};
use crate::codec::tick::{ASK, ASK_SIZE, BID, BID_SIZE, LAST, LAST_SIZE, LAST_TIME, VOLUME};
use crate::codec::{DataType, Number, Reply, RequestEnd, Size, TickParams, TickPrice, TickSize, TickString};
use crate::sim::book::size;
use crate::sim::faults::Line;
use crate::sim::stamp::seconds;

/// A price that can be traded at by machine.
const EXECUTABLE: i32 = 1;

/// What an instrument's market shows.
#[derive(Debug, Default)]
pub(super) struct Board {
    bids: BTreeMap<Mic, Shown>,
    asks: BTreeMap<Mic, Shown>,
    pub(super) last: Option<Shown>,
    volume: Qty,
}

impl Board {
    /// The best quote that a buyer (`buy`) or seller of ours meets at such a venue, and where.
    pub(super) fn against(&self, buy: bool, at: impl Fn(Mic) -> bool) -> Option<(Mic, Shown)> {
        let side = if buy { &self.asks } else { &self.bids };
        let rank = |shown: &Shown| if buy { shown.price.raw() } else { -shown.price.raw() };
        side.iter()
            .filter(|(mic, _)| at(**mic))
            .min_by_key(|(_, shown)| (rank(shown), -shown.size.raw()))
            .map(|(mic, shown)| (*mic, *shown))
    }

    /// The best price of a side and what all venues show at it.
    fn best(&self, bid: bool) -> Option<Shown> {
        let price = self.against(!bid, |_| true)?.1.price;
        let side = if bid { &self.bids } else { &self.asks };
        let total = side.values().filter(|shown| shown.price == price).fold(Qty::ZERO, |sum, shown| sum.saturating_add(shown.size));
        Some(Shown { price, size: total })
    }

    /// What positions are valued at: the last sale, else the bid.
    pub(super) fn mark(&self) -> Price {
        self.last.or_else(|| self.best(true)).map_or(Price::ZERO, |shown| shown.price)
    }
}

/// What a subscriber was last told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Subscription {
    instrument: InstrumentId,
    bid: Option<Shown>,
    ask: Option<Shown>,
    last: Option<Shown>,
    volume: Qty,
}

impl Gateway {
    pub(super) fn board(&self, instrument: InstrumentId) -> Option<&Board> {
        self.boards.get(usize::try_from(instrument.0).ok()?)
    }

    fn board_mut(&mut self, instrument: InstrumentId) -> Option<&mut Board> {
        self.boards.get_mut(usize::try_from(instrument.0).ok()?)
    }

    pub(super) fn quoted(&mut self, instrument: InstrumentId, venue: Mic, side: Side, shown: Option<Shown>) {
        let Some(board) = self.board_mut(instrument) else { return };
        let quotes = if side.is_buy() { &mut board.bids } else { &mut board.asks };
        let before = match shown {
            Some(shown) => quotes.insert(venue, shown),
            None => quotes.remove(&venue),
        };
        if before != shown {
            self.moved();
        }
    }

    pub(super) fn traded(&mut self, instrument: InstrumentId, traded: Shown, last_sale: bool) {
        let Some(board) = self.board_mut(instrument) else { return };
        board.volume = board.volume.saturating_add(traded.size);
        if last_sale {
            board.last = Some(traded);
            self.elect(instrument, traded.price);
        }
        self.moved();
    }

    /// Ticks are told at the next beat.
    fn moved(&mut self) {
        if self.next_flush.is_none() && !self.subscriptions.is_empty() {
            self.next_flush = Some(self.now.plus(self.tick_ns));
        }
    }

    pub(super) fn subscribe(&mut self, session: SessionId, req_id: i32, instrument: InstrumentId, snapshot: bool) {
        let min_tick = self.catalog.get(instrument).map(|item| Size(Number::from(item.tick)));
        let params = TickParams { req_id, min_tick, bbo_exchange: "9c0001".to_owned(), permissions: 3 };
        self.tell(session, Reply::TickParams(params));
        self.tell(session, Reply::DataType(DataType { req_id, kind: 1 }));
        let fresh = Subscription { instrument, bid: None, ask: None, last: None, volume: Qty::ZERO };
        self.subscriptions.insert((session, req_id), fresh);
        self.tell_ticks(session, req_id);
        if snapshot {
            self.subscriptions.remove(&(session, req_id));
            self.tell_end(session, Reply::SnapshotEnd(RequestEnd { req_id }));
        }
    }

    /// Tells every subscriber what changed since the last beat.
    pub(super) fn flush(&mut self) {
        self.next_flush = None;
        let keys: Vec<(SessionId, i32)> = self.subscriptions.keys().copied().collect();
        for (session, req_id) in keys {
            self.tell_ticks(session, req_id);
        }
        let pnls: Vec<(SessionId, i32, String)> = self
            .sessions
            .iter()
            .flat_map(|(id, session)| session.pnls.iter().map(|(req_id, account)| (*id, *req_id, account.clone())))
            .collect();
        for (session, req_id, account) in pnls {
            self.tell_pnl(session, req_id, &account);
        }
    }

    fn tell_ticks(&mut self, session: SessionId, req_id: i32) {
        let Some(before) = self.subscriptions.get(&(session, req_id)).cloned() else { return };
        let Some(board) = self.board(before.instrument).filter(|_| self.faults.line == Line::Up) else { return };
        let after = Subscription { bid: board.best(true), ask: board.best(false), last: board.last, volume: board.volume, ..before };
        self.tell_side(session, req_id, (BID, BID_SIZE), before.bid, after.bid);
        self.tell_side(session, req_id, (ASK, ASK_SIZE), before.ask, after.ask);
        if after.volume != before.volume || after.last != before.last {
            self.tell_side(session, req_id, (LAST, LAST_SIZE), before.last, after.last);
            self.tell(session, Reply::TickSize(TickSize { req_id, kind: VOLUME, size: size(after.volume) }));
            let value = seconds(self.now).to_string();
            self.tell(session, Reply::TickString(TickString { req_id, kind: LAST_TIME, value }));
        }
        self.subscriptions.insert((session, req_id), after);
    }

    fn tell_side(
        &mut self,
        session: SessionId,
        req_id: i32,
        (price_kind, size_kind): (i32, i32),
        before: Option<Shown>,
        after: Option<Shown>,
    ) {
        if before == after {
            return;
        }
        let price_changed = before.map(|shown| shown.price) != after.map(|shown| shown.price);
        let reply = match after {
            Some(shown) if !price_changed => Reply::TickSize(TickSize { req_id, kind: size_kind, size: size(shown.size) }),
            shown => Reply::TickPrice(TickPrice {
                req_id,
                kind: price_kind,
                price: shown.map_or(Number::whole(-1), |shown| Number::from(shown.price)),
                size: Some(size(shown.map_or(Qty::ZERO, |shown| shown.size))),
                mask: EXECUTABLE,
            }),
        };
        self.tell(session, reply);
    }
}
