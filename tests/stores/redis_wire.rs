//! A connection that counts commands, waits for a signal, sends commands twice and refuses those
//! with several keys.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
};

use redis::{
    Arg, Cmd, Pipeline, RedisError, RedisFuture, Value,
    aio::{ConnectionLike, MultiplexedConnection},
};

use crate::support::faulty_store::Gate;

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
    refusal: Mutex<Option<&'static str>>,
    age: AtomicI64,
}

impl Wire {
    pub(crate) async fn to(url: &str) -> Self {
        let client = redis::Client::open(url).unwrap();
        Self {
            connection: client.get_multiplexed_async_connection().await.unwrap(),
            plan: Arc::default(),
        }
    }

    /// Returns how many commands were sent since the last call of this.
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

    /// Loses the reply to the command that comes after so many others, and sends it again when the
    /// gate is opened.
    pub(crate) fn lose_after(&self, commands: usize) -> Gate {
        self.plan.gate_is_behind.store(true, Ordering::SeqCst);
        self.gate_after(commands)
    }

    /// Sends every command twice and returns the second reply, as a client that lost the first.
    pub(crate) fn repeat(&self) {
        self.plan.repeats.store(true, Ordering::SeqCst);
    }

    /// Refuses commands with several keys with this error from now on, or lets them pass again.
    pub(crate) fn refuse(&self, with: Option<&'static str>) {
        *self.plan.refusal.lock().unwrap() = with;
    }

    /// Makes entries look older from now on: subtracts so many milliseconds from when they were
    /// made.
    pub(crate) fn age_entries(&self, by: i64) {
        self.plan.age.store(by, Ordering::SeqCst);
    }

    fn refusal(&self, cmd: &Cmd) -> Option<RedisError> {
        let refusal = (*self.plan.refusal.lock().unwrap())?;
        if keys(cmd).len() < 2 {
            return None;
        }
        let reply = redis::parse_redis_value(format!("-{refusal}\r\n").as_bytes());
        reply.and_then(Value::extract_error).err()
    }
}

/// The keys of a command of the store.
pub(crate) fn keys(cmd: &Cmd) -> Vec<&[u8]> {
    let words = cmd.args_iter().map(|word| match word {
        Arg::Simple(word) => word,
        _ => b"",
    });
    let words: Vec<_> = words.collect();
    if words[0] == b"MGET" {
        return words[1..].to_vec();
    }
    if !words[0].starts_with(b"EVAL") {
        return vec![words[1]];
    }
    let count = std::str::from_utf8(words[2]).unwrap().parse::<usize>();
    words[3..][..count.unwrap()].to_vec()
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
            if let Some(refusal) = self.refusal(cmd) {
                return Err(refusal);
            }
            if self.plan.repeats.load(Ordering::SeqCst) {
                let _lost = self.connection.req_packed_command(cmd).await;
            }
            let reply = self.connection.req_packed_command(cmd).await?;
            let age = self.plan.age.load(Ordering::SeqCst);
            Ok(match reply {
                // When an entry was made and its limit.
                Value::Array(mut reply) if age > 0 && reply.len() == 2 => {
                    if let Some(Value::Int(made)) = reply.first_mut() {
                        *made -= age / 1000;
                    }
                    Value::Array(reply)
                }
                reply => reply,
            })
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
