//! A line between two sides that can lose what is sent, and be cut.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

struct Way {
    loses: AtomicBool,
    /// Messages lost so far.
    lost: watch::Sender<usize>,
}

impl Way {
    fn new() -> Arc<Self> {
        Arc::new(Self { loses: AtomicBool::new(false), lost: watch::Sender::new(0) })
    }

    async fn carry(self: Arc<Self>, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count) = from.read(&mut buffer).await {
            if count == 0 {
                return;
            }
            if self.loses.load(Ordering::SeqCst) {
                let messages = buffer[..count].windows(4).filter(|bytes| bytes == b"\x0110=").count();
                self.lost.send_modify(|lost| *lost += messages);
            } else if to.write_all(&buffer[..count]).await.is_err() {
                return;
            }
        }
    }

    async fn has_lost(&self, count: usize) {
        let mut lost = self.lost.subscribe();
        tokio::time::timeout(Duration::from_secs(20), lost.wait_for(|lost| count <= *lost)).await.expect("in time").unwrap();
        self.lost.send_replace(0);
    }
}

pub struct Cuttable {
    port: u16,
    from_client: Arc<Way>,
    from_server: Arc<Way>,
    cut: Arc<Notify>,
    /// Cuts so far.
    cuts: watch::Sender<usize>,
}

impl Cuttable {
    pub async fn start(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let line = Self {
            port: listener.local_addr().unwrap().port(),
            from_client: Way::new(),
            from_server: Way::new(),
            cut: Arc::default(),
            cuts: watch::Sender::new(0),
        };
        let (from_client, from_server) = (line.from_client.clone(), line.from_server.clone());
        let (cut, cuts) = (line.cut.clone(), line.cuts.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else { continue };
                let ((client_in, client_out), (server_in, server_out)) = (client.into_split(), server.into_split());
                let is_cut = tokio::select! {
                    () = from_client.clone().carry(client_in, server_out) => false,
                    () = from_server.clone().carry(server_in, client_out) => false,
                    () = cut.notified() => true,
                };
                if is_cut {
                    cuts.send_modify(|cuts| *cuts += 1);
                }
            }
        });
        line
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Cuts the line. Nothing that was under way arrives once this has returned; until then something could, and the
    /// session could catch up over a line that is gone a moment later.
    pub async fn cut(&self) {
        let mut cuts = self.cuts.subscribe();
        let before = *cuts.borrow_and_update();
        self.cut.notify_one();
        tokio::time::timeout(Duration::from_secs(20), cuts.wait_for(|cuts| before < *cuts)).await.expect("in time").unwrap();
    }

    pub fn lose_from_client(&self, loses: bool) {
        self.from_client.loses.store(loses, Ordering::SeqCst);
    }

    pub fn lose_from_server(&self, loses: bool) {
        self.from_server.loses.store(loses, Ordering::SeqCst);
    }

    /// Waits until so many messages of the client are lost.
    pub async fn lost_from_client(&self, count: usize) {
        self.from_client.has_lost(count).await;
    }

    /// Waits until so many messages of the server are lost.
    pub async fn lost_from_server(&self, count: usize) {
        self.from_server.has_lost(count).await;
    }
}
