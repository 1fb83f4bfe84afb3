//! Restricted and allow lists, locates and the short-sale price test.

use crate::book::RiskBook;
use crate::check::{Inquiry, pass, refuse};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use oms_model::compliance::{ListKind, Locate, Restriction};
use oms_model::limit::{Check, CheckResult, Scope};
use oms_model::{AccountId, AssetClass, Code, Decimal, InstrumentId, Mic, Price, Qty};
use std::collections::BTreeMap;

/// The most entries of all lists together.
pub const MAX_ENTRIES: usize = 200_000;

/// The kinds of things that stand on lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum SubjectKind {
    Instrument,
    AssetClass,
    Venue,
    Account,
}

fn kind_of(subject: Scope) -> Option<SubjectKind> {
    match subject {
        Scope::Instrument(_) => Some(SubjectKind::Instrument),
        Scope::AssetClass(_) => Some(SubjectKind::AssetClass),
        Scope::Venue(_) => Some(SubjectKind::Venue),
        Scope::Account(_) => Some(SubjectKind::Account),
        Scope::Tenant | Scope::User(_) | Scope::Strategy(_) => None,
    }
}

/// Whether an entry is one that a list takes: whose it is, and what it is about.
#[must_use]
pub fn is_entry(scope: Scope, subject: Scope) -> bool {
    let owned = matches!(scope, Scope::Tenant | Scope::Account(_) | Scope::User(_) | Scope::Strategy(_));
    owned && kind_of(subject).is_some()
}

/// All lists. What each check asks is one look each, however long they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    entries: HashMap<(ListKind, Scope, Scope), String, FixedState>,
    /// How many entries an allow list has of a kind: with none it allows everything of it.
    allowed: HashMap<(Scope, SubjectKind), u32, FixedState>,
}

impl Lists {
    fn set(&mut self, entry: &Restriction) {
        let known = self.entries.insert((entry.list, entry.scope, entry.subject), entry.reason.clone());
        if let (None, ListKind::Allowed, Some(kind)) = (known, entry.list, kind_of(entry.subject)) {
            *self.allowed.entry((entry.scope, kind)).or_default() += 1;
        }
    }

    fn remove(&mut self, list: ListKind, scope: Scope, subject: Scope) {
        let known = self.entries.remove(&(list, scope, subject));
        if let (Some(_), ListKind::Allowed, Some(kind)) = (known, list, kind_of(subject))
            && let Some(count) = self.allowed.get_mut(&(scope, kind))
        {
            *count -= 1;
            if *count == 0 {
                self.allowed.remove(&(scope, kind));
            }
        }
    }

    /// The first owner whose lists do not take the subject.
    fn blocking(&self, owners: &[Scope], subject: Scope) -> Option<Scope> {
        let kind = kind_of(subject)?;
        if self.entries.is_empty() {
            return None;
        }
        owners.iter().copied().find(|owner| {
            self.entries.contains_key(&(ListKind::Restricted, *owner, subject))
                || (self.allowed.contains_key(&(*owner, kind)) && !self.entries.contains_key(&(ListKind::Allowed, *owner, subject)))
        })
    }
}

impl RiskBook {
    /// Something stands on a list.
    pub fn set_restriction(&mut self, entry: &Restriction) {
        self.revisions.lists += 1;
        self.lists.set(entry);
    }

    /// It stands there no more.
    pub fn remove_restriction(&mut self, list: ListKind, scope: Scope, subject: Scope) {
        self.revisions.lists += 1;
        self.lists.remove(list, scope, subject);
    }

    /// Whether it stands on exactly this list.
    #[must_use]
    pub fn has_restriction(&self, list: ListKind, scope: Scope, subject: Scope) -> bool {
        self.lists.entries.contains_key(&(list, scope, subject))
    }

    /// How many entries all lists have.
    #[must_use]
    pub fn restriction_count(&self) -> usize {
        self.lists.entries.len()
    }

    /// Every entry, by list, owner and subject. Looks at all of them.
    #[must_use]
    pub fn restrictions(&self) -> Vec<Restriction> {
        let entry = |(&(list, scope, subject), reason): (&(ListKind, Scope, Scope), &String)| Restriction {
            list,
            scope,
            subject,
            reason: reason.clone(),
        };
        let mut all: Vec<Restriction> = self.lists.entries.iter().map(entry).collect();
        all.sort_unstable_by_key(|entry| (entry.list, entry.scope, entry.subject));
        all
    }

    /// Whether an order of these owners may go to a venue: the router asks for each.
    #[must_use]
    pub fn blocks_venue(&self, owners: &[Scope], venue: Mic) -> bool {
        self.lists.blocking(owners, Scope::Venue(venue)).is_some()
    }

    /// What is known of lent shares, by account and instrument.
    pub fn locates(&self) -> impl Iterator<Item = &Locate> {
        self.locates.values()
    }

    /// Shares are lent.
    pub fn set_locate(&mut self, locate: &Locate) {
        self.locates.insert((locate.account_id, locate.instrument_id), locate.clone());
    }

    /// Of what an account may sell short of an instrument, how much it has sold today and works.
    #[must_use]
    pub fn locate_used(&self, account_id: AccountId, instrument_id: InstrumentId) -> Qty {
        let held = self.held(account_id, instrument_id);
        held.short_qty.saturating_add(held.shorted_qty)
    }

    /// Instruments under the short-sale price test, by id.
    pub fn short_sale_restricted(&self) -> impl Iterator<Item = InstrumentId> + '_ {
        self.short_sale_restricted.iter().copied()
    }

    /// The short-sale price test of an instrument began or ended.
    pub fn set_short_sale_state(&mut self, instrument_id: InstrumentId, restricted: bool) {
        if restricted {
            self.short_sale_restricted.insert(instrument_id);
        } else {
            self.short_sale_restricted.remove(&instrument_id);
        }
    }
}

/// Lent shares by account and instrument.
pub(crate) type Locates = BTreeMap<(AccountId, InstrumentId), Locate>;

/// Restricted and allow lists of tenant, account, user and strategy.
pub(crate) fn check_restricted(inquiry: &Inquiry<'_>) -> CheckResult {
    let order = &inquiry.order;
    let lists = &inquiry.book.lists;
    let owners = order.owners();
    let subjects = [
        Some(Scope::Instrument(order.instrument_id)),
        Some(Scope::AssetClass(inquiry.ctx.instrument.asset_class)),
        order.named_venue.map(Scope::Venue),
        Some(Scope::Account(order.account_id)),
    ];
    for subject in subjects.into_iter().flatten() {
        if lists.blocking(&owners, subject).is_some() {
            return refuse(Check::Restricted, Code::ComplianceBlocked, subject);
        }
    }
    pass(Check::Restricted)
}

/// What is sold short must be lent: executed today, working and this order together, at most what is lent. Of shares
/// only: what is no share is not borrowed. Control: Regulation SHO rule 203(b)(1).
pub(crate) fn check_locate(inquiry: &Inquiry<'_>) -> CheckResult {
    let order = &inquiry.order;
    if !order.side.is_short() || inquiry.ctx.instrument.asset_class != AssetClass::Equity || inquiry.is_replan() {
        return inquiry.not_applicable(Check::Locate);
    }
    let added = inquiry.added_qty();
    if !inquiry.is_new() && added.is_zero() {
        return inquiry.not_applicable(Check::Locate);
    }
    let used = inquiry.book.locate_used(order.account_id, order.instrument_id).saturating_add(added);
    let locate = inquiry.book.locates.get(&(order.account_id, order.instrument_id)).filter(|locate| inquiry.ctx.now < locate.until);
    let lent = locate.map_or(Qty::ZERO, |locate| locate.qty);
    let (scope, value, limit) = (Scope::Instrument(order.instrument_id), Some(Decimal::from(used)), Some(Decimal::from(lent)));
    if used > lent {
        CheckResult { value, limit, ..refuse(Check::Locate, Code::LocateRequired, scope) }
    } else {
        CheckResult { scope, value, limit, ..pass(Check::Locate) }
    }
}

/// Under the price test a short sale is above the best bid; one without a limit, or without a fresh bid to compare with,
/// is refused. Control: Regulation SHO rule 201(b)(1).
pub(crate) fn check_short_sale_price(inquiry: &Inquiry<'_>) -> CheckResult {
    let order = &inquiry.order;
    let concerned = order.side == oms_model::Side::SellShort && !inquiry.is_replan();
    if !concerned || !inquiry.book.short_sale_restricted.contains(&order.instrument_id) {
        return inquiry.not_applicable(Check::ShortSalePrice);
    }
    let scope = Scope::Instrument(order.instrument_id);
    let (price, bid) = (order.price, inquiry.fresh_bid());
    let above = |price: Price| bid.is_some_and(|bid| price > bid);
    let (value, limit) = (price.map(Decimal::from), bid.map(Decimal::from));
    if price.is_some_and(above) {
        CheckResult { scope, value, limit, ..pass(Check::ShortSalePrice) }
    } else {
        CheckResult { value, limit, ..refuse(Check::ShortSalePrice, Code::ShortSaleRestricted, scope) }
    }
}
