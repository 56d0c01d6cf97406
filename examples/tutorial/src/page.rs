//! The templates, and what all pages show.

use std::{borrow::Cow, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
        request::Parts,
    },
    response::{Html, IntoResponse, Response},
};
use login_manager::{CurrentUser, flash::Flash, guard::Notice, throttle::Wait};
use minijinja::{Environment, Value, context};

use super::{accounts::Account, app::App, error::AppError};

/// The name of the site, which is not a good password either.
pub(crate) const SITE: &str = "Login tutorial";

#[derive(Clone)]
pub(crate) struct Templates(Arc<Environment<'static>>);

impl Templates {
    pub(crate) fn new() -> Result<Self, minijinja::Error> {
        let mut templates = Environment::new();
        templates.add_global("site", SITE);
        // Templates named `.html` escape every value.
        for (name, source) in [
            ("account.html", include_str!("templates/account.html")),
            ("base.html", include_str!("templates/base.html")),
            ("confirm.html", include_str!("templates/confirm.html")),
            ("error.html", include_str!("templates/error.html")),
            ("forgot.html", include_str!("templates/forgot.html")),
            ("form.html", include_str!("templates/form.html")),
            ("home.html", include_str!("templates/home.html")),
            ("logged_out.html", include_str!("templates/logged_out.html")),
            ("login.html", include_str!("templates/login.html")),
            ("password.html", include_str!("templates/password.html")),
            ("protected.html", include_str!("templates/protected.html")),
            ("register.html", include_str!("templates/register.html")),
            ("reset.html", include_str!("templates/reset.html")),
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
    fields: &'static [&'static str],
    text: Cow<'static, str>,
    /// In seconds, if there were too many attempts.
    wait: Option<u64>,
}

impl Problem {
    pub(crate) fn new(fields: &'static [&'static str], text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            fields,
            text: text.into(),
            wait: None,
        }
    }
}

impl From<Wait> for Problem {
    fn from(wait: Wait) -> Self {
        let seconds = wait.duration().as_secs() + 1;
        let time = match seconds {
            0..60 => counted(seconds, "second"),
            _ => counted(seconds.div_ceil(60), "minute"),
        };
        Self {
            wait: Some(seconds),
            ..Self::new(
                &[],
                format!("Too many attempts. Please try again in {time}."),
            )
        }
    }
}

/// `1 minute`, `2 minutes`.
pub(crate) fn counted(count: u64, unit: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// A page for this request, with the current user and the messages for them.
pub(crate) struct Page {
    templates: Templates,
    path: String,
    user: Option<Arc<Account>>,
    /// Why the visitor was redirected here.
    notice: Option<Notice>,
    flash: Flash,
}

impl Page {
    pub(crate) async fn render(
        &self,
        template: &str,
        context: Value,
    ) -> Result<Html<String>, AppError> {
        let messages = self.flash.take().await?;
        let messages = messages
            .iter()
            .map(|message| context! { level => message.level().as_str(), text => message.text() });
        let shared = context! {
            path => self.path.as_str(),
            user => self.user.as_ref().map(|user| user.name.as_str()),
            notice => self.notice.map(|notice| notice.to_string()),
            messages => messages.collect::<Vec<_>>(),
        };
        let page = self
            .templates
            .render(template, context! { ..context, ..shared })?;
        Ok(Html(page))
    }

    /// Renders the form again, with the problem.
    pub(crate) async fn again(
        &self,
        template: &str,
        problem: Problem,
        context: Value,
    ) -> Result<Response, AppError> {
        let Problem { fields, text, wait } = problem;
        let problem = context! { problem => context! { fields => fields.to_vec(), text } };
        let page = self
            .render(template, context! { ..problem, ..context })
            .await?;
        Ok(match wait {
            Some(seconds) => {
                let retry_after = [(RETRY_AFTER, seconds.to_string())];
                (StatusCode::TOO_MANY_REQUESTS, retry_after, page).into_response()
            }
            None => (StatusCode::UNPROCESSABLE_ENTITY, page).into_response(),
        })
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
            notice: Notice::from_query(parts.uri.query()),
            flash: Flash::from_request_parts(parts, app).await?,
        })
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
