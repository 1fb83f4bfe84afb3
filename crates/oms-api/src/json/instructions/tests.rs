use crate::json::input::{batch, new_order};
use crate::json::read::parse;
use oms_model::algo::{Algo, Leftover, PegPrice};
use oms_model::command::{Command, NewOrder};
use oms_model::work::{ArmRule, ContingencyType};

fn order(more: &str) -> Result<NewOrder, String> {
    let body = format!(r#"{{"symbol":"XYZ","side":"BUY","ord_type":"LIMIT","order_qty":"100","price":"20"{more}}}"#);
    new_order(&parse(body.as_bytes(), 8).unwrap(), "").map_err(|refusal| refusal.message)
}

#[test]
fn an_algorithm_with_its_parameters() {
    let read = order(
        r#","algo":{"strategy":"POV","max_participation":"0.1","min_participation":0.05,"interval_ms":500,"leftover":"CROSS","seed":7}"#,
    );
    let algo = read.unwrap().instructions.algo.unwrap();
    assert_eq!((algo.algo, algo.max_participation_ppm, algo.min_participation_ppm), (Algo::Pov, 100_000, 50_000));
    assert_eq!((algo.interval_ns, algo.leftover, algo.seed), (500_000_000, Leftover::Cross, 7));
}

#[test]
fn trails_pegs_and_display() {
    let asked = order(r#","trail":{"percent":"1.5"},"peg":{"peg_price":"MID","offset":"-0.01"},"max_floor":"10","emulate":true"#);
    let asked = asked.unwrap().instructions;
    assert_eq!(asked.trail.unwrap().ppm, 15_000);
    assert_eq!(asked.peg.unwrap().reference, PegPrice::Mid);
    assert_eq!(asked.peg.unwrap().offset.to_string(), "-0.01");
    assert_eq!((asked.max_floor.unwrap().to_string().as_str(), asked.emulate), ("10", true));
}

#[test]
fn what_is_wrong_is_named() {
    let problem = |more| order(more).unwrap_err();
    assert_eq!(
        problem(r#","algo":{"strategy":"FAST"}"#),
        "algo.strategy must be one of TWAP, VWAP, POV, ARRIVAL, ICEBERG, TIME_SLICED, PEG"
    );
    assert_eq!(problem(r#","algo":{"strategy":"VWAP","curve":[1,"a"]}"#), "algo.curve must hold whole numbers from 0 to 4294967295");
    assert_eq!(
        problem(r#","algo":{"strategy":"POV","max_participation":"1.1"}"#),
        "algo.max_participation must lie between 0 and 1, with six fractional digits at most"
    );
    assert_eq!(problem(r#","algo":{"strategy":"TWAP","speed":1}"#), "algo.speed is not a known field");
    assert_eq!(problem(r#","trail":{"percent":"0.00001"}"#), "trail.percent must not be below zero, with four fractional digits at most");
    assert_eq!(problem(r#","peg":{}"#), "peg.peg_price is required");
}

#[test]
fn a_batch_with_a_contingency_is_a_list() {
    let body = r#"{"contingency":"OTOCO","arm":"PRO_RATA","orders":[{"symbol":"XYZ","side":"BUY","ord_type":"MARKET","order_qty":1}]}"#;
    let Ok(Command::CreateOrderList { contingency, arm, orders }) = batch(&parse(body.as_bytes(), 8).unwrap()) else { panic!("a list") };
    assert_eq!((contingency, arm, orders.len()), (ContingencyType::Otoco, ArmRule::ProRata, 1));
    let body = br#"{"arm":"PRO_RATA","orders":[{"symbol":"XYZ","side":"BUY","ord_type":"MARKET","order_qty":1}]}"#;
    assert_eq!(batch(&parse(body, 8).unwrap()).unwrap_err().message, "arm is for orders with a contingency");
    let body = br#"{"contingency":"OCO","atomic":false,"orders":[{"symbol":"XYZ","side":"BUY","ord_type":"MARKET","order_qty":1}]}"#;
    assert_eq!(
        batch(&parse(body, 8).unwrap()).unwrap_err().message,
        "atomic cannot be false: orders with a contingency are all taken or none"
    );
}
