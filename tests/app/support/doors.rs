//! The two guards of a page, the extractor and the layer, for tests of both.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use axum::{Router, routing::any};
use login_manager::{LoginManager, LoginRequired, guard::LoginRequiredLayer, login_required};

use crate::support::world::{Account, Accounts, World, routes};

/// How often a guarded handler ran.
#[derive(Clone, Default)]
pub struct Runs(Arc<AtomicUsize>);

impl Runs {
    pub fn take(&self) -> usize {
        self.0.swap(0, SeqCst)
    }

    pub fn one(&self) -> &'static str {
        self.0.fetch_add(1, SeqCst);
        "secret"
    }
}

/// The two guards. Each guards every path of an application.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Door {
    Extractor,
    Layer,
}

pub const DOORS: [Door; 2] = [Door::Extractor, Door::Layer];

impl Door {
    pub fn router(self, runs: &Runs) -> Router {
        let runs = runs.clone();
        match self {
            Self::Extractor => {
                let handler = async move |_: LoginRequired<Account>| runs.one();
                Router::new()
                    .route("/me", any(handler.clone()))
                    .fallback(handler)
            }
            Self::Layer => {
                let handler = async move || runs.one();
                let open = Router::new()
                    .route("/me", any(handler.clone()))
                    .fallback(handler);
                open.layer(login_required::<Account>())
            }
        }
    }

    /// An application behind this guard, with the routes to log in below `/open`.
    pub fn world(
        self,
        configure: impl FnOnce(LoginManager<Account>) -> LoginManager<Account>,
    ) -> (World, Runs) {
        let runs = Runs::default();
        let world = World::with(
            |accounts| {
                Router::new()
                    .nest("/open", routes(accounts))
                    .merge(self.router(&runs))
            },
            configure,
        );
        (world, runs)
    }
}

pub fn with_login_page(manager: LoginManager<Account>) -> LoginManager<Account> {
    manager.with_login_page("/login")
}

/// A page behind this layer.
pub fn guarded(
    layer: LoginRequiredLayer<Account>,
    runs: &Runs,
) -> impl FnOnce(&Accounts) -> Router {
    let runs = runs.clone();
    move |accounts| {
        let handler = async move || runs.one();
        Router::new()
            .route("/me", any(handler))
            .layer(layer)
            .merge(routes_beside(accounts))
    }
}

pub fn routes_beside(accounts: &Accounts) -> Router {
    Router::new().nest("/open", routes(accounts))
}

pub const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";
