use super::*;
use crate::json::parse;
use oms_model::instrument::Instrument;
use oms_model::limit::{LimitKey, LimitType, Scope};

fn read(body: &str) -> Result<Command, Refusal> {
    let mut value = parse(body.as_bytes(), 32).unwrap();
    let mut catalog = Catalog::default();
    catalog.list(&Instrument { symbol: "AAPL".parse().unwrap(), ..Instrument::default() });
    take_type(&mut value)?.decode(&value, &catalog)
}

fn example(name: &str) -> &'static str {
    COMMANDS.iter().find(|spec| spec.name == name).unwrap().example
}

#[test]
fn every_example_is_read_and_is_of_its_command() {
    for spec in COMMANDS {
        assert!(spec.example.starts_with(&format!(r#"{{"type":"{}","#, spec.name)), "{}", spec.example);
        read(spec.example).unwrap_or_else(|refusal| panic!("{}: {refusal}", spec.example));
    }
}

#[test]
fn commands_become_what_they_say() {
    let id: OrderId = "00000000-0000-7000-8000-000000000001".parse().unwrap();
    let [cancel, replace, mass, limit] =
        ["OrderCancelCmd", "OrderReplaceCmd", "OrderMassCancelCmd", "RiskLimitRemoveCmd"].map(|name| read(example(name)).unwrap());
    assert_eq!(cancel, Command::CancelOrder { order: OrderRef::Id(id), if_version: Some(3) });
    let Command::ReplaceOrder { order, change, if_version } = replace else { panic!("{replace:?}") };
    assert_eq!((order, if_version), (OrderRef::ClOrdId("A-1".parse().unwrap()), None));
    assert_eq!((change.price, change.order_qty), (Some("20.1".parse().unwrap()), None));
    assert_eq!(mass, Command::MassCancel { scope: Scope::Tenant });
    assert_eq!(limit, Command::RemoveRiskLimit(LimitKey::hard(LimitType::MaxOrderQty, Scope::Tenant)));
}

#[test]
fn the_type_comes_first_of_all() {
    for (body, expected) in [
        ("[]", "must be an object with a type"),
        ("{}", "type is required"),
        (r#"{"type":null}"#, "type must be a string, not null"),
        (r#"{"type":7}"#, "type must be a string, not a number"),
        (r#"{"type":"orderCreateCmd"}"#, "is not a command; the commands are OrderCreateCmd, OrderBatchCreateCmd"),
        (r#"{"type":""}"#, "is not a command"),
    ] {
        let refusal = read(body).unwrap_err();
        assert_eq!(refusal.code, Code::ValidationError);
        assert!(refusal.message.contains(expected), "{body}: {refusal}");
        assert!(refusal.details.iter().any(|(name, value)| name == "known" && value.contains("SorPolicySetCmd")), "{refusal:?}");
    }
}

#[test]
fn wrong_fields_are_named_for_every_command() {
    let orders = |n: usize| format!(r#"{{"type":"OrderBatchCreateCmd","orders":[{}]}}"#, vec!["{}"; n].join(","));
    let (none, many) = (orders(0), orders(101));
    for (body, expected) in [
        (r#"{"type":"OrderCreateCmd"}"#, "symbol is required"),
        (r#"{"type":"OrderBatchCreateCmd"}"#, "orders is required"),
        (&none, "orders must hold 1 to 100"),
        (&many, "orders must hold 1 to 100"),
        (r#"{"type":"OrderBatchCreateCmd","orders":[{"symbol":"A"}]}"#, "orders[0].side is required"),
        (r#"{"type":"OrderCancelCmd"}"#, "order_id or cl_ord_id is required"),
        (r#"{"type":"OrderCancelCmd","order_id":"x"}"#, "order_id"),
        (r#"{"type":"OrderCancelCmd","order_id":"00000000-0000-7000-8000-000000000001","cl_ord_id":"A"}"#, "name the order by one"),
        (r#"{"type":"OrderCancelCmd","cl_ord_id":"A","if_version":-1}"#, "if_version must be a whole number"),
        (r#"{"type":"OrderCancelCmd","cl_ord_id":"A","if_version":4294967296}"#, "if_version must be a whole number"),
        (r#"{"type":"OrderReplaceCmd","cl_ord_id":"A"}"#, "must change order_qty, price or stop_px"),
        (r#"{"type":"OrderReplaceCmd","price":"1"}"#, "order_id or cl_ord_id is required"),
        (r#"{"type":"OrderReplaceCmd","cl_ord_id":"A","price":"1e3"}"#, "price"),
        (r#"{"type":"OrderAcceptCmd"}"#, "order_id or cl_ord_id is required"),
        (r#"{"type":"OrderClaimCmd","order_id":7}"#, "order_id must be a string"),
        (r#"{"type":"OrderReleaseCmd","cl_ord_id":"a b"}"#, "cl_ord_id"),
        (r#"{"type":"OrderPassCmd","cl_ord_id":"A","to":"bob"}"#, "to"),
        (r#"{"type":"OrderPassCmd","cl_ord_id":"A","text":7}"#, "text must be a string"),
        (r#"{"type":"OrderSplitCmd","cl_ord_id":"A"}"#, "parts is required"),
        (r#"{"type":"OrderSplitCmd","cl_ord_id":"A","parts":[]}"#, "parts must hold 1 to 100"),
        (r#"{"type":"OrderSplitCmd","cl_ord_id":"A","parts":[{}]}"#, "parts[0].order_qty is required"),
        (r#"{"type":"OrderSplitCmd","cl_ord_id":"A","parts":[{"order_qty":"1","symbol":"X"}]}"#, "parts[0].symbol is not a known field"),
        (r#"{"type":"QuoteRequestCmd","symbol":"AAPL"}"#, "order_qty is required"),
        (r#"{"type":"QuoteSubmitCmd"}"#, "quote_req_id is required"),
        (r#"{"type":"QuoteAcceptCmd"}"#, "quote_id is required"),
        (r#"{"type":"QuoteAcceptCmd","quote_id":7}"#, "quote_id must be a string"),
        (r#"{"type":"QuoteWithdrawCmd","quote_id":"x","dealer":"DEAL"}"#, "quote_id"),
        (r#"{"type":"QuoteRequestCancelCmd","quote_req_id":null}"#, "quote_req_id is required"),
        (r#"{"type":"NavSetCmd","symbol":"AAPL"}"#, "nav is required"),
        (r#"{"type":"NavSetCmd","symbol":"AAPL","nav":"1"}"#, "as_of is required"),
        (r#"{"type":"OrderMassCancelCmd"}"#, "scope is required"),
        (r#"{"type":"OrderMassCancelCmd","scope":"EVERYTHING"}"#, "scope must be TENANT"),
        (r#"{"type":"OrderMassCancelCmd","scope":"INSTRUMENT:NONE"}"#, "which is not in the list"),
        (r#"{"type":"KillSwitchEngageCmd"}"#, "reason is required"),
        (r#"{"type":"KillSwitchEngageCmd","reason":" "}"#, "reason must have 1 to 1000 bytes"),
        (r#"{"type":"KillSwitchReleaseCmd","reason":7}"#, "reason must be a string"),
        (r#"{"type":"TradingStateSetCmd","reason":"r"}"#, "state is required"),
        (r#"{"type":"TradingStateSetCmd","state":"OPEN","reason":"r"}"#, "state must be one of"),
        (r#"{"type":"RiskLimitSetCmd","limit_type":"MAX_ORDER_QTY"}"#, "value is required"),
        (r#"{"type":"RiskLimitSetCmd","limit_type":"MAX_ORDER_QTY","value":"5","effective_from":"noon"}"#, "effective_from must be a time"),
        (r#"{"type":"LimitScheduleRemoveCmd","reason":"x"}"#, "schedule_id is required"),
        (r#"{"type":"RiskLimitsImportCmd"}"#, "data is required"),
        (r#"{"type":"RiskLimitsImportCmd","data":[{}]}"#, "1 of 1 lines cannot be taken"),
        (r#"{"type":"RestrictionsImportCmd","data":[],"if_revision":-1}"#, "if_revision must be a whole number"),
        (r#"{"type":"OverrideGrantCmd","cl_ord_id":"A","reason":"x"}"#, "check is required"),
        (r#"{"type":"OverrideGrantCmd","cl_ord_id":"A","check":"ORDER_QTY","reason":" "}"#, "reason must have"),
        (r#"{"type":"OverrideGrantCmd","check":"ORDER_QTY","reason":"x"}"#, "order_id or cl_ord_id is required"),
        (r#"{"type":"OverrideGrantCmd","cl_ord_id":"A","check":"ORDER_QTY","reason":"x","life_s":0}"#, "life_s must be 1 to 86400"),
        (r#"{"type":"OverrideConsentCmd"}"#, "override_id is required"),
        (r#"{"type":"OverrideRevokeCmd","override_id":"x","reason":"x"}"#, "override_id"),
        (r#"{"type":"OverrideRuleSetCmd","second_person":true}"#, "lists is required"),
        (r#"{"type":"RiskLimitSetCmd","limit_type":"ORDER_RATE","value":"5","period":"WEEK"}"#, "period must be"),
        (r#"{"type":"RiskLimitSetCmd","limit_type":"ORDER_RATE","value":"5","soft":"yes"}"#, "soft must be"),
        (r#"{"type":"RestrictionSetCmd","reason":"x"}"#, "subject is required"),
        (r#"{"type":"RestrictionSetCmd","subject":"ASSET_CLASS:WINE","reason":"x"}"#, "subject names a class that"),
        (r#"{"type":"RestrictionSetCmd","subject":"VENUE:XNAS"}"#, "reason is required"),
        (r#"{"type":"LocateSetCmd","symbol":"AAPL","qty":"1"}"#, "account_id is required"),
        (r#"{"type":"ShortSaleStateSetCmd","symbol":"AAPL","reason":"x"}"#, "restricted is required"),
        (r#"{"type":"SelfMatchRuleSetCmd","policy":"MAYBE"}"#, "policy must be"),
        (r#"{"type":"StrategyEnvelopeSetCmd","strategy":"far too long a name"}"#, "strategy must be"),
        (r#"{"type":"StrategyEnvelopeSetCmd","strategy":"A","symbols":["NONE"]}"#, "symbols names NONE"),
        (r#"{"type":"ThrottleResetCmd","scope":"STRATEGY:A"}"#, "reason is required"),
        (r#"{"type":"LimitRequireCmd","limit_type":"MAX_ORDER_QTY"}"#, "required is required"),
        (r#"{"type":"OrderTurnDownCmd","cl_ord_id":"A-1"}"#, "reason is required"),
        (r#"{"type":"AccountRiskSetCmd","account_id":"00000000-0000-7000-8000-000000000001","currencies":["euro"]}"#, "currencies has"),
        (r#"{"type":"PriceBandSetCmd","symbol":"AAPL","lower":"1"}"#, "upper is required"),
        (r#"{"type":"PriceBandSetCmd","symbol":"AAPL","lower":"1","upper":"2","until":"noon"}"#, "until"),
        (r#"{"type":"PriceBandRemoveCmd"}"#, "symbol is required"),
        (r#"{"type":"PriorCloseSetCmd","symbol":"AAPL"}"#, "price is required"),
        (r#"{"type":"InFlightRuleSetCmd","rule":"IGNORE"}"#, "rule must be"),
        (r#"{"type":"DeadManArmCmd","scope":"STRATEGY:A"}"#, "timeout_s is required"),
        (r#"{"type":"DeadManArmCmd","timeout_s":5}"#, "scope is required"),
        (r#"{"type":"DeadManArmCmd","scope":"STRATEGY:A","timeout_s":5,"action":"SHOUT"}"#, "action must be"),
        (r#"{"type":"DeadManBeatCmd"}"#, "scope is required"),
        (r#"{"type":"DeadManDisarmCmd","scope":"ACCOUNT:x"}"#, "scope"),
        (r#"{"type":"RiskLimitSetCmd","limit_type":"MAX_ORDER_QTY","value":"-1"}"#, "value must not be below zero"),
        (r#"{"type":"RiskLimitRemoveCmd"}"#, "limit_type is required"),
        (r#"{"type":"SorPolicySetCmd","price_range_bps":0}"#, "price_range_bps must be above zero"),
    ] {
        let refusal = read(body).unwrap_err();
        assert_eq!(refusal.code, Code::ValidationError, "{body}");
        assert!(refusal.message.contains(expected), "{body}: {refusal}");
    }
    for spec in COMMANDS {
        let with = spec.example.replacen(',', r#","surprise":1,"#, 1);
        let refusal = read(&with).unwrap_err();
        assert!(refusal.message.contains("surprise is not a known field"), "{with}: {refusal}");
    }
}
