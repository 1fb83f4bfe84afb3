//! Kill switch, trading state, account and instrument.

use crate::book::ScopeBook;
use crate::check::{Inquiry, pass, refuse};
use crate::position;
use oms_model::limit::{Check, CheckResult, Scope};
use oms_model::{Code, TradingState};

/// The scopes of the order and the venue that the client names. Other venues are left out by the router.
fn with_venue<'a>(inquiry: &Inquiry<'a>) -> impl Iterator<Item = (Scope, &'a ScopeBook)> {
    let venue = inquiry.order.named_venue.map(Scope::Venue);
    let known = inquiry.scopes().chain(venue.map(|scope| (scope, inquiry.book.scope(scope))));
    known.filter_map(|(scope, book)| Some((scope, book?)))
}

/// Of every scope of the order.
pub(crate) fn check_kill_switch(inquiry: &Inquiry<'_>) -> CheckResult {
    match with_venue(inquiry).find(|(_, book)| book.killed.is_some()) {
        Some((scope, _)) => refuse(Check::KillSwitch, Code::KillSwitch, scope),
        None => pass(Check::KillSwitch),
    }
}

/// HALTED anywhere refuses; REDUCING anywhere takes only what brings the position closer to zero,
/// counted with everything that works on the same side.
pub(crate) fn check_trading_state(inquiry: &Inquiry<'_>) -> CheckResult {
    let states = with_venue(inquiry).map(|(scope, book)| (book.trading_state, scope));
    let most = states.reduce(|a, b| if b.0 > a.0 { b } else { a });
    match most {
        Some((TradingState::Halted, scope)) => refuse(Check::TradingState, Code::TradingHalted, scope),
        Some((TradingState::Reducing, scope)) if !position::reduces(inquiry) => refuse(Check::TradingState, Code::ReduceOnly, scope),
        _ => pass(Check::TradingState),
    }
}

/// The account takes orders.
pub(crate) fn check_account(inquiry: &Inquiry<'_>) -> CheckResult {
    if inquiry.ctx.account.active {
        pass(Check::AccountActive)
    } else {
        refuse(Check::AccountActive, Code::AccountDisabled, Scope::Account(inquiry.order.account_id))
    }
}

/// The instrument takes orders.
pub(crate) fn check_instrument(inquiry: &Inquiry<'_>) -> CheckResult {
    if inquiry.ctx.instrument.active {
        pass(Check::InstrumentActive)
    } else {
        refuse(Check::InstrumentActive, Code::InstrumentDisabled, Scope::Instrument(inquiry.order.instrument_id))
    }
}
