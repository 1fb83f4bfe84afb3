//! What an order would cost and bind, asked of the gateway without placing it (`whatIf`).
//!
//! - A question has an order id of its own, which is in the log before it leaves: no order ever gets it. It is given when the
//!   question leaves, so that ids go up in the order in which the gateway sees them.
//! - It has no reference of the desk's, and its answer is taken here: nothing of it comes to the ledger.
//! - An order that the gateway shows under such an id, and that is no answer, was placed against what was asked. It is canceled.

use std::collections::BTreeMap;

use oms_model::logged::Quoted;
use oms_runtime::port::WireOrder;

use super::codes::{Meaning, meaning};
use super::config::Config;
use super::pace::{Class, Item};
use super::record::Record;
use super::{Action, Answered, Connector, Now, terms};
use crate::codec::{CancelOrder, Contract, Notice, Number, OpenOrder, OrderCancel, OrderState, PlaceOrder, Request};

/// Questions at once; beyond it none is taken.
const MAX_WAITING: usize = 32;
/// Ids of questions that are over and may still be told of.
const MAX_OVER: usize = 1_024;

/// What the broker says of an order that is not placed. What it does not say is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhatIf {
    /// How much more initial margin it would need.
    pub init_margin_change: Option<Number>,
    /// How much more maintenance margin it would need.
    pub maint_margin_change: Option<Number>,
    /// Initial margin of the account with it.
    pub init_margin_after: Option<Number>,
    /// Maintenance margin of the account with it.
    pub maint_margin_after: Option<Number>,
    /// Equity with loan value of the account with it.
    pub equity_after: Option<Number>,
    /// What it would cost.
    pub commission: Option<Number>,
    /// At least.
    pub min_commission: Option<Number>,
    /// At most.
    pub max_commission: Option<Number>,
    /// In which currency.
    pub commission_currency: String,
    /// What to know about it.
    pub warning: String,
}

impl From<&OrderState> for WhatIf {
    fn from(state: &OrderState) -> Self {
        Self {
            init_margin_change: state.init_margin_change,
            maint_margin_change: state.maint_margin_change,
            init_margin_after: state.init_margin_after,
            maint_margin_after: state.maint_margin_after,
            equity_after: state.equity_after,
            commission: state.commission,
            min_commission: state.min_commission,
            max_commission: state.max_commission,
            commission_currency: state.commission_currency.clone(),
            warning: state.warning.clone(),
        }
    }
}

/// An order as a question: it has no reference, so that nothing takes it for one of the desk's.
fn question(config: &Config, order: &WireOrder, contract: &Contract) -> Result<PlaceOrder, String> {
    let mut place = terms::new_order(config, order, contract)?;
    place.order.what_if = true;
    place.order.order_ref.clear();
    Ok(place)
}

#[derive(Debug)]
struct Waiting {
    until: i64,
    /// What was said of it meanwhile.
    warnings: String,
}

/// Questions that wait.
#[derive(Debug, Default)]
pub(super) struct WhatIfs {
    waiting: BTreeMap<u64, Waiting>,
    /// The ids of all of them, the newest highest.
    ids: BTreeMap<i32, u64>,
}

impl WhatIfs {
    pub(super) fn due(&self) -> Option<i64> {
        self.waiting.values().map(|waiting| waiting.until).min()
    }
}

impl Connector {
    /// Asks what an order would cost and bind. The number of the question, under which its answer comes: at once, if it can.
    pub fn what_if(&mut self, now: Now, order: &WireOrder, contract: &Contract) -> u64 {
        self.pass(now);
        let number = self.asked.number();
        let place = self.askable().and_then(|()| question(&self.config, order, contract)).and_then(|place| self.exact(place));
        match place {
            Ok(place) => {
                let until = self.now.mono.saturating_add(self.config.timing.patience);
                self.what_ifs.waiting.insert(number, Waiting { until, warnings: String::new() });
                self.pace.push(Class::Question, Item::WhatIf { number, place: Box::new(place) });
                self.turn(now);
            }
            Err(reason) => self.act(Action::Answer(number, Answered::WhatIf(Err(reason)))),
        }
        number
    }

    fn askable(&self) -> Result<(), String> {
        self.gate()?;
        if MAX_WAITING <= self.what_ifs.waiting.len() || !self.pace.has_room() {
            return Err("too much waits for the gateway".to_owned());
        }
        Ok(())
    }

    /// A question leaves, if anybody still waits for its answer.
    pub(super) fn leave_what_if(&mut self, number: u64, mut place: PlaceOrder) {
        if !self.what_ifs.waiting.contains_key(&number) {
            return;
        }
        let Some(next) = self.ledger.highest_id.checked_add(1) else {
            return self.end_what_if(number, Err("there are no order ids left".to_owned()));
        };
        self.what_ifs.ids.insert(next, number);
        while MAX_OVER < self.what_ifs.ids.len() {
            self.what_ifs.ids.pop_first();
        }
        self.ledger.highest_id = next;
        self.act(Action::Keep(Record::Ids(next)));
        (place.order_id, place.order.order_id) = (next, next);
        self.send_now(&Request::PlaceOrder(place));
    }

    fn end_what_if(&mut self, number: u64, answer: Result<Box<WhatIf>, String>) {
        // Its id stays known: what is told of it later is about no order either.
        if self.what_ifs.waiting.remove(&number).is_some() {
            self.act(Action::Answer(number, Answered::WhatIf(answer)));
        }
    }

    /// Takes an answer. False: it is about an order.
    pub(super) fn take_what_if(&mut self, row: &OpenOrder) -> bool {
        let number = self.what_ifs.ids.get(&row.order_id).copied().filter(|_| row.order.client_id == self.config.client_id);
        if row.order.what_if {
            if let Some(number) = number {
                let answer = if row.state.reject_reason.is_empty() {
                    let mut answer = WhatIf::from(&row.state);
                    let said = self.what_ifs.waiting.get(&number).map(|waiting| waiting.warnings.as_str()).unwrap_or_default();
                    if !said.is_empty() && answer.warning != said {
                        answer.warning = [answer.warning.as_str(), said].join(" ").trim().to_owned();
                    }
                    Ok(Box::new(answer))
                } else {
                    Err(row.state.reject_reason.clone())
                };
                self.end_what_if(number, answer);
            }
            return true;
        }
        let Some(number) = number else { return false };
        // Once: from here on it is an order of nobody here.
        self.what_ifs.ids.remove(&row.order_id);
        tracing::error!(venue = %self.config.venue, order_id = row.order_id, "the gateway took a question for an order: it is canceled");
        self.end_what_if(number, Err("the gateway took the question for an order, which is being canceled".to_owned()));
        let cancel = CancelOrder { order_id: row.order_id, cancel: OrderCancel::default() };
        self.pace.push(Class::First, Item::Plain(Box::new(Request::CancelOrder(cancel))));
        false
    }

    /// Takes what is said of a question. False: it is about something else.
    pub(super) fn notice_of_what_if(&mut self, notice: &Notice) -> bool {
        let Some(number) = self.what_ifs.ids.get(&notice.id).copied().filter(|_| 0 < notice.id) else { return false };
        let text = format!("{} {}", notice.code, notice.text);
        match meaning(notice.code) {
            Meaning::Warning => {
                if let Some(waiting) = self.what_ifs.waiting.get_mut(&number) {
                    waiting.warnings = text;
                }
            }
            _ => {
                tracing::info!(venue = %self.config.venue, text = %Quoted(&text), "the gateway does not say what an order would cost");
                self.end_what_if(number, Err(text));
            }
        }
        true
    }

    /// Ends questions that were not answered in time.
    pub(super) fn what_ifs_turn(&mut self) {
        let now = self.now.mono;
        let late: Vec<u64> = self.what_ifs.waiting.iter().filter(|(_, waiting)| waiting.until <= now).map(|(number, _)| *number).collect();
        for number in late {
            self.end_what_if(number, Err("the gateway did not answer in time".to_owned()));
        }
    }

    /// The session is lost.
    pub(super) fn fail_what_ifs(&mut self, reason: &str) {
        let all: Vec<u64> = self.what_ifs.waiting.keys().copied().collect();
        for number in all {
            self.end_what_if(number, Err(format!("the gateway is down: {reason}")));
        }
    }
}
