use login_manager::{AuthUser, LoginManager};

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
    let _manager = LoginManager::<Account>::new(vec![0_u8], |id| async move { Some(Account { id }) });
}
