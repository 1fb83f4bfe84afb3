//! What each account has and works in each instrument, in money, and the sums of it that limits are compared with.
//!
//! A holding counts at the worse of two outcomes: everything that buys is filled, or everything that sells. The sums
//! change with each holding by its difference, so that a check looks at one holding and a few sums, however many there
//! are.

use crate::book::RiskBook;
use crate::exposure::{Exposure, Owner};
use oms_model::instrument::Valuation;
use oms_model::limit::Scope;
use oms_model::position::Position;
use oms_model::{AccountId, AssetClass, Decimal, InstrumentId, Notional, Price, Qty};

/// No figure of one holding counts as more than this (10^15 units of currency), so that their sums stay within range.
const MOST: i128 = 1 << 110;

/// What an account has and works in an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Working, to be bought.
    pub buy_qty: Qty,
    /// Working, to be sold, short or not.
    pub sell_qty: Qty,
    /// Of it, to be sold short.
    pub short_qty: Qty,
    /// Sold short since the last close of the day.
    pub shorted_qty: Qty,
    /// The value of `buy_qty` at its worst.
    pub buy: Notional,
    /// The value of `sell_qty` at its worst.
    pub sell: Notional,
    /// The value of `short_qty` at its worst.
    pub short: Notional,
    /// The value of the position at its last mark; below zero for a short one.
    pub value: Notional,
    /// Profit realised and not, less fees.
    pub pnl: Notional,
    /// Paid for purchases and fees less received for sales.
    pub spent: Notional,
}

impl Held {
    /// The larger magnitude of the two outcomes.
    pub(crate) fn worst(&self) -> i128 {
        let long = self.value.raw().saturating_add(self.buy.raw()).saturating_abs();
        let short = self.value.raw().saturating_sub(self.sell.raw()).saturating_abs();
        long.max(short)
    }
}

/// The sums of the holdings of one scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// Of the worst outcomes.
    pub(crate) gross: i128,
    /// The same by asset class.
    pub(crate) class_gross: [i128; AssetClass::ALL.len()],
    pub(crate) value: i128,
    pub(crate) buy: i128,
    pub(crate) sell: i128,
    pub(crate) short: i128,
    pub(crate) spent: i128,
    pub(crate) pnl: i128,
    /// What `pnl` was at the last close of the day.
    pub(crate) day_start: i128,
    /// The highest that `pnl` has been; zero at the start.
    pub(crate) peak: i128,
    /// Money at the start, of the accounts that say it.
    pub(crate) capital: Option<Notional>,
}

impl Sums {
    /// Of nothing.
    pub(crate) const NONE: Self = Self {
        gross: 0,
        class_gross: [0; AssetClass::ALL.len()],
        value: 0,
        buy: 0,
        sell: 0,
        short: 0,
        spent: 0,
        pnl: 0,
        day_start: 0,
        peak: 0,
        capital: None,
    };

    fn replace(&mut self, before: &Held, after: &Held, class: AssetClass) {
        let change = |sum: &mut i128, before: i128, after: i128| *sum = sum.saturating_sub(before).saturating_add(after);
        change(&mut self.gross, before.worst(), after.worst());
        if let Some(gross) = self.class_gross.get_mut(place_of(class)) {
            change(gross, before.worst(), after.worst());
        }
        change(&mut self.value, before.value.raw(), after.value.raw());
        change(&mut self.buy, before.buy.raw(), after.buy.raw());
        change(&mut self.sell, before.sell.raw(), after.sell.raw());
        change(&mut self.short, before.short.raw(), after.short.raw());
        change(&mut self.spent, before.spent.raw(), after.spent.raw());
        change(&mut self.pnl, before.pnl.raw(), after.pnl.raw());
    }

    /// Money at the start with profit and loss since; `None` where the money is not known.
    pub(crate) fn equity(&self) -> Option<i128> {
        self.capital.map(|capital| capital.raw().saturating_add(self.pnl))
    }

    /// The gross exposure in one asset class.
    pub(crate) fn class_gross(&self, class: AssetClass) -> i128 {
        self.class_gross.get(place_of(class)).copied().unwrap_or(0)
    }
}

/// A class's place in [`Sums::class_gross`].
pub(crate) fn place_of(class: AssetClass) -> usize {
    usize::from(class.code()) - 1
}

fn held_within(amount: Option<Notional>) -> Notional {
    Notional::from_raw(amount.unwrap_or(Notional::MAX).raw().clamp(-MOST, MOST))
}

/// How a position is valued: its instrument's valuation in the risk currency, the rate of that, and a price.
#[derive(Clone, Copy, Debug)]
pub struct Valued {
    /// With the rate.
    pub valuation: Valuation,
    /// The rate alone, for fees.
    pub rate: Decimal,
    /// The last known price; `None` where none is known: then only what was realised counts.
    pub mark: Option<Price>,
}

impl RiskBook {
    pub(crate) fn held(&self, account_id: AccountId, instrument_id: InstrumentId) -> Held {
        self.holdings.get(&(account_id, instrument_id)).copied().unwrap_or_default()
    }

    /// What works of an order moved from `before` to `after`; the sums and scopes follow.
    pub(crate) fn move_held(&mut self, owner: Owner, before: Exposure, after: Exposure) {
        let value = |exposure: Exposure| exposure.notional().unwrap_or(Notional::MAX);
        let (value_before, value_after) = (value(before), value(after));
        self.change_held(owner.account_id, owner.instrument_id, |held| {
            let is_short = owner.side.is_short();
            let (qty, money) = if owner.side.is_buy() { (&mut held.buy_qty, &mut held.buy) } else { (&mut held.sell_qty, &mut held.sell) };
            *qty = Qty::from_raw(moved(qty.raw(), before.qty.raw(), after.qty.raw(), "working quantity"));
            *money = Notional::from_raw(moved(money.raw(), value_before.raw(), value_after.raw(), "working value"));
            if is_short {
                held.short_qty = Qty::from_raw(moved(held.short_qty.raw(), before.qty.raw(), after.qty.raw(), "short quantity"));
                held.short = Notional::from_raw(moved(held.short.raw(), value_before.raw(), value_after.raw(), "short value"));
            }
        });
    }

    fn change_held(&mut self, account_id: AccountId, instrument_id: InstrumentId, change: impl FnOnce(&mut Held)) {
        let before = self.held(account_id, instrument_id);
        let mut after = before;
        change(&mut after);
        if before == after {
            return;
        }
        if after == Held::default() {
            self.holdings.remove(&(account_id, instrument_id));
        } else {
            self.holdings.insert((account_id, instrument_id), after);
        }
        let class = self.class_of(instrument_id);
        self.move_sums(account_id, instrument_id, class, &before, &after);
    }

    fn move_sums(&mut self, account_id: AccountId, instrument_id: InstrumentId, class: AssetClass, before: &Held, after: &Held) {
        for scope in [Scope::Tenant, Scope::AssetClass(class), Scope::Account(account_id), Scope::Instrument(instrument_id)] {
            let sums = &mut self.scope_mut(scope).sums;
            sums.replace(before, after, class);
            sums.peak = sums.peak.max(sums.pnl);
        }
    }

    /// An instrument is of another class from now on: its holdings move to that class's sums.
    pub(crate) fn move_class(&mut self, instrument_id: InstrumentId, class: AssetClass) {
        let was = self.class_of(instrument_id);
        let holdings: Vec<(AccountId, Held)> =
            self.holdings.iter().filter(|((_, id), _)| *id == instrument_id).map(|((account, _), held)| (*account, *held)).collect();
        for (account_id, held) in holdings {
            self.move_sums(account_id, instrument_id, was, &held, &Held::default());
            self.move_sums(account_id, instrument_id, class, &Held::default(), &held);
        }
    }

    /// A position is now this, and worth what `valued` says.
    pub fn on_position(&mut self, position: &Position, valued: Valued) {
        let money = |plain: Notional| valued.valuation.money(plain);
        let unrealized = valued.mark.and_then(|mark| position.unrealized(mark)).unwrap_or_default();
        let fees = position.fees.at_rate(valued.rate).unwrap_or(Notional::MAX);
        let pnl = money(position.realized.saturating_add(unrealized)).and_then(|pnl| pnl.checked_sub(fees));
        let spent = money(position.bought_notional.saturating_sub(position.sold_notional)).and_then(|spent| spent.checked_add(fees));
        let value = valued.mark.map_or(Some(Notional::ZERO), |mark| valued.valuation.notional(mark, position.qty));
        self.change_held(position.account_id, position.instrument_id, |held| {
            held.value = held_within(value);
            held.pnl = held_within(pnl);
            held.spent = held_within(spent);
        });
    }

    /// A short sale was executed, or with a quantity below zero taken back.
    pub fn on_shorted(&mut self, account_id: AccountId, instrument_id: InstrumentId, qty: Qty) {
        self.change_held(account_id, instrument_id, |held| held.shorted_qty = held.shorted_qty.saturating_add(qty).max(Qty::ZERO));
    }

    /// The trading day was closed: losses and short sales of the day begin again.
    pub fn on_day_closed(&mut self) {
        let shorted: Vec<(AccountId, InstrumentId)> =
            self.holdings.iter().filter(|(_, held)| !held.shorted_qty.is_zero()).map(|(key, _)| *key).collect();
        for (account_id, instrument_id) in shorted {
            self.change_held(account_id, instrument_id, |held| held.shorted_qty = Qty::ZERO);
        }
        for book in core::iter::once(&mut self.tenant).chain(self.scopes.values_mut()) {
            book.sums.day_start = book.sums.pnl;
        }
        for envelope in self.envelopes.values_mut() {
            envelope.traded = Notional::ZERO;
        }
    }

    /// The gross exposure of a scope: see MAX_GROSS_EXPOSURE.
    #[must_use]
    pub fn gross_exposure(&self, scope: Scope) -> Notional {
        Notional::from_raw(self.scope(scope).map_or(0, |book| book.sums.gross))
    }

    /// An account's money at the start, in the risk currency.
    pub fn set_capital(&mut self, account_id: AccountId, capital: Option<Notional>) {
        let capital = capital.map(|capital| held_within(Some(capital)));
        let before = core::mem::replace(&mut self.scope_mut(Scope::Account(account_id)).sums.capital, capital);
        let of_all = &mut self.tenant.sums.capital;
        let sum = of_all.unwrap_or_default().saturating_sub(before.unwrap_or_default()).saturating_add(capital.unwrap_or_default());
        // Where no account says it any more the sum is none either, and not zero.
        self.accounts_with_capital = self.accounts_with_capital + u32::from(capital.is_some()) - u32::from(before.is_some());
        self.tenant.sums.capital = (self.accounts_with_capital > 0).then_some(sum);
    }

    /// Puts a holding of a snapshot in.
    pub(crate) fn restore_held(&mut self, account_id: AccountId, instrument_id: InstrumentId, held: Held) {
        self.change_held(account_id, instrument_id, |known| *known = held);
    }
}

/// `sum` with `before` taken out and `after` put in. Never below zero, never out of range: the gate refuses what would.
pub(crate) fn moved(sum: i128, before: i128, after: i128, what: &str) -> i128 {
    let rest = sum.checked_sub(before).filter(|rest| *rest >= 0);
    assert!(rest.is_some(), "{what} {sum} cannot give back {before}");
    let moved = rest.and_then(|rest| rest.checked_add(after));
    assert!(moved.is_some(), "{what} {sum} cannot take {after}");
    moved.unwrap_or(sum)
}
