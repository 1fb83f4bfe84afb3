//! Errors, events, and the system itself.

use super::Shape;
use super::Tense::{Answer, Request};

pub(super) const SHAPES: &[Shape] = &[
    (
        "Error",
        Answer,
        &[
            ("trace_id", "string", "The trace of the request."),
            ("code", "Code", "What kind."),
            ("message", "string", "A sentence for people."),
            ("details", "object", "Names and values, all strings: `order_id`, `field`, `version`, `sequence`, ..."),
            ("hint", "string", "What to do about it."),
        ],
    ),
    ("Empty", Request, &[]),
    ("Actor", Answer, &[("tenant_id", "uuid", ""), ("user_id", "uuid", ""), ("api_key_id", "uuid?", ""), ("source", "Source", "")]),
    (
        "Event",
        Answer,
        &[
            ("sequence", "integer", ""),
            ("type", "EventType", ""),
            ("time", "time", ""),
            ("order_id", "uuid?", ""),
            ("command_id", "uuid", "What caused it."),
            ("trace_id", "string", ""),
            ("actor", "Actor", ""),
            ("data", "object", "What it says; its fields are those of the type."),
        ],
    ),
    ("HealthCheck", Answer, &[("name", "string", ""), ("ok", "boolean", ""), ("detail", "string?", "")]),
    ("Health", Answer, &[("status", "string", ""), ("checks", "[HealthCheck]", "")]),
    ("Version", Answer, &[("name", "string", ""), ("version", "string", ""), ("api", "string", "")]),
];
