//! The engine: one input in, one batch of events out.

use crate::config::Config;
use crate::decide;
use crate::input::{Input, InputBody, Preview};
use crate::state::State;
use crate::step::Step;
use oms_model::command::{Actor, Command, CommandOutcome, NewOrder};
use oms_model::event::{Batch, Event, IdempotencyRecorded, IdempotentResult};
use oms_model::limit::Scope;
use oms_model::market::Market;
use oms_model::{Code, CommandId, EndedBy, InstrumentId, OrderId, Refusal, Seq, Time, TraceId};
use std::collections::{BTreeMap, VecDeque};

/// The most turns in which the readers of a batch answer each other.
const MAX_TURNS: usize = 4096;

/// Where decisions read the market.
pub trait Markets {
    /// Copies the market in `instrument` into `market`, keeping its memory.
    fn get_into(&self, instrument: InstrumentId, market: &mut Market);
}

/// What the engine may not find out for itself.
pub struct Context<'a> {
    /// The time.
    pub now: Time,
    /// The market.
    pub markets: &'a dyn Markets,
}

/// What came of an input.
#[derive(Clone, Debug)]
pub struct Output {
    /// The facts, already folded. Without events there is nothing to store.
    pub batch: Batch,
    /// The answer to a command; `None` for other inputs.
    pub outcome: Option<CommandOutcome>,
    /// The command was answered before, in the batch that begins here; `batch` has no events.
    pub replay_of: Option<Seq>,
}

/// The state with the rules that change it.
pub struct Engine {
    pub(crate) state: State,
    pub(crate) config: Config,
    pub(crate) market: Market,
    /// Scopes whose working orders are being canceled, a bounded number at a time. Not part of the state:
    /// it is made again from the engaged kill switches.
    pub(crate) sweeps: VecDeque<(Scope, EndedBy)>,
    /// Instruments whose market moved and whose orders were not all looked at yet. Not part of the state: the next
    /// move of the market asks again.
    pub(crate) moved: VecDeque<Moved>,
    /// When positions are valued at the market next, and from behind which instrument. Not part of the state either:
    /// what is found is.
    pub(crate) marking: Option<(Time, Option<InstrumentId>)>,
    /// When prices are compared with prior closes next, and from behind which instrument. Not part of the state either.
    pub(crate) short_sales: Option<(Time, Option<InstrumentId>)>,
    /// Heartbeats that came since the last recorded one of their dead-man switches. Not part of the state either: what
    /// follows from them is, and after a restart each switch gets a full timeout.
    pub(crate) beats: BTreeMap<Scope, Time>,
}

/// How far the orders that watch an instrument were looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved {
    pub(crate) instrument: InstrumentId,
    /// The last one that was looked at.
    pub(crate) after: Option<OrderId>,
    /// The market moved again meanwhile: once the last one was looked at, all of them are again.
    pub(crate) again: bool,
}

impl Engine {
    /// An engine that goes on from `state`.
    #[must_use]
    pub fn new(state: State, config: Config) -> Self {
        Self {
            state,
            config,
            market: Market::default(),
            sweeps: VecDeque::new(),
            moved: VecDeque::new(),
            marking: None,
            short_sales: None,
            beats: BTreeMap::new(),
        }
    }

    /// The state, with everything decided so far folded in.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// When the engine wants an [`InputBody::Timer`]; `None` where nothing is due ever.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        if !self.sweeps.is_empty() || !self.moved.is_empty() {
            return Some(Time(i64::MIN));
        }
        let marking = self.marking.map(|(at, _)| at);
        let dead_man = self.state.risk().next_dead_man();
        let short_sales = self.short_sales.map(|(at, _)| at);
        [self.state.next_timer(), marking, short_sales, dead_man].into_iter().flatten().min()
    }

    /// Decides what follows from `input` and folds it.
    pub fn step(&mut self, input: Input, context: &Context<'_>) -> Output {
        let Input { command_id, actor, trace_id, body } = input;
        let mut step = Step::new(self, context);
        let (outcome, replay_of) = match body {
            InputBody::Command { command, idempotency } => {
                let known = idempotency.and_then(|id| step.state().idempotent(&id).map(|found| (id, found)));
                match known {
                    Some((id, (fingerprint, seq))) if fingerprint == id.fingerprint_head() => (None, Some(seq)),
                    Some(_) => (Some(CommandOutcome::Refused(other_payload())), None),
                    None => {
                        let outcome = command_outcome(&mut step, &actor, command);
                        // What follows stands before the record, which is the last event of a batch.
                        follow(&mut step);
                        if let Some(id) = idempotency {
                            let result = stored(&outcome);
                            let record = IdempotencyRecorded { key: id.key, fingerprint: id.fingerprint, result };
                            step.emit(Event::IdempotencyRecorded(Box::new(record)));
                        }
                        (Some(outcome), None)
                    }
                }
            }
            InputBody::Report(report) => {
                decide::report::report(&mut step, report);
                (None, None)
            }
            InputBody::Timer => {
                decide::timer::timer(&mut step);
                (None, None)
            }
            InputBody::Market(instrument) => {
                decide::timer::market(&mut step, instrument);
                (None, None)
            }
            InputBody::Recovered => {
                decide::timer::recovered(&mut step);
                (None, None)
            }
        };
        if outcome.is_none() {
            follow(&mut step);
        }
        Output { batch: step.finish(command_id, actor, trace_id), outcome, replay_of }
    }

    /// What would happen to `order`, without placing it.
    pub fn preview(&mut self, actor: &Actor, order: &NewOrder, context: &Context<'_>) -> Preview {
        decide::create::preview(&mut Step::new(self, context), actor, order)
    }

    /// Folds a stored batch, at recovery.
    pub fn replay(&mut self, batch: &Batch) {
        self.state.fold(batch);
    }

    /// An input of the system itself, for [`InputBody::Timer`] and [`InputBody::Recovered`].
    #[must_use]
    pub fn system_input(&self, command_id: CommandId, body: InputBody) -> Input {
        let source = if body == InputBody::Timer { oms_model::Source::Timer } else { oms_model::Source::System };
        let actor = Actor { tenant_id: self.state.tenant_id(), source, ..Actor::default() };
        Input { command_id, actor, trace_id: TraceId::default(), body }
    }
}

/// What follows from the events of a batch, and from those that follow from them: each is read once by each reader. It
/// comes to an end as [`decide::follow::follow`] does; a batch has no room for more turns than orders.
fn follow(step: &mut Step<'_>) {
    let (mut measured, mut worked, mut held) = (0, 0, 0);
    for _ in 0..MAX_TURNS {
        let before = step.event_count();
        measured = decide::in_flight::follow(step, measured);
        worked = decide::follow::follow(step, worked);
        decide::group::follow(step);
        held = decide::hold::follow(step, held);
        if step.event_count() == before {
            break;
        }
    }
    decide::breaker::follow(step);
    decide::kill::follow(step);
}

fn other_payload() -> Refusal {
    Refusal::new(Code::IdempotencyConflict, "the idempotency key was used with another payload")
}

fn stored(outcome: &CommandOutcome) -> IdempotentResult {
    let mut result = IdempotentResult::default();
    match outcome {
        CommandOutcome::Orders(placed) => result.placed.clone_from(placed),
        CommandOutcome::Pending { orders } => result.pending.clone_from(orders),
        CommandOutcome::QuoteRequested { quote_req_id } => result.quote_req_id = Some(*quote_req_id),
        CommandOutcome::QuoteReceived { quote_id } => result.quote_id = Some(*quote_id),
        CommandOutcome::Done => (),
        CommandOutcome::Refused(refusal) => result.refused = Some(refusal.clone()),
    }
    result
}

/// The outcome that a stored batch came to: the same that was answered when it was decided.
/// `None` where the batch holds no idempotency record.
#[must_use]
pub fn outcome_of(batch: &Batch) -> Option<CommandOutcome> {
    let Some(Event::IdempotencyRecorded(record)) = batch.events.last() else { return None };
    let result = &record.result;
    Some(if let Some(refusal) = &result.refused {
        CommandOutcome::Refused(refusal.clone())
    } else if !result.placed.is_empty() {
        CommandOutcome::Orders(result.placed.clone())
    } else if !result.pending.is_empty() {
        CommandOutcome::Pending { orders: result.pending.clone() }
    } else if let Some(quote_req_id) = result.quote_req_id {
        CommandOutcome::QuoteRequested { quote_req_id }
    } else if let Some(quote_id) = result.quote_id {
        CommandOutcome::QuoteReceived { quote_id }
    } else {
        CommandOutcome::Done
    })
}

fn command_outcome(step: &mut Step<'_>, actor: &Actor, command: Command) -> CommandOutcome {
    match command {
        Command::CreateOrder(order) => {
            step.expect_order();
            CommandOutcome::Orders(vec![decide::create::create(step, actor, &order)])
        }
        Command::CreateOrders { orders, atomic } => decide::create::create_many(step, actor, &orders, atomic),
        Command::CancelOrder { order, if_version } => decide::cancel::cancel(step, actor, &order, if_version),
        Command::ReplaceOrder { order, change, if_version } => decide::replace::replace(step, actor, &order, &change, if_version),
        Command::AcceptOrder { order, if_version } => decide::care::accept(step, actor, &order, if_version),
        Command::ClaimOrder { order, if_version } => decide::care::claim(step, actor, &order, if_version),
        Command::PassOrder { order, to, text, if_version } => decide::care::pass(step, actor, &order, to, text, if_version),
        Command::SplitOrder { order, parts, if_version } => decide::care::split(step, actor, &order, &parts, if_version),
        Command::ReleaseOrder { order, if_version } => decide::care::release(step, actor, &order, if_version),
        Command::SuspendOrder { order, if_version } => decide::suspend::suspend(step, actor, &order, if_version),
        Command::ResumeOrder { order, if_version } => decide::suspend::resume(step, actor, &order, if_version),
        Command::CreateOrderList { orders, contingency, arm } => decide::create::create_list(step, actor, &orders, contingency, arm),
        Command::Named { cl_ord_id, request } => decide::named::named(step, actor, cl_ord_id, *request),
        Command::CancelOrders { orders } => decide::cancel::cancel_orders(step, orders),
        Command::MassCancel { scope } => decide::cancel::mass_cancel(step, scope),
        Command::EngageKillSwitch { scope, reason } => decide::admin::engage(step, scope, reason),
        Command::ReleaseKillSwitch { scope, reason } => decide::admin::release(step, scope, reason),
        Command::SetTradingState { scope, state, reason } => decide::admin::set_trading_state(step, scope, state, reason),
        Command::SetRiskLimit(limit) => decide::admin::set_limit(step, limit),
        Command::RemoveRiskLimit(key) => decide::admin::remove_limit(step, key),
        Command::Risk(command) => decide::risk::change(step, actor, *command),
        Command::SetSorPolicy(policy) => decide::admin::set_policy(step, *policy),
        Command::ConfigureVenue(venue) => decide::admin::configure_venue(step, *venue),
        Command::ListInstrument(instrument) => decide::admin::list_instrument(step, *instrument),
        Command::RequestQuote(new) => decide::quote::request(step, actor, &new),
        Command::CancelQuoteRequest { quote_req_id } => decide::quote::cancel_request(step, quote_req_id),
        Command::SubmitQuote(new) => decide::quote::submit(step, &new),
        Command::WithdrawQuote { quote_id, dealer, text } => decide::quote::withdraw(step, quote_id, dealer, &text),
        Command::AcceptQuote { quote_id, side, order_qty, cl_ord_id } => {
            decide::quote::accept(step, actor, quote_id, side, order_qty, cl_ord_id)
        }
        Command::SetNav { symbol, nav, as_of } => decide::valued::set_nav(step, &symbol, nav, as_of),
        Command::OpenAccount(account) => decide::admin::open_account(step, account),
        Command::CreateTenant { tenant_id, slug } => decide::admin::create_tenant(step, tenant_id, slug),
        Command::CreateApiKey { api_key_id, user_id, prefix, sha256 } => {
            decide::admin::create_api_key(step, api_key_id, user_id, prefix, sha256)
        }
        Command::CreateExecution(new) => decide::execution::create(step, *new),
        Command::CorrectExecution { execution, correction, reason } => decide::execution::correct(step, &execution, &correction, reason),
        Command::ReverseExecution { execution, reversal, reason } => decide::execution::reverse(step, &execution, reversal, reason),
        Command::DismissSuspense { venue, exec_id, reason } => decide::execution::dismiss(step, venue, exec_id, reason),
        Command::SetFxRate { from, to, rate } => decide::day::set_fx_rate(step, from, to, rate),
        Command::SetCostMethod(method) => decide::day::set_cost_method(step, method),
        Command::GroupOrders(new) => decide::group::group(step, actor, &new),
        Command::UngroupOrders { group, reason } => decide::group::ungroup(step, &group, reason),
        Command::ProposeAllocation { group } => decide::group::propose(step, actor, &group),
        Command::ApproveAllocation { alloc_id } => decide::group::approve(step, actor, alloc_id),
        Command::RejectAllocation { alloc_id, reason } => decide::group::reject(step, actor, alloc_id, reason),
        Command::CloseDay { day } => decide::day::close(step, day),
    }
}
