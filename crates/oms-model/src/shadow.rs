//! Rules that run in shadow: what they would have decided is told, and nothing is done about it.
//!
//! A rule is one change of what is in force. A set of them is judged beside the live rules, on live flow or over a day
//! that was recorded, and becomes live by a second person (RTS 6 articles 7 and 10 ask for tests before release).

use crate::compliance::Restriction;
use crate::event::{Event, LimitRequired, RestrictionRemoved, RiskLimitRemoved, SelfMatchRuleSet};
use crate::ids::{RuleSetName, Time, UserId};
use crate::limit::{LimitKey, RiskLimit};
use crate::policy::SorPolicy;
use crate::strategy::StrategyEnvelope;

/// The most rules of one set.
pub const MAX_RULES: usize = 1000;
/// The most sets of one tenant.
pub const MAX_RULE_SETS: usize = 16;

/// One change of the rules in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A limit; its version is assigned when it becomes live.
    Limit(RiskLimit),
    /// A limit less.
    NoLimit(RiskLimitRemoved),
    /// An entry of a restricted or an allow list.
    Restriction(Restriction),
    /// An entry less.
    NoRestriction(RestrictionRemoved),
    /// What happens to own orders that meet.
    SelfMatch(SelfMatchRuleSet),
    /// A strategy's bounds.
    Envelope(Box<StrategyEnvelope>),
    /// A type of limit that must be there, or need not.
    Required(LimitRequired),
    /// A routing policy.
    Policy(Box<SorPolicy>),
}

impl Rule {
    /// The change as the fact that it would be.
    #[must_use]
    pub fn event(&self) -> Event {
        match self {
            Self::Limit(limit) => Event::RiskLimitSet(*limit),
            Self::NoLimit(removed) => Event::RiskLimitRemoved(*removed),
            Self::Restriction(entry) => Event::RestrictionSet(Box::new(entry.clone())),
            Self::NoRestriction(removed) => Event::RestrictionRemoved(Box::new(removed.clone())),
            Self::SelfMatch(rule) => Event::SelfMatchRuleSet(*rule),
            Self::Envelope(envelope) => Event::StrategyEnvelopeSet(envelope.clone()),
            Self::Required(required) => Event::LimitRequired(*required),
            Self::Policy(policy) => Event::SorPolicySet(policy.clone()),
        }
    }

    /// Whether `event` changes the same thing, so that where the rule holds the event does not.
    #[must_use]
    pub fn covers(&self, event: &Event) -> bool {
        match self {
            Self::Limit(limit) => limit_key(event) == Some(limit.key()),
            Self::NoLimit(removed) => limit_key(event) == Some(removed.key()),
            Self::Restriction(Restriction { list, scope, subject, .. })
            | Self::NoRestriction(RestrictionRemoved { list, scope, subject, .. }) => match event {
                Event::RestrictionSet(e) => (e.list, e.scope, e.subject) == (*list, *scope, *subject),
                Event::RestrictionRemoved(e) => (e.list, e.scope, e.subject) == (*list, *scope, *subject),
                _ => false,
            },
            Self::SelfMatch(rule) => matches!(event, Event::SelfMatchRuleSet(e) if e.scope == rule.scope),
            Self::Envelope(envelope) => matches!(event, Event::StrategyEnvelopeSet(e) if e.strategy == envelope.strategy),
            Self::Required(required) => matches!(event, Event::LimitRequired(e) if e.limit_type == required.limit_type),
            Self::Policy(policy) => matches!(event, Event::SorPolicySet(e) if e.name == policy.name),
        }
    }
}

fn limit_key(event: &Event) -> Option<LimitKey> {
    match event {
        Event::RiskLimitSet(limit) => Some(limit.key()),
        Event::RiskLimitRemoved(removed) => Some(removed.key()),
        _ => None,
    }
}

/// Rules that run in shadow together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSet {
    /// Their name.
    pub name: RuleSetName,
    /// Who set them; somebody else makes them live.
    pub user_id: UserId,
    /// Since when they run.
    pub since: Time,
    /// The rules, no two about the same thing.
    pub rules: Vec<Rule>,
}
