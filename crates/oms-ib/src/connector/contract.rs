//! What the desk calls an instrument, as the broker describes it.

use oms_model::instrument::{Currency, Instrument};
use oms_model::{AssetClass, OptionRight, SecurityIdSource};

use crate::codec::{Contract, Number};

/// Where things are traded that are not sent to an exchange by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchanges {
    /// Shares and options: `SMART`, or an exchange.
    pub listed: String,
    /// Futures: an exchange; the broker's router does not take them.
    pub futures: String,
    /// Currency pairs.
    pub fx: String,
    /// Crypto-assets.
    pub crypto: String,
    /// Funds.
    pub funds: String,
}

impl Default for Exchanges {
    fn default() -> Self {
        let text = |text: &str| text.to_owned();
        Self { listed: text("SMART"), futures: text("CME"), fx: text("IDEALPRO"), crypto: text("PAXOS"), funds: text("FUNDSERV") }
    }
}

/// Why an instrument cannot be named to the broker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoContract {
    /// The broker has no such kind of contract.
    #[error("the broker has no contracts of class {0}")]
    Class(AssetClass),
    /// The instrument lacks something that the contract needs.
    #[error("the instrument has no {0}, which the broker's contract needs")]
    Lacks(&'static str),
}

fn code(currency: Currency) -> String {
    currency.as_str().to_owned()
}

/// The contract of an instrument. One with a conId of the broker is named by it as well.
///
/// # Errors
/// [`NoContract`]: it is not guessed.
pub fn contract(instrument: &Instrument, exchanges: &Exchanges) -> Result<Contract, NoContract> {
    let con_id = instrument.external_ids.iter().find(|id| id.source == SecurityIdSource::IbConId);
    let con_id = match con_id {
        Some(id) => id.security_id.as_str().parse().map_err(|_| NoContract::Lacks("conId that is a number"))?,
        None => 0,
    };
    let mut contract = Contract { con_id, currency: code(instrument.currency), ..Contract::default() };
    let (sec_type, exchange) = match instrument.asset_class {
        AssetClass::Equity => ("STK", &exchanges.listed),
        AssetClass::Option => ("OPT", &exchanges.listed),
        AssetClass::Future => ("FUT", &exchanges.futures),
        AssetClass::Fund => ("FUND", &exchanges.funds),
        AssetClass::Fx => ("CASH", &exchanges.fx),
        AssetClass::Crypto => ("CRYPTO", &exchanges.crypto),
        class @ (AssetClass::Structured | AssetClass::MoneyMarket) => return Err(NoContract::Class(class)),
    };
    (contract.sec_type, contract.exchange) = (sec_type.to_owned(), exchange.clone());
    // A class of shares is behind a space there: BRK B.
    contract.symbol = instrument.symbol.as_str().replace('.', " ");
    match instrument.asset_class {
        AssetClass::Option | AssetClass::Future => derivative(&mut contract, instrument)?,
        AssetClass::Fx => {
            contract.symbol = code(instrument.base_currency.ok_or(NoContract::Lacks("base currency"))?);
        }
        AssetClass::Crypto => {
            if let Some(base) = instrument.base_currency {
                contract.symbol = code(base);
            }
        }
        _ => (),
    }
    Ok(contract)
}

fn derivative(contract: &mut Contract, instrument: &Instrument) -> Result<(), NoContract> {
    let underlying = instrument.underlying.as_ref().ok_or(NoContract::Lacks("underlying"))?;
    contract.symbol = underlying.as_str().replace('.', " ");
    contract.last_trade_date = instrument.expiry.ok_or(NoContract::Lacks("expiry"))?.day().to_string();
    contract.multiplier = instrument.multiplier.and_then(|multiplier| Number::try_from(multiplier).ok());
    if instrument.asset_class == AssetClass::Option {
        contract.strike = Some(Number::from(instrument.strike.ok_or(NoContract::Lacks("strike"))?));
        contract.right = match instrument.right.ok_or(NoContract::Lacks("right"))? {
            OptionRight::Put => "P",
            OptionRight::Call => "C",
        }
        .to_owned();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
