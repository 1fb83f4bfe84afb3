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
    ("FixField", Answer, &[("tag", "integer", ""), ("name", "string", "Empty where the dictionary knows none."), ("value", "string", "")]),
    (
        "FixMessage",
        Answer,
        &[
            ("entry", "integer", "Where it stands in the log of the sessions, which `oms fix log` shows."),
            ("client", "string", "With whom: the client, or the venue."),
            ("direction", "string", "IN: it came. OUT: it was sent."),
            ("at", "time?", "When it came or, where it was sent, its SendingTime(52)."),
            ("name", "string", "Such as NewOrderSingle."),
            ("fields", "[FixField]", "In their order."),
            ("raw", "string", "As it went over the line, with | for the separator."),
        ],
    ),
    (
        "OrderMessages",
        Answer,
        &[
            ("data", "[FixMessage]", "Oldest first."),
            ("complete", "boolean", "Whether these are all; otherwise `oms fix log` has the rest."),
        ],
    ),
    (
        "FixNumbers",
        Request,
        &[
            ("next_in", "integer?", "From 1; as it is where it is absent."),
            ("next_out", "integer?", "From 1; as it is where it is absent."),
        ],
    ),
    ("AuditEvent", Answer, &[("sequence", "integer", ""), ("type", "EventType", ""), ("order_id", "uuid?", "The order that it is about.")]),
    (
        "AuditRecord",
        Answer,
        &[
            ("sequence", "integer", "Of its first event."),
            ("last_sequence", "integer", ""),
            ("time", "time", "When it was decided."),
            ("command_id", "uuid", "What caused it."),
            ("trace_id", "string", ""),
            ("actor", "Actor", "Who caused it."),
            ("events", "[AuditEvent]", "What it led to."),
        ],
    ),
    ("AuditPage", Answer, &[("data", "[AuditRecord]", ""), ("next", "integer?", "Ask for what is behind it; null at the end.")]),
    (
        "AuditCheckpoint",
        Answer,
        &[
            ("size", "integer", "How many records of the log it is signed for."),
            ("sequence", "integer", "Of the last event in them."),
            ("time", "time", "When that was decided."),
            ("root", "string", "The root of their Merkle tree, in hexadecimal digits."),
            ("note", "string", "The signed note, as c2sp.org/tlog-checkpoint says."),
        ],
    ),
    (
        "AuditCheckpoints",
        Answer,
        &[
            ("key", "string", "The public key, as c2sp.org/signed-note writes it."),
            ("data", "[AuditCheckpoint]", ""),
            ("next", "integer?", "Ask for those of more records than this; null at the end."),
        ],
    ),
    ("AuditFinding", Answer, &[("place", "string", "Where."), ("what", "string", "What is wrong there.")]),
    (
        "AuditReport",
        Answer,
        &[
            ("intact", "boolean", "Whether nothing is wrong."),
            ("records", "integer", "That were read."),
            ("events", "integer", "In them."),
            ("checkpoints", "integer", "Whose signatures fit."),
            ("sequence", "integer", "Of the last event that is signed."),
            ("findings", "[AuditFinding]", "In the order of the log; at most 32."),
        ],
    ),
    ("Version", Answer, &[("name", "string", ""), ("version", "string", ""), ("api", "string", "")]),
];
