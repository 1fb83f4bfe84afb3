//! What works in a scope, for kill switches.

use super::{Entry, State};
use oms_model::Order;
use oms_model::limit::Scope;

impl State {
    /// Whether an order belongs to a scope; to a venue, where a part of it works there.
    #[must_use]
    pub fn is_in(&self, order: &Order, scope: Scope) -> bool {
        let root = self.order(order.root_order_id).unwrap_or(order);
        match scope {
            Scope::Tenant => true,
            Scope::Account(id) => order.account_id == id,
            Scope::User(id) => root.user_id == id,
            Scope::Instrument(id) => order.instrument_id == id,
            Scope::Strategy(id) => root.strategy() == Some(id),
            Scope::AssetClass(class) => self.instrument(order.instrument_id).is_some_and(|instrument| instrument.asset_class == class),
            Scope::Venue(mic) => {
                order.venue == Some(mic) || self.any_below(order, &|part| part.is_working() && part.order.venue == Some(mic))
            }
        }
    }

    /// Legs whose outcome at their venue is not known, by id.
    pub fn in_doubt(&self) -> impl Iterator<Item = &Entry> {
        self.doubts.iter().filter_map(|id| self.entry(*id))
    }

    /// Whether anything works in a scope, or may without our knowing. A sum says at once that client orders do; only
    /// where none does, what may be left at a venue of one that is done is looked for.
    pub(crate) fn works_in(&self, scope: Scope) -> bool {
        let by_venue = matches!(scope, Scope::Venue(_));
        if !by_venue && self.risk.open(scope).0 > 0 {
            return true;
        }
        let works = |entry: &Entry| {
            let concerns = entry.order.is_leg() || (entry.order.is_root() && !by_venue);
            concerns && entry.is_working() && self.is_in(&entry.order, scope)
        };
        self.orders.iter().any(works)
    }
}
