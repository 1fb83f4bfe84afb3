//! Connections of clients.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::{Agreed, Ask, FRAMES};
use crate::codec::frame::{Framer, MAX_REQUEST, put_agreement, read_offer};
use crate::codec::{Decoded, Request};

/// How long a handshake may take from the client's side.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a write may take.
const WRITE: Duration = Duration::from_secs(10);
/// Bytes that are read at a time.
const CHUNK: usize = 16 << 10;

/// Takes connections until the server stops.
pub(super) async fn listen(listener: TcpListener, asks: mpsc::Sender<Ask>, mut stopped: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            _ = stopped.changed() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else { continue };
        let (asks, mut stopped) = (asks.clone(), stopped.clone());
        tokio::spawn(async move {
            tokio::select! {
                _ = stopped.changed() => (),
                ended = serve(stream, asks) => tracing::debug!(%peer, ?ended, "connection ended"),
            }
        });
    }
}

/// One connection. What it ends with is of interest to nobody but a log.
async fn serve(mut stream: TcpStream, asks: mpsc::Sender<Ask>) -> Result<(), String> {
    // Without it small frames wait for each other.
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let (frames, mut outgoing) = mpsc::channel(FRAMES);
    let mut framer = Framer::server();
    let offer = timeout(HANDSHAKE, offer(&mut stream, &mut framer)).await.map_err(|_| "no handshake")??;
    let (answer, answered) = oneshot::channel();
    let ended = || "the simulator has ended".to_owned();
    asks.send(Ask::Offer { min: offer.0, max: offer.1, frames, answer }).await.map_err(|_| ended())?;
    let Some(agreed) = answered.await.map_err(|_| ended())? else { return Err("no version in common".to_owned()) };
    let mut hello = Vec::new();
    put_agreement(agreed.dialect, &agreed.time, &mut hello);
    framer.set_max(MAX_REQUEST);
    let ended = match write(&mut stream, &hello).await {
        Ok(()) => talk(&mut stream, &mut framer, &agreed, &mut outgoing, &asks).await,
        Err(error) => Err(error),
    };
    // Where the gateway is gone there is nobody to tell.
    let _ = asks.send(Ask::Gone(agreed.session)).await;
    ended
}

/// Reads the versions that the client offers.
async fn offer(stream: &mut TcpStream, framer: &mut Framer) -> Result<(u16, u16), String> {
    loop {
        if let Some(place) = framer.cut().map_err(|error| error.to_string())? {
            return read_offer(framer.bytes(&place)).map_err(|error| error.to_string());
        }
        fill(stream, framer).await?;
    }
}

async fn fill(stream: &mut TcpStream, framer: &mut Framer) -> Result<(), String> {
    let mut chunk = [0; CHUNK];
    match stream.read(&mut chunk).await {
        Ok(0) => Err("closed by the client".to_owned()),
        Ok(count) => {
            framer.push(chunk.get(..count).unwrap_or_default());
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    }
}

async fn write(stream: &mut TcpStream, bytes: &[u8]) -> Result<(), String> {
    match timeout(WRITE, stream.write_all(bytes)).await {
        Ok(written) => written.map_err(|error| error.to_string()),
        Err(_) => Err("the client does not read".to_owned()),
    }
}

/// Reads and writes until one side has had enough.
async fn talk(
    stream: &mut TcpStream,
    framer: &mut Framer,
    agreed: &Agreed,
    outgoing: &mut mpsc::Receiver<Vec<u8>>,
    asks: &mpsc::Sender<Ask>,
) -> Result<(), String> {
    loop {
        while let Some(place) = framer.cut().map_err(|error| error.to_string())? {
            let ask = match Request::decode(agreed.dialect, framer.bytes(&place)) {
                Ok(Decoded::Message(request)) => Ask::Request(agreed.session, Box::new(request)),
                Ok(Decoded::Unknown(id)) => {
                    tracing::debug!(id, "a message of an unknown id is ignored");
                    Ask::NotUnderstood
                }
                Err(fault) => {
                    tracing::warn!(%fault, "a message is not understood");
                    Ask::NotUnderstood
                }
            };
            asks.send(ask).await.map_err(|_| "the simulator has ended".to_owned())?;
        }
        tokio::select! {
            read = fill(stream, framer) => read?,
            frame = outgoing.recv() => match frame {
                Some(mut bytes) => {
                    // What has gathered is written in one go.
                    while bytes.len() < CHUNK && let Ok(frame) = outgoing.try_recv() {
                        bytes.extend_from_slice(&frame);
                    }
                    write(stream, &bytes).await?;
                }
                None => return Err("closed by the gateway".to_owned()),
            },
        }
    }
}
