//! The messages of gateways about an order, for the interface.

use oms_api::brokers::{BrokerAbout, BrokerCursor, BrokerMessage, BrokerMessages};
use oms_ib::archive::{About, AboutMessage};
use oms_ib::port::IbHandle;
use oms_model::{Code, Refusal};

/// Those of one gateway after those of another, in the order of their names.
///
/// # Errors
/// `INTERNAL` where a log cannot be read.
pub(super) fn about(handles: &[IbHandle], about: &BrokerAbout) -> Result<BrokerMessages, Refusal> {
    let mut named: Vec<(String, &IbHandle)> = handles.iter().map(|handle| (handle.venue.to_string(), handle)).collect();
    named.sort_by(|(one, _), (other, _)| one.cmp(other));
    let after = about.after.as_ref();
    let mut found = BrokerMessages { complete: true, ..BrokerMessages::default() };
    for (broker, handle) in named.into_iter().filter(|(broker, _)| after.is_none_or(|after| after.broker <= *broker)) {
        let entry = after.filter(|after| after.broker == broker).map_or(0, |after| after.entry);
        let most = about.most.saturating_sub(found.messages.len());
        let asked = About { orders: about.orders.clone(), from: about.from, until: about.until, after: entry, most };
        let more = handle.messages(&asked).map_err(|error| {
            tracing::error!(%broker, %error, "the messages of the gateway cannot be read");
            Refusal::new(Code::Internal, "the messages of the gateway cannot be read")
        })?;
        found.complete &= more.complete;
        found.messages.extend(more.messages.into_iter().map(|one| told(&broker, one)));
        // A page that was full before this gateway has its next one begin there.
        let next = more.next.or((most == 0 && !more.complete).then_some(entry));
        if let Some(entry) = next {
            found.next = Some(BrokerCursor { broker, entry });
            break;
        }
    }
    Ok(found)
}

fn told(broker: &str, one: AboutMessage) -> BrokerMessage {
    BrokerMessage {
        broker: broker.to_owned(),
        entry: one.entry,
        order_id: one.order_id,
        inbound: !one.message.sent,
        at: one.at,
        name: one.message.name.to_owned(),
        fields: one.message.fields,
        raw: one.message.frame,
    }
}
