//! What visitors see if something fails, without the cause.

use axum::{
    body::Body,
    extract::State,
    http::{
        StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use login_manager::password::PasswordError;
use minijinja::context;

use super::page::Templates;

/// An error that a handler can't handle. Its cause is only logged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppError {
    #[error("the account database failed")]
    Database(#[from] sqlx::Error),
    #[error("a password could not be hashed or checked")]
    Password(#[from] PasswordError),
    #[error("the current user could not be looked up or changed")]
    Login(#[from] login_manager::Error),
    #[error("a page could not be rendered")]
    Template(#[from] minijinja::Error),
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        tracing::error!(error = &self as &dyn std::error::Error, "a request failed");
        match self {
            Self::Login(error) => error.into_response(),
            Self::Password(error) => error.into_response(),
            Self::Database(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")]).into_response()
            }
            Self::Template(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// Renders a page for every error that is only a status, whether from a handler, a layer or the
/// router.
pub(crate) async fn page(State(templates): State<Templates>, mut response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || response.headers().contains_key(CONTENT_TYPE) {
        return response;
    }
    let context = context! { title => status.canonical_reason(), advice => advice(status) };
    match templates.render("error.html", context) {
        Ok(page) => {
            *response.body_mut() = Body::from(page);
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, html);
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "no error page"),
    }
    response
}

fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "Please log in first.",
        StatusCode::FORBIDDEN => {
            "This form was not sent from one of our own pages, so it was rejected."
        }
        StatusCode::NOT_FOUND => "There is no page at this address.",
        StatusCode::SERVICE_UNAVAILABLE => "This is our fault. Please try again in a moment.",
        status if status.is_server_error() => "This is our fault, and it has been logged.",
        _ => "This request can't be processed.",
    }
}
