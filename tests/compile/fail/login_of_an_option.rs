use login_manager::{Auth, AuthUser, Error};

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

async fn log_in(auth: Auth<Account>, account: Option<Account>) -> Result<(), Error> {
    auth.login(account).await?;
    Ok(())
}

fn main() {}
