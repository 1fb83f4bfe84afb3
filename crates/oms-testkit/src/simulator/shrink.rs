//! Makes a failing run short: leaves actions out, and rates of faults, as long as it still fails.

use super::mutant::Mutant;
use super::plan::{Plan, Rates};
use super::{Outcome, run};

/// A short failing run.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The plan that is left.
    pub plan: Plan,
    /// What came of it, with its lines.
    pub outcome: Outcome,
    /// How many runs it took.
    pub runs: u32,
}

/// Runs spent on one shrinking at most.
const MOST_RUNS: u32 = 3_000;

/// Makes `plan` shorter while it breaks the same invariant. `None` where it does not fail.
#[must_use]
pub fn shrink(plan: &Plan, mutant: Option<Mutant>) -> Option<Shrunk> {
    let first = run(plan, mutant, false).violation?;
    let mut search = Search { mutant, kind: kind_of(&first.message), runs: 1, plan: plan.clone() };
    // What comes after the failing action has no part in it.
    let mut cut = plan.clone();
    cut.actions.truncate(first.at + 1);
    search.take_if_failing(cut);
    loop {
        let before = (search.plan.actions.len(), search.plan.rates);
        search.drop_actions();
        search.drop_rates();
        if before == (search.plan.actions.len(), search.plan.rates) || search.runs >= MOST_RUNS {
            break;
        }
    }
    let outcome = run(&search.plan, mutant, true);
    Some(Shrunk { plan: search.plan, outcome, runs: search.runs })
}

/// A message without what differs from run to run: words with digits, and everything behind the first sentence.
/// Shrinking keeps to it, so that it does not end at another finding.
fn kind_of(message: &str) -> String {
    let number = message.starts_with("invariant");
    let words = message.split(' ').enumerate();
    let kept = words.filter(|(at, word)| (number && *at == 1) || !word.contains(|c: char| c.is_ascii_digit())).map(|(_, word)| word);
    kept.take(10).collect::<Vec<_>>().join(" ")
}

struct Search {
    mutant: Option<Mutant>,
    kind: String,
    runs: u32,
    plan: Plan,
}

impl Search {
    fn take_if_failing(&mut self, plan: Plan) -> bool {
        if self.runs >= MOST_RUNS {
            return false;
        }
        self.runs += 1;
        let fails = run(&plan, self.mutant, false).violation.is_some_and(|violation| kind_of(&violation.message) == self.kind);
        if fails {
            self.plan = plan;
        }
        fails
    }

    /// Leaves out pieces, half of all at first, then ever smaller ones.
    fn drop_actions(&mut self) {
        let mut size = self.plan.actions.len().div_ceil(2);
        while size > 0 {
            let mut start = 0;
            while start < self.plan.actions.len() {
                let mut plan = self.plan.clone();
                let end = (start + size).min(plan.actions.len());
                plan.actions.drain(start..end);
                if !self.take_if_failing(plan) {
                    start += size;
                }
            }
            size /= 2;
        }
    }

    /// Sets one rate after the other to what disturbs least.
    fn drop_rates(&mut self) {
        let calm: [fn(&mut Rates); 18] = [
            |rates| rates.fill_first = 0,
            |rates| rates.reject = 0,
            |rates| rates.refuse = 0,
            |rates| rates.undecided = 0,
            |rates| rates.late_fill = 0,
            |rates| rates.lose = 0,
            |rates| rates.repeat = 0,
            |rates| rates.overtake = 0,
            |rates| rates.broken = 0,
            |rates| rates.incomplete = 0,
            |rates| rates.unanswered = 0,
            |rates| rates.keyless = 0,
            |rates| rates.at_once = 0,
            |rates| rates.arrived = 1_000,
            |rates| rates.commit = 1_000,
            |rates| rates.follow = 1_000,
            |rates| rates.take = 1_000,
            |rates| rates.report = 1_000,
        ];
        for set in calm {
            let mut plan = self.plan.clone();
            set(&mut plan.rates);
            if plan.rates != self.plan.rates {
                self.take_if_failing(plan);
            }
        }
    }
}
