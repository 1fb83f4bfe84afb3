//! Our books against the venues' own truth, once nothing is under way.

use super::World;
use crate::hold;
use crate::reference::Booked;
use crate::simulator::venue::{Held, Venue};
use oms_engine::State;
use oms_model::instrument::Currency;
use oms_model::report::VenueFill;
use oms_model::{OrdState, Order, OrderId, Time, WireId};
use std::collections::BTreeSet;

impl World {
    /// Ours and theirs are the same.
    pub(super) fn hold_agreed(&mut self) {
        self.commit();
        let Some(node) = self.node.as_ref() else { return };
        let state = node.engine.state();
        self.orders.hold_in(state);
        self.answers.hold_in(state, &self.gate);
        let off = self.off();
        for venue in self.venues.values() {
            for held in &venue.book {
                for (at, fill) in &held.fills {
                    self.hold_execution(venue, *at, fill);
                }
                match held.first.parts().and_then(|(id, _)| state.order(id)) {
                    Some(leg) if off.contains(&leg.order_id) => (),
                    Some(leg) => hold_same(leg, held),
                    // One that works again after ours was cleaned up is the venue's to tell, and a person's to see.
                    None => {
                        // So is one that was whole only by what a person booked on it while its outcome was not known.
                        let by_hand = held.first.parts().is_some_and(|(id, _)| self.orders.books.is_by_hand(id));
                        let told = held.is_reopened(venue) || by_hand;
                        hold!(5, !held.is_live() || told, "{} works at {} and is not known here", held.first, venue.mic)
                    }
                }
            }
            self.hold_taken_back(venue);
        }
        for (mic, exec_id) in self.foreign.iter().filter(|(mic, exec_id)| self.orders.books.is_in_suspense(*mic, exec_id)) {
            hold!(20, !self.orders.books.is_dismissed(*mic, exec_id), "execution {exec_id} was dismissed and waits");
        }
        self.hold_no_more();
        hold_at_venues(self, state);
    }

    /// Parts with executions that the venue does not have, or no longer, or not so: booked wrongly and not undone in time,
    /// or taken back or corrected so late that it could only be raised.
    fn off(&self) -> BTreeSet<OrderId> {
        let off = self.orders.books.standing_all().filter(|(_, booked)| {
            let Some(venue) = self.venues.get(&booked.venue) else { return false };
            let there = |fill: &VenueFill| fill.exec_id == booked.exec_id;
            let same =
                |fill: &VenueFill| there(fill) && (fill.last_qty.raw(), i128::from(fill.last_px.raw())) == (booked.qty, booked.price);
            let any = |wanted: &dyn Fn(&VenueFill) -> bool| venue.book.iter().any(|held| held.fills.iter().any(|(_, fill)| wanted(fill)));
            (booked.manual && !any(&there)) || (self.is_only_raised(booked) && !any(&same))
        });
        off.map(|(_, booked)| booked.order_id).collect()
    }

    /// An execution of a venue is in our books as the venue has it, or waits for a person.
    fn hold_execution(&self, venue: &Venue, at: Time, fill: &VenueFill) {
        let (mic, exec_id, books) = (venue.mic, &fill.exec_id, &self.orders.books);
        let Some(booked) = books.standing(mic, exec_id) else {
            let waits = books.is_in_suspense(mic, exec_id) || books.is_dismissed(mic, exec_id);
            return hold!(21, waits, "execution {exec_id} of {mic} is booked nowhere");
        };
        let figures = (fill.last_qty.raw(), i128::from(fill.last_px.raw()));
        let told = match venue.charge_of(exec_id) {
            Some(charge) if charge.currency == Currency::USD => Some(charge.commission),
            // Which rate held when it was told is held where it is booked.
            Some(_) => None,
            None => Some(fill.fee_per_unit.notional(fill.last_qty).unwrap_or_default()),
        };
        let by_hand = booked.manual || self.charged_by_hand.contains(&(mic, exec_id.clone()));
        let charged = by_hand || told.is_none_or(|told| booked.fee == told.raw());
        if self.is_only_raised(booked) && ((booked.qty, booked.price) != figures || !charged) {
            return;
        }
        hold!(21, (booked.qty, booked.price) == figures, "execution {exec_id} is {booked:?} here and {figures:?} at {mic}");
        // What is corrected after its day was closed counts on the day of the correction.
        hold!(18, booked.is_restated() || booked.at == at, "execution {exec_id} was at {:?}, at {mic} it was at {at:?}", booked.at);
        hold!(22, charged, "execution {exec_id} cost {} here and {told:?} at {mic}", booked.fee);
    }

    /// What a venue says of an execution after the day that followed its own was closed too is raised, and changes nothing:
    /// the books of that day are frozen.
    fn is_only_raised(&self, booked: &Booked) -> bool {
        let books = &self.orders.books;
        !books.is_reversible(booked) && (books.raised() > 0 || books.ever_told_of(booked.venue, &booked.exec_id))
    }

    /// What a venue took back is not in our books, or its day was over and it was raised.
    fn hold_taken_back(&self, venue: &Venue) {
        let books = &self.orders.books;
        for exec_id in venue.busted() {
            let Some(booked) = books.standing(venue.mic, exec_id) else { continue };
            hold!(17, self.is_only_raised(booked), "execution {exec_id} was taken back by {} and is in the books", venue.mic);
        }
    }

    /// What our books have of a venue is an execution of that venue, or a person booked it.
    fn hold_no_more(&self) {
        for (_, booked) in self.orders.books.standing_all().filter(|(_, booked)| !booked.manual) {
            let Some(venue) = self.venues.get(&booked.venue) else { continue };
            let ever = venue.book.iter().any(|held| held.ever.iter().any(|fill| fill.exec_id == booked.exec_id));
            hold!(16, ever, "execution {} is in the books and {} never had it", booked.exec_id, venue.mic);
        }
    }
}

/// What works here is there.
fn hold_at_venues(world: &World, state: &State) {
    for entry in state.orders_sorted() {
        let order = &entry.order;
        if let (true, Some(venue)) = (order.is_leg(), order.venue.and_then(|mic| world.venues.get(&mic))) {
            let held = venue.held(&WireId::derive(order.order_id, 0));
            hold!(5, held.is_some() || order.state.is_done(), "leg {} works here and {} never had it", order.order_id, venue.mic);
        }
    }
}

fn hold_same(leg: &Order, held: &Held) {
    let id = leg.order_id;
    hold!(5, leg.state.is_done() != held.is_live(), "leg {id} is {} here and {:?} there", leg.state, held.state);
    hold!(21, leg.cum_qty == held.cum, "leg {id} has {} executed here and {} there", leg.cum_qty, held.cum);
    if held.is_live() {
        hold!(15, leg.order_qty == held.qty, "leg {id} is over {} here and {} there", leg.order_qty, held.qty);
    }
    if leg.state == OrdState::Filled {
        hold!(10, leg.cum_qty >= leg.order_qty, "leg {id} is FILLED with {} of {}", leg.cum_qty, leg.order_qty);
    }
}
