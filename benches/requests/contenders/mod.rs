//! The contenders, which guard the same site: `GET /public`, `GET /private`, `POST /login/{id}` and
//! `POST /logout`.

mod axum_login;
mod axum_session;
mod bare;
mod cookie;
mod floor;
mod hs256;
mod jwt;
mod login_manager;

use axum::Router;

use crate::users::Users;

pub(crate) use login_manager::site_with_passwords;

/// What guards a site.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contender {
    /// The router without auth, which is subtracted from all others.
    Bare,
    /// The same again: the difference is the noise.
    BareAgain,
    Floor,
    LoginManager,
    LoginManagerLayer,
    AxumLogin,
    AxumSessionAuth,
    Jwt,
}

impl Contender {
    pub(crate) const ALL: [Self; 8] = [
        Self::Bare,
        Self::BareAgain,
        Self::Floor,
        Self::LoginManager,
        Self::LoginManagerLayer,
        Self::AxumLogin,
        Self::AxumSessionAuth,
        Self::Jwt,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::BareAgain => "bare (again)",
            Self::Floor => "floor",
            Self::LoginManager => "login_manager",
            Self::LoginManagerLayer => "login_manager (layer)",
            Self::AxumLogin => "axum-login",
            Self::AxumSessionAuth => "axum_session_auth",
            Self::Jwt => "jwt",
        }
    }

    pub(crate) fn is_bare(self) -> bool {
        matches!(self, Self::Bare | Self::BareAgain)
    }

    /// Whether a copy of the cookie is invalid after the logout. A JWT is valid until it expires.
    pub(crate) fn ends_sessions(self) -> bool {
        self != Self::Jwt
    }

    /// Creates a site without sessions, finished as `axum::serve` does it.
    pub(crate) async fn site(self, users: &Users) -> Router {
        let users = users.clone();
        let site = match self {
            Self::Bare | Self::BareAgain => bare::site(users),
            Self::Floor => floor::site(users),
            Self::LoginManager => login_manager::site(users),
            Self::LoginManagerLayer => login_manager::site_with_layer(users),
            Self::AxumLogin => axum_login::site(users),
            Self::AxumSessionAuth => axum_session::site(users).await,
            Self::Jwt => jwt::site(users),
        };
        site.with_state(())
    }
}

/// The public page.
async fn public() -> &'static str {
    "public"
}
