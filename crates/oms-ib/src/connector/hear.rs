//! What the gateway says.

use oms_model::logged::Quoted;
use oms_model::report::ReportBody;

use super::codes::{Meaning, meaning};
use super::config::SECOND;
use super::ledger::{Dated, Heard};
use super::link::Phase;
use super::look::End;
use super::record::Record;
use super::{Action, Connector, Now};
use crate::codec::{Decoded, Notice, Reply};

/// How long nothing leaves after the gateway said that it was too much, nanoseconds.
const PAUSE: i64 = SECOND;
/// Ids of messages about orders and executions: one that cannot be read is asked for again.
const ORDER_FLOW: [u32; 4] = [3, 5, 11, 59];

impl Connector {
    /// A frame has come.
    pub fn received(&mut self, now: Now, body: &[u8]) {
        self.pass(now);
        match self.link.phase {
            Phase::Shaking { .. } => self.agreement(body),
            Phase::Beginning { .. } | Phase::Recovering | Phase::Up => self.frame(body),
            // What was under way when it was let go.
            Phase::Down { .. } | Phase::Parked | Phase::Connecting { .. } => return,
        }
        self.turn(now);
    }

    fn frame(&mut self, body: &[u8]) {
        let Some(dialect) = self.link.dialect else { return };
        self.is_alive();
        self.looks.is_alive();
        self.figures.received += 1;
        match Reply::decode(dialect, body) {
            Ok(Decoded::Message(reply)) => self.reply(reply),
            Ok(Decoded::Unknown(_)) => self.figures.unknown += 1,
            Err(fault) => {
                self.figures.unreadable += 1;
                let id = message_id(dialect, body);
                tracing::error!(venue = %self.config.venue, %fault, ?id, "a message of the gateway cannot be read");
                if id.is_some_and(|id| ORDER_FLOW.contains(&id)) {
                    self.look_now();
                }
            }
        }
    }

    fn reply(&mut self, reply: Reply) {
        match &reply {
            Reply::OpenOrder(row) if self.take_what_if(row) => (),
            Reply::OpenOrder(_) | Reply::OrderStatus(_) | Reply::CompletedOrder(_) | Reply::Execution(_) | Reply::Commission(_) => {
                self.order_flow(reply);
            }
            Reply::Notice(notice) => {
                let notice = notice.clone();
                self.notice(&notice, reply);
            }
            Reply::ManagedAccounts(told) => {
                self.link.accounts =
                    Some(told.accounts.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect());
                self.begun();
            }
            Reply::NextValidId(next) => {
                if self.ledger.highest_id < next.order_id.saturating_sub(1) {
                    self.ledger.highest_id = next.order_id.saturating_sub(1);
                    self.act(Action::Keep(Record::Ids(self.ledger.highest_id)));
                }
                self.link.has_next_id = true;
                self.begun();
            }
            Reply::CurrentTime(_) => self.list_ended(End::Time),
            Reply::OpenOrdersEnd(_) => self.list_ended(End::Open),
            Reply::CompletedEnd(_) => self.list_ended(End::Completed),
            Reply::ExecutionsEnd(end) => self.list_ended(End::Executions(end.req_id)),
            Reply::PositionsEnd(_) => {
                self.account.positions_end();
                self.list_ended(End::Positions);
            }
            Reply::AccountEnd(_) => self.list_ended(End::Values),
            Reply::Position(row) => self.account.position(row),
            Reply::AccountValue(row) => self.account.value(row),
            Reply::TickPrice(_) | Reply::TickSize(_) => self.feed.tick(&reply, &mut self.out),
            _ => (),
        }
    }

    fn order_flow(&mut self, reply: Reply) {
        // After a start everything is told: the desk may have missed what the log has.
        let heard = self.ledger.take(&reply, self.is_fresh);
        let perm = match &reply {
            Reply::OpenOrder(row) => row.order.perm_id,
            _ => 0,
        };
        let is_shown = matches!(&reply, Reply::OpenOrder(_) | Reply::CompletedOrder(_) | Reply::Execution(_));
        if is_shown {
            self.note_row(&reply, heard.about);
            self.looks.saw(heard.about, if heard.about.is_none() { perm } else { 0 });
        }
        self.book(heard, Some(reply));
    }

    /// Keeps and tells what came of a message.
    pub(super) fn book(&mut self, heard: Heard, reply: Option<Reply>) {
        let Heard { reports, is_news, look, foreign, about } = heard;
        self.out.extend(reply.filter(|_| is_news).map(|reply| Action::Keep(Record::Heard(Box::new(reply)))));
        if let Some(base) = foreign {
            self.figures.foreign += reports.iter().filter(|(_, body)| !matches!(body, ReportBody::Commission { .. })).count() as u64;
            self.tell_foreign(base, reports);
        } else {
            self.tell_all(reports);
        }
        if let Some(order_id) = about {
            self.heard_of(order_id);
            self.refuse_twice();
        }
        if look {
            self.look_now();
        }
    }

    /// What the desk may have missed of others' executions because it was killed: as it was told then, so that it is known
    /// again where it was not missed, whatever has become of the execution since.
    pub(super) fn tell_missed(&mut self) {
        for (base, reports) in self.ledger.untold() {
            self.tell_foreign(base, reports);
        }
    }

    /// Told until the log says that the desk has it, which it then has.
    fn tell_foreign(&mut self, base: String, reports: Vec<Dated>) {
        self.tell_all(reports);
        self.act(Action::Settle);
        self.ledger.told(&base);
        self.act(Action::Keep(Record::Told(base)));
    }

    fn tell_all(&mut self, reports: Vec<Dated>) {
        for (at, body) in reports {
            self.tell(at, body);
        }
    }

    fn notice(&mut self, notice: &Notice, reply: Reply) {
        let what = meaning(notice.code);
        let text = format!("{} {}", notice.code, notice.text);
        match what {
            Meaning::Data => tracing::debug!(venue = %self.config.venue, text = %Quoted(&text), "the gateway says"),
            Meaning::Pacing => {
                self.figures.paced += 1;
                tracing::warn!(venue = %self.config.venue, text = %Quoted(&text), "the gateway wants fewer messages");
                self.pace.hold(self.now.mono.saturating_add(PAUSE));
                // What was too much was not taken. What was asked is asked again by what waits for it.
                self.look_now();
            }
            Meaning::LineLost => self.line_lost(&text),
            Meaning::LineBack { data_lost } => self.line_back(&text, data_lost),
            Meaning::ClientIdInUse => self.link.reason.clone_from(&text),
            Meaning::SessionOver => self.drop_link(&text, false),
            _ if self.notice_of_what_if(notice) => return,
            _ if 0 < notice.id => self.feed.refused(notice),
            _ => tracing::warn!(venue = %self.config.venue, text = %Quoted(&text), "the gateway says"),
        }
        if 0 < notice.id {
            let heard = self.ledger.take(&reply, false);
            if heard.about.is_some() {
                tracing::info!(venue = %self.config.venue, order_id = notice.id, text = %Quoted(&text), "the gateway says of an order");
            }
            self.book(heard, Some(reply));
        }
    }
}

/// The id of a message that cannot be read, without the mark of protobuf.
fn message_id(dialect: crate::codec::Dialect, body: &[u8]) -> Option<u32> {
    match dialect {
        crate::codec::Dialect::Proto(_) => u32::from_be_bytes(*body.first_chunk()?).checked_sub(200),
        crate::codec::Dialect::Text(_) => std::str::from_utf8(body.split(|byte| *byte == 0).next()?).ok()?.parse().ok(),
    }
}
