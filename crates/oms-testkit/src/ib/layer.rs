//! The layer around the connector in which bugs are planted. Without one it passes everything on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use oms_ib::codec::{
    AccountEnd, CompletedEnd, CurrentTime, Execution, Notice, OpenOrdersEnd, PlaceOrder, PositionsEnd, Reply, Request, RequestEnd,
};
use oms_ib::connector::config::Config;
use oms_ib::connector::record::Record;
use oms_model::report::{Report, ReportBody};
use oms_model::{IntentKind, Mic, Time, WireId};

use super::mutant::Mutant;
use super::world::{CLIENT, MS, SECOND};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Layer {
    mutant: Option<Mutant>,
    /// New orders that left and of which nothing was heard, by their reference.
    unheard: BTreeMap<String, PlaceOrder>,
    /// Order ids that left.
    placed: BTreeSet<i32>,
    /// Orders that left and have not been told to be over, by order id, with their references.
    open: BTreeMap<i32, String>,
    /// Order ids that were shown since open orders were last asked for.
    listed: BTreeSet<i32>,
    next_valid: i32,
    is_id_in_use: bool,
    first_perms: BTreeMap<i32, i64>,
    canceled: BTreeSet<i64>,
    executed_at: BTreeMap<String, Time>,
    repeats: u64,
    /// Requests that wait to leave.
    waiting: VecDeque<(Time, Request)>,
    late: Vec<Record>,
    replies: Vec<Reply>,
    reports: VecDeque<(Time, ReportBody)>,
}

/// An execution's id without its last digits, and these.
fn root(exec_id: &str) -> (String, u32) {
    let (base, digits) = exec_id.rsplit_once('.').unwrap_or((exec_id, "1"));
    (base.to_owned(), digits.parse().unwrap_or(1))
}

fn id_of(order_ref: &str) -> WireId {
    WireId::new(order_ref).unwrap_or_default()
}

impl Layer {
    pub fn new(mutant: Option<Mutant>) -> Self {
        Self { mutant, ..Self::default() }
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    // ---- the process

    pub fn config(&self, mut config: Config) -> Config {
        if self.is(Mutant::PacingIgnored) {
            config.timing.per_second = 100_000;
        }
        config
    }

    pub fn recalled(&self, log: Vec<Record>) -> Vec<Record> {
        if self.is(Mutant::LogForgotten) { Vec::new() } else { log }
    }

    pub fn killed(&mut self) {
        *self = Self::new(self.mutant);
    }

    pub fn session_over(&mut self) {
        self.waiting.clear();
        if self.is(Mutant::BrokenSendIsNotSent) {
            for (order_ref, place) in std::mem::take(&mut self.unheard) {
                let reason = format!("the line broke under order {}", place.order_id);
                self.reports
                    .push_back((Time(i64::MIN), ReportBody::NotSent { wire_id: id_of(&order_ref), intent: IntentKind::New, reason }));
            }
        }
    }

    // ---- the log

    pub fn kept(&mut self, record: Record) -> Option<Record> {
        if self.is(Mutant::SentBeforeLogged) && matches!(record, Record::Placed(..)) {
            self.late.push(record);
            return None;
        }
        Some(record)
    }

    /// Whether the desk is told before the log has what it follows from.
    pub fn tells_before_logged(&self) -> bool {
        self.is(Mutant::ToldBeforeLogged)
    }

    /// What is in the log once something was sent.
    pub fn late_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.late)
    }

    // ---- what leaves

    pub fn leaving(&mut self, now: Time, request: Request) -> Vec<Request> {
        match request {
            Request::StartApi(mut start) => {
                start.client_id += i32::from(self.is_id_in_use && self.is(Mutant::ClientIdChanged));
                let mut all = vec![Request::StartApi(start)];
                if self.is(Mutant::ResentAfterReconnect) {
                    all.extend(self.unheard.values().cloned().map(Request::PlaceOrder));
                }
                all
            }
            Request::PlaceOrder(place) => vec![Request::PlaceOrder(self.placing(now, place))],
            Request::CancelOrder(cancel) => {
                if self.is(Mutant::CancelSentIsCanceled)
                    && let Some(order_ref) = self.open.get(&cancel.order_id)
                {
                    let body = ReportBody::Canceled { wire_id: id_of(order_ref), text: "the cancel was sent".to_owned() };
                    self.reports.push_back((now, body));
                }
                let request = Request::CancelOrder(cancel);
                if self.is(Mutant::CancelsLast) {
                    self.waiting.push_back((now.plus(3 * SECOND), request));
                    return Vec::new();
                }
                vec![request]
            }
            Request::CurrentTime(_) if self.is(Mutant::NoHeartbeat) => {
                self.replies.push(Reply::CurrentTime(CurrentTime { seconds: now.0 / SECOND }));
                Vec::new()
            }
            request => {
                self.asking(now, &request);
                vec![request]
            }
        }
    }

    fn placing(&mut self, now: Time, mut place: PlaceOrder) -> PlaceOrder {
        let is_new = self.placed.insert(place.order_id);
        if is_new && self.is(Mutant::IdsLoweredWithGateway) {
            place.order_id = self.next_valid;
            self.next_valid += 1;
        } else if !is_new && self.is(Mutant::ReplaceAsNewOrder) {
            place.order_id += 100_000;
        }
        if is_new {
            let order_ref = place.order.order_ref.clone();
            self.open.insert(place.order_id, order_ref.clone());
            if self.is(Mutant::NoAnswerIsRefusal) {
                let body = ReportBody::Rejected { wire_id: id_of(&order_ref), text: "no answer in time".to_owned() };
                self.reports.push_back((now.plus(3 * SECOND), body));
            }
            self.unheard.insert(order_ref, place.clone());
        }
        place
    }

    fn asking(&mut self, now: Time, request: &Request) {
        if matches!(request, Request::AllOpenOrders(_)) {
            self.listed.clear();
        }
        if self.is(Mutant::HalfLookTrusted) {
            self.replies.extend(match request {
                Request::AllOpenOrders(_) => Some(Reply::OpenOrdersEnd(OpenOrdersEnd {})),
                Request::CompletedOrders(_) => Some(Reply::CompletedEnd(CompletedEnd {})),
                Request::Executions(which) => Some(Reply::ExecutionsEnd(RequestEnd { req_id: which.req_id })),
                Request::Positions(_) => Some(Reply::PositionsEnd(PositionsEnd {})),
                Request::AccountData(data) => Some(Reply::AccountEnd(AccountEnd { account: data.account.clone() })),
                Request::CurrentTime(_) => Some(Reply::CurrentTime(CurrentTime { seconds: now.0 / SECOND })),
                _ => None,
            });
        }
    }

    /// When something that waits leaves, or is made up.
    pub fn due(&self) -> Option<Time> {
        let request = self.waiting.front().map(|(at, _)| *at);
        request.into_iter().chain(self.reports.front().map(|(at, _)| *at)).min()
    }

    pub fn overdue(&mut self, now: Time) -> Option<Request> {
        self.waiting.pop_front_if(|(at, _)| *at <= now).map(|(_, request)| request)
    }

    // ---- what is told to the desk

    /// A report that the gateway gave no reason for.
    pub fn made_up_report(&mut self, now: Time, venue: Mic) -> Option<Report> {
        let (_, body) = self.reports.pop_front_if(|(at, _)| *at <= now)?;
        let is_answered = body.wire_id().is_none_or(|wire_id| !self.unheard.contains_key(wire_id.as_str()));
        if is_answered && matches!(body, ReportBody::Rejected { .. }) {
            return None;
        }
        Some(Report { venue, transact_time: now, body })
    }

    // ---- what comes

    /// Replies that the gateway did not give.
    pub fn made_up(&mut self) -> Vec<Reply> {
        std::mem::take(&mut self.replies)
    }

    pub fn coming(&mut self, now: Time, mut reply: Reply) -> Vec<Reply> {
        self.note(&reply);
        let is_passed = match &mut reply {
            Reply::Execution(report) => self.executed(now, report.req_id, &mut report.execution),
            Reply::Commission(commission) => {
                let (base, _) = root(&commission.exec_id);
                let is_late = self.executed_at.get(&base).is_some_and(|at| 20 * MS < now.since(*at));
                !(is_late && self.is(Mutant::LateCommissionDropped))
            }
            Reply::Notice(notice) => self.noticed(notice),
            Reply::OpenOrder(row) => {
                row.order.perm_id = self.perm(row.order.order_id, row.order.perm_id);
                if self.is(Mutant::InactiveIsRejected) && row.state.status == "Inactive" {
                    "it is inactive".clone_into(&mut row.state.reject_reason);
                }
                true
            }
            Reply::OrderStatus(row) => {
                row.perm_id = self.perm(row.order_id, row.perm_id);
                true
            }
            Reply::CompletedOrder(row) => {
                row.order.perm_id = self.perm(row.order.order_id, row.order.perm_id);
                true
            }
            Reply::OpenOrdersEnd(_) => {
                self.absent(now);
                true
            }
            _ => true,
        };
        if is_passed { vec![reply] } else { Vec::new() }
    }

    /// What is known of orders from what comes.
    fn note(&mut self, reply: &Reply) {
        match reply {
            Reply::NextValidId(next) => self.next_valid = next.order_id,
            Reply::OpenOrder(row) => {
                self.unheard.remove(&row.order.order_ref);
                self.listed.insert(row.order_id);
            }
            Reply::Execution(report) => drop(self.unheard.remove(&report.execution.order_ref)),
            Reply::OrderStatus(row) => {
                self.heard_of(row.order_id);
                if row.status == "Cancelled" {
                    self.canceled.insert(row.perm_id);
                }
            }
            Reply::Notice(notice) if 0 < notice.id => self.heard_of(notice.id),
            _ => (),
        }
    }

    fn heard_of(&mut self, order_id: i32) {
        if let Some(order_ref) = self.open.get(&order_id) {
            self.unheard.remove(order_ref);
        }
    }

    fn perm(&mut self, order_id: i32, perm_id: i64) -> i64 {
        if perm_id == 0 || order_id == 0 || !self.is(Mutant::SecondPermIgnored) {
            return perm_id;
        }
        *self.first_perms.entry(order_id).or_insert(perm_id)
    }

    /// An execution. False: it is dropped.
    fn executed(&mut self, now: Time, req_id: i32, execution: &mut Execution) -> bool {
        let (base, revision) = root(&execution.exec_id);
        let is_known = self.executed_at.contains_key(&base);
        self.executed_at.entry(base.clone()).or_insert(now);
        execution.perm_id = self.perm(execution.order_id, execution.perm_id);
        match self.mutant {
            Some(Mutant::FillsByWholeId) if 1 < revision => execution.exec_id = format!("{base}x{revision}.01"),
            Some(Mutant::RepeatedFillBooked) if is_known => {
                self.repeats += 1;
                execution.exec_id = format!("{base}x{}.01", self.repeats);
            }
            Some(Mutant::MissedFillsDropped) => return req_id < 0,
            Some(Mutant::FillAfterCancelDropped) => return !self.canceled.contains(&execution.perm_id),
            Some(Mutant::CorrectionDropped) => return revision <= 1,
            Some(Mutant::ForeignFillDropped) => return execution.client_id == CLIENT,
            _ => (),
        }
        true
    }

    /// A notice. False: it is dropped.
    fn noticed(&mut self, notice: &mut Notice) -> bool {
        self.is_id_in_use |= notice.code == 326;
        match (self.mutant, notice.code) {
            (Some(Mutant::LineBackIsEnough), 1100..=1102) => return false,
            (Some(Mutant::UnknownCodeIsReject), 666 | 7_777 | 449_999) if 0 < notice.id => notice.code = 201,
            (Some(Mutant::WarningIsCancel), 399 | 404 | 2_109 | 10_349) if 0 < notice.id => notice.code = 202,
            _ => (),
        }
        true
    }

    /// Open orders have ended.
    fn absent(&mut self, now: Time) {
        if !self.is(Mutant::AbsentIsCanceled) {
            return;
        }
        for (order_id, order_ref) in &self.open {
            if !self.listed.contains(order_id) {
                let body = ReportBody::Canceled { wire_id: id_of(order_ref), text: "it is not among the open orders".to_owned() };
                self.reports.push_back((now, body));
            }
        }
        let listed = &self.listed;
        self.open.retain(|order_id, _| listed.contains(order_id));
    }
}
