//! `oms order tail`: the event stream, one line for each event.

use super::{Client, print, show};
use crate::exit::{Failure, Outcome};
use serde_json::Value;
use std::io::{BufRead, BufReader};

pub(super) fn run(client: &Client, from: Option<u64>, types: Option<&str>, count: Option<u64>) -> Outcome {
    let mut path = "/events/stream".to_owned();
    let query: Vec<String> = [from.map(|from| format!("from={from}")), types.map(|types| format!("types={}", super::escaped(types)))]
        .into_iter()
        .flatten()
        .collect();
    if !query.is_empty() {
        path.push_str(&format!("?{}", query.join("&")));
    }
    let request = client.patient().get(format!("{}/api/v1{path}", client.url)).header("x-api-key", &client.key);
    let mut response = request.header("accept", "text/event-stream").call().map_err(|error| client.unreachable(&error))?;
    if response.status().as_u16() >= 400 {
        let body = response.body_mut().read_to_string().map_err(|error| client.unreachable(&error))?;
        return Err(client.refused(response.status().as_u16(), &body));
    }
    let mut reader = BufReader::new(response.body_mut().as_reader());
    let mut events = Events::default();
    let mut left = count.unwrap_or(u64::MAX);
    let mut line = String::new();
    while left > 0 {
        line.clear();
        let read = reader.read_line(&mut line).map_err(|error| Failure::Unreachable(format!("the stream broke off: {error}")))?;
        if read == 0 {
            return Err(Failure::Unreachable("the desk ended the stream".to_owned()));
        }
        if let Some(event) = events.line(line.trim_end()) {
            shown(client, &event)?;
            left -= 1;
        }
    }
    Ok(())
}

/// One event of the stream.
#[derive(Debug, Default, PartialEq, Eq)]
struct Event {
    kind: String,
    data: String,
}

/// Puts lines together to events; comments are heartbeats.
#[derive(Default)]
struct Events {
    next: Event,
}

impl Events {
    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.next);
            return (!event.data.is_empty()).then_some(event);
        }
        match line.split_once(':') {
            Some(("event", kind)) => kind.trim_start().clone_into(&mut self.next.kind),
            Some(("data", data)) => {
                if !self.next.data.is_empty() {
                    self.next.data.push('\n');
                }
                self.next.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            }
            _ => (),
        }
        None
    }
}

fn shown(client: &Client, event: &Event) -> Outcome {
    if client.json {
        return print(&event.data);
    }
    let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
    if event.kind == "disconnected" {
        return Err(Failure::Unreachable(format!("disconnected: {}", show::field(&data, "message"))));
    }
    print(&row(&event.kind, &data))
}

/// An event in one line for people: sequence, time, kind, order, and what the event says.
#[must_use]
pub fn row(kind: &str, event: &Value) -> String {
    let says = event.get("data").and_then(Value::as_object).map_or_else(String::new, |data| {
        let plain = data.iter().filter(|(_, value)| !matches!(value, Value::Null | Value::Array(_) | Value::Object(_)));
        plain.map(|(name, value)| format!("{name}={}", show::text(value))).collect::<Vec<_>>().join(" ")
    });
    let field = |name| show::field(event, name);
    format!("{:>8}  {}  {kind:<22} {:<36}  {says}", field("sequence"), show::time(&field("time")), field("order_id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_events() {
        let mut events = Events::default();
        assert_eq!(events.line(": heartbeat"), None);
        assert_eq!(events.line(""), None);
        for line in ["id: 7", "event: OrderFilled", "data: {\"a\":", "data: 1}"] {
            assert_eq!(events.line(line), None);
        }
        let event = events.line("").unwrap();
        assert_eq!((event.kind.as_str(), event.data.as_str()), ("OrderFilled", "{\"a\":\n1}"));
        assert_eq!(events.line(""), None);
    }
}
