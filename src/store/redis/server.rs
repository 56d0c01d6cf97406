//! The connection to the server, whatever its type.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use redis::{
    Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, ToRedisArgs, Value,
    aio::ConnectionLike,
};

use super::script::Script;
use crate::error::{BoxError, StoreError};

/// Clones share the connection and what is known about the server.
#[derive(Clone)]
pub(super) struct Server {
    connection: Arc<dyn Connection>,
    is_cluster: Arc<AtomicBool>,
}

impl Server {
    pub(super) fn new(connection: impl ConnectionLike + Clone + Send + Sync + 'static) -> Self {
        Self {
            connection: Arc::new(connection),
            is_cluster: Arc::default(),
        }
    }

    pub(super) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        Ok(T::from_redis_value(self.connection.send(command).await?)?)
    }

    /// Runs a script. Sends its code if the server doesn't have it.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[Vec<u8>],
        arguments: impl ToRedisArgs + Send + Sync,
    ) -> Result<T, RedisError> {
        match self.query(script.by_hash(keys).arg(&arguments)).await {
            // `SCRIPT LOAD` is not used: in a cluster it is sent to every node, and this node may
            // be replaced between the two commands.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.query(script.by_code(keys).arg(&arguments)).await
            }
            reply => reply,
        }
    }

    /// Sends a command with several keys, or runs a script on them. Returns `None` if the server
    /// rejects the keys together; the caller then sends them one by one. The script may have run
    /// nevertheless, so the caller must recognize its own writes.
    pub(super) async fn together<T>(
        &self,
        call: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<Option<T>, RedisError> {
        if self.is_cluster.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let reply = call.await;
        match reply.as_ref().err().map(RedisError::kind) {
            // The server is a cluster, and remains one. It rejects the keys before it looks for the
            // script, or while it moves a slot.
            Some(ErrorKind::Server(ServerErrorKind::CrossSlot | ServerErrorKind::TryAgain)) => {
                self.is_cluster.store(true, Ordering::Relaxed);
                Ok(None)
            }
            // A proxy may return an error of its own, or the account may access each of the keys
            // but not both together. After any other failure, single keys fail, too. This is not
            // remembered: the next call sends the keys together again.
            Some(ErrorKind::Server(ServerErrorKind::ResponseError | ServerErrorKind::NoPerm)) => {
                Ok(None)
            }
            _ => reply.map(Some),
        }
    }
}

/// The common part of all types of connections, as a dyn-compatible trait.
#[async_trait]
trait Connection: Send + Sync {
    async fn send(&self, command: &Cmd) -> Result<Value, RedisError>;
}

#[async_trait]
impl<C: ConnectionLike + Clone + Send + Sync + 'static> Connection for C {
    async fn send(&self, command: &Cmd) -> Result<Value, RedisError> {
        // Clones share the socket, and commands don't wait for each other's replies.
        command.query_async(&mut self.clone()).await
    }
}

/// Whether a key holds a value of another type.
pub(super) fn is_wrong_type(error: &RedisError) -> bool {
    error.code() == Some("WRONGTYPE")
}

/// An error that is safe to log. The text of a [`RedisError`] can quote what was sent or received.
pub(super) fn failure(error: RedisError) -> BoxError {
    let what = match error.code() {
        Some(code) if is_plain(code) => format!("the server answered {code}"),
        Some(_) => "the server returned an error".to_owned(),
        None if error.is_timeout() => "no reply in time".to_owned(),
        None if error.is_connection_refusal() => "connection refused".to_owned(),
        None if error.is_connection_dropped() => "connection lost".to_owned(),
        None => error.category().to_owned(),
    };
    StoreError::new(format!("redis: {what}")).into()
}

/// Whether a text looks like the code of a Redis error. A server that isn't Redis may send
/// anything.
fn is_plain(code: &str) -> bool {
    (1..=20).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase())
}
