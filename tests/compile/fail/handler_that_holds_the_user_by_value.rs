use axum::{Router, routing::get};
use login_manager::{AuthUser, LoginRequired};

#[derive(Clone)]
struct Account {
    id: i64,
}

impl AuthUser for Account {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }
}

async fn page(LoginRequired(account): LoginRequired<Account>) -> String {
    take(account)
}

fn take(account: Account) -> String {
    account.id.to_string()
}

fn main() {
    let _app: Router = Router::new().route("/", get(page));
}
