//! The names that requests and answers use - instruments, venues, accounts, keys - as of the committed log.

use crate::api::until;
use crate::auth::KeyRing;
use crate::owners::Owners;
use oms_engine::State;
use oms_model::event::{Batch, Event};
use oms_model::instrument::{Account, Instrument, Venue};
use oms_model::limit::Scope;
use oms_model::{AccountId, InstrumentId, Mic, Seq, TenantId};
use oms_runtime::feed::{FeedError, Follower};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;

/// The most batches that are folded before whoever waits for one of them is told, and others of the thread have their turn.
const MAX_BATCHES: usize = 256;

/// The names at one point of the log.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Whose log it is.
    pub tenant_id: TenantId,
    /// By id.
    pub instruments: BTreeMap<InstrumentId, Instrument>,
    /// By code.
    pub venues: BTreeMap<Mic, Venue>,
    /// By id.
    pub accounts: BTreeMap<AccountId, Account>,
    /// Who may ask.
    pub keys: KeyRing,
    symbols: BTreeMap<String, InstrumentId>,
}

impl Catalog {
    /// The names that `state` knows.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let mut catalog = Self { tenant_id: state.tenant_id(), ..Self::default() };
        state.instruments().iter().for_each(|instrument| catalog.list(instrument));
        catalog.venues.extend(state.venues().map(|entry| (entry.venue.venue, entry.venue.clone())));
        catalog.accounts.extend(state.accounts().map(|account| (account.account_id, account.clone())));
        state.api_keys().for_each(|key| catalog.keys.add(key));
        catalog
    }

    pub(crate) fn list(&mut self, instrument: &Instrument) {
        self.symbols.insert(instrument.symbol.to_string(), instrument.instrument_id);
        self.instruments.insert(instrument.instrument_id, instrument.clone());
    }

    /// The instrument with this ticker.
    #[must_use]
    pub fn instrument_named(&self, symbol: &str) -> Option<&Instrument> {
        self.instruments.get(self.symbols.get(symbol)?)
    }

    /// The ticker of an instrument.
    #[must_use]
    pub fn symbol(&self, id: InstrumentId) -> &str {
        self.instruments.get(&id).map_or("", |instrument| instrument.symbol.as_str())
    }

    /// A scope as requests write it.
    #[must_use]
    pub fn scope_text(&self, scope: Scope) -> String {
        match scope {
            Scope::Instrument(id) => format!("INSTRUMENT:{}", self.symbol(id)),
            other => other.to_string(),
        }
    }

    /// What an event changes about the names; `None` where it changes nothing.
    fn change(event: &Event) -> Option<fn(&mut Self, &Event)> {
        match event {
            Event::InstrumentListed(_)
            | Event::NavSet(_)
            | Event::VenueConfigured(_)
            | Event::AccountOpened(_)
            | Event::ApiKeyCreated(_)
            | Event::TenantCreated(_) => Some(Self::fold),
            _ => None,
        }
    }

    fn fold(&mut self, event: &Event) {
        match event {
            Event::InstrumentListed(instrument) => self.list(instrument),
            Event::NavSet(e) => {
                if let Some(fund) = self.instruments.get_mut(&e.instrument_id) {
                    (fund.nav, fund.nav_at) = (Some(e.nav), Some(e.as_of));
                }
            }
            Event::VenueConfigured(venue) => drop(self.venues.insert(venue.venue, (**venue).clone())),
            Event::AccountOpened(account) => drop(self.accounts.insert(account.account_id, account.clone())),
            Event::ApiKeyCreated(key) => self.keys.add(key),
            Event::TenantCreated(tenant) => self.tenant_id = tenant.tenant_id,
            _ => (),
        }
    }
}

/// The catalog that follows the log.
pub struct Names {
    current: RwLock<Arc<Catalog>>,
    owners: Owners,
    cursor: watch::Sender<u64>,
}

impl Names {
    /// The names as of `seq`.
    #[must_use]
    pub fn new(catalog: Catalog, seq: Seq) -> Self {
        Self { current: RwLock::new(Arc::new(catalog)), owners: Owners::default(), cursor: watch::Sender::new(seq.0) }
    }

    /// The names as they are known now.
    #[must_use]
    pub fn current(&self) -> Arc<Catalog> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whose orders are, as of the same event as the names.
    pub(crate) fn owners(&self) -> &Owners {
        &self.owners
    }

    /// The names as of `seq` or later. Waits until they are; the caller bounds the wait.
    pub async fn as_of(&self, seq: Seq) -> Arc<Catalog> {
        if *self.cursor.borrow() < seq.0 {
            // The sender lives as long as `self`, so the condition can always still be met.
            until(&mut self.cursor.subscribe(), |cursor| *cursor >= seq.0).await;
        }
        self.current()
    }

    /// Takes a batch in, and answers its last event.
    fn fold(&self, batch: &Batch) -> Seq {
        self.owners.created(
            batch.events.iter().filter_map(|event| if let Event::OrderCreated(created) = event { Some(&**created) } else { None }),
        );
        for event in &batch.events {
            if let Some(change) = Catalog::change(event) {
                let mut catalog = (*self.current()).clone();
                change(&mut catalog, event);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
            }
        }
        batch.last_seq()
    }

    /// Follows the log until it is closed.
    ///
    /// # Errors
    /// See [`FeedError`].
    pub async fn follow(&self, mut follower: Follower) -> Result<(), FeedError> {
        loop {
            let mut seq = match follower.next().await {
                Ok(batch) => self.fold(&batch),
                Err(FeedError::Closed) => return Ok(()),
                Err(error) => return Err(error),
            };
            // What is there already is told of once.
            for _ in 1..MAX_BATCHES {
                let Some(batch) = follower.try_next()? else { break };
                seq = self.fold(&batch);
            }
            self.cursor.send_replace(seq.0);
        }
    }
}
