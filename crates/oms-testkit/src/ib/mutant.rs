//! Planted bugs of the connector: the complaints about public ones, mostly. Each is a layer around the real connector.

use crate::simulator::mutants;

mutants! {
    /// Orders: what was not answered when the session broke is sent again in the next.
    ResentAfterReconnect,
    /// Orders: new terms are sent as a new order.
    ReplaceAsNewOrder,
    /// Order ids: they go back with the gateway's.
    IdsLoweredWithGateway,
    /// Log: an order is in it after it was sent.
    SentBeforeLogged,
    /// Log: the desk is told of what is not in it yet.
    ToldBeforeLogged,
    /// Log: it is not read at the start.
    LogForgotten,
    /// Session: another client id is tried where the own one is in use.
    ClientIdChanged,
    /// Session: the heartbeat is taken for answered.
    NoHeartbeat,
    /// Gate: the line that is back is enough to send, nothing is looked at.
    LineBackIsEnough,
    /// Look: lists without their ends are taken for whole.
    HalfLookTrusted,
    /// Look: what open orders do not show counts as canceled.
    AbsentIsCanceled,
    /// Pace: as much leaves as there is.
    PacingIgnored,
    /// Pace: cancels wait behind orders.
    CancelsLast,
    /// Doubt: an order under which the line broke counts as not sent.
    BrokenSendIsNotSent,
    /// Doubt: no answer in time counts as a refusal.
    NoAnswerIsRefusal,
    /// Doubt: a cancel that was sent counts as done.
    CancelSentIsCanceled,
    /// Statuses: a second permanent id under an order is taken for the first.
    SecondPermIgnored,
    /// Statuses: an inactive order counts as refused.
    InactiveIsRejected,
    /// Notices: a code that is not known counts as a refusal.
    UnknownCodeIsReject,
    /// Notices: a warning counts as a cancel.
    WarningIsCancel,
    /// Executions: they are known by their whole id, corrections included.
    FillsByWholeId,
    /// Executions: one that is told again counts as another.
    RepeatedFillBooked,
    /// Executions: what was missed is not asked for.
    MissedFillsDropped,
    /// Executions: one after the cancel is dropped.
    FillAfterCancelDropped,
    /// Executions: corrections are dropped.
    CorrectionDropped,
    /// Executions: those of others in the account are dropped.
    ForeignFillDropped,
    /// Charges: one that comes later than its execution is dropped.
    LateCommissionDropped,
}
