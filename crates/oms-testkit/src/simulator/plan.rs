//! What a seed stands for: how often each thing goes wrong, and a list of actions.
//!
//! Each action carries its own chance, so that leaving others out does not change what it does.

use super::rng::Rng;

/// How often things happen, times in a thousand. Each seed draws its own; most are zero in most seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// After an action, what was decided is made durable.
    pub commit: u16,
    /// After an action, the gateway reads what is durable.
    pub follow: u16,
    /// After an action, a venue takes what is under way to it.
    pub take: u16,
    /// After an action, a report that is under way arrives.
    pub report: u16,
    /// A venue executes at once what it takes.
    pub at_once: u16,
    /// A venue reports the execution before the acknowledgement.
    pub fill_first: u16,
    /// A venue refuses an order.
    pub reject: u16,
    /// A venue refuses a request that it could do.
    pub refuse: u16,
    /// A venue does not decide a request for now.
    pub undecided: u16,
    /// A venue finds an execution after it canceled an order.
    pub late_fill: u16,
    /// A report is lost.
    pub lose: u16,
    /// A report arrives twice.
    pub repeat: u16,
    /// A report is overtaken.
    pub overtake: u16,
    /// Handing over breaks off with an error that says nothing.
    pub broken: u16,
    /// A query breaks off.
    pub incomplete: u16,
    /// A query is not answered.
    pub unanswered: u16,
    /// Of what was under way when a line broke, how much had arrived.
    pub arrived: u16,
    /// Commands without an idempotency key.
    pub keyless: u16,
}

/// A kind of action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A client places an order.
    Place,
    /// A client places several at once.
    PlaceMany,
    /// A client cancels.
    Cancel,
    /// A client replaces.
    Replace,
    /// A client cancels everything in a scope.
    MassCancel,
    /// A client asks again what it has asked before, with the same key.
    Retry,
    /// A client asks something else with a key that it used.
    OtherPayload,
    /// A client uses a `cl_ord_id` again.
    UsedClOrdId,
    /// An operator engages a kill switch.
    Engage,
    /// An operator releases one.
    Release,
    /// An operator sets a limit.
    Limit,
    /// An operator sets the trading state.
    TradingState,
    /// A client places an order that the engine works.
    PlaceWorked,
    /// A client places orders that mean something for each other.
    PlaceList,
    /// A client suspends an order, or resumes it.
    Suspend,
    /// A dead-man switch, a breaker, or a limit that is lowered under what works.
    Control,
    /// The market trades.
    Print,
    /// A client asks for quotes.
    AskQuote,
    /// A dealer quotes, replaces, withdraws; or a client withdraws its request.
    DealerQuote,
    /// A client accepts a quote, which may be dead.
    AcceptQuote,
    /// The market moves.
    Quote,
    /// A venue takes what is under way to it.
    Take,
    /// A venue executes a resting order.
    Trade,
    /// A venue cancels an order unasked.
    Unasked,
    /// A venue's order expires.
    Expire,
    /// A venue reports an execution of an order that is not ours.
    Foreign,
    /// A venue says something about an execution that it had told: it never was, was otherwise, or cost so much.
    Later,
    /// The desk books, takes back and corrects executions, decides about suspense and records rates.
    Desk,
    /// Clients' orders are worked as one.
    Group,
    /// What a group executed is proposed, approved or turned down; or the group ends.
    Allocate,
    /// The day is closed.
    CloseDay,
    /// A report arrives.
    Report,
    /// A venue's line breaks.
    Disconnect,
    /// The gateway's side of a venue goes on.
    Work,
    /// Time passes.
    Wait,
    /// Much time passes.
    LongWait,
    /// What was decided is made durable.
    Commit,
    /// The gateway reads what is durable.
    Follow,
    /// A snapshot is stored.
    Snapshot,
    /// The process is killed and starts again.
    Kill,
    /// The power fails.
    PowerLoss,
    /// The power fails in the next write of the log.
    PowerLossInWrite,
    /// The power fails while a snapshot is stored.
    PowerLossInSnapshot,
    /// The power fails, and again in the recovery.
    PowerLossInRecovery,
    /// The disk refuses the next write.
    DiskRefuses,
}

impl Kind {
    const ALL: [(Self, u16); 45] = [
        (Self::Place, 220),
        (Self::PlaceMany, 15),
        (Self::Cancel, 60),
        (Self::Replace, 60),
        (Self::MassCancel, 6),
        (Self::Retry, 40),
        (Self::OtherPayload, 10),
        (Self::UsedClOrdId, 10),
        (Self::Engage, 8),
        (Self::Release, 14),
        (Self::Limit, 12),
        (Self::TradingState, 6),
        (Self::PlaceWorked, 50),
        (Self::PlaceList, 25),
        (Self::Suspend, 15),
        (Self::Print, 40),
        (Self::Control, 30),
        (Self::AskQuote, 20),
        (Self::DealerQuote, 40),
        (Self::AcceptQuote, 30),
        (Self::Quote, 50),
        (Self::Take, 80),
        (Self::Trade, 120),
        (Self::Unasked, 12),
        (Self::Expire, 6),
        (Self::Foreign, 4),
        (Self::Later, 40),
        (Self::Desk, 40),
        (Self::Group, 20),
        (Self::Allocate, 30),
        (Self::CloseDay, 5),
        (Self::Report, 100),
        (Self::Disconnect, 20),
        (Self::Work, 80),
        (Self::Wait, 80),
        (Self::LongWait, 3),
        (Self::Commit, 30),
        (Self::Follow, 30),
        (Self::Snapshot, 14),
        (Self::Kill, 14),
        (Self::PowerLoss, 14),
        (Self::PowerLossInWrite, 18),
        (Self::PowerLossInSnapshot, 4),
        (Self::PowerLossInRecovery, 6),
        (Self::DiskRefuses, 6),
    ];

    /// Whether it is something going wrong that a seed may be without.
    const fn is_rare(self) -> bool {
        matches!(
            self,
            Self::PlaceMany
                | Self::PlaceWorked
                | Self::PlaceList
                | Self::Suspend
                | Self::AskQuote
                | Self::MassCancel
                | Self::OtherPayload
                | Self::UsedClOrdId
                | Self::Engage
                | Self::Release
                | Self::Limit
                | Self::Control
                | Self::TradingState
                | Self::Unasked
                | Self::Expire
                | Self::Foreign
                | Self::Later
                | Self::Desk
                | Self::Group
                | Self::CloseDay
                | Self::Disconnect
                | Self::LongWait
                | Self::Snapshot
                | Self::Kill
                | Self::PowerLoss
                | Self::PowerLossInWrite
                | Self::PowerLossInSnapshot
                | Self::PowerLossInRecovery
                | Self::DiskRefuses
        )
    }
}

/// One thing that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// What.
    pub kind: Kind,
    /// Its own chance.
    pub seed: u64,
}

/// A whole run, before it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The seed that it came from.
    pub seed: u64,
    /// How often things go wrong.
    pub rates: Rates,
    /// What is done, in order.
    pub actions: Vec<Action>,
}

const FEWEST_ACTIONS: u64 = 30;
const MORE_ACTIONS: u64 = 90;

impl Plan {
    /// The plan that `seed` stands for.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let rates = rates(&mut rng);
        let mut weights: Vec<(Kind, u64)> = Vec::with_capacity(Kind::ALL.len());
        let mut sum = 0;
        for (kind, weight) in Kind::ALL {
            // Rare kinds are left out of half of the seeds, and come more often in some.
            let factor = if kind.is_rare() { rng.pick(&[0, 0, 1, 3]) } else { rng.pick(&[1, 2, 2, 4]) };
            sum += u64::from(weight) * factor;
            weights.push((kind, sum));
        }
        let count = FEWEST_ACTIONS + rng.below(MORE_ACTIONS);
        let mut actions = Vec::new();
        for _ in 0..count {
            let at = rng.below(sum);
            let kind = weights.iter().find(|(_, up_to)| at < *up_to).map_or(Kind::Place, |(kind, _)| *kind);
            actions.push(Action { kind, seed: rng.next() });
        }
        Self { seed, rates, actions }
    }
}

fn rates(rng: &mut Rng) -> Rates {
    let mut fault = |most: u64| -> u16 {
        let rate = if rng.below(5) < 3 { 0 } else { 1 + rng.below(most) };
        u16::try_from(rate).unwrap_or(0)
    };
    let (fill_first, reject, refuse, undecided) = (fault(400), fault(300), fault(300), fault(300));
    let (late_fill, lose, repeat, overtake) = (fault(200), fault(200), fault(300), fault(300));
    let (broken, incomplete, unanswered, keyless) = (fault(200), fault(400), fault(400), fault(500));
    Rates {
        commit: rng.pick(&[1_000, 900, 600, 300]),
        follow: rng.pick(&[1_000, 900, 600, 300]),
        take: rng.pick(&[1_000, 800, 400, 100]),
        report: rng.pick(&[1_000, 800, 400, 100]),
        at_once: rng.pick(&[0, 200, 500, 900]),
        arrived: rng.pick(&[0, 300, 500, 700, 1_000]),
        fill_first,
        reject,
        refuse,
        undecided,
        late_fill,
        lose,
        repeat,
        overtake,
        broken,
        incomplete,
        unanswered,
        keyless,
    }
}
