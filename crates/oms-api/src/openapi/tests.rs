use super::*;
use crate::json::{booking, command, imports, input, leaves, orders, risk, setup, shadow};
use crate::rest::{account, executions, positions, tenants};
use std::path::PathBuf;

/// `OMS_BLESS=1 cargo test -p oms-api` writes the document.
#[test]
fn the_checked_in_document_is_the_one_that_the_code_makes() {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "schemas", "openapi", "oms.v1.json"].iter().collect();
    if std::env::var_os("OMS_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, document()).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == document(), "schemas/openapi/oms.v1.json is not what the code makes; OMS_BLESS=1 writes it");
}

#[test]
fn every_reference_is_defined_and_every_operation_has_its_own_id() {
    let document = build();
    let mut references = Vec::new();
    collect(&document, &mut references);
    for reference in references {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} is not defined");
    }
    let mut ids: Vec<&str> = endpoints().iter().map(|endpoint| endpoint.id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| match (key.as_str(), value) {
            ("$ref", Value::String(reference)) => references.push(reference.clone()),
            _ => collect(value, references),
        }),
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => (),
    }
}

#[test]
fn shapes_have_the_fields_that_the_code_reads_and_writes() {
    for (name, fields) in [
        ("Register", account::REGISTER),
        ("Login", account::LOGIN),
        ("LoginTotp", account::LOGIN_TOTP),
        ("Refresh", account::REFRESH),
        ("SetProfile", account::PROFILE),
        ("ChangePassword", account::PASSWORD),
        ("TotpCode", account::CODE),
        ("TotpDisable", account::TOTP_DISABLE),
        ("NewApiKey", account::NEW_KEY),
        ("RotateApiKey", account::ROTATE),
        ("NewTenant", tenants::NEW_TENANT),
        ("SetTenant", tenants::SET_TENANT),
        ("Invite", tenants::INVITE),
        ("SetMember", tenants::MEMBER),
        ("SetAllowList", tenants::NETS),
        ("NewOrder", input::NEW_ORDER),
        ("Routing", input::ROUTING),
        ("NewGroup", crate::json::booking::NEW_GROUP),
        ("Trail", crate::json::instructions::TRAIL),
        ("Peg", crate::json::instructions::PEG),
        ("Algo", crate::json::instructions::ALGO),
        ("Change", input::CHANGE),
        ("OrderNamed", command::ORDER_NAMED),
        ("OrderReplace", command::ORDER_REPLACE),
        ("OrderPass", command::ORDER_PASS),
        ("OrderSplit", command::ORDER_SPLIT),
        ("NewPart", input::NEW_PART),
        ("NavSet", command::NAV_SET),
        ("LimitNamed", command::LIMIT_NAMED),
        ("ExecutionCreate", booking::EXECUTION_CREATE),
        ("ExecutionNamed", booking::EXECUTION_NAMED),
        ("ExecutionCorrect", booking::EXECUTION_CORRECT),
        ("SuspenseNamed", booking::SUSPENSE_NAMED),
        ("SetFxRate", booking::FX_RATE),
        ("CloseDay", booking::DAY_CLOSE),
        ("GroupNamed", booking::GROUP_NAMED),
        ("GroupEnd", booking::GROUP_END),
        ("AllocationNamed", booking::ALLOC_NAMED),
        ("AllocationReject", booking::ALLOC_REJECT),
        ("SetCostMethod", booking::COST_METHOD),
        ("SetLimit", input::LIMIT),
        ("GrantOverride", leaves::OVERRIDE_GRANT),
        ("OverrideNamed", leaves::OVERRIDE_NAMED),
        ("OverrideEnd", leaves::OVERRIDE_END),
        ("SetOverrideRule", leaves::OVERRIDE_RULE),
        ("ScheduleEnd", leaves::SCHEDULE_END),
        ("LimitRow", imports::LIMIT_ROW),
        ("ImportLimits", imports::IMPORT),
        ("ImportRestrictions", imports::IMPORT),
        ("SetRestriction", risk::RESTRICTION),
        ("SetLocate", risk::LOCATE),
        ("SetShortSaleState", risk::SHORT_SALE_STATE),
        ("SetSelfMatchRule", risk::SELF_MATCH_RULE),
        ("SetStrategyEnvelope", risk::STRATEGY_ENVELOPE),
        ("RequireLimit", risk::LIMIT_REQUIRE),
        ("OrderTurnDown", risk::ORDER_TURN_DOWN),
        ("SetAdv", risk::ADV_SET),
        ("SetBreaker", risk::BREAKER),
        ("ShadowRulesNamed", shadow::SHADOW_RULES),
        ("ShadowNamed", shadow::SHADOW_NAMED),
        ("ShadowPromote", shadow::SHADOW_PROMOTE),
        ("ShadowRun", shadow::SHADOW_RUN),
        ("CloseBreaker", risk::BREAKER_CLOSE),
        ("SetInFlightRule", risk::IN_FLIGHT_RULE),
        ("SetPriceBand", risk::PRICE_BAND),
        ("SymbolNamed", risk::SYMBOL_NAMED),
        ("SetPriorClose", risk::PRIOR_CLOSE),
        ("ArmDeadMan", risk::DEAD_MAN_ARM),
        ("DeadManNamed", risk::DEAD_MAN_NAMED),
        ("SetAccountRisk", risk::ACCOUNT_RISK),
        ("SetAccount", setup::ACCOUNT),
        ("SetTickStep", setup::TICK_STEP),
        ("SetExternalId", setup::EXTERNAL_ID),
        ("SetInstrument", setup::INSTRUMENT),
        ("SetVenue", setup::VENUE),
        ("SetPolicy", input::POLICY),
        ("SetWeights", input::WEIGHTS),
        ("Order", orders::ORDER_FIELDS),
        ("Execution", executions::EXECUTION_FIELDS),
        ("Suspended", executions::SUSPENSE_FIELDS),
        ("Overfill", executions::OVERFILL_FIELDS),
        ("Position", positions::POSITION_FIELDS),
    ] {
        assert_eq!(schemas::shape(name), fields, "{name}");
    }
}

#[test]
fn every_operation_answers_and_every_post_that_acts_is_idempotent() {
    for endpoint in endpoints() {
        assert!(!endpoint.answers.is_empty(), "{}", endpoint.id);
        // What is done to a connection is no fact of a log that would remember the answer; done twice it is done once.
        let asks = endpoint.id.starts_with("preview")
            || endpoint.id == "runShadowRules"
            || endpoint.tag == "fix"
            || endpoint.id.ends_with("connectBroker");
        // Answers about accounts hold secrets that are shown once: they are not kept to be shown again. That to a new tenant has none.
        let asks = asks || matches!(endpoint.tag, "auth" | "tenants") && endpoint.id != "createTenant";
        let acts = endpoint.method != "get" && !asks;
        let keyed = endpoint.parameters.iter().any(|parameter| parameter.name == "Idempotency-Key");
        assert_eq!(acts, keyed, "{}", endpoint.id);
    }
}

#[test]
fn every_command_has_a_shape_and_a_name_of_its_own() {
    for (at, spec) in command::COMMANDS.iter().enumerate() {
        assert!(!schemas::shape(spec.shape).is_empty(), "{} has the unknown shape {}", spec.name, spec.shape);
        assert!(spec.name.ends_with("Cmd"), "{}", spec.name);
        assert!(command::COMMANDS.iter().skip(at + 1).all(|other| other.name != spec.name), "{} stands twice", spec.name);
    }
}
