//! The configuration of a manager, besides its realm.

use std::sync::Arc;

use http::request::Parts;

use crate::{
    api_key::ApiKeySettings, denied::DeniedConfig, loader::Loaders, protection::Fingerprint,
    user::AuthUser,
};

/// They share one `Arc`, since every request clones it.
pub(crate) struct Settings<U: AuthUser> {
    pub(crate) loaders: Loaders<U>,
    pub(crate) api_keys: Option<Arc<ApiKeySettings>>,
    pub(crate) denied: DeniedConfig,
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) without_touch: Option<Arc<WithoutTouch>>,
}

/// Whether a request reads the session without extending it.
pub(crate) type WithoutTouch = dyn Fn(&Parts) -> bool + Send + Sync;

impl<U: AuthUser> Clone for Settings<U> {
    fn clone(&self) -> Self {
        Self {
            loaders: self.loaders.clone(),
            api_keys: self.api_keys.clone(),
            denied: self.denied.clone(),
            fingerprint: self.fingerprint.clone(),
            without_touch: self.without_touch.clone(),
        }
    }
}
