//! What each asset class takes: one table, and refusals that name its rule.

use crate::command::NewOrder;
use crate::instrument::Instrument;
use crate::refusal::{Code, Refusal};
use crate::terms::{AssetClass, OrdType, Side, TimeInForce, terms};

terms! {
    /// In what an order says how much.
    QtyKind {
        /// `order_qty`: shares, contracts, units, base currency.
        Units = 1 "UNITS",
        /// `cash_order_qty` (FIX 152): an amount of the instrument's currency.
        Cash = 2 "CASH",
    }
    /// What a trading day of the class is.
    CalendarKind {
        /// Ends at the end of the regular session.
        Session = 1 "SESSION",
        /// Goes on around the clock; a DAY order ends at midnight UTC.
        Continuous = 2 "CONTINUOUS",
        /// Has a cut-off; orders wait for the valuation that follows.
        CutOff = 3 "CUT_OFF",
        /// A dealer's quote says until when.
        Quoted = 4 "QUOTED",
    }
}

/// The rules of one asset class.
#[derive(Clone, Copy, Debug)]
pub struct ClassRules {
    /// Of which.
    pub asset_class: AssetClass,
    /// FIX 40.
    pub ord_types: &'static [OrdType],
    /// FIX 59.
    pub times_in_force: &'static [TimeInForce],
    /// FIX 54.
    pub sides: &'static [Side],
    /// Units, cash, or both.
    pub quantities: &'static [QtyKind],
    /// Its trading day.
    pub calendar: CalendarKind,
    /// What an instrument of the class has to say of itself.
    pub needs: &'static [InstrumentField],
}

terms! {
    /// What an instrument of some classes cannot do without.
    InstrumentField {
        /// When it ends.
        Expiry = 1 "expiry",
        /// At what an option is exercised.
        Strike = 2 "strike",
        /// Put or call.
        Right = 3 "right",
        /// The first currency of a pair.
        BaseCurrency = 4 "base_currency",
        /// Spot, or how long a deal runs.
        Tenor = 5 "tenor",
        /// A price that is a rate.
        RateQuoted = 6 "rate_quoted",
    }
}

use OrdType::{Limit, Market, MarketToLimit, Pegged, PreviouslyQuoted, Stop, StopLimit, TrailingStop, TrailingStopLimit};
use Side::{Buy, Redeem, Sell, SellShort, SellShortExempt, Subscribe};
use TimeInForce::{Day, Fok, Ioc};

/// Types that a market with continuous trading and no auction takes.
const CONTINUOUS: &[OrdType] = &[Market, Limit, Stop, StopLimit, TrailingStop, TrailingStopLimit, MarketToLimit, Pegged];
/// The same, and an answer to a request for quotes.
const QUOTED_TOO: &[OrdType] = &[Market, Limit, Stop, StopLimit, TrailingStop, TrailingStopLimit, MarketToLimit, Pegged, PreviouslyQuoted];
const UNITS: &[QtyKind] = &[QtyKind::Units];
const TWO_WAY: &[Side] = &[Buy, Sell];

/// The table. A class stands at its place in [`AssetClass::ALL`].
pub const RULES: &[ClassRules] = &[
    ClassRules {
        asset_class: AssetClass::Equity,
        ord_types: OrdType::ALL,
        times_in_force: TimeInForce::ALL,
        sides: &[Buy, Sell, SellShort, SellShortExempt],
        quantities: UNITS,
        calendar: CalendarKind::Session,
        needs: &[],
    },
    ClassRules {
        asset_class: AssetClass::Option,
        ord_types: QUOTED_TOO,
        times_in_force: TimeInForce::ALL,
        sides: TWO_WAY,
        quantities: UNITS,
        calendar: CalendarKind::Session,
        needs: &[InstrumentField::Expiry, InstrumentField::Strike, InstrumentField::Right],
    },
    ClassRules {
        asset_class: AssetClass::Future,
        ord_types: OrdType::ALL,
        times_in_force: TimeInForce::ALL,
        sides: TWO_WAY,
        quantities: UNITS,
        calendar: CalendarKind::Session,
        needs: &[InstrumentField::Expiry],
    },
    ClassRules {
        asset_class: AssetClass::Fund,
        ord_types: &[Market],
        times_in_force: &[Day],
        sides: &[Subscribe, Redeem],
        quantities: &[QtyKind::Units, QtyKind::Cash],
        calendar: CalendarKind::CutOff,
        needs: &[],
    },
    ClassRules {
        asset_class: AssetClass::Structured,
        ord_types: &[PreviouslyQuoted],
        times_in_force: &[Fok],
        sides: TWO_WAY,
        quantities: UNITS,
        calendar: CalendarKind::Quoted,
        needs: &[],
    },
    ClassRules {
        asset_class: AssetClass::Fx,
        ord_types: QUOTED_TOO,
        times_in_force: TimeInForce::ALL,
        sides: TWO_WAY,
        quantities: UNITS,
        calendar: CalendarKind::Session,
        needs: &[InstrumentField::BaseCurrency, InstrumentField::Tenor],
    },
    ClassRules {
        asset_class: AssetClass::MoneyMarket,
        ord_types: &[Limit, PreviouslyQuoted],
        times_in_force: &[Day, Ioc, Fok],
        sides: TWO_WAY,
        quantities: UNITS,
        calendar: CalendarKind::Session,
        needs: &[InstrumentField::Tenor, InstrumentField::RateQuoted],
    },
    ClassRules {
        asset_class: AssetClass::Crypto,
        ord_types: CONTINUOUS,
        times_in_force: TimeInForce::ALL,
        sides: TWO_WAY,
        quantities: UNITS,
        calendar: CalendarKind::Continuous,
        needs: &[],
    },
];

/// The rules of a class.
///
/// # Panics
/// Never: a test holds that every class has its row.
#[must_use]
pub fn rules_of(class: AssetClass) -> &'static ClassRules {
    RULES.iter().find(|rules| rules.asset_class == class).unwrap_or_else(|| unreachable!("{class} has no row in the table"))
}

impl ClassRules {
    /// Whether orders are answers to quotes and nothing else.
    #[must_use]
    pub fn is_quoted_only(&self) -> bool {
        self.ord_types == [PreviouslyQuoted]
    }

    /// Whether the class takes `order`.
    ///
    /// # Errors
    /// `ASSET_CLASS_RULE` naming the first rule that the order breaks, as `CLASS.rule`.
    pub fn check(&self, order: &NewOrder) -> Result<(), Refusal> {
        self.holds("ord_types", order.ord_type, self.ord_types, OrdType::as_str)?;
        self.holds("times_in_force", order.time_in_force, self.times_in_force, TimeInForce::as_str)?;
        self.holds("sides", order.side, self.sides, Side::as_str)?;
        let kind = if order.cash_order_qty.is_some() { QtyKind::Cash } else { QtyKind::Units };
        self.holds("quantities", kind, self.quantities, QtyKind::as_str)
    }

    /// Whether an instrument of the class says of itself what it has to.
    ///
    /// # Errors
    /// `ASSET_CLASS_RULE` naming the field that is missing, or one that another class has.
    pub fn check_instrument(&self, instrument: &Instrument) -> Result<(), Refusal> {
        for field in InstrumentField::ALL {
            let (given, needed) = (field.is_given(instrument), self.needs.contains(field));
            if needed && !given {
                return Err(self.refuse("needs", format!("an instrument of class {} needs {field}", self.asset_class)));
            }
            // What is made to measure may have any of them.
            if given && !needed && !self.is_quoted_only() {
                return Err(self.refuse("needs", format!("an instrument of class {} has no {field}", self.asset_class)));
            }
        }
        Ok(())
    }

    fn holds<T: Copy + PartialEq>(&self, rule: &str, value: T, allowed: &[T], name: fn(T) -> &'static str) -> Result<(), Refusal> {
        if allowed.contains(&value) {
            return Ok(());
        }
        let names: Vec<&str> = allowed.iter().map(|&one| name(one)).collect();
        Err(self.refuse(rule, format!("takes {}, not {}", names.join(", "), name(value))))
    }

    fn refuse(&self, rule: &str, text: String) -> Refusal {
        let rule = format!("{}.{rule}", self.asset_class);
        Refusal::new(Code::AssetClassRule, format!("rule {rule}: {text}")).with("rule", rule)
    }
}

impl InstrumentField {
    fn is_given(self, instrument: &Instrument) -> bool {
        match self {
            Self::Expiry => instrument.expiry.is_some(),
            Self::Strike => instrument.strike.is_some(),
            Self::Right => instrument.right.is_some(),
            Self::BaseCurrency => instrument.base_currency.is_some(),
            Self::Tenor => instrument.tenor.is_some(),
            Self::RateQuoted => instrument.rate_quoted,
        }
    }
}

#[cfg(test)]
mod tests;
