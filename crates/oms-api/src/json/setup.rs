//! Reading what a desk is made of: accounts, instruments and venues. A field that is not given keeps what is known of the
//! thing; where it is new, it has the default that the field's description names.

use super::decode::Fields;
use super::read::Value;
use crate::catalog::Catalog;
use oms_model::command::Command;
use oms_model::instrument::{Account, Currency, ExternalId, Instrument, TickStep, Venue};
use oms_model::{AccountId, Decimal, Qty, Refusal, Symbol, TenantId};
use sha2::{Digest, Sha256};

/// The longest name of an account or a venue, bytes.
const MAX_NAME: usize = 100;

/// The fields of an account.
pub const ACCOUNT: &[&str] = &["name", "currency", "active", "currencies", "converts", "capital"];
/// The fields of a step of a tick table.
pub const TICK_STEP: &[&str] = &["from", "tick"];
/// The fields of an identifier in another list.
pub const EXTERNAL_ID: &[&str] = &["source", "security_id"];
/// The fields of an instrument.
pub const INSTRUMENT: &[&str] = &[
    "symbol",
    "listing",
    "asset_class",
    "currency",
    "ticks",
    "lot",
    "min_qty",
    "max_qty",
    "active",
    "multiplier",
    "underlying",
    "expiry",
    "strike",
    "right",
    "settl_method",
    "settl_days",
    "base_currency",
    "tenor",
    "value_date",
    "rate_quoted",
    "cut_off_utc_s",
    "adv_qty",
    "external_ids",
];
/// The fields of a venue.
pub const VENUE: &[&str] = &[
    "venue",
    "name",
    "maker_fee",
    "taker_fee",
    "latency_prior_ns",
    "fill_prior",
    "fill_prior_weight",
    "enabled",
    "lacks_stops",
    "lacks_gtd",
];

fn currency(fields: &Fields<'_, '_>, name: &str) -> Result<Option<Currency>, Refusal> {
    let text = fields.string(name)?;
    text.map(|text| Currency::of(text).ok_or_else(|| fields.bad(name, "must be a currency code such as USD"))).transpose()
}

/// The currencies beside its own that an account may trade in; `None` where they are not given.
pub(super) fn currencies(fields: &Fields<'_, '_>) -> Result<Option<Vec<Currency>>, Refusal> {
    if fields.array("currencies")?.is_none() {
        return Ok(None);
    }
    let texts: Vec<String> = fields.parsed_list("currencies")?;
    let code =
        |text: &String| Currency::of(text).ok_or_else(|| fields.bad("currencies", format_args!("has {text:?}, which is no currency code")));
    texts.iter().map(code).collect::<Result<_, Refusal>>().map(Some)
}

fn name_of(fields: &Fields<'_, '_>) -> Result<Option<String>, Refusal> {
    match fields.string("name")? {
        Some(name) if name.trim().is_empty() || name.len() > MAX_NAME => {
            Err(fields.bad("name", format_args!("must have 1 to {MAX_NAME} bytes")))
        }
        name => Ok(name.map(str::to_owned)),
    }
}

/// The id of an account with this name that is opened here: always the same, so that a repeated request opens nothing twice.
/// A UUID of version 8 (RFC 9562 section 5.8).
fn account_id(tenant_id: TenantId, name: &str) -> AccountId {
    let hash = Sha256::new().chain_update(tenant_id.as_u128().to_be_bytes()).chain_update(name).finalize();
    let bits = hash.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
    AccountId::from_u128(bits & !(0xF << 76 | 0x3 << 62) | 0x8 << 76 | 0x2 << 62)
}

pub(crate) fn account_set(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", ACCOUNT)?;
    let name = fields.required("name", name_of(&fields)?)?;
    let known = catalog.accounts.values().find(|account| account.name == name).cloned();
    let known =
        known.unwrap_or_else(|| Account { account_id: account_id(catalog.tenant_id, &name), name, active: true, ..Account::default() });
    Ok(Command::OpenAccount(Account {
        currency: currency(&fields, "currency")?.unwrap_or(known.currency),
        active: fields.bool("active")?.unwrap_or(known.active),
        currencies: currencies(&fields)?.unwrap_or(known.currencies),
        converts: fields.bool("converts")?.unwrap_or(known.converts),
        capital: fields.amount("capital")?.or(known.capital),
        ..known
    }))
}

pub(crate) fn instrument_set(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", INSTRUMENT)?;
    let symbol: Symbol = fields.required("symbol", fields.parsed("symbol")?)?;
    let known = catalog.instrument_named(symbol.as_str()).cloned();
    let known = match known {
        Some(known) => known,
        None => new_instrument(&fields, symbol)?,
    };
    Ok(Command::ListInstrument(Box::new(Instrument {
        listing: fields.parsed("listing")?.unwrap_or(known.listing),
        asset_class: fields.parsed("asset_class")?.unwrap_or(known.asset_class),
        currency: currency(&fields, "currency")?.unwrap_or(known.currency),
        ticks: ticks(&fields)?.unwrap_or(known.ticks),
        lot: fields.amount("lot")?.unwrap_or(known.lot),
        min_qty: fields.amount("min_qty")?.unwrap_or(known.min_qty),
        max_qty: fields.amount("max_qty")?.unwrap_or(known.max_qty),
        active: fields.bool("active")?.unwrap_or(known.active),
        multiplier: fields.amount("multiplier")?.or(known.multiplier),
        underlying: fields.parsed("underlying")?.or(known.underlying),
        expiry: fields.time("expiry")?.or(known.expiry),
        strike: fields.amount("strike")?.or(known.strike),
        right: fields.parsed("right")?.or(known.right),
        settl_method: fields.parsed("settl_method")?.or(known.settl_method),
        settl_days: fields.count("settl_days")?.unwrap_or(known.settl_days),
        base_currency: currency(&fields, "base_currency")?.or(known.base_currency),
        tenor: fields.parsed("tenor")?.or(known.tenor),
        value_date: fields.time("value_date")?.or(known.value_date),
        rate_quoted: fields.bool("rate_quoted")?.unwrap_or(known.rate_quoted),
        cut_off_utc_s: fields.count("cut_off_utc_s")?.or(known.cut_off_utc_s),
        adv_qty: fields.amount("adv_qty")?.or(known.adv_qty),
        external_ids: external_ids(&fields)?.unwrap_or(known.external_ids),
        ..known
    })))
}

/// An instrument of which nothing is known yet.
fn new_instrument(fields: &Fields<'_, '_>, symbol: Symbol) -> Result<Instrument, Refusal> {
    let lot = fields.amount("lot")?.unwrap_or_else(|| Qty::from_units(1).unwrap_or_default());
    Ok(Instrument {
        symbol,
        listing: fields.required("listing", fields.parsed("listing")?)?,
        ticks: fields.required("ticks", ticks(fields)?)?,
        lot,
        min_qty: lot,
        max_qty: fields.required("max_qty", fields.amount("max_qty")?)?,
        active: true,
        ..Instrument::default()
    })
}

fn ticks(fields: &Fields<'_, '_>) -> Result<Option<Vec<TickStep>>, Refusal> {
    let Some(items) = fields.array("ticks")? else { return Ok(None) };
    let at = format!("{}.", fields.path("ticks"));
    let step = |item| {
        let step = Fields::of(item, &at, TICK_STEP)?;
        let from = step.amount("from")?.unwrap_or_default();
        Ok(TickStep { from, tick: step.required("tick", step.amount("tick")?)? })
    };
    items.iter().map(step).collect::<Result<_, Refusal>>().map(Some)
}

fn external_ids(fields: &Fields<'_, '_>) -> Result<Option<Vec<ExternalId>>, Refusal> {
    let Some(items) = fields.array("external_ids")? else { return Ok(None) };
    let at = format!("{}.", fields.path("external_ids"));
    let id = |item| {
        let id = Fields::of(item, &at, EXTERNAL_ID)?;
        let security_id = id.required("security_id", id.parsed("security_id")?)?;
        Ok(ExternalId { source: id.required("source", id.parsed("source")?)?, security_id })
    };
    items.iter().map(id).collect::<Result<_, Refusal>>().map(Some)
}

pub(crate) fn venue_set(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", VENUE)?;
    let venue = fields.required("venue", fields.parsed("venue")?)?;
    let known = catalog.venues.get(&venue).cloned().unwrap_or_else(|| Venue {
        venue,
        name: venue.to_string(),
        latency_prior_ns: 1_000_000,
        fill_prior_ppm: 500_000,
        fill_prior_weight: 10,
        enabled: true,
        ..Venue::default()
    });
    let fill_prior_ppm = match fields.amount::<Decimal>("fill_prior")? {
        None => known.fill_prior_ppm,
        // A millionth is the finest that is kept.
        Some(share) => u32::try_from(share.raw() / 1_000)
            .ok()
            .filter(|ppm| *ppm <= 1_000_000 && share.raw() % 1_000 == 0)
            .ok_or_else(|| fields.bad("fill_prior", "must be 0 to 1 with at most six decimals"))?,
    };
    Ok(Command::ConfigureVenue(Box::new(Venue {
        name: name_of(&fields)?.unwrap_or(known.name),
        maker_fee: fields.amount("maker_fee")?.unwrap_or(known.maker_fee),
        taker_fee: fields.amount("taker_fee")?.unwrap_or(known.taker_fee),
        latency_prior_ns: fields.count("latency_prior_ns")?.unwrap_or(known.latency_prior_ns),
        fill_prior_ppm,
        fill_prior_weight: fields.count("fill_prior_weight")?.unwrap_or(known.fill_prior_weight),
        enabled: fields.bool("enabled")?.unwrap_or(known.enabled),
        lacks_stops: fields.bool("lacks_stops")?.unwrap_or(known.lacks_stops),
        lacks_gtd: fields.bool("lacks_gtd")?.unwrap_or(known.lacks_gtd),
        ..known
    })))
}
