//! Rules that run in shadow, and what they would have changed.

use super::Shape;
use super::Tense::{Answer, Request};

pub(super) const SHAPES: &[Shape] = &[
    (
        "ShadowRules",
        Request,
        &[(
            "rules",
            "[Command]",
            "The commands that would make the rules live: limits, lists, rules for own orders that meet, bounds of strategies, required limits, routing policies.",
        )],
    ),
    (
        "ShadowRulesNamed",
        Request,
        &[("name", "string", "Rules of that name are replaced."), ("rules", "[Command]", "The commands that would make them live.")],
    ),
    ("ShadowNamed", Request, &[("name", "string", "")]),
    ("ShadowPromote", Request, &[("name", "string", ""), ("reason", "string", "1 to 1024 bytes.")]),
    (
        "ShadowRun",
        Request,
        &[
            ("rules", "[Command]?", "The commands that would make the rules live; or else the name of a set."),
            ("name", "string?", "A set that runs in shadow now."),
            ("day", "integer?", "A UTC day such as 20261121; or else from and to."),
            ("from", "string?", "A sequence or a time: what is behind it is looked at."),
            ("to", "string?", "A sequence or a time; now where absent."),
            ("after", "integer?", "Differences behind this sequence are told; the first ones where absent."),
            ("limit", "integer?", "So many are told, 1 to 50000; 1000 where absent."),
        ],
    ),
    (
        "ShadowRuleSet",
        Answer,
        &[
            ("name", "string", ""),
            ("set_by", "uuid", "Somebody else makes them live."),
            ("since", "time", ""),
            ("rules", "[object]", "As the commands that would make them live."),
        ],
    ),
    ("ShadowRuleSets", Answer, &[("data", "[ShadowRuleSet]", "")]),
    (
        "ShadowReport",
        Answer,
        &[
            ("name", "string", ""),
            ("set_by", "uuid", ""),
            ("since", "time", ""),
            ("rules", "[object]", ""),
            ("from_sequence", "integer", ""),
            ("to_sequence", "integer", "The last event that was looked at."),
            ("from", "time", ""),
            ("to", "time", ""),
            ("complete", "boolean", "Whether that is where the log ends; else ask again."),
            ("judged", "integer", "Orders and replaces."),
            ("counts", "object", "How many differences of each kind."),
            ("more", "boolean", "Whether there are older ones than those told."),
            ("affected", "[ShadowDifference]", "Oldest first."),
        ],
    ),
    (
        "ShadowRunReport",
        Answer,
        &[
            ("from_sequence", "integer", ""),
            ("to_sequence", "integer", "The last event that was looked at."),
            ("from", "time", ""),
            ("to", "time", ""),
            ("complete", "boolean", "Whether that is where the question ends; else it was too much for one."),
            ("judged", "integer", "Orders and replaces."),
            ("counts", "object", "How many differences of each kind, all of them."),
            ("more", "boolean", "Whether there are later ones than those told: ask again with `after`."),
            ("affected", "[ShadowDifference]", "Oldest first."),
        ],
    ),
    (
        "ShadowDifference",
        Answer,
        &[
            ("sequence", "integer", "The event that would have been another one."),
            ("time", "time", ""),
            ("order_id", "uuid", ""),
            ("cl_ord_id", "string", ""),
            ("account_id", "uuid", ""),
            ("user_id", "uuid", ""),
            ("symbol", "string", ""),
            ("side", "Side", ""),
            ("ord_type", "OrdType", ""),
            ("order_qty", "Decimal", ""),
            ("price", "Decimal?", ""),
            (
                "difference",
                "ShadowDifferenceKind",
                "With `code`, `check`, `scope`, `value`, `limit` of a refusal, `hold`, the terms of a replace, or the legs as they were and would have been.",
            ),
        ],
    ),
];
