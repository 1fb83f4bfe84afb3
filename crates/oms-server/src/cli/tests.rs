use super::load::{duration, percent};
use super::*;
use clap::CommandFactory;
use std::time::Duration;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split(' '))
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

/// `OMS_BLESS=1 cargo test -p oms-server` writes the snapshot.
#[test]
fn the_root_help_is_what_it_was() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/help.txt");
    let help = Cli::command().term_width(100).render_help().to_string();
    let help = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n";
    if std::env::var_os("OMS_BLESS").is_some() {
        std::fs::write(path, &help).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), help, "OMS_BLESS=1 writes it");
}

#[test]
fn every_verb_of_the_contract_is_there() {
    for line in [
        "oms serve --demo --data d --listen 127.0.0.1:0 --speed 10x --seed 7",
        "oms sim ib --listen 127.0.0.1:0 --admin 127.0.0.1:0 --account DU1 --account DU2 --data d --market m --speed 10x --seed 7 --scenario s",
        "oms order place buy 300 IBM --price 190.10 --tif ioc --mode sweep --wait 2 --json",
        "oms order cancel cl_ord_id:A1 --if-version 3",
        "oms order modify 0 --qty 5",
        "oms order list --filter symbol=IBM --sort -created_at",
        "oms order show 0",
        "oms order why 0",
        "oms order tree 0",
        "oms order tail --from 1 --types OrderFilled",
        "oms position list",
        "oms position pnl --by strategy --account 0 --as-of 12 --currencies",
        "oms execution list --symbol IBM --limit 9",
        "oms execution list --order 0",
        "oms execution suspense",
        "oms execution overfills",
        "oms execution book --order 0 --suspense XNAS:E1 --reason x",
        "oms execution book --symbol IBM --side sell --qty 5 --price 190 --fee -0.2 --venue xnas --exec-id E2 --reason x",
        "oms execution correct E2 IBM --qty 4 --reason x",
        "oms execution bust E2 IBM --venue XNAS --reason x",
        "oms execution whack E2 IBM --reason x",
        "oms execution dismiss XNAS E1 --reason x",
        "oms risk status",
        "oms risk override 0 --check order-qty --reason x --life 60",
        "oms risk overrides",
        "oms risk consent 0",
        "oms risk revoke 0 --reason x",
        "oms risk override-rule --second-person true --lists false",
        "oms order place buy 300 IBM --override 0 --override 1",
        "oms risk limit MAX_ORDER_QTY 500 --from 2026-01-31T16:00:00Z --until 2026-01-31T20:00:00Z",
        "oms risk limits",
        "oms risk unschedule 0 --reason x",
        "oms risk history MAX_ORDER_QTY --scope INSTRUMENT:IBM",
        "oms risk export --lists --format json",
        "oms risk import limits.csv --preview --replace-all",
        "oms risk import lists.json --lists --if-revision 7",
        "oms risk kill --reason x",
        "oms risk release --scope VENUE:XNYS --reason x",
        "oms sor preview sell-short 10 BAC",
        "oms journal show --from 3 --limit 9",
        "oms journal verify --data d",
        "oms journal replay",
        "oms journal hash --at 12",
        "oms audit verify --key desk.pub --checkpoint given.note --json",
        "oms audit verify desk.export",
        "oms audit proof 01a21ede-7577-7d8c-8aa1-1e16fb000001 --out order.proof",
        "oms audit export --out desk.export --data d",
        "oms admin master-key --key-version 2",
        "oms admin rewrap --data d",
        "oms load --connections 256 --closed --duration 500ms --marketable 10% --symbol IBM,BAC",
        "oms config check --config f",
        "oms config show",
    ] {
        parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

#[test]
fn a_booking_says_on_what_and_how_much() {
    for line in [
        "oms execution book --suspense XNAS:E1 --reason x",
        "oms execution book --order 0 --symbol IBM --side buy --qty 1 --price 1 --reason x",
        "oms execution book --symbol IBM --qty 1 --price 1 --reason x",
        "oms execution book --order 0 --qty 1 --reason x",
        "oms execution book --order 0 --suspense XNAS:E1 --qty 1 --reason x",
        "oms execution correct E2 IBM --reason x",
        "oms execution book --order 0 --qty 1 --price 1",
    ] {
        assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
    }
}

#[test]
fn terms_are_taken_in_any_case() {
    let Command::Sor(Sor::Preview { ticket, .. }) = parse("oms sor preview sell-short 10 BAC --tif gtc").unwrap().command else {
        panic!("a preview");
    };
    assert_eq!((ticket.side.as_str(), ticket.tif.as_deref()), ("SELL_SHORT", Some("GTC")));
}

#[test]
fn spans_and_shares_are_checked() {
    assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
    assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
    assert!(duration("10h").is_err() && duration("s").is_err());
    assert_eq!((percent("10%"), percent("100")), (Ok(10), Ok(100)));
    assert!(percent("101%").is_err());
    let error = parse("oms load --rate 5 --closed").unwrap_err();
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn a_day_is_taken_as_people_write_it() {
    for text in ["2026-11-21", "20261121"] {
        assert_eq!(day(text), Ok(20_261_121), "{text}");
    }
    for text in ["", "2026-11-2", "2026-1121", "26-11-2021", "+2026112", "2026-11-2a", "2026/11/21", "-20261121"] {
        assert!(day(text).is_err(), "{text}");
    }
}
