//! Requests for quotes and quotes.

use super::Shape;
use super::Tense::{Answer, Request};

pub(super) const SHAPES: &[Shape] = &[
    (
        "NewQuoteRequest",
        Request,
        &[
            ("account_id", "uuid?", "The tenant's only account where absent."),
            ("symbol", "token", "What."),
            ("side", "Side?", "Both sides where absent."),
            ("order_qty", "DecimalInput", "How much."),
            ("dealers", "[mic]?", "The dealers to ask; all of them where absent."),
            ("life_ms", "count?", "How long it may be answered and accepted; 30000 where absent."),
        ],
    ),
    (
        "NewQuote",
        Request,
        &[
            ("quote_req_id", "uuid", ""),
            ("dealer", "mic", "The venue that an order on it goes to."),
            ("quote_ref", "token", "The dealer's own id."),
            ("bid_px", "DecimalInput?", "At what the dealer buys."),
            ("bid_size", "DecimalInput?", ""),
            ("offer_px", "DecimalInput?", "At what the dealer sells."),
            ("offer_size", "DecimalInput?", ""),
            ("life_ms", "count", "Never longer than its request."),
            ("replaces", "uuid?", "The dealer's live quote that it takes the place of."),
        ],
    ),
    (
        "Acceptance",
        Request,
        &[
            ("side", "Side?", "Needed where the request asked for both sides."),
            ("order_qty", "DecimalInput?", "What was asked for where absent."),
            ("cl_ord_id", "token?", "The client's id of the order."),
        ],
    ),
    (
        "QuoteAccept",
        Request,
        &[
            ("quote_id", "uuid", ""),
            ("side", "Side?", "Needed where the request asked for both sides."),
            ("order_qty", "DecimalInput?", "What was asked for where absent."),
            ("cl_ord_id", "token?", "The client's id of the order."),
        ],
    ),
    ("QuoteWithdraw", Request, &[("quote_id", "uuid", ""), ("dealer", "mic", "Whose quote it is."), ("text", "string?", "Why.")]),
    ("QuoteRequestNamed", Request, &[("quote_req_id", "uuid", "")]),
    ("Withdrawal", Request, &[("dealer", "mic", "Whose quote it is."), ("text", "string?", "Why.")]),
    (
        "QuoteRequest",
        Answer,
        &[
            ("quote_req_id", "uuid", ""),
            ("account_id", "uuid", ""),
            ("user_id", "uuid", ""),
            ("symbol", "string", ""),
            ("side", "Side?", "Null asks for both sides."),
            ("order_qty", "Decimal", ""),
            ("dealers", "[string]", "All where it is empty."),
            ("expire_at", "time", ""),
            ("state", "QuoteReqState", ""),
            ("quotes", "[uuid]", "Its quotes, oldest first."),
            ("order_id", "uuid?", "The order that accepted one of them."),
            ("version", "integer", ""),
            ("created_seq", "integer", ""),
            ("created_at", "time", ""),
            ("updated_at", "time", ""),
        ],
    ),
    (
        "Quote",
        Answer,
        &[
            ("quote_id", "uuid", ""),
            ("quote_req_id", "uuid", ""),
            ("dealer", "string", ""),
            ("quote_ref", "string", "The dealer's own id."),
            ("bid_px", "Decimal?", "At what the dealer buys."),
            ("bid_size", "Decimal", ""),
            ("offer_px", "Decimal?", "At what the dealer sells."),
            ("offer_size", "Decimal", ""),
            ("valid_until", "time", "It is dead from then on."),
            ("state", "QuoteState", ""),
            ("replaced_by", "uuid?", ""),
            ("order_id", "uuid?", "The order that accepted it."),
            ("text", "string?", "Why it ended."),
            ("created_seq", "integer", ""),
            ("created_at", "time", ""),
            ("updated_at", "time", ""),
        ],
    ),
];
