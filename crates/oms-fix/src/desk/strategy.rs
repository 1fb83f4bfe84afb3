//! Algorithms that a client asks for: TargetStrategy(847), ParticipationRate(849) and StrategyParametersGrp(957).
//!
//! FIX 4.4 has three words for strategies; from 1,000 on they are agreed by the two sides. The group of parameters came with
//! FIX 5.0, and clients of FIX 4.4 send it all the same. Its names are those of the desk's other doors.

use oms_model::algo::{Algo, AlgoParams, CurvePart, MAX_CURVE, Peg};
use oms_model::{Code, Decimal, Qty, Refusal, Time};

use crate::codec::scan::View;
use crate::codec::value::{parse_decimal, parse_price, parse_qty, parse_timestamp, parse_uint};

/// What the dictionary of FIX 4.4 lacks for it.
pub(super) const OVERLAY: &str = "\
field 847 TargetStrategy int
field 957 NoStrategyParameters int
field 958 StrategyParameterName String
field 959 StrategyParameterType int
field 960 StrategyParameterValue String
group StrategyParametersGrp 957 958 959 960
add D @StrategyParametersGrp
add G @StrategyParametersGrp
";

/// TargetStrategy(847).
pub(super) const TARGET_STRATEGY: i32 = 847;
/// TargetStrategyParameters(848): text of nobody's grammar.
const PARAMETERS_TEXT: i32 = 848;
/// ParticipationRate(849).
const PARTICIPATION_RATE: i32 = 849;
const NO_PARAMETERS: i32 = 957;
const NAME: i32 = 958;
const VALUE: i32 = 960;

/// Words for strategies.
const STRATEGIES: [(&[u8], Algo); 7] = [
    (b"1", Algo::Vwap),
    // Participate.
    (b"2", Algo::Pov),
    // Minimize market impact.
    (b"3", Algo::Arrival),
    (b"1001", Algo::Twap),
    (b"1005", Algo::Iceberg),
    (b"1006", Algo::TimeSliced),
    (b"1007", Algo::Peg),
];

fn invalid(text: impl Into<String>) -> Refusal {
    Refusal::new(Code::ValidationError, text)
}

/// Whether a message says something of a strategy.
pub(super) fn is_asked(view: &View<'_>) -> bool {
    [TARGET_STRATEGY, PARAMETERS_TEXT, PARTICIPATION_RATE, NO_PARAMETERS].iter().any(|tag| view.get_filled(*tag).is_some())
}

/// The algorithm that an order asks for, if it asks for one. What it takes of its parameters the engine knows.
///
/// # Errors
/// `ORDER_TYPE_UNSUPPORTED` for a strategy that is not offered, `VALIDATION_ERROR` naming the parameter.
pub(super) fn read(view: &View<'_>) -> Result<Option<AlgoParams>, Refusal> {
    if view.get_filled(PARAMETERS_TEXT).is_some() {
        let text = "TargetStrategyParameters(848) is not offered: give them by name in StrategyParametersGrp(957)";
        return Err(Refusal::new(Code::OrderTypeUnsupported, text));
    }
    let Some(strategy) = view.get_filled(TARGET_STRATEGY) else {
        return if is_asked(view) { Err(invalid("parameters of a strategy need TargetStrategy(847)")) } else { Ok(None) };
    };
    let Some((_, algo)) = STRATEGIES.iter().find(|(word, _)| *word == strategy) else {
        let text = "this TargetStrategy(847) is not offered: 1 VWAP, 2 POV, 3 ARRIVAL, 1001 TWAP, 1005 ICEBERG, 1006 TIME_SLICED, 1007 PEG";
        return Err(Refusal::new(Code::OrderTypeUnsupported, text));
    };
    let mut asked = Asked { params: AlgoParams { algo: *algo, ..AlgoParams::default() }, given: Vec::new(), peg: Peg::default() };
    if let Some(rate) = view.get_filled(PARTICIPATION_RATE) {
        asked.take(b"max_participation", rate)?;
    }
    for (name, value) in parameters(view)? {
        asked.take(name, value)?;
    }
    asked.finish().map(Some)
}

/// Name and value of an entry of the group.
type Parameter<'v> = (&'v [u8], &'v [u8]);

fn parameters<'v>(view: &View<'v>) -> Result<Vec<Parameter<'v>>, Refusal> {
    let mut found: Vec<(&[u8], Option<&[u8]>)> = Vec::new();
    for span in view.spans() {
        match span.tag {
            NAME => found.push((view.value(span), None)),
            VALUE => {
                if let Some((_, value)) = found.last_mut() {
                    *value = Some(view.value(span));
                }
            }
            _ => (),
        }
    }
    let whole = |(name, value): (&'v [u8], Option<&'v [u8]>)| {
        let value = value.filter(|value| !value.is_empty());
        value.map(|value| (name, value)).ok_or_else(|| invalid(format!("the strategy parameter {:?} has no value", text(name))))
    };
    found.into_iter().map(whole).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What was asked so far.
struct Asked {
    params: AlgoParams,
    given: Vec<Vec<u8>>,
    peg: Peg,
}

impl Asked {
    fn take(&mut self, name: &[u8], value: &[u8]) -> Result<(), Refusal> {
        if self.has(name) {
            return Err(invalid(format!("the strategy parameter {:?} is given twice", text(name))));
        }
        self.given.push(name.to_vec());
        let params = &mut self.params;
        let taken = match name {
            b"start_time" => set(&mut params.start, parse_timestamp(value).map(Time)),
            b"end_time" => set(&mut params.end, parse_timestamp(value).map(Time)),
            b"slices" => set(&mut params.slices, count(value)),
            b"interval_ms" => set(&mut params.interval_ns, count(value).map(|ms| i64::from(ms) * 1_000_000)),
            b"variance" => set(&mut params.variance_ppm, share(value)),
            b"max_participation" => set(&mut params.max_participation_ppm, share(value)),
            b"min_participation" => set(&mut params.min_participation_ppm, share(value)),
            b"urgency" => set(&mut params.urgency_ppm, share(value)),
            b"slice_qty" => set(&mut params.slice_qty, qty(value)),
            b"expected_volume" => set(&mut params.expected_volume, qty(value)),
            b"curve" => set(&mut params.curve, curve(value)),
            b"leftover" => set(&mut params.leftover, word(value)),
            b"seed" => set(&mut params.seed, parse_uint(value)),
            b"peg_price" => set(&mut self.peg.reference, word(value)),
            b"peg_offset" => set(&mut self.peg.offset, parse_price(value).ok()),
            b"peg_cap" => set(&mut self.peg.cap, parse_price(value).ok().map(Some)),
            _ => return Err(invalid(format!("there is no strategy parameter {:?}", text(name)))),
        };
        if taken { Ok(()) } else { Err(invalid(format!("the strategy parameter {:?} cannot be {:?}", text(name), text(value)))) }
    }

    fn has(&self, name: &[u8]) -> bool {
        self.given.iter().any(|given| given == name)
    }

    fn finish(mut self) -> Result<AlgoParams, Refusal> {
        let more = self.has(b"peg_offset") || self.has(b"peg_cap");
        match self.has(b"peg_price") {
            true => self.params.peg = Some(self.peg),
            false if more => return Err(invalid("the strategy parameters peg_offset and peg_cap need peg_price")),
            false => (),
        }
        Ok(self.params)
    }
}

/// Whether there was something to set it to.
fn set<T>(place: &mut T, value: Option<T>) -> bool {
    value.map(|value| *place = value).is_some()
}

fn count(value: &[u8]) -> Option<u32> {
    parse_uint(value)?.try_into().ok()
}

fn qty(value: &[u8]) -> Option<Qty> {
    parse_qty(value).ok()
}

fn word<T: std::str::FromStr>(value: &[u8]) -> Option<T> {
    str::from_utf8(value).ok()?.parse().ok()
}

/// A part of one, in parts per million: a Decimal counts in billionths.
fn share(value: &[u8]) -> Option<u32> {
    let part: Decimal = parse_decimal(value).ok()?;
    u32::try_from(part.raw() / 1_000).ok().filter(|ppm| *ppm <= 1_000_000 && part.raw() % 1_000 == 0)
}

/// Weights, separated by commas.
fn curve(value: &[u8]) -> Option<Vec<CurvePart>> {
    let parts = value.split(|byte| *byte == b',').take(MAX_CURVE + 1);
    let parts: Vec<CurvePart> = parts.map(|part| count(part).map(|weight| CurvePart { weight })).collect::<Option<_>>()?;
    Some(parts).filter(|parts| parts.len() <= MAX_CURVE)
}
