//! The desk in a browser: what `cargo xtask ui` built, from within the binary.
//!
//! - A file is served under its name, compressed where the browser takes that. Names under `/assets` carry the hash of what
//!   they hold, so that they are kept for good; the page itself is asked for anew each time.
//! - The page answers navigations of browsers to the paths that it knows, and nothing else: an unknown path of the interface
//!   stays a 404 of the interface.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Method, Request};

/// Every file of the build by its path; empty where the desk was not built.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/desk.rs"));
/// The first part of each path that the page knows.
const PAGES: &[&str] = &[
    "",
    "desk",
    "orders",
    "executions",
    "positions",
    "risk",
    "market",
    "approvals",
    "quotes",
    "allocations",
    "venues",
    "audit",
    "account",
    "settings",
    "login",
];
/// What is shown where the desk was not built.
const UNBUILT: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>oms: the desk is not built</title></head><body>\
     <h1>This program was built without its desk</h1><p>Everything else works: <a href=\"/api/v1/openapi.json\">the interface</a>, \
     and <code>oms --help</code>. To have the desk, install Node 20 or newer, run <code>cargo xtask ui</code> and build again; \
     <code>make run</code> does both.</p></body></html>";
/// Scripts, styles and connections of this origin alone, nothing inline, and no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
     manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// Whether the desk is in this binary.
#[must_use]
pub fn is_built() -> bool {
    !FILES.is_empty()
}

/// The answer of the desk; `None` where the request is not for it.
#[must_use]
pub fn answer<B>(request: &Request<B>) -> Option<Response> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return None;
    }
    let (path, headers) = (request.uri().path(), request.headers());
    if let Some(file) = found(path, headers) {
        return Some(respond(file, path.starts_with("/assets/")));
    }
    let known = path.strip_prefix('/').and_then(|rest| rest.split('/').next()).is_some_and(|first| PAGES.contains(&first));
    if !known || !takes(headers, ACCEPT, "text/html") {
        return None;
    }
    let unbuilt = File { name: "/index.html", bytes: UNBUILT.as_bytes(), encoding: None };
    Some(respond(found("/index.html", headers).unwrap_or(unbuilt), false))
}

struct File {
    name: &'static str,
    bytes: &'static [u8],
    encoding: Option<&'static str>,
}

fn found(path: &str, headers: &HeaderMap) -> Option<File> {
    let (name, bytes) = file(path).filter(|(name, _)| media(name).is_some())?;
    let smaller = [("br", ".br"), ("gzip", ".gz")].into_iter().filter(|(encoding, _)| takes(headers, ACCEPT_ENCODING, encoding));
    let compressed = smaller.filter_map(|(encoding, suffix)| Some((encoding, file(&format!("{path}{suffix}"))?.1))).next();
    Some(compressed.map_or(File { name, bytes, encoding: None }, |(encoding, bytes)| File { name, bytes, encoding: Some(encoding) }))
}

fn file(path: &str) -> Option<(&'static str, &'static [u8])> {
    let at = FILES.binary_search_by(|(name, _)| (*name).cmp(path)).ok()?;
    FILES.get(at).copied()
}

/// The media type of a file by its name; `None` for those that are only served in the place of another.
fn media(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

/// Whether a header that lists what is taken names this. A weight of zero is not honoured: browsers do not say it.
fn takes(headers: &HeaderMap, name: HeaderName, what: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| one.split(';').next().is_some_and(|one| one.trim().eq_ignore_ascii_case(what)))
}

fn respond(file: File, kept: bool) -> Response {
    let mut response = Response::new(Body::from(file.bytes));
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(CONTENT_TYPE, media(file.name).unwrap_or("application/octet-stream"));
    set(CACHE_CONTROL, if kept { "public, max-age=31536000, immutable" } else { "no-cache" });
    set(VARY, "Accept, Accept-Encoding");
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(X_FRAME_OPTIONS, "DENY");
    set(REFERRER_POLICY, "no-referrer");
    set(PERMISSIONS, "camera=(), microphone=(), geolocation=()");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    if let Some(encoding) = file.encoding {
        set(CONTENT_ENCODING, encoding);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    fn ask(method: &str, path: &str, accept: &str) -> Option<Response> {
        answer(&Request::builder().method(method).uri(path).header(ACCEPT, accept).body(()).unwrap())
    }

    const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

    #[test]
    fn navigations_of_a_browser_get_the_page_with_its_policy() {
        for path in ["/", "/desk", "/orders/01a2?tab=why", "/risk"] {
            let page = ask("GET", path, BROWSER).unwrap();
            assert_eq!(page.status(), StatusCode::OK);
            assert_eq!(page.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
            assert_eq!(page.headers()[CACHE_CONTROL], "no-cache");
            let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        }
    }

    #[test]
    fn what_is_no_navigation_is_left_to_the_interface() {
        assert!(ask("GET", "/api/v1/nope", BROWSER).is_none());
        assert!(ask("GET", "/v1/orders", BROWSER).is_none());
        assert!(ask("GET", "/assets/nope.js", BROWSER).is_none());
        assert!(ask("GET", "/ordersx", BROWSER).is_none());
        assert!(ask("GET", "/orders", "application/json").is_none());
        assert!(ask("POST", "/orders", BROWSER).is_none());
        assert!(ask("GET", "/../Cargo.toml", BROWSER).is_none());
    }

    #[test]
    fn files_are_in_order_and_each_that_is_asked_for_has_a_type() {
        assert!(FILES.is_sorted_by_key(|(name, _)| name));
        for (name, bytes) in FILES {
            assert!(media(name).is_some() || name.ends_with(".br") || name.ends_with(".gz"), "{name}");
            assert!(!bytes.is_empty(), "{name}");
        }
        assert_eq!(is_built(), file("/index.html").is_some());
    }
}
