//! Redis servers of the tests' own, which tests can stop, fill up and wipe.

use std::{
    env,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::folder::Folder;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(20);
/// The number of slots of a cluster.
const SLOTS: usize = 16384;

/// A server on a free port of this machine. It stops when this is dropped or the tests are killed.
pub(crate) struct RedisServer {
    port: u16,
    options: &'static [&'static str],
    folder: Folder,
    shell: Option<Child>,
}

/// The reason if there is no server to start.
pub(crate) fn missing() -> Option<&'static str> {
    binary()
        .is_none()
        .then_some("no redis-server is installed here")
}

fn binary() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join("redis-server"))
        .find(|file| file.is_file())
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// A cluster of one node that has all slots.
    pub(crate) fn start_cluster() -> Self {
        let [server] = Self::start_cluster_of();
        server
    }

    /// A cluster of several nodes that share the slots.
    pub(crate) fn start_cluster_of<const NODES: usize>() -> [Self; NODES] {
        let nodes: [_; NODES] = std::array::from_fn(|_| Self::with(&["--cluster-enabled", "yes"]));
        for (number, node) in nodes.iter().enumerate() {
            let [from, to] = [number, number + 1].map(|number| SLOTS * number / NODES);
            node.send(&format!("CLUSTER ADDSLOTSRANGE {from} {}", to - 1));
            nodes[0].send(&format!("CLUSTER MEET 127.0.0.1 {}", node.port));
        }
        let began = Instant::now();
        for node in &nodes {
            while !node.has_joined(NODES) {
                assert!(began.elapsed() < PATIENCE, "the cluster doesn't form");
                thread::sleep(Duration::from_millis(20));
            }
        }
        nodes
    }

    fn has_joined(&self, nodes: usize) -> bool {
        let info = self.send("CLUSTER INFO");
        info.contains("cluster_state:ok") && info.contains(&format!("cluster_size:{nodes}\r"))
    }

    fn with(options: &'static [&'static str]) -> Self {
        let mut server = Self {
            port: free_port(),
            options,
            folder: Folder::new(),
            shell: None,
        };
        server.start_again();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            drop(shell.stdin.take());
            let _ended = shell.wait();
        }
    }

    /// Starts it on the same port, empty.
    pub(crate) fn start_again(&mut self) {
        // The shell stops the server when its input ends, also if the tests are killed.
        let shell = Command::new("sh")
            .args(["-c", r#""$@" & read -r _; kill $!; wait"#, "sh"])
            .arg(binary().unwrap())
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(self.folder.path())
            .args(self.options)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        self.shell = Some(shell.unwrap());
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(began.elapsed() < PATIENCE, "redis-server doesn't start");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends one command and returns the reply, which is small enough for one read.
    fn send(&self, command: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream
            .write_all(format!("{command}\r\n").as_bytes())
            .unwrap();
        let mut reply = [0; 4096];
        let read = stream.read(&mut reply).unwrap();
        String::from_utf8_lossy(&reply[..read]).into_owned()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A free port whose cluster bus port, 10000 higher, is free, too.
fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let bus = port.checked_add(10_000);
        if bus.is_some_and(|bus| TcpListener::bind((Ipv4Addr::LOCALHOST, bus)).is_ok()) {
            return port;
        }
    }
}
