use oms_model::instrument::ExternalId;
use oms_model::{Decimal, Price, SecurityId, Symbol, Time};

use super::*;

/// The 15th of October 2026, noon.
const EXPIRY: Time = Time(1_792_065_600_000_000_000);

fn instrument(symbol: &str, asset_class: AssetClass) -> Instrument {
    Instrument { symbol: Symbol::new(symbol).unwrap(), asset_class, currency: Currency(*b"USD"), ..Instrument::default() }
}

fn named(instrument: &Instrument) -> Result<Contract, NoContract> {
    contract(instrument, &Exchanges::default())
}

#[test]
fn each_class_is_named_as_the_broker_does() {
    let share = named(&instrument("BRK.B", AssetClass::Equity)).unwrap();
    assert_eq!(
        (share.symbol.as_str(), share.sec_type.as_str(), share.exchange.as_str(), share.currency.as_str()),
        ("BRK B", "STK", "SMART", "USD")
    );
    let option = Instrument {
        underlying: Some(Symbol::new("IBM").unwrap()),
        expiry: Some(EXPIRY),
        strike: Some("185.5".parse::<Price>().unwrap()),
        right: Some(OptionRight::Put),
        multiplier: Some("100".parse::<Decimal>().unwrap()),
        ..instrument("IBM261015P", AssetClass::Option)
    };
    let told = named(&option).unwrap();
    assert_eq!(
        (told.symbol.as_str(), told.sec_type.as_str(), told.last_trade_date.as_str(), told.right.as_str()),
        ("IBM", "OPT", "20261015", "P")
    );
    assert_eq!((told.strike.unwrap().to_string(), told.multiplier.unwrap().to_string()), ("185.5".to_owned(), "100".to_owned()));
    let pair = Instrument { base_currency: Some(Currency(*b"EUR")), ..instrument("EURUSD", AssetClass::Fx) };
    let told = named(&pair).unwrap();
    assert_eq!((told.symbol.as_str(), told.sec_type.as_str(), told.exchange.as_str()), ("EUR", "CASH", "IDEALPRO"));
    assert_eq!(named(&instrument("BTC", AssetClass::Crypto)).unwrap().sec_type, "CRYPTO");
    assert_eq!(named(&instrument("VFIAX", AssetClass::Fund)).unwrap().exchange, "FUNDSERV");
}

#[test]
fn the_brokers_own_number_goes_with_it() {
    let id = |text: &str| ExternalId { source: SecurityIdSource::IbConId, security_id: SecurityId::new(text).unwrap() };
    let share = Instrument { external_ids: vec![id("8314")], ..instrument("IBM", AssetClass::Equity) };
    assert_eq!(named(&share).unwrap().con_id, 8314);
    let wrong = Instrument { external_ids: vec![id("US4592001014")], ..share };
    assert_eq!(named(&wrong), Err(NoContract::Lacks("conId that is a number")));
}

#[test]
fn what_is_not_there_is_not_guessed() {
    assert_eq!(named(&instrument("X", AssetClass::Structured)), Err(NoContract::Class(AssetClass::Structured)));
    assert_eq!(named(&instrument("X", AssetClass::Option)), Err(NoContract::Lacks("underlying")));
    assert_eq!(named(&instrument("X", AssetClass::Fx)), Err(NoContract::Lacks("base currency")));
    let option = Instrument { underlying: Some(Symbol::new("IBM").unwrap()), expiry: Some(EXPIRY), ..instrument("X", AssetClass::Option) };
    assert_eq!(named(&option), Err(NoContract::Lacks("strike")));
}
