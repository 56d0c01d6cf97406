//! The app of a login tutorial: register, log in, open a protected page, change the password, log
//! out.
//!
//! ```sh
//! cargo run -p tutorial
//! ```
//!
//! Open <http://localhost:3000>. Accounts and sessions are in `tutorial.db` in the current
//! directory, so logins survive a restart. `DATABASE=other.db` uses another file, `PORT=8080`
//! another port. Safari rejects the cookie from `http://localhost`: see the README.
//!
//! ```sh
//! curl -i -d 'username=alice&password=wonderland' http://localhost:3000/register
//! curl -i -c jar -d 'username=alice&password=wonderland' http://localhost:3000/login
//! curl -b jar http://localhost:3000/protected
//! curl -i -b jar -X POST http://localhost:3000/logout
//! ```
//!
//! The modules: `app` has the routes and layers, `handlers` a function for each form and page,
//! `database` opens the file, `accounts` is the table of users, `sessions` lists the browsers of a
//! user, `page` renders the templates, and `error` renders failures for visitors.

mod accounts;
mod app;
mod database;
mod error;
mod handlers;
mod page;
mod sessions;

use std::{env, future};

use login_manager::BoxError;
use tokio::{net::TcpListener, signal};

pub(crate) use self::{app::app, database::open};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "output for the terminal")]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt::init();
    let path = env::var_os("DATABASE").unwrap_or("tutorial.db".into());
    let database = open(&path)
        .await
        .map_err(|error| format!("can't open the database {}: {error}", path.display()))?;
    let app = app(database).await?;

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
        // There is no such signal here: run until killed.
        future::pending::<()>().await;
    }
}
