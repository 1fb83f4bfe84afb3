//! The admin port: one command on each line, one line in answer.

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};

use super::Ordered;
use crate::sim::faults::{Command, NoCommand};

/// Longest line that is read.
const MAX_LINE: u64 = 4096;

/// Takes connections until the server stops.
pub(super) async fn listen(listener: TcpListener, commands: mpsc::Sender<Ordered>, mut stopped: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            _ = stopped.changed() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else { continue };
        let (commands, mut stopped) = (commands.clone(), stopped.clone());
        tokio::spawn(async move {
            tokio::select! {
                _ = stopped.changed() => (),
                // A connection that broke has nobody to be told.
                _ = serve(stream, commands) => (),
            }
        });
    }
}

async fn serve(mut stream: TcpStream, commands: mpsc::Sender<Ordered>) -> std::io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = String::new();
        let count = (&mut reader).take(MAX_LINE).read_line(&mut line).await?;
        if count == 0 || !line.ends_with('\n') {
            return Ok(());
        }
        let answer = match line.trim().parse::<Command>() {
            Ok(command) => order(&commands, command).await,
            Err(error) => Err(error).map_err(|error: NoCommand| error.to_string()),
        };
        // One line, whatever it says.
        let text = match answer {
            Ok(done) => format!("ok {}\n", done.replace('\n', " ")),
            Err(why) => format!("error {}\n", why.replace('\n', " ")),
        };
        writer.write_all(text.as_bytes()).await?;
    }
}

async fn order(commands: &mpsc::Sender<Ordered>, command: Command) -> Result<String, String> {
    let (answer, answered) = oneshot::channel();
    let ended = || "the simulator has ended".to_owned();
    commands.send((command, answer)).await.map_err(|_| ended())?;
    answered.await.map_err(|_| ended())?
}
