//! What an order asks beyond quantity and price: triggers, trails, pegs, display, algorithms, contingency; and how far
//! the engine has come with it.
//!
//! An order with such work is not handed to the router as it stands. The engine releases it in slices, each an order of
//! its own below it, when its time, its trigger, its list or its algorithm says so.

use crate::algo::{AlgoParams, FULL_PPM, Peg};
use crate::amount::{Price, Qty};
use crate::event::{AlgoStepped, OrderArmed, OrderTriggered, PeerFilled, SliceReleased, StopMoved};
use crate::ids::{OrderId, Time};
use crate::terms::terms;

terms! {
    /// FIX 1107 TriggerPriceType: which price triggers a stop.
    TriggerSource {
        /// The last trade.
        Last = 1 "LAST",
        /// The side of the market that the order would trade against: the offer for a buyer, the bid for a seller.
        BidAsk = 2 "BID_ASK",
        /// The middle of the best bid and offer.
        Mid = 3 "MID",
    }
    /// FIX 1385 ContingencyType: what the orders of a list mean for each other.
    ContingencyType {
        /// One cancels the others: a fill of one cancels the rest of the list.
        Oco = 1 "OCO",
        /// One triggers the others: fills of the first arm the rest.
        Oto = 2 "OTO",
        /// One updates the others: a fill of one takes its quantity from the rest.
        Ouo = 3 "OUO",
        /// A bracket: the first arms the rest, and a fill of one of those takes its quantity from the others.
        Otoco = 4 "OTOCO",
    }
    /// When fills of the first order of a list arm the others.
    ArmRule {
        /// Once it is wholly executed, or has ended with a part executed: then for that part.
        FullFill = 1 "FULL_FILL",
        /// With each fill, in proportion, in whole lots.
        ProRata = 2 "PRO_RATA",
    }
    /// What an algorithm decided.
    AlgoAction {
        /// Nothing is to be done until then.
        Wait = 1 "WAIT",
        /// A slice was released.
        Release = 2 "RELEASE",
        /// Slices that work get another price.
        Reprice = 3 "REPRICE",
        /// Slices that work are canceled, to be placed otherwise.
        Recall = 4 "RECALL",
        /// The order is canceled.
        Cancel = 5 "CANCEL",
        /// Somebody suspended the order: slices that work are canceled, and none is released until it is resumed.
        Suspend = 6 "SUSPEND",
        /// Somebody resumed it.
        Resume = 7 "RESUME",
    }
}

impl Default for TriggerSource {
    fn default() -> Self {
        Self::Last
    }
}
impl Default for ContingencyType {
    fn default() -> Self {
        Self::Oco
    }
}
impl Default for ArmRule {
    fn default() -> Self {
        Self::FullFill
    }
}
impl Default for AlgoAction {
    fn default() -> Self {
        Self::Wait
    }
}

/// How a trailing stop follows the market: by an amount or by a part of the price, never both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// Distance to the best price seen.
    pub amount: Price,
    /// The same in parts per million of that price.
    pub ppm: u32,
    /// TRAILING_STOP_LIMIT: how far the limit lies beyond the stop.
    pub limit_offset: Price,
}

impl Trail {
    /// The price that the market has to pass for a stop at `stop_px` to follow it: upward for a seller's, downward for a
    /// buyer's. At worst a few billionths early, never late.
    #[must_use]
    pub fn follows_beyond(&self, stop_px: Price, is_buy: bool) -> Price {
        let full = i128::from(FULL_PPM);
        let (stop, amount, ppm) = (i128::from(stop_px.raw()), i128::from(self.amount.raw()), i128::from(self.ppm));
        let beyond = match (self.ppm, is_buy) {
            (0, true) => stop - amount,
            (0, false) => stop + amount,
            // The part that is added or taken off is rounded down, which is worth less than one billionth of the stop.
            (_, true) => (stop + 1) * full / (full + ppm) + 1,
            (_, false) => (stop - 1) * full / (full - ppm).max(1) - 1,
        };
        Price::from_raw(i64::try_from(beyond).unwrap_or(if beyond > 0 { i64::MAX } else { i64::MIN }))
    }
}

/// What a client asks beyond quantity and price.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instructions {
    /// Which price triggers a stop; LAST where none is given.
    pub trigger_source: Option<TriggerSource>,
    /// For TRAILING_STOP and TRAILING_STOP_LIMIT.
    pub trail: Option<Trail>,
    /// For PEGGED.
    pub peg: Option<Peg>,
    /// FIX 111: the quantity displayed.
    pub max_floor: Option<Qty>,
    /// FIX 168: nothing is sent before.
    pub good_after: Option<Time>,
    /// Emulate here even where a venue has the order type itself.
    pub emulate: bool,
    /// The algorithm that releases it.
    pub algo: Option<AlgoParams>,
}

/// An order's place in a list of orders that mean something for each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// The first order of the list.
    pub list_id: OrderId,
    /// What they mean for each other.
    pub contingency: ContingencyType,
    /// The order whose fills arm this one; `None` where it is armed from the start.
    pub armed_by: Option<OrderId>,
    /// By which rule.
    pub arm: ArmRule,
    /// Its quantity when the list was made.
    pub list_qty: Qty,
}

/// What the engine works an order by, and how far it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// As the client asked, what was not said filled in.
    pub instructions: Instructions,
    /// The order's type, display or time in force is one that no venue offers: it is emulated here.
    pub emulated: bool,
    /// Nothing is released before.
    pub release_at: Option<Time>,
    /// Its list.
    pub link: Option<Link>,
    /// Of a linked order, how much may work; see [`Work::cap`].
    pub armed_qty: Qty,
    /// What the others of its list have executed in its place.
    pub taken_qty: Qty,
    /// Whether its trigger was reached.
    pub triggered: bool,
    /// Whether somebody suspended it.
    pub suspended: bool,
    /// Where the stop of a trailing order stands.
    pub stop_px: Option<Price>,
    /// Slices released.
    pub slices: u32,
    /// Their quantities together.
    pub released_qty: Qty,
    /// When a slice was last released or repriced.
    pub acted_at: Option<Time>,
    /// Whether the leftover of an algorithm was released.
    pub left: bool,
    /// When time is a reason to look again.
    pub wake: Option<Time>,
    /// Whether the market is a reason to look again.
    pub on_market: bool,
    /// What the market traded since the algorithm's start, up to `volume_mark`.
    pub volume: Qty,
    /// The feed's volume when that was counted.
    pub volume_mark: Qty,
    /// When that was.
    pub stepped_at: Option<Time>,
}

impl Work {
    /// Of `order_qty`, what may be with slices at most: what is armed, less what others of the list have executed.
    #[must_use]
    pub fn cap(&self, order_qty: Qty) -> Qty {
        match &self.link {
            Some(link) if link.armed_by.is_none() && self.taken_qty.is_zero() => order_qty,
            Some(_) => self.armed_qty.saturating_sub(self.taken_qty).min(order_qty).max(Qty::ZERO),
            None => order_qty,
        }
    }

    /// Whether it waits for the first order of its list.
    #[must_use]
    pub fn is_unarmed(&self) -> bool {
        self.link.is_some() && !self.armed_qty.is_positive()
    }

    pub(crate) fn triggered(&mut self, event: &OrderTriggered) {
        self.triggered = true;
        self.stop_px = event.stop_px.or(self.stop_px);
        self.on_market = false;
    }

    pub(crate) fn stop_moved(&mut self, event: &StopMoved) {
        self.stop_px = Some(event.stop_px);
    }

    pub(crate) fn released(&mut self, event: &SliceReleased, time: Time) {
        self.slices += 1;
        self.released_qty = self.released_qty.saturating_add(event.qty);
        self.acted_at = Some(time);
        self.left |= event.leftover;
    }

    pub(crate) fn stepped(&mut self, event: &AlgoStepped, time: Time) {
        match event.action {
            AlgoAction::Reprice => self.acted_at = Some(time),
            AlgoAction::Suspend => self.suspended = true,
            AlgoAction::Resume => self.suspended = false,
            AlgoAction::Wait | AlgoAction::Release | AlgoAction::Recall | AlgoAction::Cancel => (),
        }
        self.wake = event.wake;
        self.on_market = event.on_market;
        self.volume = event.volume;
        self.volume_mark = event.volume_mark;
        self.stepped_at = Some(time);
    }

    pub(crate) fn armed(&mut self, event: &OrderArmed) {
        self.armed_qty = event.armed_qty;
    }

    pub(crate) fn peer_filled(&mut self, event: &PeerFilled) {
        self.taken_qty = event.taken_qty;
    }
}
