//! Lines of a script.
//!
//! A part of an order is named by its place: `A1.2`, and the first part of that `A1.2.1`.
//!
//! | line | meaning |
//! |---|---|
//! | `quote VENUE SYMBOL BID x SIZE / ASK x SIZE` | the venue's quote; `-` for a missing side |
//! | `submit ID buy\|sell\|short\|exempt\|subscribe\|redeem QTY\|cash AMOUNT SYMBOL [@ PRICE] [stop PRICE] [DAY\|GTC\|IOC\|FOK\|GTD+SECONDS] [MODE] [at VENUE] [policy NAME]` | a new order; without `@` a market order |
//! | `... emulated \| by SOURCE \| trail AMOUNT\|PERCENT% \| offset AMOUNT \| peg PRICE \| show QTY \| after SECONDS \| algo NAME PARAM=VALUE ... \| TYPE` | what an order asks beyond quantity and price |
//! | `trade SYMBOL PRICE x SIZE`, `lack-stops`, `lack-gtd` | a trade print; no venue has stops of its own, or GTD |
//! | `queue ID ...`, then `submit-list CONTINGENCY [RULE]` | a list of orders |
//! | `cancel ID [if VERSION]`, `replace ID [qty QTY] [price PRICE] [stop PRICE] [if VERSION]` | the client asks |
//! | `suspend ID`, `resume ID` | slices of an order that the engine works are taken back; it goes on |
//! | `order ID -> raised ANOMALY`, `order ID -> calm` | what was raised of a client's order, or that nothing was |
//! | `submit ... CARE`; `accept\|claim\|hand ORDER [by USER]`, `pass ORDER [to USER] [by USER]` | a care order; `hand` gives its rest to the router |
//! | `split ORDER QTY [id ID] [@ PRICE] [market] [TIF] [MODE] [at VENUE] [CARE] [+ QTY ...] [by USER]` | its holder works parts of it |
//! | `ack LEG`, `reject LEG [WORDS]`, `fill LEG QTY @ PRICE [exec ID] [replaced]`, `expire LEG` | the venue tells; `replaced`: under the id of the request that changed it |
//! | `cancel-ack LEG`, `cancel-reject LEG [WORDS]`, `replace-ack LEG [of REVISION] [at QTY]`, `replace-reject LEG [WORDS]`, `cancel-unasked LEG` | the venue tells |
//! | `unknown LEG new\|cancel\|replace`, `not-sent LEG new\|cancel\|replace`, `resolve LEG new\|cancel\|replace OUTCOME` | the gateway tells |
//! | `up VENUE`, `down VENUE`, `restart` | sessions; the process restarts |
//! | `wait SECONDS` | time passes and timers are served |
//! | `later SECONDS` | time passes and no timer is served yet |
//! | `limit TYPE VALUE [account\|user\|SYMBOL]`, `kill\|release [SYMBOL\|VENUE\|account\|user]`, `state ACTIVE\|REDUCING\|HALTED` | risk |
//! | `policy NAME MODE [replans N] [rest] [no-cap]` | a routing policy |
//! | `bust LEG EXEC [by ID]`, `correct LEG EXEC QTY @ PRICE [by ID]`, `commission LEG EXEC MONEY CURRENCY` | the venue tells later; `stray VENUE` for LEG: of an order that is not ours, or not known any more |
//! | `stray VENUE EXEC QTY @ PRICE` | a fill of an order that is not ours |
//! | `book ID\|LEG\|account SYMBOL buy\|sell` then `QTY @ PRICE [exec ID] [ago SECONDS]` or `suspense VENUE EXEC\|charge` | a person books |
//! | `take-back SYMBOL EXEC`, `whack SYMBOL EXEC`, `amend SYMBOL EXEC [qty QTY] [px PRICE] [fee MONEY]`, `dismiss VENUE EXEC\|charge` | a person corrects |
//! | `rate FROM TO RATE`, `cost-method FIFO\|AVERAGE_COST`, `close-day` | rates and days |
//! | `open-account` | a second account, called `other` |
//! | `group ID MEMBER... [STP\|MANUAL] [@ PRICE] [in other]`, `ungroup ID`, `propose ID`, `approve ID [by other]`, `disapprove ID` | groups |
//! | `held main\|other SYMBOL` | only an expectation, like `position` |
//! | `overfilled` | only an expectation: orders executed beyond their quantity |
//! | `policy NAME MODE [replans N] [stage SECONDS] [rest] [no-cap] [order VENUE...]` | a routing policy |
//! | `list CLASS SYMBOL [multiplier N] [expires SECONDS] [perpetual]` | an instrument of a class |
//! | `ask NAME buy\|sell\|both QTY SYMBOL for MS [of DEALER]...`, `cancel-ask NAME` | a request for quotes |
//! | `bid NAME REQUEST DEALER BID x SIZE / OFFER x SIZE for MS [replaces NAME]`, `withdraw NAME DEALER` | a dealer quotes |
//! | `take NAME ID [buy\|sell] [qty QTY]` | the client accepts a quote with the order ID |
//! | `rfq NAME`, `dealt NAME` | only an expectation: the state of a request, of a quote |
//! | `nav SYMBOL PRICE [ago SECONDS]` | a fund is valued |
//! | `override NAME ORDER CHECK [for SECONDS] [by alone\|other\|third]`, `consent NAME`, `revoke NAME` | leave for an order like a refused one to break one rule; `submit ... leave NAME` names it |
//! | `override-rule [second-person] [lists]` | who has to consent to overrides, and whether lists may be overridden |
//! | `limit TYPE VALUE [from SECONDS] [until SECONDS] ...`, `unschedule TYPE [SCOPE]` | a limit that holds for a time, or from a time on; it is taken away |
//! | `import [all] [if REVISION] TYPE=VALUE...` | limits from a file |
//! | `leave NAME`, `in-force TYPE [SCOPE]`, `scheduled` | only an expectation: how an override stands, a limit's value, how many changes are scheduled |
//! | `order ORDER`, `position SYMBOL`, `open`, `suspense`, `exposure` | only an expectation |

use std::collections::VecDeque;

/// One line of a script, cut into words, with what it should come to.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) words: VecDeque<&'a str>,
    pub(super) expected: VecDeque<&'a str>,
}

impl<'a> Line<'a> {
    /// The line without its comment; `None` where nothing is left.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let content = text.split('#').next().unwrap_or_default();
        let (action, expected) = content.split_once("->").unwrap_or((content, ""));
        let words: VecDeque<&str> = action.split_whitespace().collect();
        (!words.is_empty()).then(|| Self { text: text.trim(), words, expected: expected.split_whitespace().collect() })
    }

    /// The next word.
    pub(super) fn word(&mut self) -> &'a str {
        self.words.pop_front().unwrap_or_else(|| panic!("{:?}: a word is missing", self.text))
    }

    /// The next word as a value.
    pub(super) fn value<T: std::str::FromStr>(&mut self) -> T {
        let word = self.word();
        word.parse().unwrap_or_else(|_| panic!("{:?}: {word:?} is not what is expected there", self.text))
    }

    /// Takes `word` where it is the next one.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let is_next = self.words.front() == Some(&word);
        if is_next {
            self.words.pop_front();
        }
        is_next
    }

    /// The words that are left, as text.
    pub(super) fn rest(&mut self) -> String {
        self.words.drain(..).collect::<Vec<_>>().join(" ")
    }
}
