//! What a line should come to.

use super::run::Run;
use crate::fixture::{ACCOUNT, OTHER_ACCOUNT};
use oms_model::{AccountId, Anomaly, Code, OrdStatus, Order, Symbol};
use std::collections::VecDeque;

impl Run {
    /// Checks the words behind `->`.
    pub(super) fn expect(&self, subject: &str, expected: &mut VecDeque<&str>, shown: &str) {
        if expected.is_empty() {
            assert_eq!(self.last_code, None, "{shown}: it was refused");
            return;
        }
        if let Some(symbol) = subject.strip_prefix("position ") {
            return self.expect_position(symbol, expected, shown);
        }
        if let Some((kind, name)) = subject.split_once(' ').filter(|(kind, _)| matches!(*kind, "rfq" | "dealt")) {
            return self.expect_quoting(kind, name, expected, shown);
        }
        if let Some(held) = subject.strip_prefix("held ") {
            let (account, symbol) = held.split_once(' ').expect("an account and a symbol");
            return self.expect_held(if account == "other" { OTHER_ACCOUNT } else { ACCOUNT }, symbol, expected, shown);
        }
        let state = self.desk.engine.state();
        match subject {
            "open" => return assert_eq!(state.open_roots().to_string(), take(expected), "{shown}"),
            "exposure" => {
                let (_, notional) = state.risk().open(oms_model::limit::Scope::Tenant);
                return assert_eq!(notional.to_string(), take(expected), "{shown}");
            }
            "overfilled" => return assert_eq!(state.overfilled().count().to_string(), take(expected), "{shown}"),
            _ if subject.starts_with("fuse ") => {
                let (kind, scope) = subject.trim_start_matches("fuse ").split_once(' ').expect("a kind and a scope");
                let standing = state.risk().breaker(kind.parse().unwrap(), self.scope(scope));
                let found = standing.map_or("-".to_owned(), |standing| standing.state.to_string());
                return assert_eq!(found, take(expected), "{shown}");
            }
            _ if subject.starts_with("leave ") => {
                let word = take(expected);
                if word == "refused" {
                    let code: Code = take(expected).parse().unwrap();
                    return assert_eq!(self.last_code, Some(code), "{shown}");
                }
                assert_eq!(self.last_code, None, "{shown}: it was refused");
                let known = state.risk().override_of(self.leave(subject.trim_start_matches("leave ")));
                return assert_eq!(known.map_or("-".to_owned(), |known| known.state.to_string()), word, "{shown}");
            }
            _ if subject.starts_with("shown ") => {
                return assert_eq!(subject.trim_start_matches("shown "), take(expected), "{shown}");
            }
            _ if subject.starts_with("switch ") => {
                let scope = self.scope(subject.trim_start_matches("switch "));
                let found = state.risk().killed(scope).map_or("-".to_owned(), |killed| killed.state.to_string());
                return assert_eq!(found, take(expected), "{shown}");
            }
            "suspense" => return assert_eq!(state.suspense().count().to_string(), take(expected), "{shown}"),
            _ => (),
        }
        if subject.is_empty() {
            assert_eq!(take(expected), "refused", "{shown}: only a refusal is expected here");
            let code: Code = take(expected).parse().unwrap();
            return assert_eq!(self.last_code, Some(code), "{shown}");
        }
        while let Some(word) = expected.pop_front() {
            if word == "refused" {
                let code: Code = take(expected).parse().unwrap();
                assert_eq!(self.last_code, Some(code), "{shown}");
                continue;
            }
            let order = self.node(subject).unwrap_or_else(|| panic!("{shown}: there is no order {subject}"));
            self.expect_order(order, word, expected, shown);
        }
    }

    fn expect_quoting(&self, kind: &str, name: &str, expected: &mut VecDeque<&str>, shown: &str) {
        let word = take(expected);
        if word == "refused" {
            let code: Code = take(expected).parse().unwrap();
            return assert_eq!(self.last_code, Some(code), "{shown}");
        }
        assert_eq!(self.last_code, None, "{shown}: it was refused");
        let state = self.desk.engine.state();
        let found = if kind == "rfq" {
            self.asked.get(name).and_then(|id| state.quote_request(*id)).map(|request| request.state.to_string())
        } else {
            self.quoted.get(name).and_then(|id| state.quote(*id)).map(|quote| quote.state.to_string())
        };
        assert_eq!(found.as_deref(), Some(word), "{shown}");
    }

    fn expect_position(&self, symbol: &str, expected: &mut VecDeque<&str>, shown: &str) {
        self.expect_held(ACCOUNT, symbol, expected, shown);
    }

    fn expect_held(&self, account: AccountId, symbol: &str, expected: &mut VecDeque<&str>, shown: &str) {
        let state = self.desk.engine.state();
        let id = state.by_symbol(&Symbol::new(symbol).unwrap()).expect("listed").instrument_id;
        let position = state.position(account, id).cloned().unwrap_or_default();
        assert_eq!(position.qty.to_string(), take(expected), "{shown}");
        while let Some(word) = expected.pop_front() {
            let found = match word {
                "realized" => position.realized.to_string(),
                "fees" => position.fees.to_string(),
                "cost" => position.cost().to_string(),
                "avg" => position.avg_cost().map_or("-".into(), |px| px.to_string()),
                "lots" => position.lots.len().to_string(),
                other => panic!("{shown}: cannot read {other:?}"),
            };
            assert_eq!(found, take(expected), "{shown}: {word}");
        }
    }

    fn expect_order(&self, order: &Order, word: &str, expected: &mut VecDeque<&str>, shown: &str) {
        match word {
            "leaves" => assert_eq!(order.leaves_qty().to_string(), take(expected), "{shown}: leaves"),
            "cum" => assert_eq!(order.cum_qty.to_string(), take(expected), "{shown}: cum"),
            "place" => assert_eq!(order.place_qty.to_string(), take(expected), "{shown}: place"),
            "qty" => assert_eq!(order.order_qty.to_string(), take(expected), "{shown}: qty"),
            "alloc" => assert_eq!(order.alloc_qty().to_string(), take(expected), "{shown}: alloc"),
            "number" => assert_eq!(order.number.to_string(), take(expected), "{shown}: number"),
            "avg" => assert_eq!(order.avg_px().map_or("-".into(), |px| px.to_string()), take(expected), "{shown}: avg"),
            "code" => {
                let code = order.reject_code.map_or("-".into(), |code| code.to_string());
                assert_eq!(code, take(expected), "{shown}: code ({:?})", order.extras.text);
            }
            "saga" => {
                let saga = order.extras.saga.as_deref().map_or("-".into(), |saga| format!("{}:{}", saga.phase, saga.step));
                assert_eq!(saga, take(expected), "{shown}: saga");
            }
            "held" => {
                let hold = order.extras.hold.as_deref().map_or("-".into(), |hold| hold.reason.to_string());
                assert_eq!(hold, take(expected), "{shown}: held");
            }
            "kind" => assert_eq!(order.kind().to_string(), take(expected), "{shown}: kind"),
            "holder" => {
                let holder = order.extras.care.as_deref().and_then(|care| care.holder).unwrap_or_default();
                assert_eq!(holder, super::run::user(take(expected)), "{shown}: holder");
            }
            "armed" => {
                let armed = order.extras.work.as_deref().map_or_else(|| "-".into(), |work| work.armed_qty.to_string());
                assert_eq!(armed, take(expected), "{shown}: armed");
            }
            "stop-at" => {
                let stop = order.extras.work.as_deref().and_then(|work| work.stop_px).or(order.extras.stop_px);
                assert_eq!(stop.map_or("-".into(), |px| px.to_string()), take(expected), "{shown}: stop");
            }
            "suspended" => assert!(order.extras.work.as_deref().is_some_and(|work| work.suspended), "{shown}: it is suspended"),
            "raised" => {
                let wanted: Anomaly = take(expected).parse().unwrap();
                let raised = self.desk.raised.iter().any(|(root, anomaly)| (*root, *anomaly) == (order.root_order_id, wanted));
                assert!(raised, "{shown}: raised are {:?}", self.desk.raised);
            }
            "calm" => {
                let raised = self.desk.raised.iter().find(|(root, _)| *root == order.root_order_id);
                assert!(raised.is_none(), "{shown}: raised are {:?}", self.desk.raised);
            }
            "emulated" => assert!(order.extras.work.as_deref().is_some_and(|work| work.emulated), "{shown}: it says that it is emulated"),
            "tif" => assert_eq!(order.time_in_force.to_string(), take(expected), "{shown}: time in force"),
            "type" => assert_eq!(order.ord_type.to_string(), take(expected), "{shown}: type"),
            "price" => assert_eq!(order.price.map_or("-".into(), |px| px.to_string()), take(expected), "{shown}: price"),
            "legs" => {
                let legs: Vec<String> = self.desk.engine.state().children(order).map(|leg| shown_leg(&leg.order)).collect();
                let wanted: Vec<&str> = expected.drain(..).collect();
                assert_eq!(legs, wanted, "{shown}: legs");
            }
            status => {
                let wanted: OrdStatus = status.parse().unwrap_or_else(|_| panic!("{shown}: cannot read {status:?}"));
                assert_eq!(order.ord_status(), wanted, "{shown}: status (code {:?}, {:?})", order.reject_code, order.extras.text);
            }
        }
    }
}

/// A leg as `XNAS:100:LIVE`, with `?` behind the state while it is in doubt.
fn shown_leg(leg: &Order) -> String {
    let doubt = if leg.extras.doubt.is_some() { "?" } else { "" };
    // A part that is no leg shows its kind in place of a venue.
    let place = leg.venue.map_or_else(|| leg.kind().to_string(), |venue| venue.to_string());
    format!("{place}:{}:{}{doubt}", leg.order_qty, leg.ord_status())
}

fn take<'a>(expected: &mut VecDeque<&'a str>) -> &'a str {
    expected.pop_front().expect("a value follows")
}
