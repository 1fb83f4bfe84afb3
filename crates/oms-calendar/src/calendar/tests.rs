use super::*;
use crate::shipped;
use proptest::prelude::*;

fn calendar(id: &str) -> Calendar {
    shipped().unwrap().into_iter().find(|calendar| calendar.id() == id).unwrap()
}

fn at(text: &str) -> Time {
    let stamp: Timestamp = text.parse().unwrap();
    Time(i64::try_from(stamp.as_nanosecond()).unwrap())
}

fn shown(time: Time) -> String {
    timestamp(time).to_string()
}

fn day(calendar: &Calendar, text: &str) -> (u32, String, String) {
    let day = calendar.day(at(text)).unwrap();
    (day.date, shown(day.open), shown(day.close))
}

fn expect(id: &str, cases: &[(&str, Phase)]) {
    let calendar = calendar(id);
    for (text, phase) in cases {
        assert_eq!(calendar.phase(at(text)), *phase, "{id} at {text}");
    }
}

#[test]
fn the_session_has_exact_ends() {
    // Friday 2026-11-20, New York is at UTC-5.
    let cases = [
        ("2026-11-20T08:59:59.999999999Z", Phase::Closed),
        ("2026-11-20T09:00:00Z", Phase::Pre),
        ("2026-11-20T14:29:59.999999999Z", Phase::Pre),
        ("2026-11-20T14:30:00Z", Phase::Core),
        ("2026-11-20T20:59:59.999999999Z", Phase::Core),
        ("2026-11-20T21:00:00Z", Phase::Post),
        ("2026-11-21T01:00:00Z", Phase::Closed),
        ("2026-11-21T15:00:00Z", Phase::Closed),
    ];
    expect("US-EQUITY", &cases);
}

#[test]
fn daylight_saving_moves_the_opening() {
    let us = calendar("US-EQUITY");
    // New York changes on 2026-03-08 and 2026-11-01, Berlin on 2026-03-29 and 2026-10-25.
    assert_eq!(day(&us, "2026-03-06T12:00:00Z").1, "2026-03-06T14:30:00Z");
    assert_eq!(day(&us, "2026-03-09T12:00:00Z").1, "2026-03-09T13:30:00Z");
    assert_eq!(day(&us, "2026-10-30T12:00:00Z").2, "2026-10-30T20:00:00Z");
    assert_eq!(day(&us, "2026-11-02T12:00:00Z").2, "2026-11-02T21:00:00Z");
    let berlin = calendar("DE-INDEX");
    assert_eq!(day(&berlin, "2026-03-27T06:00:00Z").1, "2026-03-27T08:00:00Z");
    assert_eq!(day(&berlin, "2026-03-30T06:00:00Z").1, "2026-03-30T07:00:00Z");
    // Tokyo has none.
    let osaka = calendar("OSE");
    assert_eq!(day(&osaka, "2026-03-06T00:00:00Z").1, "2026-03-06T00:00:00Z");
    assert_eq!(day(&osaka, "2026-07-03T00:00:00Z").1, "2026-07-03T00:00:00Z");
}

#[test]
fn holidays_and_early_closes_are_known() {
    let us = calendar("US-EQUITY");
    // Thanksgiving, and the Friday after it, which ends at one o'clock.
    assert_eq!(us.phase(at("2026-11-26T15:00:00Z")), Phase::Closed);
    assert_eq!(day(&us, "2026-11-26T15:00:00Z"), (20_261_127, "2026-11-27T14:30:00Z".into(), "2026-11-27T18:00:00Z".into()));
    expect("US-EQUITY", &[("2026-11-27T17:59:59Z", Phase::Core), ("2026-11-27T18:00:00Z", Phase::Closed)]);
    assert_eq!(shown(us.next_open(at("2026-11-27T18:00:00Z")).unwrap()), "2026-11-30T14:30:00Z");
    assert_eq!(us.next_open(at("2026-11-27T15:00:00Z")), Some(at("2026-11-27T15:00:00Z")));
}

#[test]
fn a_break_at_noon_does_not_end_the_day() {
    let cases = [
        ("2026-11-20T03:59:59Z", Phase::Core),
        ("2026-11-20T04:00:00Z", Phase::Closed),
        ("2026-11-20T05:00:00Z", Phase::Core),
        ("2026-11-20T08:00:00Z", Phase::Closed),
    ];
    expect("HK-INDEX", &cases);
    let hong_kong = calendar("HK-INDEX");
    assert_eq!(day(&hong_kong, "2026-11-20T04:30:00Z"), day(&hong_kong, "2026-11-20T01:30:00Z"));
    assert_eq!(day(&hong_kong, "2026-11-20T04:30:00Z").2, "2026-11-20T08:00:00Z");
}

#[test]
fn the_evening_counts_on_the_next_day() {
    let cme = calendar("CME");
    // Sunday evening to Monday afternoon is Monday; the hour after it is a break.
    let monday = (20_261_123, "2026-11-22T23:00:00Z".to_owned(), "2026-11-23T22:00:00Z".to_owned());
    assert_eq!(day(&cme, "2026-11-22T23:30:00Z"), monday);
    assert_eq!(day(&cme, "2026-11-23T21:59:59Z"), monday);
    assert_eq!(cme.phase(at("2026-11-23T22:30:00Z")), Phase::Closed);
    assert_eq!(day(&cme, "2026-11-23T22:30:00Z").0, 20_261_124);
    // Thanksgiving: open until one o'clock, and again from six.
    expect("CME", &[("2026-11-26T17:59:59Z", Phase::Core), ("2026-11-26T18:00:00Z", Phase::Closed), ("2026-11-26T23:00:00Z", Phase::Core)]);
}

#[test]
fn what_never_closes_has_days_all_the_same() {
    let fx = calendar("FX");
    assert_eq!(day(&fx, "2026-11-18T12:00:00Z"), (20_261_118, "2026-11-17T22:00:00Z".into(), "2026-11-18T22:00:00Z".into()));
    assert_eq!(day(&fx, "2026-11-21T12:00:00Z"), (20_261_123, "2026-11-22T22:00:00Z".into(), "2026-11-23T22:00:00Z".into()));
    assert_eq!(fx.phase(at("2026-11-21T12:00:00Z")), Phase::Closed);
    let crypto = calendar("CRYPTO");
    assert_eq!(day(&crypto, "2026-11-21T12:00:00Z"), (20_261_121, "2026-11-21T00:00:00Z".into(), "2026-11-22T00:00:00Z".into()));
}

#[test]
fn a_wrong_text_is_refused_with_its_line() {
    let good = "market X Y\nzone UTC UTC0\nhours mon-fri core 09:00-17:00\n";
    assert!(Calendar::parse(good).is_ok());
    let cases = [
        (good.replace("market X", "market x"), 1, "the id of a market"),
        (good.replace("UTC0", "nonsense!"), 2, "no POSIX time zone"),
        (good.replace("mon-fri", "mon-fry"), 3, "\"fry\" is no day"),
        (good.replace("09:00-17:00", "17:00-09:00"), 3, "end before they begin"),
        (good.replace("09:00-17:00", "09:00-12:00 core 11:00-13:00"), 3, "overlap"),
        (good.replace("17:00", "24:01"), 3, "no time of day"),
        (format!("{good}closed 2026-02-30\n"), 4, "no date"),
        (format!("{good}early 2026-02-28\n"), 4, "no time of day"),
        (format!("{good}open 2026-02-28\n"), 4, "not understood"),
        (good.replace("zone UTC UTC0", ""), 0, "names its zone"),
        ("market X Y\nzone UTC UTC0\n".to_owned(), 0, "has hours"),
        (" ".repeat(70_000), 0, "at most"),
    ];
    for (text, line, words) in cases {
        let error = Calendar::parse(&text).unwrap_err();
        assert!(error.line == line && error.text.contains(words), "{error}");
    }
}

#[test]
fn the_shipped_calendars_can_be_read() {
    let all = shipped().unwrap();
    assert_eq!(all.len(), 17);
    for calendar in &all {
        assert_eq!(crate::shipped_text(calendar.id()).unwrap().trim(), calendar.text());
        assert_eq!(Calendar::parse(calendar.text()).unwrap(), *calendar);
    }
}

proptest! {
    /// A moment in the session lies in its day, the day after begins where this one has ended, and the next opening is open.
    #[test]
    fn phases_openings_and_days_agree(second in 1_262_304_000_i64..1_830_297_600, nth in 0_usize..17) {
        let all = shipped().unwrap();
        let calendar = &all[nth];
        let at = Time(second * 1_000_000_000);
        let day = calendar.day(at).unwrap();
        prop_assert!(day.open < day.close && at < day.close);
        if calendar.phase(at) == Phase::Core {
            prop_assert!(day.open <= at, "{} at {}", calendar.id(), shown(at));
        }
        let open = calendar.next_open(at).unwrap();
        prop_assert!(open >= at && calendar.phase(open) == Phase::Core);
        prop_assert!(open == at || calendar.phase(Time(open.0 - 1)) != Phase::Core);
        let next = calendar.day(day.close).unwrap();
        prop_assert!(next.open >= day.close && next.date > day.date);
    }
}

#[test]
fn a_window_over_midnight_ends_in_the_morning() {
    let reset = "market RESET Nightly reset\nzone America/New_York EST5EDT,M3.2.0,M11.1.0\nhours mon-sun core 00:00-00:45 core 23:45-24:00";
    let reset = Calendar::parse(reset).unwrap();
    for (now, until) in [
        ("2026-11-20T04:44:59.999999999Z", None),
        ("2026-11-20T04:45:00Z", Some("2026-11-20T05:45:00Z")),
        ("2026-11-20T05:30:00Z", Some("2026-11-20T05:45:00Z")),
        ("2026-11-20T05:45:00Z", None),
        // New York is an hour nearer in summer, and the clock goes back in the night of the change.
        ("2026-07-01T03:45:00Z", Some("2026-07-01T04:45:00Z")),
        ("2026-11-01T03:50:00Z", Some("2026-11-01T04:45:00Z")),
    ] {
        assert_eq!(reset.open_until(at(now)).map(shown).as_deref(), until, "{now}");
    }
    // Breaks end it, and so does an early close.
    assert_eq!(calendar("US-EQUITY").open_until(at("2026-11-27T15:00:00Z")).map(shown).as_deref(), Some("2026-11-27T18:00:00Z"));
}
