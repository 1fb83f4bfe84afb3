//! Folds events into rows. Several changes of one order or position within a transaction are one row write.

use std::cell::Cell;

use oms_model::event::{ExecutionRecorded, OrderCreated};
use oms_model::instrument::Instrument;
use oms_model::limit::LimitKey;
use oms_model::position::Position;
use oms_model::{AccountId, Batch, Event, InstrumentId, Order, OrderId, Seq, Symbol, Time};
use rusqlite::Connection;

use super::error::ViewError;
use super::hot::{Hot, IdMap};
use super::rows::{self, OrderRow, Rows};
use super::runs::Concerns;

/// Changed orders that are held back at most before their rows are written, within one transaction.
const MAX_UNWRITTEN: usize = 16_384;
/// Events of orders that are held back at most.
const MAX_UNWRITTEN_EVENTS: usize = 4 * MAX_UNWRITTEN;

struct HotOrder {
    row: OrderRow,
    /// Whether it is listed as changed.
    changed: Cell<bool>,
}

struct HotPosition {
    position: Position,
    changed: bool,
}

/// What is kept in memory between transactions; always equal to the committed rows then.
pub(super) struct Fold {
    orders: Hot<OrderId, HotOrder>,
    positions: Hot<(AccountId, InstrumentId), HotPosition>,
    symbols: IdMap<InstrumentId, Symbol>,
    /// Changed orders that have no rows yet, in the order of their creation.
    created_orders: Vec<OrderId>,
    /// Changed orders that have rows.
    changed_orders: Vec<OrderId>,
    changed_positions: Vec<(AccountId, InstrumentId)>,
    events: Vec<Concerns>,
}

impl Fold {
    /// An empty memory that holds about `hot` orders at most, and as many positions.
    pub(super) fn new(conn: &Connection, hot: usize) -> Result<Self, ViewError> {
        Ok(Self {
            orders: Hot::new(hot / 2),
            positions: Hot::new(hot / 2),
            symbols: rows::symbols(conn)?,
            created_orders: Vec::new(),
            changed_orders: Vec::new(),
            changed_positions: Vec::new(),
            events: Vec::new(),
        })
    }

    /// Forgets everything, because the transaction was undone.
    pub(super) fn forget(&mut self, conn: &Connection) -> Result<(), ViewError> {
        self.orders.clear();
        self.positions.clear();
        self.created_orders.clear();
        self.changed_orders.clear();
        self.changed_positions.clear();
        self.events.clear();
        self.symbols = rows::symbols(conn)?;
        Ok(())
    }

    /// Drops what was not used for a while; everything is stored.
    pub(super) fn trim(&mut self) {
        self.orders.turn();
        self.positions.turn();
    }

    pub(super) fn batch(&mut self, batch: &Batch, rows: &mut Rows<'_>) -> Result<(), ViewError> {
        for (seq, event) in batch.numbered() {
            self.event(seq, batch.time, event, rows)?;
        }
        let full = self.created_orders.len() + self.changed_orders.len() >= MAX_UNWRITTEN || self.events.len() >= MAX_UNWRITTEN_EVENTS;
        if full { self.write(rows) } else { Ok(()) }
    }

    fn event(&mut self, seq: Seq, time: Time, event: &Event, rows: &mut Rows<'_>) -> Result<(), ViewError> {
        match event {
            Event::OrderCreated(e) => self.created(seq, time, e, event.code(), rows),
            Event::ExecutionRecorded(e) => {
                self.concerned(seq, time, event, rows)?;
                self.executed(seq, time, e, rows)
            }
            Event::ExecutionBusted(e) | Event::ExecutionWhacked(e) => {
                self.concerned(seq, time, event, rows)?;
                if e.last_qty.is_zero() { Ok(()) } else { rows.execution_reversed(e) }
            }
            Event::ExecutionCorrected(e) => {
                self.concerned(seq, time, event, rows)?;
                rows.execution_corrected(e)
            }
            Event::CommissionRecorded(e) => {
                self.concerned(seq, time, event, rows)?;
                rows.commission(e)
            }
            Event::SuspenseResolved(e) => {
                self.concerned(seq, time, event, rows)?;
                rows.suspense_resolved(time, e)
            }
            Event::PositionChanged(e) => {
                let hot = self.position((e.account_id, e.instrument_id), rows)?;
                hot.position.clone_from(e);
                Ok(())
            }
            Event::PositionFrozen(e) => rows.frozen(seq, e),
            Event::OrdersGrouped(e) => {
                self.concerned(seq, time, event, rows)?;
                e.members.iter().try_for_each(|member| self.changed(seq, time, member.order_id, event, rows))
            }
            Event::OrdersUngrouped(e) => {
                self.concerned(seq, time, event, rows)?;
                e.members.iter().try_for_each(|member| self.changed(seq, time, *member, event, rows))
            }
            Event::OrderAnomaly(e) => {
                self.changed(seq, time, e.order_id, event, rows)?;
                rows.anomaly(seq, time, e)
            }
            Event::ExecutionUnmatched(e) => rows.suspense(seq, time, e),
            Event::InstrumentListed(e) => self.listed(e, rows),
            Event::RiskLimitSet(e) => rows.limit_changed(seq, e.key()),
            Event::RiskLimitRemoved(e) => {
                rows.limit_changed(seq, LimitKey { limit_type: e.limit_type, scope: e.scope, period: e.period, soft: e.soft })
            }
            Event::RiskChecked(e) => {
                self.concerned(seq, time, event, rows)?;
                e.results.iter().try_for_each(|result| rows.limit_broken(seq, time, e.order_id, result))
            }
            Event::OrderRejected(_)
            | Event::RouteDecided(_)
            | Event::OrderSent(_)
            | Event::OrderStateSynced(_)
            | Event::OrderAccepted(_)
            | Event::OrderPartiallyFilled(_)
            | Event::OrderFilled(_)
            | Event::OrderCancelRequested(_)
            | Event::OrderCanceled(_)
            | Event::CancelRejected(_)
            | Event::OrderReplaceRequested(_)
            | Event::OrderReplaced(_)
            | Event::RequestNamed(_)
            | Event::ReplaceRejected(_)
            | Event::OrderExpired(_)
            | Event::OrderInDoubt(_)
            | Event::OrderOutcomeResolved(_)
            | Event::OrderSized(_)
            | Event::OrderFillAdjusted(_)
            | Event::AllocationProposed(_)
            | Event::AllocationApproved(_)
            | Event::AllocationRejected(_)
            | Event::AllocationBooked(_)
            | Event::OrderClosed(_)
            | Event::CareAccepted(_)
            | Event::CarePassed(_)
            | Event::SagaStepped(_)
            | Event::StageStarted(_)
            | Event::StageEnded(_)
            | Event::OrderTriggered(_)
            | Event::StopMoved(_)
            | Event::SliceReleased(_)
            | Event::AlgoStepped(_)
            | Event::OrderArmed(_)
            | Event::PeerFilled(_)
            | Event::SelfMatchPrevented(_)
            | Event::OrderHeld(_)
            | Event::OrderReleased(_)
            | Event::RiskOverridden(_) => self.concerned(seq, time, event, rows),
            Event::RiskBreached(_) => self.concerned(seq, time, event, rows),
            Event::BrokerConnected(_)
            | Event::BrokerDisconnected(_)
            | Event::KillSwitchEngaged(_)
            | Event::KillSwitchReleased(_)
            | Event::TradingStateSet(_)
            | Event::SorPolicySet(_)
            | Event::VenueConfigured(_)
            | Event::AccountOpened(_)
            | Event::QuoteRequested(_)
            | Event::QuoteReceived(_)
            | Event::QuoteAccepted(_)
            | Event::QuoteExpired(_)
            | Event::QuoteWithdrawn(_)
            | Event::QuoteReplaced(_)
            | Event::QuoteRequestExpired(_)
            | Event::QuoteRequestCanceled(_)
            | Event::NavSet(_)
            | Event::TenantCreated(_)
            | Event::ApiKeyCreated(_)
            | Event::FxRateSet(_)
            | Event::DayClosed(_)
            | Event::CostMethodSet(_)
            | Event::RestrictionSet(_)
            | Event::RestrictionRemoved(_)
            | Event::LocateSet(_)
            | Event::ShortSaleStateSet(_)
            | Event::SelfMatchRuleSet(_)
            | Event::StrategyEnvelopeSet(_)
            | Event::ThrottleTripped(_)
            | Event::ThrottleReset(_)
            | Event::PositionsMarked(_)
            | Event::RiskCurrencySet(_)
            | Event::LimitRequired(_)
            | Event::KillSwitchConfirmed(_)
            | Event::BreakerSet(_)
            | Event::BreakerRemoved(_)
            | Event::BreakerMoved(_)
            | Event::ShadowRulesSet(_)
            | Event::ShadowRulesRemoved(_)
            | Event::ShadowRulesPromoted(_)
            | Event::OverrideGranted(_)
            | Event::OverrideConsented(_)
            | Event::OverrideRevoked(_)
            | Event::OverrideExpired(_)
            | Event::OverrideRuleSet(_)
            | Event::LimitScheduled(_)
            | Event::LimitScheduleMoved(_)
            | Event::RiskImported(_)
            | Event::InFlightRuleSet(_)
            | Event::DeadManArmed(_)
            | Event::DeadManBeat(_)
            | Event::DeadManDisarmed(_)
            | Event::DeadManFired(_)
            | Event::PriceBandSet(_)
            | Event::PriceBandRemoved(_)
            | Event::ShortSaleTriggered(_)
            | Event::PriorCloseSet(_)
            | Event::IdempotencyRecorded(_) => Ok(()),
        }
    }

    fn created(&mut self, seq: Seq, time: Time, e: &OrderCreated, kind: u16, rows: &mut Rows<'_>) -> Result<(), ViewError> {
        let mut root_seq = seq;
        if let Some(parent_id) = e.parent_order_id {
            let parent = self.changing(seq, parent_id, rows)?;
            parent.order.children.push(e.order_id);
            root_seq = parent.root_seq;
        }
        let row = OrderRow { order: Order::create(e, seq, time), root_seq, last_seq: seq };
        self.orders.put(e.order_id, HotOrder { row, changed: Cell::new(true) });
        self.created_orders.push(e.order_id);
        self.events.push(Concerns { root: root_seq, seq, order: seq, kind });
        Ok(())
    }

    /// An event of an order, where it is about one.
    fn concerned(&mut self, seq: Seq, time: Time, event: &Event, rows: &mut Rows<'_>) -> Result<(), ViewError> {
        match event.order_id() {
            Some(order_id) => self.changed(seq, time, order_id, event, rows),
            None => Ok(()),
        }
    }

    fn changed(&mut self, seq: Seq, time: Time, order_id: OrderId, event: &Event, rows: &mut Rows<'_>) -> Result<(), ViewError> {
        let row = self.changing(seq, order_id, rows)?;
        row.order.apply(event, time);
        row.last_seq = seq;
        let concerns = Concerns { root: row.root_seq, seq, order: row.order.created_seq, kind: event.code() };
        self.events.push(concerns);
        Ok(())
    }

    fn executed(&mut self, seq: Seq, time: Time, e: &ExecutionRecorded, rows: &mut Rows<'_>) -> Result<(), ViewError> {
        rows.execution(seq, time, self.symbol(e.instrument_id), e)?;
        // Where it is not simply the last one, a `PositionChanged` follows.
        let hot = self.position((e.account_id, e.instrument_id), rows)?;
        hot.position.book(e.side.is_buy(), e.last_qty, e.last_px, e.fee);
        Ok(())
    }

    /// A position that is being changed.
    fn position(&mut self, key: (AccountId, InstrumentId), rows: &mut Rows<'_>) -> Result<&mut HotPosition, ViewError> {
        let hot = self.positions.get_or(key, || {
            let (account_id, instrument_id) = key;
            let stored = rows.position(account_id, instrument_id)?;
            let position = stored.unwrap_or_else(|| Position { account_id, instrument_id, ..Position::default() });
            Ok::<_, ViewError>(HotPosition { position, changed: false })
        })?;
        if !hot.changed {
            hot.changed = true;
            self.changed_positions.push(key);
        }
        Ok(hot)
    }

    fn listed(&mut self, instrument: &Instrument, rows: &mut Rows<'_>) -> Result<(), ViewError> {
        // What has a row is renamed there; orders that wait for one take the symbol when they are written.
        rows.instrument(instrument, self.symbol(instrument.instrument_id))?;
        self.symbols.insert(instrument.instrument_id, instrument.symbol.clone());
        Ok(())
    }

    /// Empty for an instrument that was never listed.
    fn symbol(&self, instrument: InstrumentId) -> &str {
        self.symbols.get(&instrument).map_or("", Symbol::as_str)
    }

    /// An order that is being changed.
    fn changing(&mut self, seq: Seq, order_id: OrderId, rows: &mut Rows<'_>) -> Result<&mut OrderRow, ViewError> {
        let hot = self.orders.get_or(order_id, || {
            let row = rows.order(order_id)?.ok_or(ViewError::UnknownOrder { seq, order_id })?;
            Ok::<_, ViewError>(HotOrder { row, changed: Cell::new(false) })
        })?;
        if !hot.changed.replace(true) {
            self.changed_orders.push(order_id);
        }
        Ok(&mut hot.row)
    }

    /// Writes the rows of everything that changed.
    pub(super) fn write(&mut self, rows: &mut Rows<'_>) -> Result<(), ViewError> {
        self.events.sort_unstable();
        rows.events(&self.events)?;
        self.events.clear();
        let hot = |order_id: &OrderId| self.orders.peek(order_id);
        let symbol = |hot: &HotOrder| self.symbols.get(&hot.row.order.instrument_id).map_or("", Symbol::as_str);
        let created: Vec<&HotOrder> = self.created_orders.iter().filter_map(hot).collect();
        rows.insert_orders(created.iter().map(|hot| (&hot.row, symbol(hot))))?;
        let changed: Vec<&HotOrder> = self.changed_orders.iter().filter_map(hot).collect();
        changed.iter().try_for_each(|hot| rows.update_order(&hot.row))?;
        for hot in created.iter().chain(&changed) {
            hot.changed.set(false);
        }
        self.created_orders.clear();
        self.changed_orders.clear();
        for key in std::mem::take(&mut self.changed_positions) {
            let Some(hot) = self.positions.get(key) else { continue };
            rows.put_position(&hot.position)?;
            hot.changed = false;
        }
        Ok(())
    }
}
