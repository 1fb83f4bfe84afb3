//! What messages name by words and the desk by ids: instruments and accounts.

use std::collections::BTreeMap;

use oms_engine::State;
use oms_model::event::Event;
use oms_model::instrument::{Account, Currency, Instrument};
use oms_model::{AccountId, Code, InstrumentId, Refusal, Symbol};

/// The names, as the log has them so far.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    symbols: BTreeMap<InstrumentId, (Symbol, Currency)>,
    accounts: BTreeMap<AccountId, String>,
}

impl Catalog {
    /// The names as they stand.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let mut catalog = Self::default();
        state.instruments().iter().for_each(|instrument| catalog.list(instrument));
        state.accounts().for_each(|account| catalog.open(account));
        catalog
    }

    /// Follows an event.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::InstrumentListed(instrument) => self.list(instrument),
            Event::AccountOpened(account) => self.open(account),
            _ => (),
        }
    }

    fn list(&mut self, instrument: &Instrument) {
        self.symbols.insert(instrument.instrument_id, (instrument.symbol.clone(), instrument.currency));
    }

    fn open(&mut self, account: &Account) {
        self.accounts.insert(account.account_id, account.name.clone());
    }

    /// The ticker of an instrument; empty for one that is not listed.
    #[must_use]
    pub fn symbol(&self, id: InstrumentId) -> &str {
        self.symbols.get(&id).map_or("", |(symbol, _)| symbol.as_str())
    }

    /// The instrument of a ticker.
    #[must_use]
    pub fn instrument(&self, symbol: &Symbol) -> Option<InstrumentId> {
        self.symbols.iter().find(|(_, (known, _))| known == symbol).map(|(id, _)| *id)
    }

    /// What the instrument of a ticker is traded in; empty for one that is not listed.
    #[must_use]
    pub fn currency_of(&self, symbol: &[u8]) -> &str {
        let found = self.symbols.values().find(|(known, _)| known.as_str().as_bytes() == symbol);
        found.map_or("", |(_, currency)| currency.as_str())
    }

    /// The name of an account.
    #[must_use]
    pub fn account_name(&self, id: AccountId) -> &str {
        self.accounts.get(&id).map_or("", String::as_str)
    }

    /// The account that Account(1) names: by its name or by its id.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub fn account(&self, name: &[u8]) -> Result<AccountId, Refusal> {
        let text = str::from_utf8(name).unwrap_or_default();
        let by_id = text.parse().ok().filter(|id| self.accounts.contains_key(id));
        let found = by_id.or_else(|| self.accounts.iter().find(|(_, known)| *known == text).map(|(id, _)| *id));
        found.ok_or_else(|| Refusal::new(Code::NotFound, "Account(1) names no account"))
    }

    /// Whether an instrument is traded in the currency that an order names.
    ///
    /// # Errors
    /// `CURRENCY_MISMATCH`.
    pub fn is_in(&self, symbol: &Symbol, currency: &[u8]) -> Result<(), Refusal> {
        let traded = self.symbols.values().find(|(known, _)| known == symbol).map(|(_, currency)| currency.0);
        match traded {
            Some(traded) if traded.as_slice() != currency => {
                Err(Refusal::new(Code::CurrencyMismatch, "Currency(15) is not that of the instrument"))
            }
            // One that is not listed is refused by the engine, with the better reason.
            _ => Ok(()),
        }
    }
}
