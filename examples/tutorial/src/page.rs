//! The templates, and what all pages show.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Query},
    http::{StatusCode, Uri, header::CONTENT_TYPE, request::Parts},
    response::{Html, IntoResponse, Response},
};
use login_manager::{CurrentUser, guard::Notice};
use minijinja::{Environment, Value, context};
use serde::Deserialize;

use super::{accounts::Account, app::App, error::AppError};

#[derive(Clone)]
pub(crate) struct Templates(Arc<Environment<'static>>);

impl Templates {
    pub(crate) fn new() -> Result<Self, minijinja::Error> {
        let mut templates = Environment::new();
        // Templates named `.html` escape every value.
        for (name, source) in [
            ("account.html", include_str!("templates/account.html")),
            ("base.html", include_str!("templates/base.html")),
            ("confirm.html", include_str!("templates/confirm.html")),
            ("error.html", include_str!("templates/error.html")),
            ("form.html", include_str!("templates/form.html")),
            ("home.html", include_str!("templates/home.html")),
            ("login.html", include_str!("templates/login.html")),
            ("password.html", include_str!("templates/password.html")),
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

/// What is wrong with a form, and in which fields. The first of these fields gets the focus.
pub(crate) struct Problem {
    pub(crate) text: &'static str,
    pub(crate) fields: Vec<&'static str>,
}

/// A page for this request, with the current user and the message for a visitor who was redirected
/// here.
pub(crate) struct Page {
    templates: Templates,
    path: String,
    user: Option<Arc<Account>>,
    message: Option<String>,
}

impl Page {
    pub(crate) fn render(&self, template: &str, context: Value) -> Result<Html<String>, AppError> {
        let path = self.path.as_str();
        let user = self.user.as_ref().map(|user| user.name.as_str());
        let message = self.message.as_deref();
        let page = self
            .templates
            .render(template, context! { path, user, message, ..context })?;
        Ok(Html(page))
    }

    /// Renders the form again, with the problem.
    pub(crate) fn again(
        &self,
        template: &str,
        problem: Problem,
        context: Value,
    ) -> Result<Response, AppError> {
        let Problem { text, fields } = problem;
        let problem = context! { text, fields };
        let page = self.render(template, context! { problem, ..context })?;
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
    }
}

impl FromRequestParts<App> for Page {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let CurrentUser(user) = CurrentUser::from_request_parts(parts, app).await?;
        Ok(Self {
            templates: app.templates.clone(),
            path: parts.uri.path().to_owned(),
            user,
            message: message(&parts.uri),
        })
    }
}

/// The message that the URL names. The URL does not contain the text itself, so a link can't put
/// arbitrary text on our pages.
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
            Some("Your password has been changed. All other browsers are logged out.".to_owned())
        }
        "others-logged-out" => Some("All other browsers have been logged out.".to_owned()),
        "logged-out" => Some("You have been logged out.".to_owned()),
        _ => None,
    }
}

/// The style sheet, the script and the icon are separate files, so that the content security policy
/// needs no exception for inline code.
pub(crate) async fn style() -> impl IntoResponse {
    let css = include_str!("templates/style.css");
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], css)
}

/// The script is optional: every page works without it.
pub(crate) async fn script() -> impl IntoResponse {
    let javascript = include_str!("templates/script.js");
    (
        [(CONTENT_TYPE, "text/javascript; charset=utf-8")],
        javascript,
    )
}

pub(crate) async fn icon() -> impl IntoResponse {
    let svg = include_str!("templates/icon.svg");
    ([(CONTENT_TYPE, "image/svg+xml")], svg)
}
