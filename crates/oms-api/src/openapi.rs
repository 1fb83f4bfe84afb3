//! The OpenAPI document, made from the same list of operations as the router.

mod links;
mod schemas;
mod types;

use crate::call::Access;
use crate::error::{hint, status};
use crate::rest::{Endpoint, Parameter, endpoints};
use oms_model::Code;
use oms_store::views::{Field, Op, Resource};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut text = serde_json::to_string_pretty(&build()).unwrap_or_default();
    text.push('\n');
    text
});

/// The document, JSON with a line for each fact so that changes can be read.
#[must_use]
pub fn document() -> &'static str {
    &DOCUMENT
}

fn build() -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for endpoint in endpoints() {
        paths.entry(endpoint.path).or_default().insert(endpoint.method.to_owned(), operation(&endpoint));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "oms",
            "version": "1.0.0",
            "summary": "Orders in, checked, routed, filled, journaled, explained.",
            "description": "Amounts are exact decimals: strings in answers; strings or plain JSON numbers in requests. \
                Times are RFC 3339 in UTC with nanoseconds. Unknown fields and parameters are refused by name.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
        },
        "security": [{"apiKey": []}, {"bearer": []}, {"session": [], "csrf": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-oms_session"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"}
            },
            "headers": headers(),
            "schemas": schemas::all()
        }
    })
}

fn headers() -> Value {
    let header = |description: &str, schema: &str| json!({"description": description, "schema": schemas::schema(schema)});
    json!({
        "X-Trace-Id": header("The trace of the request: that of `traceparent`, or a new one.", "string"),
        "X-Sequence": header("The last sequence of the log that the answer rests on.", "integer"),
        "ETag": header("The version of the order, for If-Match.", "string"),
        "Location": header("The path of the order.", "string"),
        "Idempotent-Replay": header("`true` where this is the answer to an earlier request with the same key.", "string"),
        "Retry-After": header("Seconds after which the request may be sent again.", "string"),
        "Deprecation": header("Since when the operation is deprecated (RFC 9745).", "string"),
        "Sunset": header("When it goes (RFC 8594).", "string"),
        "Link": header("`successor-version`: the operation that takes its place.", "string"),
        "Allow": header("The methods of the path.", "string")
    })
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut operation = json!({
        "operationId": endpoint.id,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "parameters": parameters(endpoint),
        "responses": responses(endpoint)
    });
    let Some(map) = operation.as_object_mut() else { return operation };
    if let Some((schema, required)) = endpoint.body {
        let mut content = json!({"application/json": {"schema": schemas::schema(schema)}});
        if let (true, Some(media)) = (endpoint.csv, content.as_object_mut()) {
            media.insert("text/csv".to_owned(), json!({"schema": {"type": "string"}}));
        }
        map.insert("requestBody".to_owned(), json!({"required": required, "content": content}));
    }
    if endpoint.is_deprecated() {
        map.insert("deprecated".to_owned(), json!(true));
    }
    match endpoint.access {
        Access::Public | Access::Entrance => drop(map.insert("security".to_owned(), json!([]))),
        Access::SignedIn | Access::Account(None) => drop(map.insert("x-scope".to_owned(), json!("any"))),
        Access::Command => drop(map.insert("x-scope".to_owned(), json!("that of the command"))),
        Access::Scope(scope) | Access::Protected(scope) | Access::Account(Some(scope)) => {
            drop(map.insert("x-scope".to_owned(), json!(scope.as_str())))
        }
    }
    operation
}

fn parameters(endpoint: &Endpoint) -> Vec<Value> {
    let in_path = endpoint.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = in_path.map(path_parameter).collect();
    all.extend(endpoint.parameters.iter().map(|one| parameter(endpoint, one)));
    if let Some(resource) = endpoint.filters {
        all.extend(filters(resource));
    }
    all
}

fn path_parameter(name: &str) -> Value {
    let description = match name {
        "order_id" => "The order's id, or `cl_ord_id:` and the client's.",
        "symbol" => "The ticker.",
        _ => "Which.",
    };
    json!({"name": name, "in": "path", "required": true, "description": description, "schema": types::in_path(name)})
}

fn parameter(endpoint: &Endpoint, parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": parameter.within,
        "required": parameter.required,
        "description": parameter.description,
        "schema": schemas::schema(&type_of(endpoint, parameter))
    })
}

/// The type of a parameter; what may stand in `fields` and `sort` is said by what the operation answers.
fn type_of(endpoint: &Endpoint, parameter: &Parameter) -> String {
    match (parameter.name, endpoint.answers.first(), endpoint.filters) {
        ("fields", Some((_, _, answer, _)), _) => format!("fields({})", schemas::item_fields(answer).join(",")),
        ("sort", _, Some(resource)) => {
            let sortable = resource.fields().iter().filter(|field| field.kind.is_sortable());
            format!("sort({})", sortable.map(|field| field.name).collect::<Vec<_>>().join(","))
        }
        _ => parameter.schema.to_owned(),
    }
}

/// Every field of the whitelist, with every operator that its type has.
fn filters(resource: Resource) -> Vec<Value> {
    let one = |field: &'static Field, op: Op| {
        let name = if op == Op::Eq { field.name.to_owned() } else { format!("{}__{op}", field.name) };
        let description = match op {
            Op::Eq => "Equal.",
            Op::Ne => "Not equal.",
            Op::In => "One of these, separated by commas.",
            Op::Gt => "Greater.",
            Op::Gte => "Greater or equal.",
            Op::Lt => "Less.",
            Op::Lte => "Less or equal.",
            Op::Between => "From the first to the second, separated by a comma.",
            Op::Like => "Matches a pattern: % for any run of characters, _ for one.",
            Op::IsNull => "Whether it is missing.",
        };
        json!({"name": name, "in": "query", "required": false, "description": description, "schema": types::filter(field, op)})
    };
    let fields = resource.fields().iter();
    fields.flat_map(|field| field.kind.ops().iter().map(move |op| one(field, *op))).collect()
}

/// What any operation may be refused with.
const EVERYWHERE: &[Code] = &[Code::ValidationError, Code::Overloaded, Code::Internal];

fn responses(endpoint: &Endpoint) -> Value {
    let mut answers: BTreeMap<String, Value> = BTreeMap::new();
    for (status, media, schema, meaning) in &endpoint.answers {
        let answer = answers.entry(status.to_string()).or_insert_with(|| success(meaning, endpoint));
        if let Some(content) = answer.get_mut("content").and_then(Value::as_object_mut) {
            content.insert((*media).to_owned(), json!({"schema": schemas::schema(schema)}));
        }
    }
    let links = links::of(endpoint);
    let first = endpoint.answers.first().and_then(|(status, ..)| answers.get_mut(&status.to_string())?.as_object_mut());
    if let (Some(first), false) = (first, links.is_empty()) {
        first.insert("links".to_owned(), Value::Object(links));
    }
    let mut refusals: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    let authenticated: &[Code] = match endpoint.access {
        Access::Public => &[],
        Access::Entrance => &[Code::RateLimited],
        _ => &[Code::Unauthenticated, Code::Forbidden, Code::RateLimited],
    };
    for code in EVERYWHERE.iter().chain(authenticated).chain(&endpoint.errors) {
        let codes = refusals.entry(status(*code).as_u16()).or_default();
        if !codes.contains(code) {
            codes.push(*code);
        }
    }
    for (status, codes) in refusals {
        answers.entry(status.to_string()).or_insert_with(|| refusal(&codes));
    }
    json!(answers)
}

fn success(meaning: &str, endpoint: &Endpoint) -> Value {
    let mut headers = json!({"X-Trace-Id": {"$ref": "#/components/headers/X-Trace-Id"}});
    let mut add = |name: &str| {
        if let Some(map) = headers.as_object_mut() {
            map.insert(name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
        }
    };
    if endpoint.is_deprecated() {
        ["Deprecation", "Sunset", "Link"].iter().for_each(|name| add(name));
    }
    if endpoint.method != "get" {
        add("X-Sequence");
    }
    if endpoint.parameters.iter().any(|parameter| parameter.name == "Idempotency-Key") {
        add("Idempotent-Replay");
    }
    if endpoint.tag == "orders" && endpoint.answers.iter().any(|(_, _, schema, _)| matches!(*schema, "Order" | "ChangeResult")) {
        add("ETag");
        if endpoint.method != "get" {
            add("Location");
        }
    }
    json!({"description": meaning, "headers": headers, "content": {}})
}

fn refusal(codes: &[Code]) -> Value {
    let lines: Vec<String> = codes.iter().map(|code| format!("`{code}`: {}", hint(*code))).collect();
    json!({
        "description": lines.join("\n\n"),
        "headers": {"X-Trace-Id": {"$ref": "#/components/headers/X-Trace-Id"}},
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    })
}

#[cfg(test)]
mod tests;
