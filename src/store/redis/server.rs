//! The way to the server, whatever kind of connection leads there.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use redis::{
    Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, Value, aio::ConnectionLike,
};

use super::script::Script;
use crate::error::{BoxError, StoreError};

/// Clones share the connection, and what was found out about the server.
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

    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, BoxError> {
        understood(self.connection.ask(command).await)
    }

    /// Runs a script on a key.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        key: Vec<u8>,
        with_arguments: impl Fn(&mut Cmd) + Send + Sync,
    ) -> Result<T, BoxError> {
        understood(self.invoke(script, &[key], with_arguments).await)
    }

    /// Runs a script on several keys. None where the server doesn't do that: then it has to be done in steps, of which each
    /// has one key. They may follow a script that was run, so both have to know their own work again.
    pub(super) async fn run_at_one_go<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[Vec<u8>],
        with_arguments: impl Fn(&mut Cmd) + Send + Sync,
    ) -> Result<Option<T>, BoxError> {
        if self.is_cluster.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let answer = self.invoke(script, keys, with_arguments).await;
        match answer.as_ref().err().map(RedisError::kind) {
            // A cluster, and it stays one. It says so before it looks for the script, or while it moves a slot.
            Some(ErrorKind::Server(ServerErrorKind::CrossSlot | ServerErrorKind::TryAgain)) => {
                self.is_cluster.store(true, Ordering::Relaxed);
                Ok(None)
            }
            // A proxy that says it in its own words, or an account that may touch each of the keys but not both at once. Or
            // something else, and then the steps fail, too. So this is asked again the next time.
            Some(ErrorKind::Server(ServerErrorKind::ResponseError | ServerErrorKind::NoPerm)) => {
                Ok(None)
            }
            _ => understood(answer).map(Some),
        }
    }

    /// A server that has forgotten the script, or never saw it, is given its text.
    async fn invoke(
        &self,
        script: &Script,
        keys: &[Vec<u8>],
        with_arguments: impl Fn(&mut Cmd) + Send + Sync,
    ) -> Result<Value, RedisError> {
        let mut by_hash = script.by_hash(keys);
        with_arguments(&mut by_hash);
        match self.connection.ask(&by_hash).await {
            // Not `SCRIPT LOAD`: in a cluster that goes to every node, and this one may be replaced in between.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                let mut by_text = script.by_text(keys);
                with_arguments(&mut by_text);
                self.connection.ask(&by_text).await
            }
            answer => answer,
        }
    }
}

fn understood<T: FromRedisValue>(answer: Result<Value, RedisError>) -> Result<T, BoxError> {
    let answer = answer.map_err(|error| failure(&error))?;
    T::from_redis_value(answer)
        .map_err(|_| StoreError::new("redis gave an answer of another type").into())
}

/// What the types of connections have in common, fit for a `dyn`.
#[async_trait]
trait Connection: Send + Sync {
    async fn ask(&self, command: &Cmd) -> Result<Value, RedisError>;
}

#[async_trait]
impl<C: ConnectionLike + Clone + Send + Sync + 'static> Connection for C {
    async fn ask(&self, command: &Cmd) -> Result<Value, RedisError> {
        // A clone shares the socket: commands of many requests follow one another without waiting for answers.
        command.query_async(&mut self.clone()).await
    }
}

/// What a [`RedisError`] may say without telling what was sent or received: its own text can quote both.
fn failure(error: &RedisError) -> StoreError {
    let what = match error.code() {
        Some(code) if is_plain(code) => format!("the server answered {code}"),
        Some(_) => "the server answered with an error".to_owned(),
        None if error.is_timeout() => "no answer in time".to_owned(),
        None if error.is_connection_refusal() => "connection refused".to_owned(),
        None if error.is_connection_dropped() => "connection lost".to_owned(),
        None => error.category().to_owned(),
    };
    StoreError::new(format!("redis: {what}"))
}

/// Whether it looks like one of the codes with which a server's errors begin. What isn't Redis may begin with anything.
fn is_plain(code: &str) -> bool {
    (1..=20).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase())
}
