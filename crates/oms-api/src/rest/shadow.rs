//! Rules that run in shadow: set, looked at, made live; and runs of rules over the past.

use super::commands::done;
use super::risk::answer;
use super::{Endpoint, delete, get, post, put, query};
use crate::call::{Access, Call};
use crate::json::decode::Fields;
use crate::json::{Writer, input, shadow as json};
use crate::past::{Stretch, check_order};
use crate::query::bad_parameter;
use crate::shadow::Report;
use axum::response::Response;
use oms_identity::Scope;
use oms_model::command::{Command, RiskCommand};
use oms_model::shadow::{Rule, RuleSet};
use oms_model::{Code, Refusal, RuleSetName, Seq};
use oms_runtime::history::{AsOf, Moment};

/// The most differences that one run tells.
const MAX_TOLD: u32 = 50_000;
/// How many are told where the question does not say.
const USUALLY: u32 = 1_000;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "risk", summary);
    vec![
        get(Access::Scope(Scope::PositionsView), "/api/v1/risk/shadow", named("listShadowRules", "Rules that run in shadow"), list).json(
            200,
            "ShadowRuleSets",
            "Every set.",
        ),
        put(
            Access::Scope(Scope::RiskManage),
            "/api/v1/risk/shadow/{name}",
            named("setShadowRules", "Run rules in shadow from here on, beside those in force"),
            set,
        )
        .body("ShadowRules")
        .json(200, "Done", "They run.")
        .errors(&[Code::NotFound, Code::UnsupportedMediaType])
        .idempotent(),
        get(
            Access::Scope(Scope::PositionsView),
            "/api/v1/risk/shadow/{name}",
            named("getShadowReport", "What a set would have changed so far"),
            one,
        )
        .parameters(&[query(
            "limit",
            "integer(1..1000)",
            "How many of the newest differences are told, 1 to 1000; 100 where it is absent.",
        )])
        .json(200, "ShadowReport", "The set, and what it would have changed since it runs.")
        .errors(&[Code::NotFound, Code::HistoryTooFar]),
        delete(Access::Scope(Scope::RiskManage), "/api/v1/risk/shadow/{name}", named("removeShadowRules", "Run a set no more"), remove)
            .json(200, "Done", "It runs no more.")
            .errors(&[Code::NotFound])
            .idempotent(),
        post(
            Access::Scope(Scope::RiskManage),
            "/api/v1/risk/shadow/{name}/promote",
            named("promoteShadowRules", "Make the rules of a set live, as a second person"),
            promote,
        )
        .body("Reason")
        .json(200, "Done", "They are in force.")
        .errors(&[Code::NotFound, Code::SecondPersonNeeded, Code::UnsupportedMediaType])
        .idempotent(),
        post(
            Access::Scope(Scope::RiskManage),
            "/api/v1/risk/shadow-runs",
            named("runShadowRules", "What rules would have changed over a day, or between two moments"),
            run,
        )
        .body("ShadowRun")
        .json(200, "ShadowRunReport", "What would have been different.")
        .errors(&[Code::NotFound, Code::HistoryTooFar, Code::UnsupportedMediaType]),
    ]
}

async fn list(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let sets = call.api.handle().inspect(|state, _| state.rule_sets().cloned().collect::<Vec<RuleSet>>()).await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(256);
    w.object(|w| w.array_at("data", &sets, |w, set| w.object(|w| json::set_fields(w, set, &catalog))));
    Ok(answer(&call, w, None))
}

fn named(call: &Call) -> Result<RuleSetName, Refusal> {
    RuleSetName::new(&call.id).map_err(|_| Refusal::new(Code::NotFound, "no rules of that name run in shadow"))
}

async fn execute(call: &Call, endpoint: &str, body: &crate::json::Value<'_>, command: RiskCommand) -> Result<Response, Refusal> {
    let key = call.idempotency(endpoint, &call.id, body)?;
    let answer = call.execute(Command::Risk(Box::new(command)), key).await?;
    done(call, &answer)
}

async fn set(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let fields = Fields::of(&value, "", &["rules"])?;
    let rules = fields.required("rules", json::rules(&fields, &*call.api.catalog_now().await?)?)?;
    let name = RuleSetName::new(&call.id).map_err(|_| bad_parameter("name", "must be 1 to 64 printable characters without spaces"))?;
    execute(&call, "PUT /risk/shadow", &value, RiskCommand::SetShadowRules { name, rules }).await
}

async fn remove(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let name = named(&call)?;
    execute(&call, "DELETE /risk/shadow", &crate::json::Value::Null, RiskCommand::RemoveShadowRules { name }).await
}

async fn promote(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let reason = input::reason(&Fields::of(&value, "", &["reason"])?)?;
    let name = named(&call)?;
    execute(&call, "POST /risk/shadow/promote", &value, RiskCommand::PromoteShadowRules { name, reason }).await
}

/// The set of a name, and every name.
async fn known(call: &Call, name: RuleSetName) -> Result<(RuleSet, Vec<RuleSetName>), Refusal> {
    let asked = name.clone();
    let read = move |state: &oms_engine::State| (state.rule_set(&asked).cloned(), state.rule_sets().map(|set| set.name.clone()).collect());
    let (set, names) = call.api.handle().inspect(move |state, _| read(state)).await?;
    let set = set.ok_or_else(|| Refusal::new(Code::NotFound, format!("no rules of the name {name} run in shadow")))?;
    Ok((set, names))
}

async fn one(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let most = params.limit()?;
    params.end()?;
    let (set, names) = known(&call, named(&call)?).await?;
    let (shadows, history) = (call.api.shadows(), call.api.history().clone());
    let asked = set.clone();
    let report = call
        .api
        .blocking(move || {
            shadows.retain(&names);
            shadows.live(&history, &asked)
        })
        .await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(1024);
    w.object(|w| {
        json::set_fields(w, &set, &catalog);
        json::report_fields(w, &report, most as usize, &catalog);
    });
    Ok(answer(&call, w, Some(report.to)))
}

/// The stretch of the past that a run is about.
async fn stretch(call: &Call, fields: &Fields<'_, '_>) -> Result<(Moment, Moment), Refusal> {
    let bad = |name: &'static str, problem: &'static str| fields.bad(name, problem);
    let (from, to) = match Stretch::of(fields.count("day")?, fields.string("from")?, fields.string("to")?, bad)? {
        Stretch::Day(_, begin, end) => (AsOf::Time(begin), AsOf::Time(end)),
        Stretch::Between(from, to) => (from, to),
    };
    let (from, to) = (call.api.moment(from).await?, call.api.moment(to).await?);
    check_order(from, to, bad)?;
    Ok((from, to))
}

/// The rules to run, read from a state.
type RulesOf = Box<dyn FnOnce(&oms_engine::State) -> Result<Vec<Rule>, Refusal> + Send>;

async fn run(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let value = call.parse(&bytes)?;
    let fields = Fields::of(&value, "", json::SHADOW_RUN)?;
    let catalog = call.api.catalog_now().await?;
    let (after, most) = (fields.count("after")?.map_or(Seq(0), Seq), fields.count::<u32>("limit")?.unwrap_or(USUALLY));
    if most == 0 || most > MAX_TOLD {
        return Err(fields.bad("limit", format_args!("must be 1 to {MAX_TOLD}")));
    }
    let stretch = stretch(&call, &fields).await?;
    let rules: RulesOf = match (json::rules(&fields, &catalog)?, fields.parsed::<RuleSetName>("name")?) {
        (Some(commands), None) => Box::new(|state| oms_engine::shadow::rules(state, commands)),
        (None, Some(name)) => {
            let rules = known(&call, name).await?.0.rules;
            Box::new(|_| Ok(rules))
        }
        _ => return Err(fields.bad("rules", "or the name of a set is required, and not both")),
    };
    let (shadows, history) = (call.api.shadows(), call.api.history().clone());
    let report: Report = call.api.blocking(move || shadows.run(&history, stretch, rules, (after, most as usize))).await?;
    let mut w = Writer::with_capacity(1024);
    w.object(|w| json::report_fields(w, &report, most as usize, &catalog));
    Ok(answer(&call, w, Some(report.to)))
}
