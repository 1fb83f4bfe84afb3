//! Profit and loss of the open day, added up by account, by strategy or of the whole tenant.
//!
//! A strategy's figures are those of its shares of the positions ([`Holding::strategies`]), which the engine folds from the
//! same executions. So every column of quantities, fees and net profit adds up to the same sums whichever way it is cut:
//! exactly in each currency, and in the base currency but for one rounding of each line.

use crate::call::Call;
use crate::json::Writer;
use crate::past;
use crate::rest::positions;
use axum::response::Response;
use core::fmt;
use core::str::FromStr;
use oms_engine::State;
use oms_model::instrument::{Currency, Valuation};
use oms_model::position::{Holding, StrategyShare};
use oms_model::{AccountId, Code, Decimal, InstrumentId, Notional, Price, Qty, Refusal, StrategyId};
use std::collections::BTreeMap;

/// What the figures are added up by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Account,
    Strategy,
    Tenant,
}

impl By {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Strategy => "strategy",
            Self::Tenant => "tenant",
        }
    }
}

impl FromStr for By {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = [Self::Account, Self::Strategy, Self::Tenant];
        known.into_iter().find(|by| by.as_str() == text).ok_or("must be account, strategy or tenant")
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which sums a figure goes into: an account's, a strategy's, or those of all.
type Key = (Option<AccountId>, Option<StrategyId>);

/// What the sums take of a position or a share of it; its lots stay where they are.
struct Figures {
    key: Key,
    instrument_id: InstrumentId,
    currency: Currency,
    /// From `currency` to the base currency of the sums.
    fx_rate: Option<Decimal>,
    valuation: Valuation,
    qty: Qty,
    cost: Notional,
    realized: Notional,
    fees: Notional,
    /// The last recorded price.
    mark: Option<Price>,
}

/// What is read of the state at one moment.
struct Read {
    last_day: u32,
    risk_currency: Currency,
    /// Accounts with their base currencies; those that are asked for.
    accounts: BTreeMap<AccountId, Currency>,
    figures: Vec<Figures>,
}

fn read(state: &State, by: By, account_id: Option<AccountId>) -> Read {
    let wanted = |id: AccountId| account_id.is_none_or(|asked| asked == id);
    let accounts = state.accounts().filter(|account| wanted(account.account_id)).map(|account| (account.account_id, account.currency));
    let mut figures = Vec::new();
    for holding in state.holdings_after(None).filter(|holding| wanted(holding.now().account_id)) {
        if by == By::Strategy {
            figures.extend(holding.strategies().map(|share| of_share(state, by, share)));
        } else {
            figures.push(of_share(state, by, whole(holding)));
        }
    }
    Read { last_day: state.last_close().0, risk_currency: state.risk_currency(), accounts: accounts.collect(), figures }
}

fn whole(holding: &Holding) -> StrategyShare<'_> {
    StrategyShare { strategy: None, now: holding.now(), base: holding.base() }
}

fn of_share(state: &State, by: By, StrategyShare { strategy, now, base }: StrategyShare<'_>) -> Figures {
    let instrument = state.instrument(now.instrument_id);
    let (valuation, currency) = instrument.map(|i| (i.valuation(), i.currency)).unwrap_or_default();
    let of_account = state.account(now.account_id).map(|account| account.currency).filter(|_| by == By::Account);
    Figures {
        key: match by {
            By::Account => (Some(now.account_id), None),
            By::Strategy => (None, strategy),
            By::Tenant => (None, None),
        },
        instrument_id: now.instrument_id,
        currency,
        fx_rate: state.fx_rate(currency, of_account.unwrap_or(state.risk_currency())),
        valuation,
        qty: now.qty,
        cost: now.cost(),
        realized: valuation.money(now.realized.saturating_sub(base.realized)).unwrap_or(Notional::MAX),
        fees: now.fees.saturating_sub(base.fees),
        mark: state.mark(now.instrument_id),
    }
}

/// Sums in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Line {
    realized: Notional,
    fees: Notional,
    unrealized: Notional,
}

impl Line {
    fn add(&mut self, other: Self) {
        self.realized = self.realized.saturating_add(other.realized);
        self.fees = self.fees.saturating_add(other.fees);
        self.unrealized = self.unrealized.saturating_add(other.unrealized);
    }

    fn at_rate(self, rate: Decimal) -> Self {
        let in_base = |money: Notional| money.at_rate(rate).unwrap_or(Notional::MAX);
        Self { realized: in_base(self.realized), fees: in_base(self.fees), unrealized: in_base(self.unrealized) }
    }

    fn net(self) -> Notional {
        self.realized.saturating_add(self.unrealized).saturating_sub(self.fees)
    }

    fn write(self, w: &mut Writer) {
        w.text("realized", self.realized);
        w.text("fees", self.fees);
        w.text("unrealized", self.unrealized);
        w.text("net", self.net());
    }
}

/// The sums of one key.
#[derive(Default)]
struct Sums {
    /// By currency, with the rate of each to the base currency.
    lines: BTreeMap<Currency, (Option<Decimal>, Line)>,
    unmarked: u32,
    unconverted: u32,
}

impl Sums {
    fn add(&mut self, figures: &Figures, mark: Option<Price>) {
        let unrealized = if figures.qty.is_zero() { Some(Notional::ZERO) } else { mark.and_then(|mark| figures.unrealized(mark)) };
        self.unmarked += u32::from(unrealized.is_none());
        self.unconverted += u32::from(figures.fx_rate.is_none());
        let (rate, line) = self.lines.entry(figures.currency).or_default();
        *rate = figures.fx_rate;
        line.add(Line { realized: figures.realized, fees: figures.fees, unrealized: unrealized.unwrap_or_default() });
    }

    fn in_base(&self) -> Line {
        let mut sum = Line::default();
        self.lines.values().filter_map(|(rate, line)| Some(line.at_rate((*rate)?))).for_each(|line| sum.add(line));
        sum
    }
}

impl Figures {
    fn unrealized(&self, mark: Price) -> Option<Notional> {
        self.valuation.money(mark.notional(self.qty)?.checked_sub(self.cost)?)
    }
}

pub(super) async fn today(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let by = params.parsed("by")?.unwrap_or(By::Account);
    let account_id: Option<AccountId> = params.parsed("account_id")?;
    let as_of = past::as_of(&mut params)?;
    params.end()?;
    let (found, moment) = call.api.state_as_of(as_of, move |state, _| read(state, by, account_id)).await?;
    if let Some(id) = account_id.filter(|id| !found.accounts.contains_key(id)) {
        return Err(Refusal::new(Code::NotFound, "there is no such account").with("account_id", id));
    }
    let mut sums: BTreeMap<Key, Sums> = BTreeMap::new();
    match by {
        By::Account => sums.extend(found.accounts.keys().map(|id| ((Some(*id), None), Sums::default()))),
        By::Strategy | By::Tenant => sums.extend([((None, None), Sums::default())]),
    }
    for figures in &found.figures {
        // The log does not hold the markets of the past, but the marks that positions were valued at.
        let mark = if moment.is_some() { figures.mark } else { market_mark(&call, figures.instrument_id) };
        sums.entry(figures.key).or_default().add(figures, mark);
    }
    Ok(positions::answer(&call, written(by, &found, &sums), moment))
}

fn market_mark(call: &Call, instrument_id: InstrumentId) -> Option<Price> {
    let market = call.api.handle().market().get(instrument_id);
    market.last.map(|level| level.price).or_else(|| market.mid())
}

fn written(by: By, found: &Read, sums: &BTreeMap<Key, Sums>) -> Writer {
    let mut w = Writer::with_capacity(256 + 512 * sums.len());
    w.object(|w| {
        w.text("by", by);
        w.text_or_null("last_closed_day", (found.last_day > 0).then_some(found.last_day));
        w.array_at("data", sums, |w, ((account_id, strategy), sums)| {
            w.object(|w| {
                let of_account = account_id.and_then(|id| found.accounts.get(&id));
                w.text_or_null("account_id", *account_id);
                w.text_or_null("strategy", *strategy);
                w.text("base_currency", of_account.unwrap_or(&found.risk_currency).as_str());
                sums.in_base().write(w);
                w.number("unmarked", sums.unmarked);
                w.number("unconverted", sums.unconverted);
                w.array_at("currencies", &sums.lines, |w, (currency, (rate, line))| {
                    w.object(|w| {
                        w.text("currency", currency.as_str());
                        w.text_or_null("fx_rate", *rate);
                        line.write(w);
                    });
                });
            });
        });
    });
    w
}
