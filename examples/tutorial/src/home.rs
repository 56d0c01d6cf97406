//! The home page, and a page that needs a login.

use axum::response::Html;
use login_manager::LoginRequired;
use minijinja::context;

use super::{accounts::Account, error::AppError, page::Page};

pub(crate) async fn home(page: Page) -> Result<Html<String>, AppError> {
    page.render("home.html", context! {}).await
}

pub(crate) async fn protected(
    LoginRequired(user): LoginRequired<Account>,
    page: Page,
) -> Result<Html<String>, AppError> {
    let name = user.name.as_str();
    page.render("protected.html", context! { name }).await
}
