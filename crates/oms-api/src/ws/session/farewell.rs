//! The end of a connection: its orders are canceled where that was asked for, and its client is told why and where to go on.

use super::{End, Session};
use crate::ws::CLOSE_SLOW;
use axum::extract::ws::{CloseFrame, Message};
use oms_model::command::{Actor, Command, CommandOutcome, OrderRef};
use oms_model::{Code, OrderId};
use oms_runtime::handle::Request;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The longest reason of a close frame, bytes.
const MAX_REASON: usize = 123;
/// How long the peer is waited for at the end.
const FAREWELL: Duration = Duration::from_secs(1);
/// How often the cancel of an order is tried where the engine is too busy, and how long between.
const CANCELS: u32 = 40;
const CANCEL_PAUSE: Duration = Duration::from_millis(50);

impl Session {
    pub(super) async fn end(mut self, end: End) {
        self.cancel_placed().await;
        let farewell = match end {
            End::Gone => None,
            End::Close(code, reason) => Some((code, reason)),
            End::Slow => {
                self.api.metrics().socket_slow();
                Some((CLOSE_SLOW, self.resume("too slow for what it is sent")))
            }
        };
        if let Some((code, mut reason)) = farewell {
            let end = (0..=MAX_REASON.min(reason.len())).rev().find(|at| reason.is_char_boundary(*at)).unwrap_or_default();
            reason.truncate(end);
            let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
            // Whether it hears us is its business.
            let _told = timeout(self.api.config().slow_client / 2, self.socket.send(frame)).await;
        }
        // The peer's goodbye; without it what was sent last could be lost with the connection.
        let _heard = timeout(FAREWELL, async { while let Some(Ok(_)) = self.socket.recv().await {} }).await;
        // What was still being worked on may have placed orders.
        while self.placed.is_some() && self.running.join_next().await.is_some() {
            self.cancel_placed().await;
        }
    }

    /// Cancels what this connection has placed and is to go with it.
    async fn cancel_placed(&mut self) {
        let (Some(placed), Some(actor)) = (&self.placed, self.principal.map(|principal| principal.actor())) else { return };
        let orders = std::mem::take(&mut *placed.lock().unwrap_or_else(PoisonError::into_inner));
        for order_id in orders {
            self.cancel(actor, order_id).await;
        }
    }

    async fn cancel(&mut self, actor: Actor, order_id: OrderId) {
        for _ in 0..CANCELS {
            let command = Command::CancelOrder { order: OrderRef::Id(order_id), if_version: None };
            let request = Request { actor, trace_id: self.api.new_trace(), idempotency: None, command };
            match self.api.handle().execute(request).await {
                Ok(answer) => {
                    if matches!(answer.outcome, CommandOutcome::Pending { .. }) {
                        self.api.metrics().canceled_on_disconnect();
                    }
                    return;
                }
                Err(refusal) if refusal.code == Code::Overloaded => sleep(CANCEL_PAUSE).await,
                Err(_) => return,
            }
        }
        tracing::error!(%order_id, "the engine was too busy to cancel an order whose connection went");
    }
}
