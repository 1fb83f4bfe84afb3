//! What the schemas in `schemas/proto/oms/v1` say: the methods, how each comes to its answer, and what messages are made of.

use crate::call::Access;
use crate::rest;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, ReflectMessage as _, Value,
};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// The compiled schemas, as reflection gives them out.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/oms.v1.bin"));

/// The schemas that this server was built with.
#[allow(clippy::expect_used, reason = "they are compiled in, and the first test of this module reads them")]
pub static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::of(DESCRIPTORS).expect("the compiled schemas are whole"));

/// The schemas.
pub struct Schema {
    /// Every method, in the order of the schemas.
    pub methods: Vec<Method>,
    shapes: BTreeMap<String, Arc<Shape>>,
}

/// A method.
pub struct Method {
    /// Its path: `/oms.v1.Ingest/NewOrder`.
    pub path: String,
    /// How it comes to its answer.
    pub way: Way,
    /// What it is asked with.
    pub input: MessageDescriptor,
    /// What it answers.
    pub output: Arc<Shape>,
    /// Whether it is asked with a stream.
    pub asks_on: bool,
    /// Whether it answers with a stream.
    pub answers_on: bool,
}

/// How a method comes to its answer.
pub enum Way {
    /// It is an operation of REST.
    Operation(Operation),
    /// It tells a topic of the WebSocket.
    Topic(String),
    /// Its messages enter orders.
    Entry,
}

/// An operation of REST, as a method uses it.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its id.
    pub id: &'static str,
    /// `GET` or another.
    pub method: http::Method,
    /// With `{name}` where it names something.
    pub path: &'static str,
    /// Who may ask.
    pub access: Access,
    /// Whether it takes a body.
    pub takes_body: bool,
    /// The field of the answer that takes what it answers.
    pub answer: Option<String>,
    /// The field of the request that is its body.
    pub body: Option<String>,
}

/// What a message is made of.
pub struct Shape {
    /// Its full name.
    pub name: String,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// A field.
pub struct Field {
    /// Its number.
    pub number: u32,
    /// Its name here.
    pub name: String,
    /// Its name in REST.
    pub rest: String,
    /// The header of REST that it stands for.
    pub header: Option<String>,
    /// What it holds.
    pub holds: Holds,
    /// Whether there may be several.
    pub repeated: bool,
}

/// What a field holds.
#[derive(Clone)]
pub enum Holds {
    /// Text; an amount or an id too.
    Text,
    /// A whole number, never negative.
    Count,
    /// A whole number.
    Whole,
    /// true or false.
    Bool,
    /// A term of a closed vocabulary.
    Term(Arc<Terms>),
    /// A time.
    Time,
    /// Any JSON object.
    Document,
    /// Texts by name.
    Texts,
    /// A message of its own, by its full name.
    Message(String),
}

/// The terms of a vocabulary, by name and by number.
pub struct Terms {
    names: BTreeMap<i32, String>,
    numbers: BTreeMap<String, i32>,
}

impl Terms {
    /// The term with this number; `None` where there is none, which zero never is.
    #[must_use]
    pub fn name(&self, number: i32) -> Option<&str> {
        self.names.get(&number).map(String::as_str)
    }

    /// The number of a term.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i32> {
        self.numbers.get(name).copied()
    }

    /// Every term.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.names.values().map(String::as_str)
    }
}

impl Shape {
    /// The field that REST calls so.
    #[must_use]
    pub fn rest(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.rest == name && field.header.is_none())
    }

    /// The field with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Schema {
    /// # Errors
    /// What is wrong with them, in words.
    pub fn of(descriptors: &[u8]) -> Result<Self, String> {
        let pool = DescriptorPool::decode(descriptors).map_err(|error| error.to_string())?;
        let options = Options::of(&pool).ok_or("the options are not there")?;
        let own = |message: &MessageDescriptor| message.package_name() == "oms.v1" && !message.is_map_entry();
        let mut shapes = BTreeMap::new();
        for message in pool.all_messages().filter(own) {
            shapes.insert(message.full_name().to_owned(), Arc::new(options.shape(&message)?));
        }
        let mut methods = Vec::new();
        for service in pool.services() {
            for method in service.methods() {
                let output = shapes.get(method.output().full_name()).ok_or("an answer is of another package")?;
                methods.push(Method {
                    path: format!("/{}/{}", service.full_name(), method.name()),
                    way: options.way(&method)?,
                    input: method.input(),
                    output: Arc::clone(output),
                    asks_on: method.is_client_streaming(),
                    answers_on: method.is_server_streaming(),
                });
            }
        }
        Ok(Self { methods, shapes })
    }

    /// The method with this path.
    #[must_use]
    pub fn method(&self, path: &str) -> Option<&Method> {
        self.methods.iter().find(|method| method.path == path)
    }

    /// What the message with this full name is made of.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<&Arc<Shape>> {
        self.shapes.get(name)
    }

    /// Every message.
    pub fn shapes(&self) -> impl Iterator<Item = &Shape> {
        self.shapes.values().map(Arc::as_ref)
    }
}

/// The names of the services.
pub fn services() -> Vec<String> {
    let mut names: Vec<String> = SCHEMA.methods.iter().filter_map(|method| method.path.split('/').nth(1)).map(str::to_owned).collect();
    names.dedup();
    names
}

/// The options that the schemas bring themselves.
struct Options {
    way: prost_reflect::ExtensionDescriptor,
    rest: prost_reflect::ExtensionDescriptor,
    header: prost_reflect::ExtensionDescriptor,
}

impl Options {
    fn of(pool: &DescriptorPool) -> Option<Self> {
        let option = |name: &str| pool.all_extensions().find(|extension| extension.full_name() == name);
        Some(Self { way: option("oms.v1.way")?, rest: option("oms.v1.rest")?, header: option("oms.v1.header")? })
    }

    fn way(&self, method: &MethodDescriptor) -> Result<Way, String> {
        let missing = || format!("{} does not say how it comes to its answer", method.full_name());
        let options = method.options();
        let said = options.get_extension(&self.way);
        let said = said.as_message().ok_or_else(missing)?;
        let (operation, topic) = (text(said, "operation"), text(said, "topic"));
        match (operation, topic, said.get_field_by_name("entry").and_then(|entry| entry.as_bool())) {
            (Some(id), None, _) => operation_of(&id, said).map(Way::Operation),
            (None, Some(topic), _) => Ok(Way::Topic(topic)),
            (None, None, Some(true)) => Ok(Way::Entry),
            _ => Err(missing()),
        }
    }

    fn shape(&self, message: &MessageDescriptor) -> Result<Shape, String> {
        let fields = message.fields().map(|field| self.field(&field)).collect::<Result<_, _>>()?;
        Ok(Shape { name: message.full_name().to_owned(), fields })
    }

    fn field(&self, field: &FieldDescriptor) -> Result<Field, String> {
        let options = field.options();
        let said = |option| options.has_extension(option).then(|| options.get_extension(option).as_str().map(str::to_owned)).flatten();
        Ok(Field {
            number: field.number(),
            name: field.name().to_owned(),
            rest: said(&self.rest).unwrap_or_else(|| field.name().to_owned()),
            header: said(&self.header),
            holds: holds(field)?,
            repeated: field.is_list(),
        })
    }
}

fn text(message: &DynamicMessage, name: &str) -> Option<String> {
    let value = message.get_field_by_name(name)?;
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn operation_of(id: &str, said: &DynamicMessage) -> Result<Operation, String> {
    let endpoint = rest::endpoints().into_iter().find(|endpoint| endpoint.id == id);
    let endpoint = endpoint.ok_or_else(|| format!("there is no operation {id}"))?;
    let method = endpoint.method.to_uppercase().parse().map_err(|_| format!("{id} has no method"))?;
    Ok(Operation {
        id: endpoint.id,
        method,
        path: endpoint.path,
        access: endpoint.access,
        takes_body: endpoint.body.is_some(),
        answer: text(said, "answer"),
        body: text(said, "body"),
    })
}

fn holds(field: &FieldDescriptor) -> Result<Holds, String> {
    if field.is_map() {
        return Ok(Holds::Texts);
    }
    Ok(match field.kind() {
        Kind::String => Holds::Text,
        Kind::Uint32 | Kind::Uint64 => Holds::Count,
        Kind::Int64 => Holds::Whole,
        Kind::Bool => Holds::Bool,
        Kind::Enum(terms) => Holds::Term(Arc::new(terms_of(&terms))),
        Kind::Message(message) => match message.full_name() {
            "google.protobuf.Timestamp" => Holds::Time,
            "google.protobuf.Struct" => Holds::Document,
            name => Holds::Message(name.to_owned()),
        },
        other => return Err(format!("{} is a {other:?}, which is not used here", field.full_name())),
    })
}

/// Terms without what stands before all of them, which the name of zero tells: `SIDE_UNSPECIFIED`.
fn terms_of(terms: &prost_reflect::EnumDescriptor) -> Terms {
    let zero = terms.get_value(0).map(|zero| zero.name().to_owned()).unwrap_or_default();
    let before = zero.strip_suffix("UNSPECIFIED").unwrap_or_default();
    let named = terms.values().filter(|value| value.number() != 0);
    let names: BTreeMap<i32, String> =
        named.map(|value| (value.number(), value.name().strip_prefix(before).unwrap_or(value.name()).to_owned())).collect();
    let numbers = names.iter().map(|(number, name)| (name.clone(), *number)).collect();
    Terms { names, numbers }
}

/// The fields that a message holds, with what each is made of.
pub(super) fn given<'m>(message: &'m DynamicMessage, shape: &'m Shape) -> impl Iterator<Item = (&'m Field, Value)> + 'm {
    let present = |field: &&Field| message.has_field_by_number(field.number);
    shape.fields.iter().filter(present).filter_map(|field| Some((field, message.get_field_by_number(field.number)?.into_owned())))
}

/// What a message is made of.
pub(super) fn shape_of(message: &DynamicMessage) -> Option<&'static Arc<Shape>> {
    SCHEMA.shape(message.descriptor().full_name())
}

#[cfg(test)]
mod tests;
