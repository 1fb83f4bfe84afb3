//! What the desk has booked at a gateway of Interactive Brokers, for the reconciliation.

use oms_engine::State;
use oms_engine::state::Entry;
use oms_ib::codec::Contract;
use oms_ib::connector::contract::{Exchanges, contract};
use oms_ib::port::Books;
use oms_ib::reconcile::sides::{ContractName, DeskAsked, DeskOrder, DeskPosition, DeskSide, ExecutionView, OrderView, Worth, root};
use oms_model::command::OrderRef;
use oms_model::instrument::Instrument;
use oms_model::{ExecType, InstrumentId, Mic, Order, OrderId, Price, Qty, Seq};
use oms_runtime::Handle;
use oms_store::views::{ExecutionRow, ViewReader};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long the views may take to know what the books know.
const PATIENCE: Duration = Duration::from_secs(5);

/// The desk's books at one venue: orders from the hot state, executions from the views once these are as new.
pub(super) struct DeskBooks {
    pub handle: Handle,
    pub views: ViewReader,
    pub venue: Mic,
    pub exchanges: Exchanges,
}

/// A leg as it is compared, without its contract.
struct Leg {
    order_id: OrderId,
    instrument: InstrumentId,
    view: OrderView,
    is_moving: bool,
}

/// What the hot state has.
struct Hot {
    seq: Seq,
    legs: Vec<Leg>,
    suspense: Vec<String>,
    dismissed: Vec<String>,
}

fn view(order: &Order) -> OrderView {
    OrderView { order_qty: order.order_qty, cum_qty: order.cum_qty, price: order.price, is_working: !order.state.is_done() }
}

fn leg(entry: &Entry) -> Leg {
    let order = &entry.order;
    // One in doubt is not on its way any more: nobody knows where it is.
    let is_moving = entry.is_unanswered() && order.extras.doubt.is_none();
    Leg { order_id: order.order_id, instrument: order.instrument_id, view: view(order), is_moving }
}

fn hot(state: &State, venue: Mic) -> Hot {
    let name = |exec_id: &oms_model::ExecId| root(exec_id.as_str()).0.to_owned();
    Hot {
        seq: state.last_seq(),
        legs: state.orders().filter(|entry| entry.order.venue == Some(venue)).map(leg).collect(),
        suspense: state.suspense().filter(|one| one.venue == venue).map(|one| name(&one.exec_id)).collect(),
        dismissed: state.dismissals().filter(|one| one.venue == venue).map(|one| name(&one.exec_id)).collect(),
    }
}

/// The executions at the venue, and what they come to.
#[derive(Default)]
struct Done {
    rows: Vec<ExecutionRow>,
    held: BTreeMap<InstrumentId, (Qty, Price)>,
}

impl Done {
    fn take(&mut self, row: &ExecutionRow, asked: &DeskAsked) {
        if row.exec_type == ExecType::TradeCancel {
            return;
        }
        let one = &row.execution;
        let held = self.held.entry(one.instrument_id).or_default();
        let signed = if one.side.is_buy() { one.last_qty } else { one.last_qty.negated() };
        *held = (held.0.saturating_add(signed), one.last_px);
        if asked.since <= one.transact_time || asked.roots.contains(root(one.exec_id.as_str()).0) {
            self.rows.push(row.clone());
        }
    }
}

impl Books for DeskBooks {
    fn read(&self, asked: &DeskAsked) -> Result<DeskSide, String> {
        let venue = self.venue;
        let mut hot = self.handle.inspect_blocking(move |state, _| hot(state, venue)).map_err(|refusal| refusal.message)?;
        let failed = |error: oms_store::views::ViewError| format!("the views: {error}");
        self.views.wait_for(hot.seq, PATIENCE).map_err(failed)?;
        let known: BTreeSet<OrderId> = hot.legs.iter().map(|leg| leg.order_id).collect();
        for order_id in asked.orders.difference(&known) {
            // One that has ended long ago.
            if let Some(order) = self.views.order(&OrderRef::Id(*order_id)).map_err(failed)? {
                let (order_id, instrument) = (order.order_id, order.instrument_id);
                hot.legs.push(Leg { order_id, instrument, view: view(&order), is_moving: false });
            }
        }
        let mut done = Done::default();
        self.views.executions_at(venue, |row| done.take(row, asked)).map_err(failed)?;
        let names = self.names(hot.legs.iter().map(|leg| leg.instrument).chain(done.held.keys().copied()).collect())?;
        Ok(side(hot, &done, &names))
    }
}

type Names = BTreeMap<InstrumentId, (ContractName, Worth)>;

impl DeskBooks {
    /// What the broker calls instruments.
    fn names(&self, wanted: BTreeSet<InstrumentId>) -> Result<Names, String> {
        let read = move |state: &State| wanted.iter().filter_map(|id| state.instrument(*id).cloned()).collect::<Vec<Instrument>>();
        let listed = self.handle.inspect_blocking(move |state, _| read(state)).map_err(|refusal| refusal.message)?;
        let name = |instrument: &Instrument| {
            // One that the broker has no contract for never left; what a person booked of it is shown by its own name.
            let named = contract(instrument, &self.exchanges).unwrap_or_else(|_| Contract {
                symbol: instrument.symbol.as_str().to_owned(),
                sec_type: instrument.asset_class.as_str().to_owned(),
                currency: instrument.currency.as_str().to_owned(),
                ..Contract::default()
            });
            (instrument.instrument_id, (ContractName::of(&named), Worth::of(&named)))
        };
        Ok(listed.iter().map(name).collect())
    }
}

fn side(hot: Hot, done: &Done, names: &Names) -> DeskSide {
    let mut side = DeskSide { suspense: hot.suspense, dismissed: hot.dismissed, ..DeskSide::default() };
    for leg in hot.legs {
        if let Some((contract, worth)) = names.get(&leg.instrument).cloned() {
            side.orders.insert(leg.order_id, DeskOrder { view: leg.view, contract, worth, is_moving: leg.is_moving });
        }
    }
    for row in &done.rows {
        let one = &row.execution;
        if let Some((contract, worth)) = names.get(&one.instrument_id).cloned() {
            let (is_buy, order_id) = (one.side.is_buy(), Some(one.order_id));
            let view = ExecutionView { is_buy, qty: one.last_qty, price: one.last_px, contract, worth, order_id };
            side.executions.entry(root(one.exec_id.as_str()).0.to_owned()).or_default().push(view);
        }
    }
    for (instrument, (qty, last_px)) in &done.held {
        if let Some((contract, worth)) = names.get(instrument).cloned() {
            let held = side.positions.entry(contract).or_insert(DeskPosition { qty: Qty::ZERO, last_px: *last_px, worth });
            held.qty = held.qty.saturating_add(*qty);
        }
    }
    side
}
