//! The app of a login tutorial: register, log in, see a page of your own, log out.
//!
//! ```sh
//! cargo run --example tutorial
//! ```
//!
//! Open <http://localhost:3000>. The accounts are in `tutorial.db` in the current directory (`DATABASE=other.db` puts
//! them elsewhere, `PORT=8080` listens there), the sessions in memory: they end when the server does.
//!
//! ```sh
//! curl -i -d 'username=alice&password=wonderland' http://localhost:3000/register
//! curl -i -c jar -d 'username=alice&password=wonderland' http://localhost:3000/login
//! curl -b jar http://localhost:3000/protected
//! curl -i -b jar -X POST http://localhost:3000/logout
//! ```
//!
//! Where to look: `app` puts it together, `handlers` has a function per form and page, `accounts` is the database,
//! `page` renders the templates, `error` is what visitors see when something fails.

mod accounts;
mod app;
mod error;
mod handlers;
mod page;

use std::{env, error::Error, future};

use tokio::{net::TcpListener, signal};

pub(crate) use self::{accounts::Accounts, app::app};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "for whoever started it")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt::init();
    let path = env::var_os("DATABASE").unwrap_or("tutorial.db".into());
    let accounts = Accounts::open(&path)
        .await
        .map_err(|error| format!("can't open the database {}: {error}", path.display()))?;
    let app = app(accounts)?;

    let port = env::var("PORT").unwrap_or("3000".to_owned());
    let port: u16 = port
        .parse()
        .map_err(|_| format!("PORT must be a number up to 65535, not '{port}'"))?;
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("can't listen on port {port}: {error}"))?;
    println!(
        "Listening on http://localhost:{}",
        listener.local_addr()?.port()
    );
    axum::serve(listener, app)
        .with_graceful_shutdown(ctrl_c())
        .await?;
    Ok(())
}

async fn ctrl_c() {
    if signal::ctrl_c().await.is_err() {
        // It can't be waited for here: run until killed.
        future::pending::<()>().await;
    }
}
