//! A connection that counts what goes over it, waits for a signal, and repeats itself.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use redis::{
    Cmd, Pipeline, RedisFuture, Value,
    aio::{ConnectionLike, MultiplexedConnection},
};

use crate::faulty_store::Gate;

/// Clones share everything.
#[derive(Clone)]
pub(crate) struct Wire {
    connection: MultiplexedConnection,
    plan: Arc<Plan>,
}

#[derive(Default)]
struct Plan {
    sent: AtomicUsize,
    gate: Mutex<Option<(usize, Gate)>>,
    gate_is_behind: AtomicBool,
    repeats: AtomicBool,
}

impl Wire {
    pub(crate) async fn to(url: &str) -> Self {
        let client = redis::Client::open(url).unwrap();
        Self {
            connection: client.get_multiplexed_async_connection().await.unwrap(),
            plan: Arc::default(),
        }
    }

    /// How many commands were sent since the last time this was asked.
    pub(crate) fn take_sent(&self) -> usize {
        self.plan.sent.swap(0, Ordering::SeqCst)
    }

    /// Holds the command that comes after so many others from now on.
    pub(crate) fn gate_after(&self, commands: usize) -> Gate {
        let gate = Gate::new();
        self.plan.sent.store(0, Ordering::SeqCst);
        *self.plan.gate.lock().unwrap() = Some((commands, gate.clone()));
        gate
    }

    /// Loses the answer to the command that comes after so many others, and sends it again when the gate is opened.
    pub(crate) fn lose_after(&self, commands: usize) -> Gate {
        self.plan.gate_is_behind.store(true, Ordering::SeqCst);
        self.gate_after(commands)
    }

    /// Sends every command twice and keeps the second answer, as a client that lost the first.
    pub(crate) fn repeat(&self) {
        self.plan.repeats.store(true, Ordering::SeqCst);
    }
}

impl ConnectionLike for Wire {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let number = self.plan.sent.fetch_add(1, Ordering::SeqCst);
            let gate = {
                let mut gate = self.plan.gate.lock().unwrap();
                gate.take_if(|(at, _)| *at == number)
            };
            if let Some((_, gate)) = gate {
                if self.plan.gate_is_behind.swap(false, Ordering::SeqCst) {
                    let _lost = self.connection.req_packed_command(cmd).await;
                }
                gate.pass().await;
            }
            if self.plan.repeats.load(Ordering::SeqCst) {
                let _lost = self.connection.req_packed_command(cmd).await;
            }
            self.connection.req_packed_command(cmd).await
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        _: &'a Pipeline,
        _: usize,
        _: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        panic!("a pipeline can't go to several nodes")
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}
