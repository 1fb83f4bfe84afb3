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
    (
        "FixSession",
        Answer,
        &[
            ("kind", "string", "With whom it is: CLIENT, VENUE, or DROP_COPY of a venue."),
            ("client", "string", "What the counterparty is called: its SenderCompID."),
            ("desk", "string", "What the desk is called by it."),
            ("user_id", "uuid", "For whom its orders are; of no meaning for a venue."),
            ("logged_on", "boolean", ""),
            ("open", "boolean", "Whether the next Logon is taken."),
            ("next_in", "integer", "MsgSeqNum expected next."),
            ("next_out", "integer", "MsgSeqNum given next."),
            ("received", "integer", "Messages taken from the counterparty since the desk started, as all that follow."),
            ("sent", "integer", "Reports and answers sent to it, or orders and requests."),
            ("refused", "integer", "Messages of it that were refused."),
            ("peer_refused", "integer", "Messages of ours that it refused."),
            ("logons", "integer", "Times that it logged on."),
            ("gaps", "integer", "Gaps in what it sent."),
            ("resends", "integer", "Times that it asked for messages again."),
        ],
    ),
    ("FixSessionList", Answer, &[("data", "[FixSession]", "")]),
    (
        "FixDeed",
        Answer,
        &[
            ("at", "time", "When."),
            ("actor", "string", "Who, in words."),
            ("action", "string", "What."),
            ("reason", "string", "Why; empty where no reason was given."),
        ],
    ),
    ("FixDeedList", Answer, &[("data", "[FixDeed]", "Oldest first.")]),
    (
        "FixNumbers",
        Request,
        &[
            ("next_in", "integer?", "From 1; as it is where it is absent."),
            ("next_out", "integer?", "From 1; as it is where it is absent."),
        ],
    ),
    ("Version", Answer, &[("name", "string", ""), ("version", "string", ""), ("api", "string", "")]),
];
