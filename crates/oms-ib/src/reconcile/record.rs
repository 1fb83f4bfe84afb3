//! Runs and breaks as bytes of the connector's log: fields in their order, texts behind their length.

use oms_model::instrument::Currency;
use oms_model::{Notional, OrderId, Time, UserId};

use super::book::{Break, Closing, Deed, Entry, Key, Run};
use super::{Difference, Kind, Outcome, Standing, Subject, Trigger};

/// Longest text that is kept of a side, a note or a reason, bytes.
const MAX_TEXT: usize = 4_096;

/// Writes fields.
struct Out(Vec<u8>);

impl Out {
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    fn u128(&mut self, value: u128) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    fn time(&mut self, at: Time) {
        self.0.extend_from_slice(&at.0.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        // Cut where a letter ends.
        let end = text.floor_char_boundary(MAX_TEXT);
        let text = text.get(..end).unwrap_or_default();
        self.u32(u32::try_from(text.len()).unwrap_or(0));
        self.0.extend_from_slice(text.as_bytes());
    }

    fn maybe<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            put(self, value);
        }
    }

    fn key(&mut self, key: Option<Key>) {
        self.maybe(key, |out, (key, print)| {
            out.u128(key);
            out.0.extend_from_slice(&print);
        });
    }

    fn user(&mut self, user_id: Option<UserId>) {
        self.maybe(user_id, |out, user_id| out.u128(user_id.as_u128()));
    }
}

/// Reads them again.
struct In<'b>(&'b [u8]);

impl In<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn u128(&mut self) -> Option<u128> {
        self.array().map(u128::from_be_bytes)
    }

    fn time(&mut self) -> Option<Time> {
        self.array().map(i64::from_be_bytes).map(Time)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.u32()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    fn maybe<T>(&mut self, get: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.byte()? {
            0 => Some(None),
            1 => get(self).map(Some),
            _ => None,
        }
    }

    fn key(&mut self) -> Option<Option<Key>> {
        self.maybe(|input| Some((input.u128()?, input.array()?)))
    }

    fn user(&mut self) -> Option<Option<UserId>> {
        self.maybe(|input| input.u128().map(UserId::from_u128))
    }
}

impl Entry {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Out(Vec::with_capacity(256));
        match self {
            Self::Break(one) => {
                out.byte(1);
                put_break(&mut out, one);
            }
            Self::Run(run) => {
                out.byte(2);
                put_run(&mut out, run);
            }
        }
        out.0
    }

    /// Reads one; `None` where it is damaged.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut input = In(bytes);
        let entry = match input.byte()? {
            1 => Self::Break(Box::new(get_break(&mut input)?)),
            2 => Self::Run(Box::new(get_run(&mut input)?)),
            _ => return None,
        };
        input.0.is_empty().then_some(entry)
    }
}

fn put_difference(out: &mut Out, one: &Difference) {
    out.byte(one.subject.kind.code());
    out.text(&one.subject.what);
    out.text(&one.contract);
    out.maybe(one.order_id, |out, id| out.u128(id.as_u128()));
    for side in [&one.desk, &one.ledger, &one.broker] {
        out.maybe(side.as_deref(), Out::text);
    }
    out.text(&one.gap);
    out.maybe(one.value, |out, value| out.0.extend_from_slice(&value.raw().to_be_bytes()));
    out.0.extend_from_slice(&one.currency.0);
}

fn get_difference(input: &mut In<'_>) -> Option<Difference> {
    Some(Difference {
        subject: Subject { kind: Kind::from_code(input.byte()?)?, what: input.text()? },
        contract: input.text()?,
        order_id: input.maybe(|input| input.u128().map(OrderId::from_u128))?,
        desk: input.maybe(In::text)?,
        ledger: input.maybe(In::text)?,
        broker: input.maybe(In::text)?,
        gap: input.text()?,
        value: input.maybe(|input| input.array().map(i128::from_be_bytes).map(Notional::from_raw))?,
        currency: Currency(input.array()?),
    })
}

fn put_deed(out: &mut Out, deed: &Deed) {
    out.time(deed.at);
    out.u128(deed.user_id.as_u128());
    out.user(deed.owner);
    out.text(&deed.note);
    out.u32(deed.version);
    out.key(deed.key);
}

fn get_deed(input: &mut In<'_>) -> Option<Deed> {
    Some(Deed {
        at: input.time()?,
        user_id: UserId::from_u128(input.u128()?),
        owner: input.user()?,
        note: input.text()?,
        version: input.u32()?,
        key: input.key()?,
    })
}

fn put_break(out: &mut Out, one: &Break) {
    out.u64(one.number);
    put_difference(out, &one.difference);
    out.byte(one.standing.code());
    out.user(one.owner);
    out.time(one.first_seen);
    out.time(one.last_seen);
    out.u64(one.first_run);
    out.u32(one.version);
    out.maybe(one.closed.as_ref(), |out, (at, closing)| {
        out.time(*at);
        match closing {
            Closing::Look { run } => {
                out.byte(1);
                out.u64(*run);
            }
            Closing::Person { user_id, note } => {
                out.byte(2);
                out.u128(user_id.as_u128());
                out.text(note);
            }
        }
    });
    out.byte(u8::from(one.is_accepted));
    out.u32(u32::try_from(one.deeds.len()).unwrap_or(0));
    one.deeds.iter().for_each(|deed| put_deed(out, deed));
}

fn get_break(input: &mut In<'_>) -> Option<Break> {
    let mut one = Break {
        number: input.u64()?,
        difference: get_difference(input)?,
        standing: Standing::from_code(input.byte()?)?,
        owner: input.user()?,
        first_seen: input.time()?,
        last_seen: input.time()?,
        first_run: input.u64()?,
        version: input.u32()?,
        closed: input.maybe(|input| {
            let at = input.time()?;
            let closing = match input.byte()? {
                1 => Closing::Look { run: input.u64()? },
                2 => Closing::Person { user_id: UserId::from_u128(input.u128()?), note: input.text()? },
                _ => return None,
            };
            Some((at, closing))
        })?,
        is_accepted: matches!(input.byte()?, 1),
        deeds: Vec::new(),
    };
    for _ in 0..input.u32()? {
        one.deeds.push(get_deed(input)?);
    }
    Some(one)
}

fn put_run(out: &mut Out, run: &Run) {
    out.u64(run.number);
    out.byte(run.trigger.code());
    out.user(run.user_id);
    out.time(run.began);
    out.time(run.ended);
    out.byte(run.outcome.code());
    out.text(&run.text);
    out.u32(run.looks);
    for count in run.compared.into_iter().chain([run.opened, run.closed, run.open, run.left_out]) {
        out.u64(count);
    }
    out.key(run.key);
}

fn get_run(input: &mut In<'_>) -> Option<Run> {
    Some(Run {
        number: input.u64()?,
        trigger: Trigger::from_code(input.byte()?)?,
        user_id: input.user()?,
        began: input.time()?,
        ended: input.time()?,
        outcome: Outcome::from_code(input.byte()?)?,
        text: input.text()?,
        looks: input.u32()?,
        compared: [input.u64()?, input.u64()?, input.u64()?],
        opened: input.u64()?,
        closed: input.u64()?,
        open: input.u64()?,
        left_out: input.u64()?,
        key: input.key()?,
    })
}
