//! One connection through the proxy.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
    time::sleep,
};

use crate::proxy::Fault;

#[derive(Default)]
pub struct Seen {
    pub open: AtomicUsize,
    pub questions: AtomicUsize,
    pub pings: AtomicUsize,
    pub bytes_up: AtomicUsize,
    pub ports: Mutex<Vec<u16>>,
}

#[derive(Clone, Copy, Default)]
pub struct Weather {
    pub fault: Option<Fault>,
    /// Connections with a lower number are lost.
    pub lost: usize,
}

/// Counts one connection as long as it is there.
pub struct Open(Arc<Seen>);

impl Open {
    pub fn new(seen: &Arc<Seen>) -> Self {
        seen.open.fetch_add(1, SeqCst);
        Self(Arc::clone(seen))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, SeqCst);
    }
}

pub struct Relay {
    pub number: usize,
    pub weather: watch::Receiver<Weather>,
    pub open: Open,
}

impl Relay {
    pub async fn run(mut self, mut client: TcpStream, server: SocketAddr) -> io::Result<()> {
        client.set_nodelay(true)?;
        let mut server = TcpStream::connect(server).await?;
        let port = server.local_addr()?.port();
        self.open.0.ports.lock().unwrap().push(port);
        server.set_nodelay(true)?;
        let (mut up, mut down) = ([0; 16 * 1024], [0; 16 * 1024]);
        let mut is_asking = false;
        loop {
            let (sent, is_question) = tokio::select! {
                read = client.read(&mut up) => (&up[..read?], true),
                read = server.read(&mut down) => (&down[..read?], false),
            };
            if sent.is_empty() {
                return Ok(());
            }
            if is_question {
                self.open.0.bytes_up.fetch_add(sent.len(), SeqCst);
                if !is_asking {
                    self.open.0.questions.fetch_add(1, SeqCst);
                    self.open.0.pings.fetch_add(is_ping(sent).into(), SeqCst);
                }
            }
            is_asking = is_question;
            match self.passes(is_question).await {
                Some(garbage) => client.write_all(garbage).await?,
                None if is_question => server.write_all(sent).await?,
                None => client.write_all(sent).await?,
            }
        }
    }

    /// Waits until bytes may pass. Returns the bytes to send instead, if any.
    async fn passes(&mut self, is_question: bool) -> Option<&'static [u8]> {
        loop {
            let Weather { fault, lost } = *self.weather.borrow_and_update();
            match fault {
                _ if self.number < lost => std::future::pending().await,
                Some(Fault::Silent) => {}
                Some(Fault::Slow(by)) if !is_question => tokio::select! {
                    () = sleep(by) => return None,
                    _ = self.weather.changed() => continue,
                },
                Some(Fault::Garbage(garbage)) => return Some(garbage),
                _ => return None,
            }
            if self.weather.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// PostgreSQL's Sync without anything to synchronize, and MySQL's COM_PING.
fn is_ping(question: &[u8]) -> bool {
    matches!(question, b"S\0\0\0\x04" | b"\x01\0\0\0\x0e")
}
