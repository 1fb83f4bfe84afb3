//! Lines about overrides, limits that hold for a time, and limits from a file.

use super::gate::risk;
use super::parse::Line;
use super::run::Run;
use crate::fixture::{OTHER_USER, THIRD_USER, actor};
use oms_engine::Output;
use oms_engine::input::InputBody;
use oms_model::command::{Actor, OrderRef, RiskCommand};
use oms_model::event::Event;
use oms_model::limit::{LimitType, RiskLimit};
use oms_model::overrides::OverrideRule;
use oms_model::{ClOrdId, Decimal, OverrideId, Time, UserId};

impl Run {
    /// Does what a line about one of these says; `None` where the verb is another.
    pub(super) fn leaves(&mut self, verb: &str, line: &mut Line<'_>) -> Option<String> {
        let reason = "as the script says".to_owned();
        Some(match verb {
            "override" => {
                let (name, order) = (line.word().to_owned(), OrderRef::ClOrdId(ClOrdId::new(line.word()).unwrap()));
                let check = line.value();
                let life_s = if line.take("for") { line.value() } else { 3600 };
                let command = RiskCommand::GrantOverride { order, check, reason, life_s };
                let output = self.person(line, OTHER_USER, command);
                let granted = output.batch.events.iter().find_map(|event| match event {
                    Event::OverrideGranted(granted) => Some(granted.override_id),
                    _ => None,
                });
                self.granted.extend(granted.map(|id| (name.clone(), id)));
                format!("leave {name}")
            }
            "consent" => {
                let name = line.word().to_owned();
                let command = RiskCommand::ConsentOverride { override_id: self.leave(&name) };
                self.person(line, THIRD_USER, command);
                format!("leave {name}")
            }
            "revoke" => {
                let name = line.word().to_owned();
                self.person(line, OTHER_USER, RiskCommand::RevokeOverride { override_id: self.leave(&name), reason });
                format!("leave {name}")
            }
            "override-rule" => {
                let rule = OverrideRule { second_person: line.take("second-person"), lists: line.take("lists") };
                self.ask(risk(RiskCommand::SetOverrideRule(rule)))
            }
            "leave" => format!("leave {}", line.word()),
            "in-force" => {
                let limit_type: LimitType = line.value();
                let limit = RiskLimit { limit_type, ..self.limit_rest(line) };
                let found = self.desk.engine.state().risk().limit_of(limit.key());
                format!("shown {}", found.map_or("-".to_owned(), |limit| limit.value.to_string()))
            }
            "unschedule" => {
                let limit_type: LimitType = line.value();
                let key = RiskLimit { limit_type, ..self.limit_rest(line) }.key();
                let found = self.desk.engine.state().risk().schedules().find(|one| one.key() == key).map(|one| one.schedule_id);
                let schedule_id = found.unwrap_or_default();
                self.ask(risk(RiskCommand::UnscheduleLimit { schedule_id, reason }))
            }
            "scheduled" => format!("shown {}", self.desk.engine.state().risk().schedules().count()),
            "import" => self.import(line),
            _ => return None,
        })
    }

    /// What a person does, named as `by alone` (the one who sends orders), `by other` or `by third`.
    fn person(&mut self, line: &mut Line<'_>, usual: UserId, command: RiskCommand) -> Output {
        let who = if line.take("by") {
            match line.word() {
                "alone" => actor().user_id,
                "other" => OTHER_USER,
                "third" => THIRD_USER,
                other => panic!("{other:?} is no person"),
            }
        } else {
            usual
        };
        let who = Actor { user_id: who, ..actor() };
        let output = self.desk.input(who, InputBody::Command { command: risk(command), idempotency: None });
        self.remember(&output);
        output
    }

    pub(super) fn leave(&self, name: &str) -> OverrideId {
        self.granted.get(name).copied().unwrap_or_default()
    }

    /// `import [all] [if REVISION] TYPE=VALUE...`.
    fn import(&mut self, line: &mut Line<'_>) -> String {
        let replace_all = line.take("all");
        let if_revision = line.take("if").then(|| line.value());
        let limit = |word: &str| {
            let (limit_type, value) = word.split_once('=').expect("a type and a value");
            RiskLimit { limit_type: limit_type.parse().unwrap(), value: value.parse::<Decimal>().unwrap(), ..RiskLimit::default() }
        };
        let limits = line.words.drain(..).map(limit).collect();
        self.ask(risk(RiskCommand::ImportLimits { limits, replace_all, if_revision }))
    }

    /// Seconds from now as a time.
    pub(super) fn in_seconds(&self, seconds: i64) -> Time {
        self.desk.now.plus(seconds * 1_000_000_000)
    }
}
