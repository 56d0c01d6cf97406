use login_manager::{Error, Session};

struct Cart;

async fn put(session: Session) -> Result<(), Error> {
    session.insert("cart", &Cart).await
}

fn main() {}
