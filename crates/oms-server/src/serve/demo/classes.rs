//! One instrument of each class besides shares, and who trades it in the demo: seeded books, dealers, a fund's agent.
//!
//! The codes that begin with P stand for no real market; XCBO and XCME are the exchanges that list such contracts.

use oms_model::instrument::{Currency, ExternalId, Instrument, TickStep, Venue};
use oms_model::{AssetClass, Decimal, Mic, OptionRight, Price, Qty, SecurityId, SecurityIdSource, SettlMethod, Symbol, Tenor, Time};
use oms_venues::dealer::{Dealer, DealerProfile};
use oms_venues::otc::{OtcConfig, ValuedFund};
use oms_venues::paper::profile::VenueProfile;
use oms_venues::synthetic::SyntheticBook;

/// Options.
const XCBO: Mic = Mic::of(b"XCBO");
/// Futures.
const XCME: Mic = Mic::of(b"XCME");
/// Currencies.
const PFXM: Mic = Mic::of(b"PFXM");
/// Deposits.
const PMMK: Mic = Mic::of(b"PMMK");
/// Crypto-assets.
const PCRY: Mic = Mic::of(b"PCRY");
/// The fund's transfer agent.
pub const PTAG: Mic = Mic::of(b"PTAG");
/// Two dealers.
const DLRA: Mic = Mic::of(b"DLRA");
const DLRB: Mic = Mic::of(b"DLRB");

/// The fund, valued every half minute.
pub const FUND: &str = "DEMOFUND";
/// The product that is traded on quotes only.
pub const NOTE: &str = "DEMONOTE";
const NAV_EVERY_NS: u64 = 30_000_000_000;
const DAY_NS: i64 = 86_400_000_000_000;
/// A tenth of a thousandth, in units of [`Price`].
const E4: i64 = 100_000;

fn symbol(text: &str) -> Symbol {
    Symbol::new(text).unwrap_or_default()
}

fn units(number: i64) -> Qty {
    Qty::from_units(number).unwrap_or_default()
}

fn tick(e4: i64) -> Vec<TickStep> {
    vec![TickStep { from: Price::ZERO, tick: Price::from_raw(e4 * E4) }]
}

fn listed(name: &str, listing: Mic, asset_class: AssetClass, tick_e4: i64) -> Instrument {
    Instrument {
        symbol: symbol(name),
        listing,
        asset_class,
        currency: Currency::USD,
        ticks: tick(tick_e4),
        lot: units(1),
        min_qty: units(1),
        max_qty: units(1_000_000),
        active: true,
        settl_days: 1,
        ..Instrument::default()
    }
}

/// The instruments; contracts end ninety days after `now`, deposits run for three months.
pub fn instruments(now: Time) -> Vec<Instrument> {
    let day = Time(now.0 - now.0.rem_euclid(DAY_NS));
    let expiry = Some(day.plus(90 * DAY_NS));
    let tenor = |text: &str| Tenor::new(text).ok();
    let spot = Some(day.plus(2 * DAY_NS));
    let multiplier = |count| Some(Decimal::from_count(count));
    let isin = |text: &str| vec![ExternalId { source: SecurityIdSource::Isin, security_id: SecurityId::new(text).unwrap_or_default() }];
    vec![
        Instrument {
            multiplier: multiplier(100),
            underlying: Some(symbol("IBM")),
            expiry,
            strike: Price::from_units(180),
            right: Some(OptionRight::Call),
            settl_method: Some(SettlMethod::Physical),
            ..listed("IBM.C180", XCBO, AssetClass::Option, 500)
        },
        Instrument {
            multiplier: multiplier(50),
            expiry,
            settl_method: Some(SettlMethod::Cash),
            ..listed("ES.F", XCME, AssetClass::Future, 2_500)
        },
        Instrument {
            lot: Qty::from_raw(1_000_000),
            min_qty: Qty::from_raw(1_000_000),
            nav: Some(Price::from_raw(125_000 * E4)),
            nav_at: Some(day),
            external_ids: isin("XX0000000017"),
            ..listed(FUND, PTAG, AssetClass::Fund, 1)
        },
        listed(NOTE, DLRA, AssetClass::Structured, 100),
        Instrument {
            lot: units(1_000),
            min_qty: units(1_000),
            max_qty: units(50_000_000),
            base_currency: Some(Currency(*b"EUR")),
            tenor: tenor("SPOT"),
            value_date: spot,
            settl_days: 2,
            ..listed("EURUSD", PFXM, AssetClass::Fx, 1)
        },
        Instrument {
            lot: units(1_000),
            min_qty: units(1_000),
            max_qty: units(100_000_000),
            tenor: tenor("3M"),
            value_date: spot,
            rate_quoted: true,
            ..listed("USD.3M", PMMK, AssetClass::MoneyMarket, 100)
        },
        Instrument {
            lot: Qty::from_raw(10),
            min_qty: Qty::from_raw(10_000),
            max_qty: units(1_000),
            settl_days: 0,
            ..listed("BTCUSD", PCRY, AssetClass::Crypto, 100)
        },
    ]
}

fn profile(mic: Mic, name: &'static str, latency_us: u64) -> VenueProfile {
    VenueProfile {
        mic,
        name,
        maker_fee: Price::ZERO,
        taker_fee: Price::ZERO,
        latency_ns: latency_us * 1_000,
        jitter_ns: latency_us * 250,
        queue_ahead_permille: 1_000,
        reject_ppm: 0,
    }
}

/// Where they are traded.
pub fn profiles() -> Vec<VenueProfile> {
    vec![
        profile(XCBO, "Cboe Options (paper)", 700),
        profile(XCME, "CME Globex (paper)", 600),
        profile(PFXM, "Paper FX market", 500),
        profile(PMMK, "Paper money market", 2_000),
        profile(PCRY, "Paper crypto exchange", 5_000),
        profile(PTAG, "Paper transfer agent", 20_000),
        profile(DLRA, "Paper dealer A", 10_000),
        profile(DLRB, "Paper dealer B", 15_000),
    ]
}

/// The same as the router is told of them.
pub fn venues() -> Vec<Venue> {
    profiles().iter().map(super::told).collect()
}

/// The seeded books.
pub fn books() -> Vec<SyntheticBook> {
    let book = |name: &str, venue: &[u8; 4], mid_e4, tick_e4, size| SyntheticBook {
        symbol: symbol(name),
        venue: *venue,
        mid_e4,
        tick_e4,
        half_spread: 1,
        size,
    };
    vec![
        book("IBM.C180", b"XCBO", 52_500, 500, 40),
        book("ES.F", b"XCME", 16_550_000, 2_500, 25),
        book("EURUSD", b"PFXM", 13_572, 1, 2_000_000),
        book("USD.3M", b"PMMK", 52_500, 100, 20_000_000),
        book("BTCUSD", b"PCRY", 1_234_500, 100, 3),
    ]
}

/// The dealers and the fund's administrator.
pub fn otc(seed: u64) -> OtcConfig {
    let dealer = |venue, name, half_spread_e2, think_ns| {
        let (jitter_e2, life_ms) = (half_spread_e2 / 2, 5_000);
        let profile = DealerProfile { venue, name, half_spread_e2, jitter_e2, life_ms, think_ns, silent_ppm: 0, withdraw_ppm: 50_000 };
        Dealer::new(profile, seed).valuing(symbol(NOTE), Price::from_raw(9_875 * 100 * E4))
    };
    OtcConfig {
        dealers: vec![dealer(DLRA, "Paper dealer A", 2_000, 50_000_000), dealer(DLRB, "Paper dealer B", 2_500, 120_000_000)],
        funds: vec![ValuedFund { symbol: symbol(FUND), every_ns: NAV_EVERY_NS }],
        seed,
    }
}
