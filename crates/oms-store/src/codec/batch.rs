//! A batch: who asked, when, and the events that it led to.

use oms_model::command::Actor;
use oms_model::{ApiKeyId, Batch, CommandId, Event, Seq, Source, TenantId, Time, TraceId, UserId};

use super::error::{DecodeError, Fault};
use super::event::{put_event, read_event};
use super::wire::{Field, Fields, required};

/// The version that is written.
pub const SCHEMA_VERSION: u32 = 2;

/// Name of the message in the schema.
const NAME: &str = "Batch";
/// Tag of the events; all other tags are below.
const EVENTS: u32 = 10;

/// What a batch says before its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// The version of the schema that it was written with.
    pub schema_version: u32,
    /// Sequence of the first event.
    pub first_seq: Seq,
    /// When the engine decided.
    pub time: Time,
    /// The input.
    pub command_id: CommandId,
    /// Who caused it.
    pub actor: Actor,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// How many events follow.
    pub events: usize,
}

/// Appends a batch. Equal batches have equal bytes.
///
/// # Panics
/// On a market identifier or currency code that is no text, because it could not be read again.
pub fn encode_batch(batch: &Batch, out: &mut Vec<u8>) {
    let Batch { first_seq, time, command_id, actor, trace_id, events } = batch;
    let Actor { tenant_id, user_id, api_key_id, source } = actor;
    SCHEMA_VERSION.put(1, out);
    first_seq.put(2, out);
    time.put(3, out);
    command_id.put(4, out);
    tenant_id.put(5, out);
    user_id.put(6, out);
    api_key_id.put(7, out);
    source.put(8, out);
    trace_id.put(9, out);
    for event in events {
        put_event(event, EVENTS, out);
    }
}

/// Reads a batch from exactly these bytes.
///
/// # Errors
/// Where they are not what [`encode_batch`] writes, or would write in an older version.
pub fn decode_batch(bytes: &[u8]) -> Result<Batch, DecodeError> {
    decode::<false>(bytes)
}

/// Reads a batch without what the engine's state does not depend on: the results of
/// [`oms_model::event::RiskChecked`] and the candidates of [`oms_model::event::RouteDecided`] stay empty.
/// Every event is still there, so sequences count as before.
///
/// # Errors
/// As [`decode_batch`]; what is left out is not looked at. The log's checksums cover it.
pub fn decode_batch_for_replay(bytes: &[u8]) -> Result<Batch, DecodeError> {
    decode::<true>(bytes)
}

/// Reads what a batch says before its events, and counts those.
///
/// # Errors
/// As [`decode_batch`]; the events are not looked at.
pub fn batch_header(bytes: &[u8]) -> Result<BatchHeader, DecodeError> {
    let (header, walk) = header(bytes)?;
    let events = count_events(walk)?;
    Ok(BatchHeader { events, ..header })
}

fn decode<const REPLAY: bool>(bytes: &[u8]) -> Result<Batch, DecodeError> {
    let (header, walk) = header(bytes)?;
    let events = match header.schema_version {
        // Version 2 only adds: kinds of events, and fields that are absent in what version 1 wrote.
        1 | 2 => events::<REPLAY>(walk)?,
        // `header` reads no other version. One that does not only add is dispatched to here, with its own bodies.
        found => return Err(DecodeError::Version { found, newest: SCHEMA_VERSION }),
    };
    let BatchHeader { schema_version: _, first_seq, time, command_id, actor, trace_id, events: _ } = header;
    Ok(Batch { first_seq, time, command_id, actor, trace_id, events })
}

fn events<const REPLAY: bool>(walk: Walk<'_>) -> Result<Vec<Event>, DecodeError> {
    // Counting first is cheaper than growing, and every event that is counted is there.
    let mut events = Vec::with_capacity(count_events(walk.clone())?);
    let Walk { mut fields, mut tag } = walk;
    while tag.is_some() {
        events.push(read_event::<REPLAY>(fields.take_delimited()?)?);
        tag = next_event(&mut fields)?;
    }
    Ok(events)
}

/// A walk over a batch that has come to the events, or to the end.
#[derive(Clone)]
struct Walk<'a> {
    fields: Fields<'a>,
    tag: Option<u32>,
}

fn header(bytes: &[u8]) -> Result<(BatchHeader, Walk<'_>), DecodeError> {
    let mut fields = Fields::new(NAME, bytes);
    let mut schema_version: u32 = 0;
    if fields.next_tag()? == Some(1) {
        fields.merge(&mut schema_version)?;
    }
    // Nothing else is known of another version, so nothing else is read before this.
    if !(1..=SCHEMA_VERSION).contains(&schema_version) {
        return Err(DecodeError::Version { found: schema_version, newest: SCHEMA_VERSION });
    }
    let mut tag = fields.next_tag()?;
    let (mut first_seq, mut time, mut command_id, mut trace_id) = (Seq::absent(), Time::absent(), CommandId::absent(), TraceId::absent());
    let (mut tenant_id, mut user_id, mut source) = (TenantId::absent(), UserId::absent(), Source::absent());
    let mut api_key_id: Option<ApiKeyId> = None;
    while let Some(found) = tag {
        match found {
            2 => fields.merge(&mut first_seq)?,
            3 => fields.merge(&mut time)?,
            4 => fields.merge(&mut command_id)?,
            5 => fields.merge(&mut tenant_id)?,
            6 => fields.merge(&mut user_id)?,
            7 => fields.merge(&mut api_key_id)?,
            8 => fields.merge(&mut source)?,
            9 => fields.merge(&mut trace_id)?,
            EVENTS => break,
            1 => return Err(fields.refuse(Fault::OutOfOrder)),
            _ => return Err(fields.refuse(Fault::UnknownField)),
        }
        tag = fields.next_tag()?;
    }
    fields.finish(required(&source, 8))?;
    let actor = Actor { tenant_id, user_id, api_key_id, source };
    let header = BatchHeader { schema_version, first_seq, time, command_id, actor, trace_id, events: 0 };
    Ok((header, Walk { fields, tag }))
}

fn count_events(mut walk: Walk<'_>) -> Result<usize, DecodeError> {
    let mut count = 0;
    while walk.tag.is_some() {
        walk.fields.skip_delimited()?;
        count += 1;
        walk.tag = next_event(&mut walk.fields)?;
    }
    Ok(count)
}

fn next_event(fields: &mut Fields<'_>) -> Result<Option<u32>, DecodeError> {
    match fields.next_tag()? {
        None => Ok(None),
        Some(EVENTS) => Ok(Some(EVENTS)),
        Some(_) => Err(fields.refuse(Fault::UnknownField)),
    }
}
