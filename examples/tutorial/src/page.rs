//! Pages: the templates, and what all of them show.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Query},
    http::{StatusCode, Uri, header::CONTENT_TYPE, request::Parts},
    response::{Html, IntoResponse, Response},
};
use login_manager::{CurrentUser, Notice};
use minijinja::{Environment, Value, context};
use serde::Deserialize;

use super::{accounts::Account, app::App, error::AppError};

#[derive(Clone)]
pub(crate) struct Templates(Arc<Environment<'static>>);

impl Templates {
    pub(crate) fn new() -> Result<Self, minijinja::Error> {
        let mut templates = Environment::new();
        // In a template named .html everything is escaped.
        for (name, source) in [
            ("account.html", include_str!("templates/account.html")),
            ("base.html", include_str!("templates/base.html")),
            ("confirm.html", include_str!("templates/confirm.html")),
            ("error.html", include_str!("templates/error.html")),
            ("form.html", include_str!("templates/form.html")),
            ("home.html", include_str!("templates/home.html")),
            ("login.html", include_str!("templates/login.html")),
            ("protected.html", include_str!("templates/protected.html")),
            ("register.html", include_str!("templates/register.html")),
        ] {
            templates.add_template(name, source)?;
        }
        Ok(Self(Arc::new(templates)))
    }

    pub(crate) fn render(
        &self,
        template: &str,
        context: Value,
    ) -> Result<String, minijinja::Error> {
        self.0.get_template(template)?.render(context)
    }
}

/// A page of this request: it knows who is looking, and what to tell who was redirected here.
pub(crate) struct Page {
    templates: Templates,
    user: Option<Arc<Account>>,
    message: Option<String>,
}

impl Page {
    pub(crate) fn render(&self, template: &str, context: Value) -> Result<Html<String>, AppError> {
        let user = self.user.as_ref().map(|user| user.name.as_str());
        let message = self.message.as_deref();
        let page = self
            .templates
            .render(template, context! { user, message, ..context })?;
        Ok(Html(page))
    }

    /// The form once more, with what is wrong with it.
    pub(crate) fn again(&self, template: &str, context: Value) -> Result<Response, AppError> {
        let page = self.render(template, context)?;
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
    }
}

impl FromRequestParts<App> for Page {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let CurrentUser(user) = CurrentUser::from_request_parts(parts, app).await?;
        Ok(Self {
            templates: app.templates.clone(),
            user,
            message: message(&parts.uri),
        })
    }
}

/// The address only names the message: a link can't make our pages say what its author likes.
fn message(uri: &Uri) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        message: String,
    }

    if let Some(notice) = Notice::from_query(uri.query()) {
        return Some(notice.to_string());
    }
    let Query(Named { message }) = Query::try_from_uri(uri).ok()?;
    match &*message {
        "registered" => Some("Account created, please log in.".to_owned()),
        "password-changed" => {
            Some("Your password is changed; other browsers are logged out.".to_owned())
        }
        "logged-out" => Some("You have been logged out.".to_owned()),
        _ => None,
    }
}

/// A file of its own, so that the content security policy needs no exception for inline styles.
pub(crate) async fn style() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("templates/style.css"),
    )
}
