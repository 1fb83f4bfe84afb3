//! Reconciliations of a gateway as the interface shows them, and what persons do about breaks.

use oms_api::brokers::{BreakAsked, BreakDeed, BrokerBreak, BrokerRun, IdempotencyKey};
use oms_ib::connector::{Demand, RunRefused};
use oms_ib::port::{IbHandle, Unanswered};
use oms_ib::reconcile::book::{Asked, Break, Closing, Deed, Key, NotDone, Run};
use oms_model::command::Actor;
use oms_model::{Code, Refusal};

fn shown_run(run: &Run) -> BrokerRun {
    BrokerRun {
        run: run.number,
        trigger: run.trigger.as_str(),
        user_id: run.user_id,
        began_at: run.began,
        ended_at: run.ended,
        outcome: run.outcome.as_str(),
        reason: run.text.clone(),
        looks: run.looks,
        compared: run.compared,
        opened: run.opened,
        closed: run.closed,
        open: run.open,
        left_out: run.left_out,
    }
}

fn shown_deed(deed: &Deed) -> BreakDeed {
    BreakDeed { at: deed.at, user_id: deed.user_id, owner: deed.owner, note: deed.note.clone(), version: deed.version }
}

fn shown_break(one: &Break) -> BrokerBreak {
    let difference = one.difference.clone();
    let (closing_run, closed_by, closing_note) = match &one.closed {
        Some((_, Closing::Look { run })) => (Some(*run), None, None),
        Some((_, Closing::Person { user_id, note })) => (None, Some(*user_id), Some(note.clone())),
        None => (None, None, None),
    };
    BrokerBreak {
        number: one.number,
        kind: difference.subject.kind.as_str(),
        status: one.standing.as_str(),
        subject: difference.subject.what,
        contract: difference.contract,
        order_id: difference.order_id,
        desk: difference.desk,
        ledger: difference.ledger,
        shown: difference.broker,
        value: difference.value.map(|value| value.to_string()),
        currency: difference.currency.as_str().to_owned(),
        owner: one.owner,
        first_seen: one.first_seen,
        last_seen: one.last_seen,
        first_run: one.first_run,
        version: one.version,
        closed_at: one.closed.as_ref().map(|(at, _)| *at),
        closing_run,
        closed_by,
        closing_note,
        deeds: one.deeds.iter().map(shown_deed).collect(),
    }
}

/// The runs of a gateway, oldest first.
pub(super) fn runs(handle: &IbHandle) -> Vec<BrokerRun> {
    handle.status().book.runs().map(shown_run).collect()
}

/// The breaks of a gateway, oldest first.
pub(super) fn breaks(handle: &IbHandle) -> Vec<BrokerBreak> {
    handle.status().book.breaks().map(shown_break).collect()
}

fn key(key: Option<IdempotencyKey>) -> Option<Key> {
    key.map(|key| (key.key, key.fingerprint))
}

/// What no answer means to whoever asked.
fn unanswered<E>(error: Unanswered<E>, refused: impl FnOnce(E) -> Refusal) -> Refusal {
    match error {
        Unanswered::Refused(error) => refused(error),
        Unanswered::Ended => Refusal::new(Code::Overloaded, "the connection has ended, or too much waits for it"),
        Unanswered::Late => Refusal::new(Code::OutcomeInDoubt, "the connection does not answer; it may be done yet"),
    }
}

/// Compares the three sides now.
pub(super) fn reconcile(
    handle: &IbHandle,
    actor: &Actor,
    reason: &str,
    asked: Option<IdempotencyKey>,
) -> Result<(BrokerRun, bool), Refusal> {
    let demand = Demand { user_id: actor.user_id, reason: reason.to_owned(), key: key(asked) };
    let refused = |error: RunRefused| {
        let code = match &error {
            RunRefused::Down(_) => Code::BrokerUnavailable,
            RunRefused::Busy => Code::Overloaded,
            RunRefused::InProgress => Code::RequestInProgress,
            RunRefused::Key => Code::IdempotencyConflict,
        };
        Refusal::new(code, error.to_string())
    };
    let (run, repeated) = handle.reconcile(demand).map_err(|error| unanswered(error, refused))?;
    Ok((shown_run(&run), repeated))
}

/// Does what a person wants done to a break.
pub(super) fn on_break(handle: &IbHandle, actor: &Actor, asked: BreakAsked) -> Result<(BreakDeed, bool), Refusal> {
    let BreakAsked { number, owner, note, version, key: repeated } = asked;
    let asked = Asked { number, user_id: actor.user_id, owner, note, version, key: key(repeated) };
    let refused = |error: NotDone| {
        let refusal = |code| Refusal::new(code, error.to_string());
        match &error {
            NotDone::Unknown => refusal(Code::NotFound),
            NotDone::Closed | NotDone::Full => refusal(Code::StateConflict),
            NotDone::Version(version) => refusal(Code::VersionMismatch).with("version", version),
            NotDone::Key => refusal(Code::IdempotencyConflict),
        }
    };
    let (deed, repeated) = handle.on_break(asked).map_err(|error| unanswered(error, refused))?;
    Ok((shown_deed(&deed), repeated))
}
