//! Requests for quotes and quotes: their bodies and their answers.

use super::decode::Fields;
use super::read::Value;
use super::write::Writer;
use crate::catalog::Catalog;
use oms_model::command::{Command, NewQuote, NewQuoteRequest};
use oms_model::quote::{Quote, QuoteRequest};
use oms_model::{Qty, QuoteId, QuoteReqId, Refusal};

/// The fields of a request.
pub const NEW_REQUEST: &[&str] = &["account_id", "symbol", "side", "order_qty", "dealers", "life_ms"];
/// The fields of a quote.
pub const NEW_QUOTE: &[&str] =
    &["quote_req_id", "dealer", "quote_ref", "bid_px", "bid_size", "offer_px", "offer_size", "life_ms", "replaces"];
/// The fields of an acceptance.
pub const ACCEPTANCE: &[&str] = &["side", "order_qty", "cl_ord_id"];
/// The fields of a withdrawal.
pub const WITHDRAWAL: &[&str] = &["dealer", "text"];

/// How long a request is open where it does not say: half a minute.
const DEFAULT_LIFE_MS: u32 = 30_000;

/// A new request.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn new_request(value: &Value<'_>) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", NEW_REQUEST)?;
    Ok(Command::RequestQuote(Box::new(NewQuoteRequest {
        account_id: fields.parsed("account_id")?,
        symbol: fields.required("symbol", fields.parsed("symbol")?)?,
        side: fields.parsed("side")?,
        order_qty: fields.required("order_qty", fields.amount("order_qty")?)?,
        dealers: fields.parsed_list("dealers")?,
        life_ms: fields.count("life_ms")?.unwrap_or(DEFAULT_LIFE_MS),
    })))
}

/// A dealer's quote.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn new_quote(value: &Value<'_>) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", NEW_QUOTE)?;
    let size = |name: &str| fields.amount::<Qty>(name).map(|size| size.unwrap_or(Qty::ZERO));
    Ok(Command::SubmitQuote(Box::new(NewQuote {
        quote_req_id: fields.required("quote_req_id", fields.parsed("quote_req_id")?)?,
        dealer: fields.required("dealer", fields.parsed("dealer")?)?,
        quote_ref: fields.required("quote_ref", fields.parsed("quote_ref")?)?,
        bid_px: fields.amount("bid_px")?,
        bid_size: size("bid_size")?,
        offer_px: fields.amount("offer_px")?,
        offer_size: size("offer_size")?,
        life_ms: fields.required("life_ms", fields.count("life_ms")?)?,
        replaces: fields.parsed("replaces")?,
    })))
}

/// An acceptance of `quote_id`.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn acceptance(value: &Value<'_>, quote_id: QuoteId) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", ACCEPTANCE)?;
    let (side, order_qty) = (fields.parsed("side")?, fields.amount("order_qty")?);
    Ok(Command::AcceptQuote { quote_id, side, order_qty, cl_ord_id: fields.parsed("cl_ord_id")? })
}

/// A withdrawal of `quote_id`.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn withdrawal(value: &Value<'_>, quote_id: QuoteId) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", WITHDRAWAL)?;
    let dealer = fields.required("dealer", fields.parsed("dealer")?)?;
    Ok(Command::WithdrawQuote { quote_id, dealer, text: fields.string("text")?.unwrap_or_default().to_owned() })
}

/// A request's fields, within an object that is open.
pub fn request_fields(w: &mut Writer, request: &QuoteRequest, catalog: &Catalog) {
    w.text("quote_req_id", request.quote_req_id);
    w.text("account_id", request.account_id);
    w.text("user_id", request.user_id);
    w.string("symbol", catalog.symbol(request.instrument_id));
    w.text_or_null("side", request.side);
    w.text("order_qty", request.order_qty);
    w.array_at("dealers", &request.dealers, |w, dealer| w.item(dealer.as_str()));
    w.time("expire_at", request.expire_at);
    w.text("state", request.state);
    w.array_at("quotes", &request.quotes, |w, id| w.item(&id.to_string()));
    w.text_or_null("order_id", request.order_id);
    w.number("version", request.version);
    w.number("created_seq", request.created_seq.0);
    w.time("created_at", request.created_at);
    w.time("updated_at", request.updated_at);
}

/// A quote's fields, within an object that is open.
pub fn quote_fields(w: &mut Writer, quote: &Quote) {
    w.text("quote_id", quote.quote_id);
    w.text("quote_req_id", quote.quote_req_id);
    w.text("dealer", quote.dealer);
    w.string("quote_ref", quote.quote_ref.as_str());
    w.text_or_null("bid_px", quote.bid_px);
    w.text("bid_size", quote.bid_size);
    w.text_or_null("offer_px", quote.offer_px);
    w.text("offer_size", quote.offer_size);
    w.time("valid_until", quote.valid_until);
    w.text("state", quote.state);
    w.text_or_null("replaced_by", quote.replaced_by);
    w.text_or_null("order_id", quote.order_id);
    w.string_or_null("text", quote.text.as_deref());
    w.number("created_seq", quote.created_seq.0);
    w.time("created_at", quote.created_at);
    w.time("updated_at", quote.updated_at);
}

/// The request that a path names.
///
/// # Errors
/// `NOT_FOUND`: what is no id names nothing.
pub fn request_id(text: &str) -> Result<QuoteReqId, Refusal> {
    text.parse().map_err(|_| Refusal::new(oms_model::Code::NotFound, "there is no such request for quotes"))
}

/// The quote that a path names.
///
/// # Errors
/// `NOT_FOUND`: what is no id names nothing.
pub fn quote_id(text: &str) -> Result<QuoteId, Refusal> {
    text.parse().map_err(|_| Refusal::new(oms_model::Code::NotFound, "there is no such quote"))
}
