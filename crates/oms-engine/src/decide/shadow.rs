//! Rules that run in shadow: set, taken away, made live.

use super::admin::{self, check_reason, is_person};
use super::risk;
use crate::state::State;
use crate::step::Step;
use oms_model::command::{Actor, Command, RiskCommand};
use oms_model::event::{
    Event, LimitRequired, RestrictionRemoved, RiskLimitRemoved, SelfMatchRuleSet, ShadowRulesPromoted, ShadowRulesRemoved, ShadowRulesSet,
};
use oms_model::shadow::{MAX_RULE_SETS, MAX_RULES, Rule, RuleSet};
use oms_model::{Code, Refusal, RuleSetName};

fn invalid<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(Code::ValidationError, text))
}

/// The rule that a command asks for, whether it can be live or not.
fn asked(command: Command) -> Result<Rule, Refusal> {
    const NONE: &str = "only limits, lists, rules for own orders that meet, bounds of strategies, required limits and routing policies run \
                        in shadow";
    Ok(match command {
        Command::SetRiskLimit(limit) => Rule::Limit(limit),
        Command::RemoveRiskLimit(key) => Rule::NoLimit(RiskLimitRemoved::of(key)),
        Command::SetSorPolicy(policy) => Rule::Policy(policy),
        Command::Risk(command) => match *command {
            RiskCommand::SetRestriction(entry) => Rule::Restriction(entry),
            RiskCommand::RemoveRestriction { list, scope, subject, reason } => {
                Rule::NoRestriction(RestrictionRemoved { list, scope, subject, reason })
            }
            RiskCommand::SetSelfMatchRule { scope, policy } => Rule::SelfMatch(SelfMatchRuleSet { scope, policy }),
            RiskCommand::SetStrategyEnvelope(envelope) => Rule::Envelope(Box::new(envelope)),
            RiskCommand::RequireLimit { limit_type, required } => Rule::Required(LimitRequired { limit_type, required }),
            _ => return invalid(NONE),
        },
        _ => return invalid(NONE),
    })
}

/// A rule with the version that it takes now, where it can be live.
fn valid(state: &State, rule: Rule) -> Result<Rule, Refusal> {
    match rule {
        Rule::Limit(limit) => admin::limit(state, limit).map(Rule::Limit),
        Rule::NoLimit(removed) => admin::no_limit(state, removed.key()).map(Rule::NoLimit),
        Rule::Restriction(entry) => risk::restriction(state, entry).map(Rule::Restriction),
        Rule::NoRestriction(e) => risk::no_restriction(state, e.list, e.scope, e.subject, e.reason).map(Rule::NoRestriction),
        Rule::SelfMatch(rule) => risk::self_match(state, rule.scope, rule.policy).map(Rule::SelfMatch),
        Rule::Envelope(envelope) => risk::envelope(state, *envelope).map(|one| Rule::Envelope(Box::new(one))),
        Rule::Required(LimitRequired { limit_type, required }) => risk::required(limit_type, required).map(Rule::Required),
        Rule::Policy(policy) => admin::policy(state, *policy).map(|policy| Rule::Policy(Box::new(policy))),
    }
}

/// The rules that these commands would make live, no two about the same thing.
///
/// # Errors
/// The refusal of the first command that would be refused, with its place.
pub fn rules(state: &State, commands: Vec<Command>) -> Result<Vec<Rule>, Refusal> {
    if commands.is_empty() || commands.len() > MAX_RULES {
        return invalid(format!("a set has 1 to {MAX_RULES} rules"));
    }
    let mut rules: Vec<Rule> = Vec::with_capacity(commands.len());
    for (at, command) in commands.into_iter().enumerate() {
        let rule = asked(command).and_then(|rule| valid(state, rule)).and_then(|rule| {
            let fact = rule.event();
            let twice = rules.iter().any(|known| known.covers(&fact));
            if twice { invalid("an earlier rule of the set is about the same thing") } else { Ok(rule) }
        });
        let placed = |refusal: Refusal| Refusal { message: format!("rule {at}: {}", refusal.message), ..refusal }.with("index", at);
        rules.push(rule.map_err(placed)?);
    }
    Ok(rules)
}

pub(super) fn set(step: &mut Step<'_>, actor: &Actor, name: RuleSetName, commands: Vec<Command>) -> Result<(), Refusal> {
    if step.state().rule_set(&name).is_none() && step.state().rule_sets().count() >= MAX_RULE_SETS {
        return Err(Refusal::new(Code::Overloaded, format!("at most {MAX_RULE_SETS} sets of rules run in shadow")));
    }
    let rules = rules(step.state(), commands)?;
    step.emit(Event::ShadowRulesSet(Box::new(ShadowRulesSet { name, user_id: actor.user_id, rules })));
    Ok(())
}

fn known(step: &Step<'_>, name: &RuleSetName) -> Result<RuleSet, Refusal> {
    let known = step.state().rule_set(name).cloned();
    known.ok_or_else(|| Refusal::new(Code::NotFound, format!("no rules of the name {name} run in shadow")))
}

pub(super) fn remove(step: &mut Step<'_>, name: RuleSetName) -> Result<(), Refusal> {
    known(step, &name)?;
    step.emit(Event::ShadowRulesRemoved(ShadowRulesRemoved { name }));
    Ok(())
}

/// Rules become live as they were judged, if all of them still can.
pub(super) fn promote(step: &mut Step<'_>, actor: &Actor, name: RuleSetName, reason: String) -> Result<(), Refusal> {
    check_reason(&reason)?;
    let set = known(step, &name)?;
    if set.user_id == actor.user_id || !is_person(actor) {
        return Err(Refusal::new(Code::SecondPersonNeeded, "who set the rules cannot make them live"));
    }
    let again = set.rules.into_iter().map(|rule| valid(step.state(), rule));
    let rules = again.collect::<Result<Vec<Rule>, Refusal>>()?;
    for rule in &rules {
        step.emit(rule.event());
    }
    let (set_by, user_id) = (set.user_id, actor.user_id);
    step.emit(Event::ShadowRulesPromoted(Box::new(ShadowRulesPromoted { name, set_by, user_id, reason })));
    Ok(())
}
