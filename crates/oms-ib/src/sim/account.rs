//! Money and positions of the simulator's accounts.

use std::collections::BTreeMap;

use oms_model::{InstrumentId, Notional, Price, Qty};

use crate::codec::Number;

/// What an account begins with.
const OPENING_CASH: i64 = 1_000_000;
/// Of the value of positions, the share that is margin: one half.
const MARGIN_DIVISOR: i128 = 2;
/// Buying power for each unit of money that is free.
const LEVERAGE: i128 = 4;
/// Units of [`Notional`] in a cent.
const CENT: i128 = 10_i128.pow(16);

/// A position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Holding {
    pub(super) qty: Qty,
    /// What it cost, commissions included; negative for a short position.
    pub(super) cost: Notional,
    pub(super) realized: Notional,
}

impl Holding {
    /// Average cost of one unit.
    pub(super) fn avg_cost(&self) -> Price {
        self.cost.avg_px(self.qty).unwrap_or_default()
    }

    pub(super) fn value(&self, mark: Price) -> Notional {
        mark.notional(self.qty).unwrap_or_default()
    }

    pub(super) fn unrealized(&self, mark: Price) -> Notional {
        self.value(mark).saturating_sub(self.cost)
    }
}

/// An account.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) cash: Notional,
    pub(super) holdings: BTreeMap<InstrumentId, Holding>,
}

impl Account {
    pub(super) fn new(name: String) -> Self {
        Self { name, cash: Notional::from_units(OPENING_CASH).unwrap_or_default(), holdings: BTreeMap::new() }
    }

    /// Books an execution: `qty` is negative for a sale. What it closes is realised; the answer says how much, where it
    /// closed something.
    pub(super) fn book(&mut self, instrument: InstrumentId, qty: Qty, price: Price, commission: Notional) -> Option<Notional> {
        let holding = self.holdings.entry(instrument).or_default();
        let traded = price.notional(qty).unwrap_or_default();
        self.cash = self.cash.saturating_sub(traded).saturating_sub(commission);
        let opposite = holding.qty.is_positive() && qty.is_negative() || holding.qty.is_negative() && qty.is_positive();
        let closing = if opposite && qty.abs() > holding.qty.abs() {
            holding.qty.negated()
        } else if opposite {
            qty
        } else {
            Qty::ZERO
        };
        let opening = qty.saturating_sub(closing);
        let fee_of_closing = if qty.is_zero() { Notional::ZERO } else { commission.part(closing.abs(), qty.abs()).unwrap_or_default() };
        let fee_of_opening = commission.saturating_sub(fee_of_closing);
        let realized = (!closing.is_zero()).then(|| {
            let released = holding.cost.part(closing.abs(), holding.qty.abs()).unwrap_or_default();
            holding.cost = holding.cost.saturating_sub(released);
            let proceeds = price.notional(closing.negated()).unwrap_or_default();
            proceeds.saturating_sub(released).saturating_sub(fee_of_closing)
        });
        holding.qty = holding.qty.saturating_add(qty);
        holding.cost = holding.cost.saturating_add(price.notional(opening).unwrap_or_default()).saturating_add(fee_of_opening);
        if let Some(realized) = realized {
            holding.realized = holding.realized.saturating_add(realized);
        }
        realized
    }

    /// Books a commission that was not known when its execution was booked.
    pub(super) fn charge(&mut self, instrument: InstrumentId, commission: Notional, closed: bool) {
        self.cash = self.cash.saturating_sub(commission);
        let holding = self.holdings.entry(instrument).or_default();
        if closed {
            holding.realized = holding.realized.saturating_sub(commission);
        } else {
            holding.cost = holding.cost.saturating_add(commission);
        }
    }

    /// The values that clients ask for, by name, at these marks.
    pub(super) fn values(&self, mark: impl Fn(InstrumentId) -> Price) -> Vec<(&'static str, String, &'static str)> {
        let (mut gross, mut net, mut unrealized, mut realized) = (Notional::ZERO, Notional::ZERO, Notional::ZERO, Notional::ZERO);
        for (instrument, holding) in &self.holdings {
            let value = holding.value(mark(*instrument));
            gross = gross.saturating_add(value.abs());
            net = net.saturating_add(value);
            unrealized = unrealized.saturating_add(holding.unrealized(mark(*instrument)));
            realized = realized.saturating_add(holding.realized);
        }
        let liquidation = self.cash.saturating_add(net);
        let margin = Notional::from_raw(gross.raw() / MARGIN_DIVISOR);
        let free = liquidation.saturating_sub(margin);
        let power = Notional::from_raw(free.raw().saturating_mul(LEVERAGE).max(0));
        let money = |name, amount| (name, cents(amount), "USD");
        vec![
            ("AccountType", "INDIVIDUAL".to_owned(), ""),
            money("AvailableFunds", free),
            money("BuyingPower", power),
            money("CashBalance", self.cash),
            money("EquityWithLoanValue", liquidation),
            money("ExcessLiquidity", free),
            money("GrossPositionValue", gross),
            money("InitMarginReq", margin),
            money("MaintMarginReq", margin),
            money("NetLiquidation", liquidation),
            money("RealizedPnL", realized),
            money("TotalCashValue", self.cash),
            money("UnrealizedPnL", unrealized),
        ]
    }
}

/// Money in cents, half a cent away from zero.
pub(super) fn cents(amount: Notional) -> String {
    let (raw, half) = (amount.raw(), if amount.is_negative() { -CENT / 2 } else { CENT / 2 });
    let rounded = raw.saturating_add(half) / CENT;
    let sign = if rounded < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", rounded.unsigned_abs() / 100, rounded.unsigned_abs() % 100)
}

/// Money as it is.
pub(super) fn number(amount: Notional) -> Number {
    // Eighteen fractional digits and at most twenty whole ones: more than thirty-six are beyond any account here.
    Number::scaled(amount.raw(), 18).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const IBM: InstrumentId = InstrumentId(0);

    fn book(account: &mut Account, qty: i64, price: &str, fee: i64) -> Option<String> {
        let fee = Notional::from_units(fee).unwrap();
        account.book(IBM, Qty::from_units(qty).unwrap(), price.parse().unwrap(), fee).map(cents)
    }

    #[test]
    fn what_closes_is_realised_and_what_opens_is_cost() {
        let mut account = Account::new("DU1".to_owned());
        assert_eq!(book(&mut account, 100, "10", 1), None);
        assert_eq!(book(&mut account, 100, "12", 1), None);
        assert_eq!(account.holdings[&IBM].avg_cost().to_string(), "11.01");
        assert_eq!(book(&mut account, -50, "12.01", 1).as_deref(), Some("49.00"));
        // Through zero: 150 close, 50 open short.
        assert_eq!(book(&mut account, -200, "11.01", 4).as_deref(), Some("-3.00"));
        let holding = account.holdings[&IBM];
        assert_eq!((holding.qty.to_string(), cents(holding.cost)), ("-50".to_owned(), "-549.50".to_owned()));
        assert_eq!(book(&mut account, 50, "11", 0).as_deref(), Some("-0.50"));
        // Money is what it was, and the result.
        let realized: Notional = account.holdings[&IBM].realized;
        assert_eq!(cents(realized), "45.50");
        assert_eq!(cents(account.cash), "1000045.50");
        let values = account.values(|_| Price::ZERO);
        assert!(values.contains(&("NetLiquidation", "1000045.50".to_owned(), "USD")));
    }

    #[test]
    fn money_is_rounded_to_cents_away_from_zero() {
        for (text, shown) in [("0", "0.00"), ("1.005", "1.01"), ("-1.005", "-1.01"), ("-0.004", "0.00"), ("1234.5", "1234.50")] {
            assert_eq!(cents(text.parse().unwrap()), shown);
        }
    }
}
