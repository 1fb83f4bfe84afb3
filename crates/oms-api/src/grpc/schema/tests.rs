use super::*;
use crate::openapi;
use prost_reflect::{Cardinality, EnumDescriptor};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn pool() -> DescriptorPool {
    DescriptorPool::decode(DESCRIPTORS).unwrap()
}

/// Messages that are REST's under another name.
const RENAMED: &[(&str, &str)] = &[("NewOrderRequest", "NewOrder"), ("ReplaceRequest", "Change"), ("MassCancelRequest", "ScopeBody")];

fn document() -> Json {
    serde_json::from_str(openapi::document()).unwrap()
}

/// The fields that REST has; those of a path are not in a body.
fn properties<'d>(document: &'d Json, message: &str) -> Option<&'d serde_json::Map<String, Json>> {
    let renamed = RENAMED.iter().find(|(ours, _)| *ours == message).map_or(message, |(_, rest)| rest);
    document.pointer(&format!("/components/schemas/{renamed}/properties"))?.as_object()
}

#[test]
fn a_message_has_every_field_that_rest_has_and_no_other() {
    let document = document();
    let mut compared = 0;
    for shape in SCHEMA.shapes() {
        let name = shape.name.strip_prefix("oms.v1.").unwrap();
        let Some(properties) = properties(&document, name) else { continue };
        let in_path = |field: &&Field| name == "ReplaceRequest" && field.name == "order_id";
        let ours: BTreeSet<&str> =
            shape.fields.iter().filter(|field| field.header.is_none() && !in_path(field)).map(|field| field.rest.as_str()).collect();
        let theirs: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        assert_eq!(ours, theirs, "{name}");
        compared += 1;
    }
    assert!(compared > 40, "{compared} messages are of REST");
}

#[test]
fn vocabularies_have_the_terms_of_rest() {
    let document = document();
    let mut compared = 0;
    for vocabulary in pool().all_enums().filter(|vocabulary| vocabulary.package_name() == "oms.v1") {
        let theirs = document.pointer(&format!("/components/schemas/{}/enum", vocabulary.name())).and_then(Json::as_array);
        let theirs: BTreeSet<&str> =
            theirs.unwrap_or_else(|| panic!("{} is not of REST", vocabulary.name())).iter().filter_map(Json::as_str).collect();
        let terms = terms_of(&vocabulary);
        assert_eq!(terms.all().collect::<BTreeSet<_>>(), theirs, "{}", vocabulary.name());
        assert!(theirs.iter().all(|term| terms.number(term).and_then(|number| terms.name(number)) == Some(*term)));
        assert_eq!(terms.name(0), None, "zero stands for nothing");
        compared += 1;
    }
    assert!(compared > 25, "{compared}");
}

#[test]
fn every_method_comes_to_an_answer() {
    assert!(SCHEMA.methods.len() >= 17);
    for method in &SCHEMA.methods {
        let path = &method.path;
        match &method.way {
            Way::Operation(operation) => {
                assert!(!method.asks_on && !operation.access.is_open(), "{path}");
                assert_eq!(method.answers_on, operation.path.ends_with("/stream"), "{path}");
                let input = SCHEMA.shape(method.input.full_name()).unwrap();
                for name in operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
                    assert!(input.rest(name).is_some(), "{path} names {name}");
                }
                assert!(operation.answer.as_ref().is_none_or(|name| method.output.named(name).is_some()), "{path}");
                assert!(operation.body.as_ref().is_none_or(|name| input.named(name).is_some()), "{path}");
            }
            Way::Topic(topic) => assert!(method.answers_on && !method.asks_on && !topic.is_empty(), "{path}"),
            Way::Entry => assert!(method.answers_on && method.asks_on, "{path}"),
        }
    }
}

#[test]
fn amounts_are_never_floats() {
    for message in pool().all_messages().filter(|message| message.package_name() == "oms.v1") {
        for field in message.fields() {
            assert!(!matches!(field.kind(), Kind::Double | Kind::Float), "{}", field.full_name());
        }
    }
}

/// What a client may have been built with, a line for each fact.
fn facts() -> Vec<String> {
    let mut facts = Vec::new();
    let pool = pool();
    for service in pool.services() {
        for method in service.methods() {
            let stream = |is: bool| if is { "stream " } else { "" };
            let (input, output) = (method.input().full_name().to_owned(), method.output().full_name().to_owned());
            let (asks, answers) = (stream(method.is_client_streaming()), stream(method.is_server_streaming()));
            facts.push(format!("rpc {} {asks}{input} -> {answers}{output}", method.full_name()));
        }
    }
    for message in pool.all_messages().filter(|message| message.package_name() == "oms.v1") {
        facts.extend(message.fields().map(|field| format!("field {} {} = {}", message.full_name(), kind(&field), field.number())));
    }
    let term = |vocabulary: &EnumDescriptor| -> Vec<String> {
        vocabulary.values().map(|value| format!("term {} {} = {}", vocabulary.full_name(), value.name(), value.number())).collect()
    };
    facts.extend(pool.all_enums().filter(|vocabulary| vocabulary.package_name() == "oms.v1").flat_map(|vocabulary| term(&vocabulary)));
    facts.sort();
    facts
}

fn kind(field: &FieldDescriptor) -> String {
    let label = match field.cardinality() {
        Cardinality::Repeated => "repeated ",
        _ if field.containing_oneof().is_some() => "present ",
        _ => "",
    };
    let kind = match field.kind() {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(vocabulary) => vocabulary.full_name().to_owned(),
        other => format!("{other:?}").to_lowercase(),
    };
    format!("{} {label}{kind}", field.name())
}

/// Facts may be added, and are then written by `OMS_BLESS=1 cargo test -p oms-api`; one that is there is there for ever.
#[test]
fn no_client_that_was_built_is_broken() {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "schemas", "proto", "oms.v1.facts"].iter().collect();
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    let now = facts();
    let broken: Vec<&str> = stored.lines().filter(|line| !now.iter().any(|fact| fact == line)).collect();
    assert!(broken.is_empty(), "clients were built with what is no more: {broken:#?}");
    let text = now.join("\n") + "\n";
    if std::env::var_os("OMS_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == text, "schemas/proto/oms.v1.facts has not every fact; OMS_BLESS=1 adds what is new");
}
