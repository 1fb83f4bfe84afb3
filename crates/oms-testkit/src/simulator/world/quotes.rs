//! Requests for quotes: clients ask, dealers quote, replace and withdraw, clients accept - dead quotes too.

use super::World;
use super::clients::price;
use crate::fixture::{ACCOUNT, VENUES, dec};
use crate::simulator::plan::Kind;
use crate::simulator::rng::Rng;
use oms_model::command::{Command, NewQuote, NewQuoteRequest};
use oms_model::{ClOrdId, Price, QuoteId, QuoteRef, QuoteReqId, Side, Symbol};

impl World {
    pub(super) fn quoting(&mut self, kind: Kind, rng: &mut Rng) {
        let command = match kind {
            Kind::AskQuote => Some(asked(rng)),
            Kind::DealerQuote => self.dealer(rng),
            _ => self.acceptance(rng),
        };
        if let Some(command) = command {
            self.ask(command, rng);
        }
    }

    /// The latest are the likeliest to be open still.
    fn recent_request(&self, rng: &mut Rng) -> Option<QuoteReqId> {
        let ids = self.quotes.requests();
        let from = ids.len().saturating_sub(3);
        (!ids.is_empty()).then(|| rng.pick(&ids[from..]))
    }

    fn recent_quote(&self, rng: &mut Rng) -> Option<QuoteId> {
        let ids = self.quotes.ids();
        let from = ids.len().saturating_sub(4);
        (!ids.is_empty()).then(|| rng.pick(&ids[from..]))
    }

    fn dealer(&mut self, rng: &mut Rng) -> Option<Command> {
        if rng.chance(80) {
            let quote_req_id = self.recent_request(rng)?;
            return Some(Command::CancelQuoteRequest { quote_req_id });
        }
        if rng.chance(150) {
            let quote_id = self.recent_quote(rng)?;
            let dealer = self.quotes.dealer(quote_id)?;
            return Some(Command::WithdrawQuote { quote_id, dealer, text: "taken back".into() });
        }
        let (quote_req_id, dealer) = (self.recent_request(rng)?, rng.pick(&VENUES));
        self.serial += 1;
        let offer = price(rng);
        let bid = Price::from_raw(offer.raw() - 20_000_000);
        Some(Command::SubmitQuote(Box::new(NewQuote {
            quote_req_id,
            dealer,
            quote_ref: QuoteRef::new(&format!("D{}", self.serial)).unwrap_or_default(),
            bid_px: Some(bid),
            bid_size: dec("1000"),
            offer_px: Some(offer),
            offer_size: dec("1000"),
            life_ms: rng.pick(&[5, 200, 2_000, 20_000]),
            replaces: self.quotes.standing(quote_req_id, dealer).filter(|_| rng.chance(900)),
        })))
    }

    fn acceptance(&mut self, rng: &mut Rng) -> Option<Command> {
        let quote_id = self.recent_quote(rng)?;
        self.serial += 1;
        let cl_ord_id = ClOrdId::new(&format!("C{}", self.serial)).ok();
        Some(Command::AcceptQuote { quote_id, side: Some(rng.pick(&[Side::Buy, Side::Sell])), order_qty: None, cl_ord_id })
    }
}

fn asked(rng: &mut Rng) -> Command {
    let symbol = Symbol::new(rng.pick(&["XYZ", "XYZ", "ABC"])).unwrap_or_default();
    let side = rng.pick(&[Some(Side::Buy), Some(Side::Sell), None]);
    let dealers = if rng.chance(700) { Vec::new() } else { vec![rng.pick(&VENUES)] };
    let (order_qty, life_ms) = (dec(rng.pick(&["100", "300", "700"])), rng.pick(&[50, 1_000, 10_000, 60_000]));
    let account_id = Some(ACCOUNT);
    Command::RequestQuote(Box::new(NewQuoteRequest { account_id, symbol, side, order_qty, dealers, life_ms }))
}
