use login_manager::{AuthUser, LoginManager, MemoryStore};

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
    static ALICE: Account = Account { id: 1 };
    let _manager = LoginManager::<Account>::new(MemoryStore::new(), |_id| async { Some(&ALICE) });
}
