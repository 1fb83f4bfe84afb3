//! The line between the connector and the gateway: what goes over it, and when.

use oms_ib::codec::frame::{MAX_REQUEST, put_agreement, read_offer};
use oms_ib::codec::{Decoded, Reply, Request};
use oms_ib::connector::Connector;
use oms_ib::sim::gateway::{SessionId, Told};
use oms_model::Time;

use super::super::guard::Guard;
use super::{MS, World, words};

impl World {
    pub(super) fn close(&mut self) {
        let Some(at) = self.current.take() else { return };
        self.wires[at].is_closed = true;
        if !self.gateway.is_frozen() {
            self.gone(at);
        }
    }

    /// The gateway notices that a connection has ended.
    fn gone(&mut self, at: usize) {
        if let Some((session, _)) = self.wires[at].session.take() {
            self.gateway.gone(self.now, session);
        }
    }

    /// The line is cut, and both sides notice.
    pub fn cut(&mut self) {
        if let Some(at) = self.current.take() {
            self.wires[at].is_closed = true;
            self.gone(at);
            self.lost("the line was cut");
        }
        self.pump();
    }

    fn lost(&mut self, reason: &str) {
        let now = self.clock();
        self.layer.session_over();
        self.guard.session_over();
        if let Some(connector) = &mut self.connector {
            connector.lost(now, reason);
        }
    }

    /// The connector writes: one request, or the offer of a handshake.
    pub(super) fn write(&mut self, bytes: Vec<u8>) {
        let dialect = self.connector.as_ref().and_then(Connector::dialect);
        let read = dialect.map(|dialect| Request::decode(dialect, bytes.get(4..).unwrap_or_default()));
        let request = match read {
            None => return self.put(&bytes),
            Some(Ok(Decoded::Message(request))) => request,
            Some(other) => panic!("invariant wire: the connector sends what cannot be read: {other:?}"),
        };
        for request in self.layer.leaving(self.now, request) {
            self.leave(request);
        }
        for reply in self.layer.made_up() {
            self.hear(&reply);
        }
    }

    pub(super) fn leave(&mut self, request: Request) {
        let Some(dialect) = self.connector.as_ref().and_then(Connector::dialect) else { return };
        if self.current.is_none() {
            return;
        }
        self.note(|| format!("  > {}", words(&format!("{request:?}"))));
        self.guard.leaves(self.now, &request);
        let mut bytes = Vec::new();
        request.encode(dialect, &mut bytes);
        self.put(&bytes);
    }

    fn put(&mut self, bytes: &[u8]) {
        let Some(at) = self.current else { return };
        self.wires[at].unread.extend_from_slice(bytes);
        self.read(at);
    }

    /// The gateway reads what has come.
    fn read(&mut self, at: usize) {
        if self.gateway.is_frozen() {
            return;
        }
        let bytes = std::mem::take(&mut self.wires[at].unread);
        if bytes.is_empty() || self.wires[at].is_shaken && self.wires[at].session.is_none() {
            return;
        }
        self.wires[at].ours.push(&bytes);
        while let Some(place) = self.wires[at].ours.cut().expect("the connector writes whole frames") {
            let body = self.wires[at].ours.bytes(&place).to_vec();
            match self.wires[at].session {
                None if self.wires[at].is_shaken => return,
                None => self.shake(at, &body),
                Some((session, dialect)) => match Request::decode(dialect, &body) {
                    Ok(Decoded::Message(request)) => self.request(session, request),
                    other => panic!("invariant wire: the gateway cannot read what was sent: {other:?}"),
                },
            }
        }
    }

    fn shake(&mut self, at: usize, body: &[u8]) {
        let (min, max) = read_offer(body).expect("the connector's offer");
        let dialect = self.gateway.agreed(min, max).expect("a dialect that both speak");
        let session = self.gateway.connected(self.now);
        (self.wires[at].session, self.wires[at].is_shaken) = (Some((session, dialect)), true);
        self.wires[at].ours.set_max(MAX_REQUEST);
        let mut bytes = Vec::new();
        put_agreement(dialect, "20261127 12:00:00 UTC", &mut bytes);
        self.guard.heard(self.now);
        self.deliver(at, &bytes);
    }

    fn request(&mut self, session: SessionId, request: Request) {
        self.take_told();
        self.gateway.request(self.now, session, request);
        self.take_told();
    }

    /// What was read of nobody while it was frozen is read now.
    pub(super) fn thaw(&mut self) {
        for at in 0..self.wires.len() {
            if self.wires[at].is_over() {
                continue;
            }
            self.read(at);
            if self.wires[at].is_closed && !self.gateway.is_frozen() {
                self.gone(at);
            }
        }
    }

    /// Takes what the gateway tells.
    pub(super) fn take_told(&mut self) {
        while let Some(told) = self.gateway.poll() {
            let session = match &told {
                Told::Reply(session, _) | Told::Answer(session, _) | Told::Close(session) => *session,
            };
            let Some(at) = self.wires.iter().rposition(|wire| wire.session.is_some_and(|(id, _)| id == session)) else { continue };
            match told {
                Told::Reply(_, reply) => {
                    // What is said of the session and of its line comes once and in order.
                    let is_flow = match &*reply {
                        Reply::Notice(notice) => 0 < notice.id,
                        Reply::OpenOrder(_) | Reply::OrderStatus(_) | Reply::Execution(_) | Reply::Commission(_) => true,
                        _ => false,
                    };
                    if is_flow { self.push(at, *reply) } else { self.arrive(at, *reply) }
                }
                // What was asked for is spared, however late it comes: a whole look is one.
                Told::Answer(_, reply) => self.arrive(at, *reply),
                Told::Close(_) => {
                    (self.wires[at].session, self.wires[at].is_closed) = (None, true);
                    if self.current == Some(at) {
                        self.current = None;
                        self.lost("the gateway closed the connection");
                    }
                }
            }
        }
    }

    /// Something that nobody asked for is on its way.
    fn push(&mut self, at: usize, reply: Reply) {
        let pushes = self.pushes;
        if self.chance.chance(pushes.lost) {
            self.tally.messages += 1;
            return;
        }
        let last = self.delayed.last_key_value().map_or(self.now, |((at, _), _)| *at).max(self.now);
        let mut due = self.now;
        if self.chance.chance(pushes.late) {
            due = last.plus(3 * MS);
        } else if self.chance.chance(pushes.reorder) {
            due = self.now.plus(MS);
        }
        self.tally.messages += u64::from(due != self.now);
        if self.chance.chance(pushes.duplicate) {
            self.tally.messages += 1;
            self.later(due.plus(MS / 4), at, reply.clone());
        }
        if due == self.now { self.arrive(at, reply) } else { self.later(due, at, reply) }
    }

    fn later(&mut self, due: Time, at: usize, reply: Reply) {
        self.count += 1;
        self.delayed.insert((due, self.count), (at, reply));
    }

    pub(super) fn arrive(&mut self, at: usize, reply: Reply) {
        if Guard::is_about_the_line(&reply) && self.guard.is_looked() {
            // What was decided before may leave: the connector did not know of the line.
            self.decided.extend(self.connector.iter_mut().flat_map(|connector| std::iter::from_fn(|| connector.next_action())));
        }
        if self.current != Some(at) {
            return;
        }
        self.note(|| format!("  < {}", words(&format!("{reply:?}"))));
        self.guard.heard(self.now);
        self.guard.came(&reply);
        for reply in self.layer.coming(self.now, reply) {
            self.hear(&reply);
        }
    }

    fn hear(&mut self, reply: &Reply) {
        let Some(dialect) = self.connector.as_ref().and_then(Connector::dialect) else { return };
        let (Some(at), mut bytes) = (self.current, Vec::new()) else { return };
        reply.encode(dialect, &mut bytes);
        self.deliver(at, &bytes);
    }

    fn deliver(&mut self, at: usize, bytes: &[u8]) {
        let now = self.clock();
        if self.current != Some(at) {
            return;
        }
        let wire = &mut self.wires[at];
        wire.theirs.push(bytes);
        while let Some(place) = wire.theirs.cut().expect("the gateway writes whole frames") {
            if let Some(connector) = &mut self.connector {
                connector.received(now, wire.theirs.bytes(&place));
            }
        }
    }
}
