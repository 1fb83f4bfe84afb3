//! Lines about requests for quotes, quotes and their acceptance.

use super::parse::Line;
use super::run::Run;
use oms_model::command::{Command, CommandOutcome, NewQuote, NewQuoteRequest};
use oms_model::{ClOrdId, QuoteRef, Side};

impl Run {
    /// Requests for quotes, quotes and their acceptance.
    pub(super) fn quoting(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        let name = line.word().to_owned();
        let command = match verb {
            "ask" => Command::RequestQuote(Box::new(asked(line))),
            "bid" => Command::SubmitQuote(Box::new(self.quote_of(&name, line))),
            "take" => {
                let quote_id = self.quoted.get(&name).copied().unwrap_or_default();
                let cl_ord_id = Some(ClOrdId::new(line.word()).unwrap());
                let side = if line.take("buy") { Some(Side::Buy) } else { line.take("sell").then_some(Side::Sell) };
                let order_qty = line.take("qty").then(|| line.value());
                let subject = cl_ord_id.as_ref().map(ToString::to_string).unwrap_or_default();
                let output = self.desk.command(Command::AcceptQuote { quote_id, side, order_qty, cl_ord_id });
                self.remember(&output);
                return subject;
            }
            "withdraw" => {
                let quote_id = self.quoted.get(&name).copied().unwrap_or_default();
                Command::WithdrawQuote { quote_id, dealer: line.value(), text: line.rest() }
            }
            _ => Command::CancelQuoteRequest { quote_req_id: self.asked.get(&name).copied().unwrap_or_default() },
        };
        let output = self.desk.command(command);
        self.remember(&output);
        match output.outcome {
            Some(CommandOutcome::QuoteRequested { quote_req_id }) => drop(self.asked.insert(name.clone(), quote_req_id)),
            Some(CommandOutcome::QuoteReceived { quote_id }) => drop(self.quoted.insert(name.clone(), quote_id)),
            _ => (),
        }
        let kind = if matches!(verb, "ask" | "cancel-ask") { "rfq" } else { "dealt" };
        format!("{kind} {name}")
    }

    fn quote_of(&self, name: &str, line: &mut Line<'_>) -> NewQuote {
        let request = line.word();
        let mut quote = NewQuote {
            quote_req_id: self.asked.get(request).copied().unwrap_or_default(),
            dealer: line.value(),
            quote_ref: QuoteRef::new(name).unwrap(),
            ..NewQuote::default()
        };
        if !line.take("-") {
            quote.bid_px = Some(line.value());
            assert!(line.take("x"), "a size follows");
            quote.bid_size = line.value();
        }
        assert!(line.take("/"), "the offer follows");
        if !line.take("-") {
            quote.offer_px = Some(line.value());
            assert!(line.take("x"), "a size follows");
            quote.offer_size = line.value();
        }
        assert!(line.take("for"), "a life follows");
        quote.life_ms = line.value();
        quote.replaces = line.take("replaces").then(|| self.quoted.get(line.word()).copied().unwrap_or_default());
        quote
    }
}

fn asked(line: &mut Line<'_>) -> NewQuoteRequest {
    let side = match line.word() {
        "buy" => Some(Side::Buy),
        "sell" => Some(Side::Sell),
        "both" => None,
        other => panic!("{other:?} is no side"),
    };
    let mut new = NewQuoteRequest { side, order_qty: line.value(), symbol: line.value(), ..NewQuoteRequest::default() };
    assert!(line.take("for"), "a life follows");
    new.life_ms = line.value();
    while line.take("of") {
        new.dealers.push(line.value());
    }
    new
}
