//! How often rare things happened. A simulation that stops reaching them proves less every day.

macro_rules! marks {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// A branch worth reaching.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mark { $($(#[doc = $doc])+ $name,)+ }

        impl Mark {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];
        }
    };
}

marks! {
    /// An order was answered as accepted.
    Accepted,
    /// An order was refused by the gate.
    Refused,
    /// An order went out as more than one leg.
    Legs,
    /// The rest of an order was planned again.
    Replanned,
    /// An intent came in doubt.
    InDoubt,
    /// A doubt ended: it works.
    FoundLive,
    /// A doubt ended: it was canceled.
    FoundCanceled,
    /// A doubt ended: it was refused.
    FoundRejected,
    /// A doubt ended: it never arrived.
    FoundNotSent,
    /// A doubt ended: it had expired.
    FoundExpired,
    /// An execution came before its order's acknowledgement.
    FillBeforeAck,
    /// An execution came after its order's end.
    FillAfterEnd,
    /// More was executed than was ordered.
    Overfill,
    /// An execution matched no order.
    Suspense,
    /// A charge matched no execution.
    ChargeUnmatched,
    /// A venue ended an order unasked.
    Unasked,
    /// A replace was accepted.
    Replaced,
    /// A replace was refused.
    ReplaceRejected,
    /// A cancel was refused.
    CancelRejected,
    /// An order expired.
    Expired,
    /// A tree left the hot state.
    Closed,
    /// A quote was accepted.
    QuoteAccepted,
    /// A quote's life was over.
    QuoteExpired,
    /// A dealer took a quote back.
    QuoteWithdrawn,
    /// A dealer replaced a quote.
    QuoteReplaced,
    /// A request for quotes was over.
    QuoteRequestExpired,
    /// A request for quotes was withdrawn.
    QuoteRequestCanceled,
    /// A command was answered from the log.
    Replayed,
    /// A key came with another payload.
    KeyConflict,
    /// A kill switch kept an intent back at the last instant.
    KeptBack,
    /// A deadline kept an intent back at the last instant.
    TooLate,
    /// The process was killed.
    Kill,
    /// The power failed between operations.
    PowerLoss,
    /// The power failed in a write of the log.
    PowerLossInWrite,
    /// The power failed in a recovery.
    PowerLossInRecovery,
    /// The disk refused a write.
    DiskRefused,
    /// An unanswered group was there after the crash.
    TailKept,
    /// An unanswered group was gone after the crash.
    TailLost,
    /// A recovery began from a snapshot.
    FromSnapshot,
    /// The log was in more than one segment.
    Segments,
    /// A venue's answer was incomplete.
    Incomplete,
    /// A reconciliation found an execution that no report had brought.
    FoundFill,
    /// A care order changed hands.
    Claimed,
    /// A care order was split.
    Split,
    /// A replace of several parts went back.
    SagaBack,
    /// A stage of a staged order ended.
    StageEnded,
    /// A stop that is held here was reached.
    Triggered,
    /// A trailing stop followed the market.
    StopFollowed,
    /// A slice was released.
    SliceReleased,
    /// Slices got another price.
    Repriced,
    /// What an algorithm had left at its end was canceled.
    LeftoverCanceled,
    /// What an algorithm had left at its end was crossed.
    LeftoverCrossed,
    /// The rest of an order was canceled because an execution took it beyond a limit.
    RestCanceled,
    /// That was recorded alone.
    BreachRecorded,
    /// A dead-man switch fired.
    DeadManFired,
    /// A heartbeat was recorded.
    Heartbeat,
    /// A dead-man switch got a full timeout after a restart.
    DeadManGranted,
    /// A breaker tripped.
    BreakerTripped,
    /// A breaker tried trading again.
    BreakerProbes,
    /// A breaker closed.
    BreakerClosed,
    /// An order was suspended.
    Suspended,
    /// A suspended order went on.
    Resumed,
    /// An execution armed another order of its list.
    Armed,
    /// An execution took from another order of its list.
    Taken,
    /// An order was canceled for its list.
    CanceledForList,
    /// Orders that exclude each other were both executed, or could not be kept apart.
    Race,
    /// An order at a venue is at the fourth level of its tree or below.
    Deep,
    /// The market took an execution back.
    Busted,
    /// An order that was wholly executed works again.
    Reopened,
    /// An execution was taken back before it came, or was never there.
    BustOfNothing,
    /// An execution was corrected.
    Corrected,
    /// A venue said what an execution cost.
    Charged,
    /// The charge of an execution was booked.
    Commission,
    /// A person booked an execution.
    BookedByHand,
    /// A person undid a wrong booking.
    Whacked,
    /// An execution was taken out of suspense and booked.
    OutOfSuspense,
    /// An execution in suspense was found not to be ours.
    Dismissed,
    /// A rate was recorded.
    Rate,
    /// A position was worked out again.
    Reworked,
    /// A day was closed.
    DayClosed,
    /// An execution of a closed day was taken back or corrected.
    ClosedDayChanged,
    /// Orders were grouped.
    Grouped,
    /// A group was dissolved.
    Ungrouped,
    /// What a group executed was shared out straight through.
    SharedOut,
    /// An allocation was proposed.
    Proposed,
    /// A second person approved one.
    Approved,
    /// One was turned down.
    TurnedDown,
    /// Something that had been shared out was taken back.
    SharedBack,
    /// An order broke a rule by a person's leave.
    Overridden,
    /// The time of an override was over.
    OverrideExpired,
    /// A limit that held for a time went back to what it was.
    LimitBack,
}

/// Counts of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    marks: [u64; Mark::ALL.len()],
    /// Recoveries after a crash.
    pub recoveries: u64,
    /// Things that went wrong by design: crashes, lost, repeated, overtaken and refused messages, failed answers.
    pub faults: u64,
    /// Inputs that entered the engine.
    pub inputs: u64,
    /// Events that it decided.
    pub events: u64,
    /// Intents that were handed over.
    pub handed: u64,
    /// Executions at the venues.
    pub fills: u64,
}

impl Default for Coverage {
    fn default() -> Self {
        Self { marks: [0; Mark::ALL.len()], recoveries: 0, faults: 0, inputs: 0, events: 0, handed: 0, fills: 0 }
    }
}

impl Coverage {
    /// Counts a mark.
    pub const fn mark(&mut self, mark: Mark) {
        self.marks[mark as usize] += 1;
    }

    /// How often a mark was reached.
    #[must_use]
    pub const fn count(&self, mark: Mark) -> u64 {
        self.marks[mark as usize]
    }

    /// Adds another run's counts.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in self.marks.iter_mut().zip(&other.marks) {
            *sum += more;
        }
        self.recoveries += other.recoveries;
        self.faults += other.faults;
        self.inputs += other.inputs;
        self.events += other.events;
        self.handed += other.handed;
        self.fills += other.fills;
    }
}
