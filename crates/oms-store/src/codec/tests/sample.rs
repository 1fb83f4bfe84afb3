//! Values of every stored type, drawn from a tape of numbers.
//!
//! - A tape of zeros gives the plainest value; a test case therefore shrinks with its tape.
//! - A full tape sets every field, with values that a person can tell apart.

use std::collections::VecDeque;

use oms_model::algo::*;
use oms_model::allocate::Share;
use oms_model::breaker::*;
use oms_model::children::Children;
use oms_model::command::{Actor, Placed};
use oms_model::compliance::*;
use oms_model::dead_man::*;
use oms_model::event::*;
use oms_model::instrument::{Account, Currency, ExternalId, Instrument, TickStep, Venue};
use oms_model::limit::{Check, CheckResult, KillState, LimitType, Period, RiskLimit, Scope, ScopedState, Verdict};
use oms_model::market::{Seen, SeenPrice};
use oms_model::order::{Basis, Booked, Care, Doubt, Extras, Names, Routing, Saga, SagaPart, Stage, Terms};
use oms_model::overrides::{Override, OverrideRule, OverrideState};
use oms_model::policy::{Exhausted, LatencyStat, SorPolicy, Weights};
use oms_model::position::{Booking, Lot, Position};
use oms_model::quote::{Quote, QuoteRequest};
use oms_model::schedule::{LimitSchedule, ScheduleState};
use oms_model::seldom::Seldom;
use oms_model::shadow::Rule;
use oms_model::strategy::{StrategyEnvelope, Tradable};
use oms_model::work::*;
use oms_model::*;

/// Where a sample takes its choices from.
pub struct Tape {
    words: std::vec::IntoIter<u64>,
    full: Option<u64>,
}

impl Tape {
    pub fn new(words: Vec<u64>) -> Self {
        Self { words: words.into_iter(), full: None }
    }

    pub fn full() -> Self {
        Self { words: Vec::new().into_iter(), full: Some(0) }
    }

    /// The next number: on a full tape 1, 2, 3 and so on.
    fn word(&mut self) -> u64 {
        match &mut self.full {
            Some(count) => {
                *count += 1;
                *count
            }
            None => self.words.next().unwrap_or(0),
        }
    }

    /// One of `choices`.
    fn below(&mut self, choices: usize) -> usize {
        (self.word() % choices as u64) as usize
    }

    fn is_full(&self) -> bool {
        self.full.is_some()
    }

    /// A number at or near the edges of its range, or anywhere in it.
    fn number(&mut self) -> i128 {
        if self.is_full() {
            return i128::from(self.word());
        }
        let (kind, word) = (self.below(8), i128::from(self.word()));
        match kind {
            0 => 0,
            1 => word % 100,
            2 => -(word % 100),
            3 => word,
            4 => -word,
            5 => i128::MAX - word,
            6 => i128::MIN + word,
            _ => (word << 64) ^ i128::from(self.word()),
        }
    }

    fn text(&mut self, max: usize) -> String {
        if self.is_full() {
            return format!("text {}", self.word());
        }
        let chars = ['a', 'Z', '0', ' ', '"', '\\', '\0', 'é', '€', '😀'];
        (0..self.below(max + 1)).map(|_| chars[self.below(chars.len())]).collect()
    }

    fn graphic(&mut self) -> String {
        if self.is_full() {
            return format!("ID-{}", self.word());
        }
        (0..=self.below(64)).map(|_| char::from(b'!' + self.below(94) as u8)).collect()
    }
}

/// A value drawn from a tape.
pub trait Sample {
    fn sample(tape: &mut Tape) -> Self;
}

macro_rules! integers {
    ($($name:ty),*) => {$(
        impl Sample for $name {
            fn sample(tape: &mut Tape) -> Self {
                tape.number() as Self
            }
        }
    )*};
}
integers!(u32, u64, i64, u128);

impl Sample for bool {
    fn sample(tape: &mut Tape) -> Self {
        tape.is_full() || tape.below(2) == 1
    }
}

impl Sample for String {
    fn sample(tape: &mut Tape) -> Self {
        tape.text(20)
    }
}

impl Sample for Box<str> {
    fn sample(tape: &mut Tape) -> Self {
        tape.text(200).into()
    }
}

impl Sample for [u8; 32] {
    fn sample(tape: &mut Tape) -> Self {
        let first = tape.number() as u8;
        std::array::from_fn(|at| first.wrapping_mul(at as u8 + 1))
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(tape: &mut Tape) -> Self {
        (tape.is_full() || tape.below(2) == 1).then(|| T::sample(tape))
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(tape: &mut Tape) -> Self {
        let len = if tape.is_full() { 2 } else { tape.below(4) };
        (0..len).map(|_| T::sample(tape)).collect()
    }
}

impl<T: Sample> Sample for VecDeque<T> {
    fn sample(tape: &mut Tape) -> Self {
        Vec::sample(tape).into()
    }
}

impl<T: Sample> Sample for Box<T> {
    fn sample(tape: &mut Tape) -> Self {
        Self::new(T::sample(tape))
    }
}

impl<A: Sample, B: Sample> Sample for (A, B) {
    fn sample(tape: &mut Tape) -> Self {
        (A::sample(tape), B::sample(tape))
    }
}

macro_rules! uuid_ids {
    ($($name:ident),*) => {$(
        impl Sample for $name {
            fn sample(tape: &mut Tape) -> Self {
                let base = if tape.is_full() { 0x0192_5c1a_0000_7000_8000_0000_0000_0000 } else { 0 };
                Self::from_u128(tape.number() as u128 | base)
            }
        }
    )*};
}
uuid_ids!(AllocId, TenantId, UserId, ApiKeyId, AccountId, OrderId, QuoteReqId, QuoteId, OverrideId, LimitScheduleId, CommandId, TraceId);

macro_rules! text_ids {
    ($($name:ident),*) => {$(
        impl Sample for $name {
            fn sample(tape: &mut Tape) -> Self {
                if !tape.is_full() && tape.below(8) == 0 {
                    return Self::default();
                }
                Self::new(&tape.graphic()).unwrap()
            }
        }
    )*};
}
text_ids!(ClOrdId, BrokerOrderId, ExecId, Symbol, PolicyName, RuleSetName, QuoteRef, SecurityId, Tenor);

macro_rules! amounts {
    ($($name:ident $full:literal),*) => {$(
        impl Sample for $name {
            fn sample(tape: &mut Tape) -> Self {
                let number = tape.number();
                Self::from_raw(if tape.is_full() { (number * $full + 1) as _ } else { number as _ })
            }
        }
    )*};
}
amounts!(Price 1_250_000_000, Qty 100_500_000_000, Decimal -2_500_000_000, Notional 17_725_000_000_000_000_000);

impl Sample for InstrumentId {
    fn sample(tape: &mut Tape) -> Self {
        Self(u32::sample(tape))
    }
}

impl Sample for Seq {
    fn sample(tape: &mut Tape) -> Self {
        Self(u64::sample(tape))
    }
}

impl Sample for Time {
    fn sample(tape: &mut Tape) -> Self {
        let base = if tape.is_full() { 1_760_000_000_000_000_000 } else { 0 };
        Self((tape.number() + base) as i64)
    }
}

impl Sample for Mic {
    fn sample(tape: &mut Tape) -> Self {
        let codes = ["XNAS", "XNYS", "ARCX", "BATS", "IEXG", "0000"];
        match tape.below(codes.len() + 1) {
            0 if !tape.is_full() => Self::default(),
            at => codes[at.saturating_sub(1)].parse().unwrap(),
        }
    }
}

impl Sample for Currency {
    fn sample(tape: &mut Tape) -> Self {
        Self([*b"USD", *b"EUR", *b"JPY", [0; 3], [0xE2, 0x82, 0xAC]][tape.below(if tape.is_full() { 3 } else { 5 })])
    }
}

impl Sample for StrategyId {
    fn sample(tape: &mut Tape) -> Self {
        match tape.below(3) {
            0 if !tape.is_full() => Self::default(),
            1 => Self::of(b"MM-1"),
            _ => Self::of(b"0123456789abcdef"),
        }
    }
}

impl Sample for Scope {
    fn sample(tape: &mut Tape) -> Self {
        let case = tape.below(if tape.is_full() { 4 } else { 7 });
        match case + usize::from(tape.is_full()) {
            0 => Self::Tenant,
            1 => Self::Account(AccountId::sample(tape)),
            2 => Self::User(UserId::sample(tape)),
            3 => Self::Instrument(InstrumentId::sample(tape)),
            4 => Self::Venue(Mic::sample(tape)),
            5 => Self::Strategy(StrategyId::sample(tape)),
            _ => Self::AssetClass(AssetClass::sample(tape)),
        }
    }
}

impl Sample for Rule {
    fn sample(tape: &mut Tape) -> Self {
        match tape.below(8) {
            0 => Self::Limit(Sample::sample(tape)),
            1 => Self::NoLimit(Sample::sample(tape)),
            2 => Self::Restriction(Sample::sample(tape)),
            3 => Self::NoRestriction(Sample::sample(tape)),
            4 => Self::SelfMatch(Sample::sample(tape)),
            5 => Self::Envelope(Sample::sample(tape)),
            6 => Self::Required(Sample::sample(tape)),
            _ => Self::Policy(Sample::sample(tape)),
        }
    }
}

impl Sample for Placed {
    fn sample(tape: &mut Tape) -> Self {
        match tape.below(3) {
            0 => Self::Accepted { order_id: OrderId::sample(tape) },
            1 => Self::Refused { order_id: OrderId::sample(tape), code: Code::sample(tape) },
            _ => Self::Invalid(Refusal::sample(tape)),
        }
    }
}

impl Sample for Actor {
    fn sample(tape: &mut Tape) -> Self {
        Self {
            tenant_id: Sample::sample(tape),
            user_id: Sample::sample(tape),
            api_key_id: Sample::sample(tape),
            source: Sample::sample(tape),
        }
    }
}

impl Sample for Children {
    fn sample(tape: &mut Tape) -> Self {
        let mut children = Self::new();
        for child in Vec::<OrderId>::sample(tape) {
            children.push(child);
        }
        children
    }
}

impl Sample for Seldom<Extras> {
    fn sample(tape: &mut Tape) -> Self {
        Self::from(Extras::sample(tape))
    }
}

macro_rules! terms {
    ($($name:ident),*) => {$(
        impl Sample for $name {
            fn sample(tape: &mut Tape) -> Self {
                Self::ALL[tape.below(Self::ALL.len())]
            }
        }
    )*};
}
stored_terms!(terms);

macro_rules! structs {
    ($($name:ident { $($tag:literal $field:ident),+ $(,)? })*) => {$(
        impl Sample for $name {
            fn sample(tape: &mut Tape) -> Self {
                Self { $($field: Sample::sample(tape)),+ }
            }
        }
    )*};
}
stored_messages!(structs);

macro_rules! events {
    ($($code:literal $name:ident,)*) => {
        /// An event of this kind.
        pub fn event(code: u16, tape: &mut Tape) -> Event {
            match code {
                $($code => Event::$name(Sample::sample(tape)),)*
                _ => panic!("no sample of event {code}"),
            }
        }

        /// The event of this kind with nothing in it.
        pub fn plain_event(code: u16) -> Event {
            match code {
                $($code => Event::$name(crate::codec::Message::blank()),)*
                _ => panic!("no sample of event {code}"),
            }
        }
    };
}
stored_events!(events);

impl Sample for Event {
    fn sample(tape: &mut Tape) -> Self {
        let (code, _) = Self::KINDS[tape.below(Self::KINDS.len())];
        event(code, tape)
    }
}

/// A batch of these events.
pub fn batch(events: Vec<Event>, tape: &mut Tape) -> Batch {
    Batch {
        first_seq: Sample::sample(tape),
        time: Sample::sample(tape),
        command_id: Sample::sample(tape),
        actor: Sample::sample(tape),
        trace_id: Sample::sample(tape),
        events,
    }
}

impl Sample for Batch {
    fn sample(tape: &mut Tape) -> Self {
        let events = Sample::sample(tape);
        batch(events, tape)
    }
}
