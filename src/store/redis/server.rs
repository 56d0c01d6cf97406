//! The way to the server, whatever kind of connection leads there.

use std::sync::Arc;

use async_trait::async_trait;
use redis::{
    Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, Value, aio::ConnectionLike,
};

use super::script::Script;
use crate::error::BoxError;

#[derive(Clone)]
pub(super) struct Server(Arc<dyn Connection>);

impl Server {
    pub(super) fn new(connection: impl ConnectionLike + Clone + Send + Sync + 'static) -> Self {
        Self(Arc::new(connection))
    }

    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, BoxError> {
        understood(self.0.ask(command).await.map_err(RedisFailed::from)?)
    }

    /// Runs a script on a key. A server that has forgotten it, or never saw it, is given its text.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        key: &[u8],
        with_arguments: impl Fn(&mut Cmd) + Send + Sync,
    ) -> Result<T, BoxError> {
        let mut by_hash = script.by_hash(key);
        with_arguments(&mut by_hash);
        let answer = match self.0.ask(&by_hash).await {
            // Not `SCRIPT LOAD`: in a cluster that goes to every node, and this one may be replaced in between.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                let mut by_text = script.by_text(key);
                with_arguments(&mut by_text);
                self.0.ask(&by_text).await
            }
            answer => answer,
        };
        understood(answer.map_err(RedisFailed::from)?)
    }
}

fn understood<T: FromRedisValue>(answer: Value) -> Result<T, BoxError> {
    T::from_redis_value(answer).map_err(|_| "redis gave an answer of another type".into())
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
#[derive(Debug, thiserror::Error)]
#[error("redis: {what}")]
struct RedisFailed {
    what: String,
}

impl From<RedisError> for RedisFailed {
    fn from(error: RedisError) -> Self {
        let what = match error.code() {
            Some(code) => format!("the server answered {code}"),
            None if error.is_timeout() => "no answer in time".to_owned(),
            None if error.is_connection_refusal() => "connection refused".to_owned(),
            None if error.is_connection_dropped() => "connection lost".to_owned(),
            None => error.category().to_owned(),
        };
        Self { what }
    }
}
