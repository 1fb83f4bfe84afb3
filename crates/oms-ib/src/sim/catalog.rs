//! What can be traded at the simulator.

use oms_model::{InstrumentId, Mic, Price, Symbol};

use crate::codec::{Contract, ContractDetails, Number, Size};

/// Contract ids of the recorded symbols, as the broker has them; others are numbered from here.
const FIRST_CON_ID: i32 = 700_000_000;
const KNOWN: [(&str, i32, &str); 3] = [
    ("IBM", 8_314, "INTL BUSINESS MACHINES CORP"),
    ("BAC", 10_098, "BANK OF AMERICA CORP"),
    ("AIG", 61_319_463, "AMERICAN INTERNATIONAL GROUP"),
];
/// Exchanges as the broker calls them, and their codes.
const EXCHANGES: [(&str, Mic); 8] = [
    ("NYSE", Mic::of(b"XNYS")),
    ("NASDAQ", Mic::of(b"XNAS")),
    ("ARCA", Mic::of(b"ARCX")),
    ("BATS", Mic::of(b"BATS")),
    ("BYX", Mic::of(b"BATY")),
    ("DRCTEDGE", Mic::of(b"EDGX")),
    ("EDGEA", Mic::of(b"EDGA")),
    ("BEX", Mic::of(b"XBOS")),
];
/// Where listed stocks go that nobody sends elsewhere.
pub(super) const SMART: &str = "SMART";
/// The price increment of stocks.
const TICK: Price = Price::from_raw(10_000_000);

/// The code of an exchange of the broker's.
pub(super) fn mic_of(exchange: &str) -> Option<Mic> {
    EXCHANGES.iter().find(|(name, _)| *name == exchange).map(|(_, mic)| *mic)
}

/// The broker's name of an exchange.
pub(super) fn exchange_of(mic: Mic) -> &'static str {
    EXCHANGES.iter().find(|(_, known)| *known == mic).map_or(SMART, |(name, _)| name)
}

/// Something that is traded.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) symbol: Symbol,
    pub(super) instrument: InstrumentId,
    pub(super) contract: Contract,
    pub(super) details: ContractDetails,
    pub(super) tick: Price,
}

/// All of it, by place; the instrument id is the place.
#[derive(Debug)]
pub(super) struct Catalog(Vec<Item>);

impl Catalog {
    /// Stocks in these symbols.
    pub(super) fn stocks(symbols: &[Symbol]) -> Self {
        let items = symbols.iter().zip(0_u32..).map(|(symbol, place)| {
            let known = KNOWN.iter().find(|(name, ..)| *name == symbol.as_str());
            let con_id = known.map_or(FIRST_CON_ID.saturating_add_unsigned(place), |(_, con_id, _)| *con_id);
            let long_name = known.map_or_else(|| symbol.to_string(), |(.., name)| (*name).to_owned());
            let exchanges: Vec<&str> = std::iter::once(SMART).chain(EXCHANGES.iter().map(|(name, _)| *name)).collect();
            let one = Some(Size(Number::whole(1)));
            Item {
                symbol: symbol.clone(),
                instrument: InstrumentId(place),
                contract: Contract {
                    con_id,
                    symbol: symbol.to_string(),
                    sec_type: "STK".to_owned(),
                    exchange: SMART.to_owned(),
                    primary_exchange: "NYSE".to_owned(),
                    currency: "USD".to_owned(),
                    local_symbol: symbol.to_string(),
                    trading_class: symbol.to_string(),
                    ..Contract::default()
                },
                details: ContractDetails {
                    market_name: symbol.to_string(),
                    min_tick: Some(Size(Number::from(TICK))),
                    order_types: "ACTIVETIM,DAY,GTC,GTD,IOC,LIT,LMT,LOC,MIT,MKT,MOC,MTL,OCA,STP,STPLMT,TRAIL,TRAILLMT,WHATIF".to_owned(),
                    valid_exchanges: exchanges.join(","),
                    price_magnifier: 1,
                    long_name,
                    time_zone: "US/Eastern".to_owned(),
                    market_rule_ids: vec!["26"; exchanges.len()].join(","),
                    stock_type: "COMMON".to_owned(),
                    min_size: one,
                    size_increment: one,
                    suggested_size_increment: Some(Size(Number::whole(100))),
                    ..ContractDetails::default()
                },
                tick: TICK,
            }
        });
        Self(items.collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Item> {
        self.0.iter()
    }

    pub(super) fn get(&self, instrument: InstrumentId) -> Option<&Item> {
        self.0.get(usize::try_from(instrument.0).ok()?)
    }

    /// The one that fits a description.
    pub(super) fn find(&self, wanted: &Contract) -> Option<&Item> {
        let fits = |want: &str, has: &str| want.is_empty() || want == has;
        self.iter().find(|item| {
            let has = &item.contract;
            let named = if wanted.con_id != 0 {
                wanted.con_id == has.con_id
            } else {
                wanted.symbol == has.symbol || (!wanted.local_symbol.is_empty() && wanted.local_symbol == has.local_symbol)
            };
            named
                && fits(&wanted.sec_type, &has.sec_type)
                && fits(&wanted.currency, &has.currency)
                && (fits(&wanted.exchange, SMART) || mic_of(&wanted.exchange).is_some())
        })
    }
}
