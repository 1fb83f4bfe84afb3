//! Each venue's last row per symbol and side, less what the tape contradicts.

use oms_model::{Mic, Price, Side};

use super::Shown;

/// The venues' standing quotes as far as a consolidated tape tells them.
#[derive(Debug)]
pub struct Board {
    venues: Vec<Mic>,
    /// `[symbol][bid, ask][venue]`
    standing: Vec<[Vec<Option<Price>>; 2]>,
}

impl Board {
    /// An empty board.
    #[must_use]
    pub fn new(symbols: usize, venues: &[Mic]) -> Self {
        let side = || vec![None; venues.len()];
        Self { venues: venues.to_vec(), standing: (0..symbols).map(|_| [side(), side()]).collect() }
    }

    /// Takes a row of the tape: `venue` shows the best of `side`. Answers the venues whose standing
    /// quote was better and therefore cannot stand any more.
    pub fn show(&mut self, symbol: usize, venue: Mic, side: Side, best: Shown) -> Vec<Mic> {
        let mut contradicted = Vec::new();
        let Some(row) = self.standing.get_mut(symbol).map(|sides| side_of(sides, side)) else {
            return contradicted;
        };
        for (known, standing) in self.venues.iter().zip(row.iter_mut()) {
            if *known == venue {
                *standing = best.size.is_positive().then_some(best.price);
                continue;
            }
            let better = standing.is_some_and(|price| if side.is_buy() { price > best.price } else { price < best.price });
            if better {
                *standing = None;
                contradicted.push(*known);
            }
        }
        contradicted
    }

    /// Empties the board; answers what stood, as (symbol, venue, side).
    pub fn clear(&mut self) -> Vec<(usize, Mic, Side)> {
        let mut stood = Vec::new();
        for (symbol, sides) in self.standing.iter_mut().enumerate() {
            for (row, side) in sides.iter_mut().zip([Side::Buy, Side::Sell]) {
                for (venue, standing) in self.venues.iter().zip(row.iter_mut()) {
                    if standing.take().is_some() {
                        stood.push((symbol, *venue, side));
                    }
                }
            }
        }
        stood
    }
}

fn side_of(sides: &mut [Vec<Option<Price>>; 2], side: Side) -> &mut Vec<Option<Price>> {
    let [bids, asks] = sides;
    if side.is_buy() { bids } else { asks }
}
