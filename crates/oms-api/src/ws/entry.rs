//! Order entry: the handlers of REST, called by messages.

use super::request::Entry;
use crate::api::Api;
use crate::call::Call;
use crate::error::{IDEMPOTENT_REPLAY, envelope, respond, status};
use crate::json::Writer;
use crate::reply::X_SEQUENCE;
use crate::rest::{commands, dead_man, execute, place};
use axum::body::to_bytes;
use axum::response::Response;
use http::header::{ETAG, HeaderName};
use oms_model::{Code, Refusal, TraceId};

/// Answers a message that enters, changes or stops something.
pub(super) async fn answer(api: Api, entry: Entry, call: Call, named: Named) -> Vec<u8> {
    let trace_id = call.trace_id;
    let protected = matches!(entry, Entry::Cancel | Entry::Beat | Entry::Execute);
    let Some(_place) = api.admit(protected) else {
        api.metrics().turned_away();
        return named.refuse(&Refusal::new(Code::Overloaded, "too many requests are being worked on"), trace_id);
    };
    let handled = match entry {
        Entry::Place => place::place(call).await,
        Entry::Cancel => commands::cancel(call).await,
        Entry::Modify => commands::modify(call).await,
        Entry::Execute => execute::execute(call).await,
        Entry::Arm => dead_man::arm(call).await,
        Entry::Beat => dead_man::beat(call).await,
    };
    named.render(handled.unwrap_or_else(|refusal| respond(&refusal, trace_id))).await
}

/// What the answer to a message says of the message.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    pub(super) id: Option<String>,
    pub(super) op: Option<String>,
}

impl Named {
    /// An answer with this body.
    pub(super) fn say(&self, status: u16, body: &[u8]) -> Vec<u8> {
        self.write(status, body, |_| ())
    }

    /// A refusal in the envelope of every interface.
    pub(super) fn refuse(&self, refusal: &Refusal, trace_id: TraceId) -> Vec<u8> {
        self.say(status(refusal.code).as_u16(), &envelope(refusal, trace_id))
    }

    fn write(&self, status: u16, body: &[u8], more: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut w = Writer::with_capacity(256 + body.len());
        w.object(|w| {
            w.string_or_null("id", self.id.as_deref());
            w.string_or_null("op", self.op.as_deref());
            w.number("status", status);
            more(w);
            w.raw("body", body);
        });
        w.finish()
    }

    /// The answer of REST, with what its headers say.
    async fn render(&self, response: Response) -> Vec<u8> {
        let (parts, body) = response.into_parts();
        // The whole body lies in memory already.
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let header = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let sequence: Option<u64> = header(X_SEQUENCE).and_then(|text| text.parse().ok());
        let version: Option<u32> = header(ETAG).and_then(|text| text.trim_matches('"').parse().ok());
        self.write(parts.status.as_u16(), &body, |w| {
            w.number_or_null("sequence", sequence);
            w.number_or_null("version", version);
            w.bool("replayed", parts.headers.contains_key(IDEMPOTENT_REPLAY));
        })
    }
}
