//! The routes, by resource. Router and OpenAPI document are made from the same list.

pub(crate) mod account;
mod audit;
mod breaches;
pub(crate) mod breaks;
mod brokers;
pub mod commands;
pub(crate) mod dead_man;
mod evidence;
pub mod execute;
pub mod executions;
mod fix;
pub mod gate;
mod groups;
pub mod health;
pub mod history;
pub mod imports;
pub mod instruments;
pub mod limits;
pub mod marketdata;
pub mod orders;
pub mod overrides;
pub mod place;
pub mod pnl;
pub mod positions;
pub mod preview;
pub mod queries;
pub mod quotes;
pub mod risk;
pub mod shadow;
pub mod sor;
pub mod streams;
pub(crate) mod tenants;

use crate::api::Api;
use crate::call::{Access, Call, route};
use crate::error::respond;
use crate::json::input::MAX_REASON;
use crate::query::bad_parameter;
use crate::{browser, reply};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};
use http::header::LINK;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use oms_model::{Code, Refusal};
use std::future::Future;

/// Where the interface begins.
pub const BASE: &str = "/api/v1";

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");
/// The aliases below `/v1` were deprecated on 1 November 2026 (RFC 9745: seconds since 1970) ...
const DEPRECATED_SINCE: &str = "@1793491200";
/// ... and are kept for a year (RFC 8594: an HTTP date).
const GONE_AT: &str = "Mon, 01 Nov 2027 00:00:00 GMT";

/// A parameter of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Where it stands: `query` or `header`.
    pub within: &'static str,
    /// Its schema: a name of [`crate::openapi`], or a JSON type.
    pub schema: &'static str,
    /// What it means.
    pub description: &'static str,
    /// Whether it must be given.
    pub required: bool,
}

impl Parameter {
    /// The same, which must be given.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }
}

/// A parameter of the query string.
#[must_use]
pub const fn query(name: &'static str, schema: &'static str, description: &'static str) -> Parameter {
    Parameter { name, within: "query", schema, description, required: false }
}

/// A header.
#[must_use]
pub const fn header(name: &'static str, schema: &'static str, description: &'static str) -> Parameter {
    Parameter { name, within: "header", schema, description, required: false }
}

/// Why a person does something to a connection.
const REASON: Parameter = query("reason", "string", "Why, in words, for the record: 1000 bytes at most.");

/// The [`REASON`] of a call that takes nothing else.
fn reason(call: &Call) -> Result<String, Refusal> {
    let mut params = call.params()?;
    let reason = params.take(REASON.name).unwrap_or_default();
    params.end()?;
    if MAX_REASON < reason.len() {
        return Err(bad_parameter(REASON.name, format_args!("is {MAX_REASON} bytes at most")));
    }
    Ok(reason)
}

/// How long a page is.
const LIMIT: Parameter = query("limit", "integer(1..500)", "1 to 500, 100 where it is not given.");

/// One operation: its route and everything that the document says of it.
pub struct Endpoint {
    /// `get`, `post`, `put` or `delete`.
    pub method: &'static str,
    /// With `{name}` where it names something.
    pub path: &'static str,
    /// Unique among operations.
    pub id: &'static str,
    /// The resource.
    pub tag: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Who may ask.
    pub access: Access,
    /// Query parameters and headers.
    pub parameters: Vec<Parameter>,
    /// Schema of the request's body, and whether there must be one.
    pub body: Option<(&'static str, bool)>,
    /// Whether the body may be comma-separated values too.
    pub csv: bool,
    /// Status, media type, schema and meaning of each successful answer.
    pub answers: Vec<(u16, &'static str, &'static str, &'static str)>,
    /// Codes that it refuses with, besides those of every operation.
    pub errors: Vec<Code>,
    /// Whether its lists take the filters of this resource.
    pub filters: Option<oms_store::views::Resource>,
    route: MethodRouter<Api>,
}

impl Endpoint {
    fn new<F, Fut>(
        (method, filter): (&'static str, MethodFilter),
        access: Access,
        path: &'static str,
        (id, tag, summary): (&'static str, &'static str, &'static str),
        handler: F,
    ) -> Self
    where
        F: Fn(Call) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, Refusal>> + Send + 'static,
    {
        Self {
            method,
            path,
            id,
            tag,
            summary,
            access,
            parameters: Vec::new(),
            body: None,
            csv: false,
            answers: Vec::new(),
            errors: Vec::new(),
            filters: None,
            route: route(filter, access, handler),
        }
    }

    /// Answers by itself, without the way of a [`Call`].
    fn served_by(self, route: MethodRouter<Api>) -> Self {
        Self { route, ..self }
    }

    fn parameters(mut self, parameters: &[Parameter]) -> Self {
        self.parameters.extend_from_slice(parameters);
        self
    }

    fn body(mut self, schema: &'static str) -> Self {
        self.body = Some((schema, true));
        self
    }

    fn optional_body(mut self, schema: &'static str) -> Self {
        self.body = Some((schema, false));
        self
    }

    fn csv_too(self) -> Self {
        Self { csv: true, ..self }
    }

    fn json(mut self, status: u16, schema: &'static str, meaning: &'static str) -> Self {
        self.answers.push((status, "application/json", schema, meaning));
        self
    }

    fn media(mut self, status: u16, media: &'static str, meaning: &'static str) -> Self {
        let schema = if media == "text/event-stream" { "ServerSentEvent" } else { "string" };
        self.answers.push((status, media, schema, meaning));
        self
    }

    fn errors(mut self, codes: &[Code]) -> Self {
        self.errors.extend_from_slice(codes);
        self
    }

    fn filters(mut self, resource: oms_store::views::Resource) -> Self {
        self.filters = Some(resource);
        self
    }

    /// Whether it is an alias of an operation below [`BASE`].
    #[must_use]
    pub fn is_deprecated(&self) -> bool {
        self.path.starts_with("/v1/")
    }

    /// Each answer says since when the alias is deprecated (RFC 9745), when it goes (RFC 8594), and what takes its place.
    fn retiring(self) -> Self {
        let successor = HeaderValue::try_from(format!("</api{}>; rel=\"successor-version\"", self.path)).ok();
        let said = move |mut response: Response| {
            let headers = response.headers_mut();
            headers.insert(DEPRECATION, HeaderValue::from_static(DEPRECATED_SINCE));
            headers.insert(SUNSET, HeaderValue::from_static(GONE_AT));
            if let Some(successor) = &successor {
                headers.insert(LINK, successor.clone());
            }
            std::future::ready(response)
        };
        Self { route: self.route.layer(axum::middleware::map_response(said)), ..self }
    }

    fn idempotent(self) -> Self {
        self.parameters(&[header(
            "Idempotency-Key",
            "string",
            "Makes the request repeatable: the same key and payload get the first answer again, byte for byte.",
        )])
        .errors(&[Code::IdempotencyConflict])
    }
}

macro_rules! methods {
    ($($name:ident $filter:ident $text:literal),*) => {$(
        fn $name<F, Fut>(access: Access, path: &'static str, named: (&'static str, &'static str, &'static str), handler: F) -> Endpoint
        where
            F: Fn(Call) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = Result<Response, Refusal>> + Send + 'static,
        {
            Endpoint::new(($text, MethodFilter::$filter), access, path, named, handler)
        }
    )*};
}
methods!(get GET "get", post POST "post", put PUT "put", delete DELETE "delete");

/// Every operation.
#[must_use]
pub fn endpoints() -> Vec<Endpoint> {
    [
        place::endpoints(),
        orders::endpoints(),
        history::endpoints(),
        commands::endpoints(),
        execute::endpoints(),
        preview::endpoints(),
        executions::endpoints(),
        positions::endpoints(),
        queries::endpoints(),
        pnl::endpoints(),
        groups::endpoints(),
        instruments::endpoints(),
        quotes::endpoints(),
        marketdata::endpoints(),
        streams::endpoints(),
        risk::endpoints(),
        limits::endpoints(),
        imports::endpoints(),
        overrides::endpoints(),
        dead_man::endpoints(),
        gate::endpoints(),
        shadow::endpoints(),
        evidence::endpoints(),
        sor::endpoints(),
        fix::endpoints(),
        brokers::endpoints(),
        breaks::endpoints(),
        audit::endpoints(),
        account::endpoints(),
        tenants::endpoints(),
        health::endpoints(),
    ]
    .into_iter()
    .flatten()
    .map(|endpoint| if endpoint.is_deprecated() { endpoint.retiring() } else { endpoint })
    .collect()
}

/// The router of the interface.
pub fn router(api: Api) -> Router {
    endpoints()
        .into_iter()
        .fold(Router::new(), |router, endpoint| router.route(endpoint.path, endpoint.route))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .with_state(api)
}

async fn no_such_path(State(api): State<Api>) -> Response {
    respond(&Refusal::new(Code::NotFound, "there is no such path"), api.new_trace())
}

async fn no_such_method(State(api): State<Api>, method: Method, headers: HeaderMap) -> Response {
    if let (Method::OPTIONS, Some(origin)) = (method, browser::origin(&api, &headers)) {
        let mut response = reply::body(StatusCode::NO_CONTENT, "text/plain", Body::empty(), api.new_trace());
        browser::preflight(response.headers_mut());
        browser::tell(&api, Some(origin), response.headers_mut());
        return response;
    }
    respond(&Refusal::new(Code::MethodNotAllowed, "the path does not take this method"), api.new_trace())
}
