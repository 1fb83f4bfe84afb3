//! A gRPC client that knows the wire and the schemas, and shows exactly what came.

use crate::client::{Client, PATIENCE};
use bytes::{BufMut as _, Bytes, BytesMut};
use h2::client::SendRequest;
use h2::{RecvStream, SendStream};
use http::HeaderMap;
use oms_api::grpc::schema::DESCRIPTORS;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage as _, Value};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::sync::LazyLock;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).unwrap());

/// The message `oms.v1.{name}` with these fields.
pub fn message(name: &str, fields: &Json) -> DynamicMessage {
    let kind = POOL.get_message_by_name(&format!("oms.v1.{name}")).unwrap();
    of(&kind, fields)
}

fn of(kind: &MessageDescriptor, fields: &Json) -> DynamicMessage {
    let mut message = DynamicMessage::new(kind.clone());
    if kind.full_name() == "google.protobuf.Struct" {
        message.set_field_by_name("fields", document(fields));
        return message;
    }
    for (name, value) in fields.as_object().unwrap() {
        let field = kind.get_field_by_name(name).unwrap_or_else(|| panic!("{} has no {name}", kind.full_name()));
        let value = match value {
            Json::Array(items) => Value::List(items.iter().map(|item| one(&field, item)).collect()),
            Json::Object(texts) if field.is_map() => Value::Map(
                texts.iter().map(|(name, text)| (MapKey::String(name.clone()), Value::String(text.as_str().unwrap().to_owned()))).collect(),
            ),
            other => one(&field, other),
        };
        message.set_field(&field, value);
    }
    message
}

fn one(field: &FieldDescriptor, value: &Json) -> Value {
    match field.kind() {
        Kind::String => Value::String(value.as_str().unwrap().to_owned()),
        Kind::Bool => Value::Bool(value.as_bool().unwrap()),
        Kind::Uint32 => Value::U32(u32::try_from(value.as_u64().unwrap()).unwrap()),
        Kind::Uint64 => Value::U64(value.as_u64().unwrap()),
        Kind::Int64 => Value::I64(value.as_i64().unwrap()),
        Kind::Int32 => Value::I32(i32::try_from(value.as_i64().unwrap()).unwrap()),
        // A number that is no term may be sent too.
        Kind::Enum(_) if value.is_number() => Value::EnumNumber(i32::try_from(value.as_i64().unwrap()).unwrap()),
        Kind::Enum(terms) => Value::EnumNumber(terms.get_value_by_name(value.as_str().unwrap()).unwrap().number()),
        Kind::Message(kind) => Value::Message(of(&kind, value)),
        other => panic!("{other:?}"),
    }
}

/// The fields of a `google.protobuf.Struct`.
fn document(fields: &Json) -> Value {
    let any = POOL.get_message_by_name("google.protobuf.Value").unwrap();
    let value = |json: &Json| {
        let mut value = DynamicMessage::new(any.clone());
        match json {
            Json::Null => value.set_field_by_name("null_value", Value::EnumNumber(0)),
            Json::Bool(said) => value.set_field_by_name("bool_value", Value::Bool(*said)),
            Json::Number(n) => value.set_field_by_name("number_value", Value::F64(n.as_f64().unwrap())),
            Json::String(text) => value.set_field_by_name("string_value", Value::String(text.clone())),
            Json::Object(_) => {
                let inner = of(&POOL.get_message_by_name("google.protobuf.Struct").unwrap(), json);
                value.set_field_by_name("struct_value", Value::Message(inner));
            }
            Json::Array(items) => {
                let list = POOL.get_message_by_name("google.protobuf.ListValue").unwrap();
                let Value::Map(mut wrapped) =
                    document(&Json::from_iter(items.iter().enumerate().map(|(n, item)| (n.to_string(), item.clone()))))
                else {
                    panic!("a document is a map")
                };
                let items = (0..items.len()).map(|n| wrapped.remove(&MapKey::String(n.to_string())).unwrap()).collect();
                let mut message = DynamicMessage::new(list);
                message.set_field_by_name("values", Value::List(items));
                value.set_field_by_name("list_value", Value::Message(message));
            }
        }
        Value::Message(value)
    };
    let entries: HashMap<MapKey, Value> =
        fields.as_object().unwrap().iter().map(|(name, json)| (MapKey::String(name.clone()), value(json))).collect();
    Value::Map(entries)
}

/// A message as JSON, by the names of REST.
pub fn json(message: &DynamicMessage) -> Json {
    serde_json::from_slice(&oms_api::grpc::translate::document(message, &|_| false).unwrap()).unwrap()
}

/// Without what protobuf does not tell from nothing.
pub fn bare(json: &Json) -> Json {
    let is_nothing = |value: &Json| match value {
        Json::Null => true,
        Json::Bool(said) => !said,
        Json::Number(n) => n.as_u64() == Some(0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(_) => false,
    };
    match json {
        Json::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !is_nothing(value));
            kept.map(|(name, value)| (name.clone(), bare(value))).collect()
        }
        Json::Array(items) => items.iter().map(bare).collect(),
        other => other.clone(),
    }
}

/// Why a call was refused.
#[derive(Clone, Debug)]
pub struct Refused {
    pub code: Code,
    /// The code of the catalogue.
    pub reason: String,
    pub details: HashMap<String, String>,
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        let info = status.get_details_error_info().map(|info| (info.reason, info.metadata)).unwrap_or_default();
        Self { code: status.code(), reason: info.0, details: info.1 }
    }
}

/// One connection.
#[derive(Clone)]
pub struct Wire {
    send: SendRequest<Bytes>,
    credential: (String, String),
}

impl Wire {
    /// Connects; calls carry the client's key, or its token.
    pub async fn of(client: &Client) -> Self {
        Self::with_window(client, 1 << 20).await
    }

    /// So many bytes of an answer are taken before they are read.
    pub async fn with_window(client: &Client, window: u32) -> Self {
        let stream = TcpStream::connect(client.grpc).await.unwrap();
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(window).initial_connection_window_size(window.max(65_535));
        let (send, connection) = builder.handshake(stream).await.unwrap();
        tokio::spawn(async move { drop(connection.await) });
        let credential = if client.key.starts_with("oms_") {
            ("x-api-key".to_owned(), client.key.clone())
        } else {
            ("authorization".to_owned(), format!("Bearer {}", client.key))
        };
        Self { send, credential }
    }

    /// Without a credential, or with another.
    pub fn as_of(&self, name: &str, value: &str) -> Self {
        Self { send: self.send.clone(), credential: (name.to_owned(), value.to_owned()) }
    }

    /// Opens a call; what is asked is sent by the caller.
    pub async fn open(&self, method: &str, metadata: &[(&str, &str)]) -> Open {
        let mut request =
            http::Request::post(format!("http://desk/{method}")).header("content-type", "application/grpc").header("te", "trailers");
        if !self.credential.0.is_empty() {
            request = request.header(&self.credential.0, &self.credential.1);
        }
        for (name, value) in metadata {
            request = request.header(*name, *value);
        }
        let mut send = self.send.clone().ready().await.unwrap();
        let (answer, asks) = send.send_request(request.body(()).unwrap(), false).unwrap();
        let output = POOL
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>())
            .find(|known| method == format!("{}/{}", known.parent_service().full_name(), known.name()));
        Open {
            answer: Some(answer),
            asks,
            body: None,
            headers: HeaderMap::new(),
            output: output.map(|method| method.output()),
            left: BytesMut::new(),
        }
    }

    /// A stream that is asked with one message.
    pub async fn stream(&self, method: &str, message: &DynamicMessage) -> Open {
        let mut open = self.open(&format!("oms.v1.{method}"), &[]).await;
        open.ask(&message.encode_to_vec(), true);
        open
    }

    /// Asks `oms.v1.{method}` and answers the message, with what the metadata of the answer says.
    pub async fn ask(
        &self,
        method: &str,
        metadata: &[(&str, &str)],
        message: &DynamicMessage,
    ) -> Result<(DynamicMessage, HeaderMap), Refused> {
        let mut open = self.open(&format!("oms.v1.{method}"), metadata).await;
        open.ask(&message.encode_to_vec(), true);
        let answer = open.next().await?.expect("a message");
        assert!(open.next().await?.is_none(), "one message");
        Ok((answer, open.headers))
    }

    pub async fn call(&self, method: &str, message: &DynamicMessage) -> Result<DynamicMessage, Refused> {
        self.ask(method, &[], message).await.map(|(answer, _)| answer)
    }
}

/// A call.
pub struct Open {
    answer: Option<h2::client::ResponseFuture>,
    asks: SendStream<Bytes>,
    body: Option<RecvStream>,
    pub headers: HeaderMap,
    output: Option<MessageDescriptor>,
    left: BytesMut,
}

impl Open {
    /// Sends a message; the last one ends what is asked. The peer may have gone.
    pub fn ask(&mut self, message: &[u8], last: bool) {
        let mut frame = BytesMut::with_capacity(message.len() + 5);
        frame.put_u8(0);
        frame.put_u32(u32::try_from(message.len()).unwrap());
        frame.put_slice(message);
        let _sent = self.asks.send_data(frame.freeze(), last);
    }

    pub fn end(&mut self) {
        let _sent = self.asks.send_data(Bytes::new(), true);
    }

    /// The next message; `None` where everything was told.
    pub async fn next(&mut self) -> Result<Option<DynamicMessage>, Refused> {
        let output = self.output.clone().expect("a method of the schemas");
        Ok(self.bytes().await?.map(|bytes| DynamicMessage::decode(output, bytes).unwrap()))
    }

    /// The same as bytes.
    pub async fn bytes(&mut self) -> Result<Option<Bytes>, Refused> {
        timeout(PATIENCE, self.read()).await.expect("something comes in time")
    }

    async fn read(&mut self) -> Result<Option<Bytes>, Refused> {
        if let Some(answer) = self.answer.take() {
            let (parts, body) = answer.await.map_err(|error| Status::unavailable(error.to_string()))?.into_parts();
            assert_eq!(parts.status, 200);
            if let Some(status) = Status::from_header_map(&parts.headers) {
                self.headers = parts.headers;
                return Err(status.into());
            }
            self.headers = parts.headers;
            self.body = Some(body);
        }
        let body = self.body.as_mut().expect("a body");
        loop {
            if let Some(prefix) = self.left.get(1..5) {
                let length = u32::from_be_bytes(prefix.try_into().unwrap()) as usize;
                if self.left.len() >= length + 5 {
                    let mut frame = self.left.split_to(length + 5);
                    return Ok(Some(frame.split_off(5).freeze()));
                }
            }
            match body.data().await {
                Some(data) => {
                    let data = data.map_err(|error| Status::unavailable(error.to_string()))?;
                    let _released = body.flow_control().release_capacity(data.len());
                    self.left.extend_from_slice(&data);
                }
                None => {
                    let trailers = body.trailers().await.map_err(|error| Status::unavailable(error.to_string()))?.expect("trailers");
                    let status = Status::from_header_map(&trailers).expect("a status");
                    return if status.code() == Code::Ok { Ok(None) } else { Err(status.into()) };
                }
            }
        }
    }

    /// The next message, which there must be.
    pub async fn told(&mut self) -> DynamicMessage {
        self.next().await.unwrap().expect("the stream goes on")
    }

    /// How it ends, whatever is told before; with what was told.
    pub async fn ended(&mut self) -> (Vec<DynamicMessage>, Result<(), Refused>) {
        let mut told = Vec::new();
        loop {
            match self.next().await {
                Ok(Some(message)) => told.push(message),
                Ok(None) => return (told, Ok(())),
                Err(refused) => return (told, Err(refused)),
            }
        }
    }
}

/// A field of a message as text, by its path: `order.order_id`.
pub fn get(message: &DynamicMessage, path: &str) -> String {
    let mut at = Value::Message(message.clone());
    for name in path.split('.') {
        let Value::Message(message) = at else { panic!("{path} is not in {message:?}") };
        let field = message.get_field_by_name(name).unwrap_or_else(|| panic!("{} has no {name}", message.descriptor().full_name()));
        at = field.into_owned();
    }
    match at {
        Value::String(text) => text,
        Value::U64(n) => n.to_string(),
        Value::U32(n) => n.to_string(),
        Value::Bool(said) => said.to_string(),
        Value::EnumNumber(n) => n.to_string(),
        other => format!("{other:?}"),
    }
}
