//! The one place where codes become HTTP and gRPC: statuses, hints and the error envelope.

use crate::json::Writer;
use crate::reply;
use axum::response::Response;
use http::header::{ALLOW, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, StatusCode};
use oms_model::{Code, Refusal, TraceId};

/// The HTTP status of a code. An order that was recorded and refused is 422 whatever its code.
#[must_use]
pub const fn status(code: Code) -> StatusCode {
    match code {
        Code::ValidationError => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::StateConflict
        | Code::QuoteNotLive
        | Code::DuplicateClOrdId
        | Code::OutcomeInDoubt
        | Code::RequestInProgress
        | Code::DuplicateExecution
        | Code::SecondPersonNeeded
        | Code::NotHolder => StatusCode::CONFLICT,
        Code::VersionMismatch => StatusCode::PRECONDITION_FAILED,
        Code::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::IdempotencyConflict
        | Code::RiskLimitBreach
        | Code::MarketClosed
        | Code::BrokerMaintenance
        | Code::PriceBand
        | Code::BrokerReject
        | Code::KillSwitch
        | Code::TradingHalted
        | Code::ReduceOnly
        | Code::AccountDisabled
        | Code::InstrumentDisabled
        | Code::OrderTypeUnsupported
        | Code::InvalidTick
        | Code::InvalidLot
        | Code::DuplicateOrder
        | Code::PriceCollar
        | Code::NoReferencePrice
        | Code::UnknownSymbol
        | Code::NoRoute
        | Code::AssetClassRule
        | Code::InstrumentExpired
        | Code::NoFxRate
        | Code::ComplianceBlocked
        | Code::LocateRequired
        | Code::ShortSaleRestricted
        | Code::SelfMatch
        | Code::WashTrade
        | Code::InsufficientBuyingPower
        | Code::CurrencyMismatch
        | Code::SoftLimitBreach
        | Code::NoReferenceData
        | Code::LimitMissing
        | Code::ApprovalRefused
        | Code::BatchRefused
        | Code::HistoryTooFar
        | Code::QueryTooBroad => StatusCode::UNPROCESSABLE_ENTITY,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::BrokerUnavailable | Code::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The status of gRPC of a code.
#[must_use]
pub const fn grpc(code: Code) -> tonic::Code {
    match code {
        Code::ValidationError
        | Code::MethodNotAllowed
        | Code::UnsupportedMediaType
        | Code::InvalidTick
        | Code::InvalidLot
        | Code::UnknownSymbol
        | Code::OrderTypeUnsupported
        | Code::AssetClassRule
        | Code::CurrencyMismatch
        | Code::QueryTooBroad
        | Code::IdempotencyConflict => tonic::Code::InvalidArgument,
        Code::Unauthenticated => tonic::Code::Unauthenticated,
        Code::Forbidden => tonic::Code::PermissionDenied,
        Code::NotFound => tonic::Code::NotFound,
        Code::DuplicateClOrdId | Code::DuplicateExecution => tonic::Code::AlreadyExists,
        Code::VersionMismatch | Code::RequestInProgress => tonic::Code::Aborted,
        Code::RateLimited | Code::PayloadTooLarge => tonic::Code::ResourceExhausted,
        Code::HistoryTooFar => tonic::Code::OutOfRange,
        Code::BrokerUnavailable | Code::Overloaded => tonic::Code::Unavailable,
        Code::Internal => tonic::Code::Internal,
        Code::StateConflict
        | Code::QuoteNotLive
        | Code::OutcomeInDoubt
        | Code::SecondPersonNeeded
        | Code::NotHolder
        | Code::RiskLimitBreach
        | Code::MarketClosed
        | Code::BrokerMaintenance
        | Code::PriceBand
        | Code::BrokerReject
        | Code::KillSwitch
        | Code::TradingHalted
        | Code::ReduceOnly
        | Code::AccountDisabled
        | Code::InstrumentDisabled
        | Code::DuplicateOrder
        | Code::PriceCollar
        | Code::NoReferencePrice
        | Code::NoRoute
        | Code::InstrumentExpired
        | Code::NoFxRate
        | Code::ComplianceBlocked
        | Code::LocateRequired
        | Code::ShortSaleRestricted
        | Code::SelfMatch
        | Code::WashTrade
        | Code::InsufficientBuyingPower
        | Code::SoftLimitBreach
        | Code::NoReferenceData
        | Code::LimitMissing
        | Code::ApprovalRefused
        | Code::BatchRefused => tonic::Code::FailedPrecondition,
    }
}

/// What to do about it, in a sentence; empty where the message says it.
#[must_use]
pub const fn hint(code: Code) -> &'static str {
    match code {
        Code::ValidationError => "Correct the field that the message names; /api/v1/openapi.json describes every request.",
        Code::Unauthenticated => "Send a valid key in X-API-Key or as Authorization: Bearer.",
        Code::Forbidden => "Ask for a key with the scope that the message names.",
        Code::NotFound => "Check the path and the id.",
        Code::StateConflict => "Read the order again: its state does not allow this.",
        Code::VersionMismatch => "Read the order again and send its current version in If-Match.",
        Code::IdempotencyConflict => "Use a new Idempotency-Key for a new request; repeat a request unchanged.",
        Code::RateLimited | Code::RequestInProgress => "Wait for the seconds that Retry-After says and send the same request again.",
        Code::RiskLimitBreach => "GET /api/v1/orders/{id}/why shows each check with its value and limit.",
        Code::BrokerReject => "GET /api/v1/orders/{id}/why shows what each venue answered.",
        Code::BrokerUnavailable => "GET /api/v1/health/ready names the sessions that are down.",
        Code::OutcomeInDoubt => "Wait until the venue has told what became of the earlier request; nothing is sent twice.",
        Code::Overloaded => "Nothing was done. Wait for the seconds that Retry-After says; an Idempotency-Key makes the repetition safe.",
        Code::Internal => "This is a fault of the server. Report the trace_id.",
        Code::KillSwitch => "A kill switch is engaged; GET /api/v1/risk/kill-switch lists them.",
        Code::TradingHalted | Code::ReduceOnly => "GET /api/v1/risk/status shows the trading states.",
        Code::ComplianceBlocked => "GET /api/v1/risk/rules shows the restricted and allow lists.",
        Code::LocateRequired => "Have shares lent first; GET /api/v1/risk/rules shows the locates and what is used of them.",
        Code::ShortSaleRestricted => "Sell short above the best bid, or not at all while the price test is in force.",
        Code::SelfMatch => "GET /api/v1/orders/{id}/why names the own orders that it would trade against.",
        Code::WashTrade => "The opposite order was just taken at the same price; wait for the window to pass.",
        Code::InsufficientBuyingPower => "GET /api/v1/risk/status shows what of the buying power is used.",
        Code::CurrencyMismatch => "The account has not the instrument's currency and may not convert.",
        Code::SoftLimitBreach => "Send it with acknowledged: true if it is meant, as a new request.",
        Code::NoReferenceData => "The average volume or the account's capital that the limit is measured against is not recorded.",
        Code::LimitMissing => "A limit that must be there is not set: GET /api/v1/risk/rules shows which.",
        Code::ApprovalRefused => "A second person did not agree; the text has the reason.",
        Code::AccountDisabled => "GET /api/v1/accounts lists the accounts that take orders.",
        Code::InstrumentDisabled | Code::UnknownSymbol => "GET /api/v1/instruments lists the instruments that can be traded.",
        Code::OrderTypeUnsupported => "Change ord_type or time_in_force.",
        Code::InvalidTick => "Prices must be whole ticks; GET /api/v1/instruments/{symbol} has the tick table.",
        Code::InvalidLot => "Quantities must be whole lots within the bounds of GET /api/v1/instruments/{symbol}.",
        Code::DuplicateOrder => "An equal order was just taken; if it is meant twice, wait for the window to pass.",
        Code::DuplicateClOrdId => "A cl_ord_id is used once only; details.order_id names the order that has it.",
        Code::PriceCollar => "Bring the price nearer to the market.",
        Code::NoReferencePrice => "There is no fresh quote to compare the price with; try again once the market is back.",
        Code::NoRoute => "GET /api/v1/orders/{id}/why names each venue's reason.",
        Code::PayloadTooLarge => "Send less at once.",
        Code::MethodNotAllowed => "The Allow header names the methods.",
        Code::UnsupportedMediaType => "Send Content-Type: application/json.",
        Code::NotHolder => "Ask the holder that the order names, or claim the order where nobody holds it.",
        Code::HistoryTooFar => "Run `oms journal replay --as-of` on the log; it has no bound.",
        Code::QueryTooBroad => "Narrow it: filter by symbol, account_id or ord_status, or sort by created_at.",
        Code::AssetClassRule => "details.rule names the rule of the asset class; GET /api/v1/instruments/{symbol} tells the class.",
        Code::InstrumentExpired => "The contract has ended; trade one with a later expiry.",
        Code::MarketClosed => "Send it while the market is open, or with a time in force that can wait for it.",
        Code::BrokerMaintenance => "Send it after the maintenance, without naming the venue, or with a time in force that can wait.",
        Code::PriceBand => "Price it within the band: GET /api/v1/risk/rules shows the bands in force.",
        Code::QuoteNotLive => "Ask for new quotes: this one was accepted, withdrawn or replaced, or its life is over.",
        Code::DuplicateExecution => "GET /api/v1/executions?exec_id= shows the one that is booked.",
        Code::NoFxRate => "GET /api/v1/fx-rates lists the recorded rates; record the one that is missing.",
        Code::SecondPersonNeeded => "Let somebody else decide who did not propose it.",
        Code::BatchRefused => "Nothing was placed; correct the order that the message names.",
    }
}

/// Seconds after which a request may be sent again; `None` where that would not help.
#[must_use]
pub const fn retry_after(code: Code) -> Option<&'static str> {
    match code {
        Code::RateLimited | Code::RequestInProgress | Code::Overloaded | Code::BrokerUnavailable => Some("1"),
        _ => None,
    }
}

/// The body of a refusal.
#[must_use]
pub fn envelope(refusal: &Refusal, trace_id: TraceId) -> Vec<u8> {
    let mut w = Writer::with_capacity(384);
    w.object(|w| {
        w.text("trace_id", TraceText(trace_id));
        write_refusal(w, refusal);
    });
    w.finish()
}

/// The fields of a refusal, without the trace.
pub fn write_refusal(w: &mut Writer, refusal: &Refusal) {
    w.text("code", refusal.code);
    w.string("message", &refusal.message);
    w.object_at("details", |w| {
        for (at, (name, value)) in refusal.details.iter().enumerate() {
            // A name that stands twice would make the document ambiguous; the first one holds.
            if !refusal.details.iter().take(at).any(|(other, _)| other == name) {
                w.string(name, value);
            }
        }
    });
    w.string("hint", hint(refusal.code));
}

/// A refusal as a response.
#[must_use]
pub fn respond(refusal: &Refusal, trace_id: TraceId) -> Response {
    respond_as(status(refusal.code), refusal, trace_id)
}

/// A refusal as a response with a status of its own.
#[must_use]
pub fn respond_as(status: StatusCode, refusal: &Refusal, trace_id: TraceId) -> Response {
    let mut response = reply::json(status, envelope(refusal, trace_id), trace_id);
    let headers = response.headers_mut();
    let said = refusal.details.iter().find(|(name, _)| name == "retry_after_s").and_then(|(_, value)| HeaderValue::from_str(value).ok());
    if let Some(seconds) = said.or_else(|| retry_after(refusal.code).map(HeaderValue::from_static)) {
        headers.insert(RETRY_AFTER, seconds);
    }
    if refusal.code == Code::Unauthenticated {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"oms\""));
    }
    response
}

/// Puts the methods of a path on a response.
pub fn allow(response: &mut Response, methods: &str) {
    if let Ok(value) = HeaderValue::from_str(methods) {
        response.headers_mut().insert(ALLOW, value);
    }
}

/// A W3C trace id as text: 32 hexadecimal digits.
pub struct TraceText(pub TraceId);

impl core::fmt::Display for TraceText {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:032x}", self.0.as_u128())
    }
}

/// Marks the answer to a request that was answered before.
pub const IDEMPOTENT_REPLAY: HeaderName = HeaderName::from_static("idempotent-replay");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status_of_an_error_and_a_hint() {
        for &code in Code::ALL {
            assert!(status(code).is_client_error() || status(code).is_server_error(), "{code}");
            assert!(!hint(code).is_empty(), "{code}");
        }
    }

    #[test]
    fn what_http_says_of_a_code_grpc_does_not_contradict() {
        for &code in Code::ALL {
            let ours = matches!(grpc(code), tonic::Code::Unavailable | tonic::Code::Internal);
            assert_eq!(status(code).is_server_error(), ours, "{code}");
            assert_eq!(status(code) == StatusCode::NOT_FOUND, grpc(code) == tonic::Code::NotFound, "{code}");
            assert_eq!(status(code) == StatusCode::FORBIDDEN, grpc(code) == tonic::Code::PermissionDenied, "{code}");
            assert_eq!(status(code) == StatusCode::UNAUTHORIZED, grpc(code) == tonic::Code::Unauthenticated, "{code}");
        }
    }

    #[test]
    fn server_errors_are_ours_alone() {
        let server: Vec<Code> = Code::ALL.iter().copied().filter(|code| status(*code).is_server_error()).collect();
        assert_eq!(server, [Code::BrokerUnavailable, Code::Overloaded, Code::Internal]);
    }

    #[test]
    fn the_envelope_has_five_fields_and_no_duplicate() {
        let refusal = Refusal::new(Code::PriceCollar, "too \"far\"").with("value", 7).with("value", 8);
        let body = envelope(&refusal, TraceId::from_u128(0xabc));
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let names: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert_eq!(names, ["code", "details", "hint", "message", "trace_id"]);
        assert_eq!(value.pointer("/trace_id").unwrap(), "00000000000000000000000000000abc");
        assert_eq!(value.pointer("/details/value").unwrap(), "7");
    }

    #[test]
    fn what_passes_says_when_to_come_back() {
        for code in [Code::RateLimited, Code::RequestInProgress, Code::Overloaded] {
            assert!(respond(&Refusal::new(code, ""), TraceId::default()).headers().contains_key(RETRY_AFTER), "{code}");
        }
        assert!(!respond(&Refusal::new(Code::InvalidTick, ""), TraceId::default()).headers().contains_key(RETRY_AFTER));
    }
}
