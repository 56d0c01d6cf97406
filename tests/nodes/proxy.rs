//! A proxy between an application and its server, which fails on command.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::{self, Runtime},
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
};

use crate::relay::{Open, Relay, Seen, Weather};

/// How the connection fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No server listens, and connections are closed.
    Down,
    /// Each answer comes this much later.
    Slow(Duration),
    /// Nothing passes. Bytes sent meanwhile arrive afterwards.
    Silent,
    /// Nothing comes through any more on connections that are there now, and never will. New ones
    /// are well.
    Lost,
    /// Whatever is said, this is the answer.
    Garbage(&'static [u8]),
}

/// A port on this machine that leads to a server. It goes when this is dropped.
pub struct Proxy {
    pub port: u16,
    orders: mpsc::UnboundedSender<(Order, oneshot::Sender<()>)>,
    seen: Arc<Seen>,
    // Of its own, so that the tasks of the application's can be counted.
    runtime: Option<Runtime>,
}

enum Order {
    Suffer(Option<Fault>),
    Cut,
}

impl Proxy {
    pub async fn start(server: SocketAddr) -> Self {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (orders, to_do) = mpsc::unbounded_channel();
        let (port, bound) = oneshot::channel();
        let seen = Arc::new(Seen::default());
        let route = Route {
            server,
            seen: Arc::clone(&seen),
            weather: watch::Sender::default(),
            relays: JoinSet::new(),
            accepted: 0,
        };
        runtime.spawn(async move {
            let listener = bind(0).unwrap().listen(128).unwrap();
            let port_of = listener.local_addr().unwrap().port();
            port.send(port_of).unwrap();
            route.serve(port_of, listener, to_do).await;
        });
        Self {
            port: bound.await.unwrap(),
            orders,
            seen,
            runtime: Some(runtime),
        }
    }

    /// From now on, until it heals.
    pub async fn suffer(&self, fault: Fault) {
        self.order(Order::Suffer(Some(fault))).await;
    }

    /// All is well again.
    pub async fn heal(&self) {
        self.order(Order::Suffer(None)).await;
    }

    /// Ends the connections that there are.
    pub async fn cut(&self) {
        self.order(Order::Cut).await;
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.seen.open.load(SeqCst)
    }

    /// From which ports the server was ever spoken to.
    pub fn ports(&self) -> Vec<u16> {
        self.seen.ports.lock().unwrap().clone()
    }

    /// How often the client has waited for an answer since the last time this was asked, and how
    /// often of that only to hear whether the server still lives.
    pub fn take_round_trips(&self) -> (usize, usize) {
        let pings = self.seen.pings.swap(0, SeqCst);
        (self.seen.questions.swap(0, SeqCst), pings)
    }

    /// How many bytes the client has sent.
    pub fn said(&self) -> usize {
        self.seen.bytes_up.load(SeqCst)
    }

    async fn order(&self, order: Order) {
        let (done, is_done) = oneshot::channel();
        self.orders.send((order, done)).ok().unwrap();
        is_done.await.unwrap();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn bind(port: u16) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], port)))?;
    Ok(socket)
}

struct Route {
    server: SocketAddr,
    seen: Arc<Seen>,
    weather: watch::Sender<Weather>,
    relays: JoinSet<()>,
    accepted: usize,
}

impl Route {
    async fn serve(
        mut self,
        port: u16,
        listener: TcpListener,
        mut to_do: mpsc::UnboundedReceiver<(Order, oneshot::Sender<()>)>,
    ) {
        let mut listener = Some(listener);
        // Keeps the port while no server listens there.
        let mut held = None;
        loop {
            let accept = async {
                match &listener {
                    Some(listener) => listener.accept().await.unwrap().0,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                order = to_do.recv() => {
                    let Some((order, done)) = order else { return };
                    if let Order::Suffer(fault) = order {
                        if fault == Some(Fault::Down) {
                            drop(listener.take());
                            held = held.or_else(|| Some(bind(port).unwrap()));
                        } else if let Some(held) = held.take() {
                            listener = Some(held.listen(128).unwrap());
                        }
                        let before = self.weather.borrow().fault;
                        self.weather.send_modify(|weather| {
                            weather.fault = fault;
                            if fault == Some(Fault::Lost) {
                                (weather.fault, weather.lost) = (None, self.accepted);
                            }
                        });
                        // A client that received garbage waits for the rest of it, so its
                        // connection is closed.
                        if fault == Some(Fault::Down) || matches!(before, Some(Fault::Garbage(_))) {
                            self.relays.shutdown().await;
                        }
                    } else {
                        self.relays.shutdown().await;
                    }
                    let _nobody_waits = done.send(());
                }
                client = accept => {
                    let relay = Relay {
                        number: self.accepted,
                        weather: self.weather.subscribe(),
                        open: Open::new(&self.seen),
                    };
                    self.accepted += 1;
                    let server = self.server;
                    self.relays.spawn(async move {
                        let _ended = relay.run(client, server).await;
                    });
                }
            }
        }
    }
}

/// Nothing that any server would say.
pub const GARBAGE: [&[u8]; 4] = [
    &[0; 64],
    &[0xff; 64],
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    b"E\0\0\0\x05!Z\0\0\0\x05?\x07\0\0\x01\xff\x15\x04#ab$-1\r\n*1000000000\r\n\0\0\0",
];

/// The response of a Redis server that can't serve any command.
pub const REFUSALS: [&[u8]; 2] = [
    b"-LOADING Redis is loading the dataset in memory\r\n-LOADING Redis is loading the dataset in memory\r\n",
    b"-ERR max number of clients reached\r\n",
];
