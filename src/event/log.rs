//! How events are logged.

use super::{Event, EventKind};

/// The docs of [`Event`] promise it.
const TARGET: &str = "login_manager::event";

impl Event {
    pub(crate) fn trace(&self) {
        let (kind, realm) = (self.kind, &*self.realm);
        let (user_id, session_id) = (
            self.user_id.as_deref(),
            self.session_id.map(tracing::field::display),
        );
        let actor_id = self.actor_id.as_deref().map(tracing::field::debug);
        let api_key_id = self.api_key_id.map(tracing::field::display);
        let (purpose, cause) = (
            self.purpose,
            self.cause.as_ref().and_then(super::Cause::for_logs),
        );
        match kind {
            EventKind::RememberTheft
            | EventKind::StoreFailed
            | EventKind::LoaderFailed
            | EventKind::AuthorizeFailed
            | EventKind::WrongUser
            | EventKind::Unreadable
            | EventKind::LogoutIncomplete => {
                tracing::warn!(
                    target: TARGET,
                    ?kind,
                    realm,
                    ?user_id,
                    session_id,
                    actor_id,
                    cause,
                    "session"
                );
            }
            EventKind::TokenNotSent => {
                tracing::warn!(target: TARGET, ?kind, realm, ?user_id, purpose, cause, "token");
            }
            EventKind::TokenIssued | EventKind::TokenRedeemed => {
                tracing::info!(target: TARGET, ?kind, realm, ?user_id, purpose, "token");
            }
            EventKind::TokenRefused(_) => {
                tracing::debug!(target: TARGET, ?kind, realm, ?user_id, purpose, "token");
            }
            EventKind::LoggedIn
            | EventKind::LoggedOut
            | EventKind::Confirmed
            | EventKind::ImpersonationStarted
            | EventKind::ImpersonationEnded
            | EventKind::Restored
            | EventKind::Revoked
            | EventKind::NewBrowser
            | EventKind::LoginRejected => {
                tracing::info!(target: TARGET, ?kind, realm, ?user_id, session_id, actor_id, "session");
            }
            EventKind::ApiKeyCreated | EventKind::ApiKeyRevoked => {
                tracing::info!(target: TARGET, ?kind, realm, ?user_id, api_key_id, "API key");
            }
            EventKind::ApiKeyUsed | EventKind::ApiKeyRefused(_) => {
                tracing::debug!(target: TARGET, ?kind, realm, ?user_id, api_key_id, "API key");
            }
            EventKind::Resolved => {
                tracing::trace!(target: TARGET, ?kind, realm, ?user_id, session_id, actor_id, "session");
            }
            _ => {
                tracing::debug!(target: TARGET, ?kind, realm, ?user_id, session_id, actor_id, "session");
            }
        }
    }
}
