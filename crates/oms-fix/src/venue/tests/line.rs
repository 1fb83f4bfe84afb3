//! A line between the port and a venue: it can lose what either side sends, and be cut and kept cut.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Messages that a way still carries before it loses everything; below zero: all of them.
struct Way(AtomicI64);

impl Way {
    async fn carry(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let (mut buffer, mut held) = (vec![0; 64 << 10], Vec::new());
        while let Ok(count) = from.read(&mut buffer).await {
            if count == 0 {
                return;
            }
            held.extend_from_slice(&buffer[..count]);
            // Whole messages only, so that what is lost is lost from a message on.
            while let Some(end) = end_of_message(&held) {
                let message: Vec<u8> = held.drain(..end).collect();
                let left = self.0.load(Ordering::SeqCst);
                if left == 0 {
                    continue;
                }
                if 0 < left {
                    self.0.fetch_sub(1, Ordering::SeqCst);
                }
                if to.write_all(&message).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn end_of_message(bytes: &[u8]) -> Option<usize> {
    let trailer = bytes.windows(4).position(|bytes| bytes == b"\x0110=")?;
    let end = trailer + 8;
    (end <= bytes.len()).then_some(end)
}

pub(super) struct Cuttable {
    port: u16,
    ours: Arc<Way>,
    theirs: Arc<Way>,
    closed: Arc<AtomicBool>,
    cuts: watch::Sender<u64>,
}

impl Cuttable {
    pub(super) async fn start(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (ours, theirs) = (Arc::new(Way(AtomicI64::new(-1))), Arc::new(Way(AtomicI64::new(-1))));
        let closed = Arc::new(AtomicBool::new(false));
        let cuts = watch::Sender::new(0);
        let line = Self { port, ours, theirs, closed, cuts };
        let (ours, theirs, closed, cuts) = (line.ours.clone(), line.theirs.clone(), line.closed.clone(), line.cuts.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if closed.load(Ordering::SeqCst) {
                    continue;
                }
                let (ours, theirs, mut cut) = (ours.clone(), theirs.clone(), cuts.subscribe());
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else { return };
                    let ((client_in, client_out), (server_in, server_out)) = (client.into_split(), server.into_split());
                    tokio::select! {
                        () = ours.carry(client_in, server_out) => (),
                        () = theirs.carry(server_in, client_out) => (),
                        _ = cut.changed() => (),
                    }
                });
            }
        });
        line
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Whether new connections are let go at once.
    pub(super) fn close(&self, closed: bool) {
        self.closed.store(closed, Ordering::SeqCst);
    }

    pub(super) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// What we send is lost after so many messages.
    pub(super) fn lose_ours_after(&self, messages: i64) {
        self.ours.0.store(messages, Ordering::SeqCst);
    }

    /// What the venue sends is lost after so many messages.
    pub(super) fn lose_theirs_after(&self, messages: i64) {
        self.theirs.0.store(messages, Ordering::SeqCst);
    }

    pub(super) fn lose_nothing(&self) {
        self.lose_ours_after(-1);
        self.lose_theirs_after(-1);
    }
}
