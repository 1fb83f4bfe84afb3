//! What an answer leads to: the operations that take an id which it has.

use crate::rest::Endpoint;
use serde_json::{Map, Value, json};

/// Where an id is found in the answer of an operation, and who takes it: operations and the parameter of their path.
type Link = (&'static str, &'static str, &'static str, &'static [&'static str]);

const OF_ORDER: &[&str] =
    &["getOrder", "getOrderEvents", "getOrderExecutions", "getOrderTree", "explainOrder", "modifyOrder", "cancelOrder", "proveOrder"];

#[rustfmt::skip]
const LINKS: &[Link] = &[
    ("placeOrder", "/order_id", "order_id", OF_ORDER),
    ("placeOrderAlias", "/order_id", "order_id", OF_ORDER),
    ("listOrders", "/data/0/order_id", "order_id", OF_ORDER),
    ("requestQuote", "/quote_req_id", "quote_req_id", &["getQuoteRequest", "cancelQuoteRequest"]),
    ("listQuoteRequests", "/data/0/quote_req_id", "quote_req_id", &["getQuoteRequest", "cancelQuoteRequest"]),
    ("submitQuote", "/quote_id", "quote_id", &["getQuote", "acceptQuote", "withdrawQuote"]),
    ("listQuotes", "/data/0/quote_id", "quote_id", &["getQuote", "acceptQuote", "withdrawQuote"]),
    ("groupOrders", "/group_order_id", "group_id", &["listMembers", "proposeAllocation", "ungroupOrders"]),
    ("listGroups", "/data/0/group_order_id", "group_id", &["listMembers", "proposeAllocation", "ungroupOrders"]),
    ("listAllocations", "/data/0/alloc_id", "alloc_id", &["approveAllocation", "rejectAllocation"]),
    ("grantOverride", "/override_id", "override_id", &["consentOverride", "revokeOverride"]),
    ("listInstruments", "/data/0/symbol", "symbol", &["getInstrument", "getLast", "getPosition"]),
    ("createApiKey", "/api_key_id", "api_key_id", &["revokeApiKey"]),
    ("listApiKeys", "/data/0/api_key_id", "api_key_id", &["revokeApiKey"]),
    ("listSessions", "/data/0/session_id", "session_id", &["revokeSession"]),
    ("createTenant", "/tenant_id", "tenant_id", &["getTenant", "setTenant", "invite"]),
    ("listTenants", "/data/0/tenant_id", "tenant_id", &["getTenant", "setTenant", "listInvitations", "listTenantMembers", "getAllowList"]),
    ("getProfile", "/tenant_id", "tenant_id", &["getTenant", "listInvitations", "listTenantMembers", "getAllowList", "invite"]),
];

/// The links of an operation's first answer.
pub(super) fn of(endpoint: &Endpoint) -> Map<String, Value> {
    let own = LINKS.iter().filter(|(from, ..)| *from == endpoint.id);
    let each = own.flat_map(|(_, place, parameter, takers)| {
        takers.iter().map(move |taker| {
            let link = json!({"operationId": taker, "parameters": {*parameter: format!("$response.body#{place}")}});
            ((*taker).to_owned(), link)
        })
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openapi::schemas;
    use crate::rest::endpoints;

    #[test]
    fn links_lead_from_fields_that_there_are_to_operations_that_take_them() {
        let all = endpoints();
        let named = |id: &str| all.iter().find(|endpoint| endpoint.id == id).unwrap_or_else(|| panic!("{id}"));
        for (from, place, parameter, takers) in LINKS {
            let (field, answer) = (place.rsplit('/').next().unwrap(), named(from).answers[0].2);
            let fields = schemas::item_fields(answer);
            let listed = answer.strip_suffix("List").map(schemas::item_fields).unwrap_or_default();
            assert!(fields.contains(&field) || listed.contains(&field), "{answer} has no {field}");
            for taker in *takers {
                assert!(named(taker).path.contains(&format!("{{{parameter}}}")), "{taker} takes no {parameter}");
            }
        }
    }
}
