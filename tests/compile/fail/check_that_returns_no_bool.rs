use std::sync::Arc;

use http::request::Parts;
use login_manager::{AuthUser, login_required};

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

fn main() {
    let _guard = login_required::<Account>().and_authorize(|_: Arc<Account>, _: &Parts| async { 1 });
}
