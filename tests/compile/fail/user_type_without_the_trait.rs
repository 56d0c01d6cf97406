use axum::{Router, routing::get};
use login_manager::LoginRequired;

struct Account;

async fn page(LoginRequired(_account): LoginRequired<Account>) {}

fn main() {
    let _app: Router = Router::new().route("/", get(page));
}
