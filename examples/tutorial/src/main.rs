//! The app of a login tutorial: register, log in, open a protected page, see where you are logged
//! in, change the password, request a new one by mail, log out.
//!
//! ```sh
//! cargo run -p tutorial
//! ```
//!
//! Open <http://localhost:3000>. Mails are printed here. Accounts and sessions are in `tutorial.db`
//! in the current directory, so logins survive a restart. `DATABASE=other.db` uses another file,
//! `PORT=8080` another port. Safari rejects the cookie from `http://localhost`: see the README.
//!
//! ```sh
//! alice='username=alice&password=down the rabbit hole'
//! curl -i -d "$alice&email=alice@example.com" http://localhost:3000/register
//! curl -i -c jar -d "$alice" http://localhost:3000/login
//! curl -b jar http://localhost:3000/protected
//! curl -i -b jar -X POST http://localhost:3000/logout
//! curl -d username=alice http://localhost:3000/forgot    # prints a mail with a link
//! ```
//!
//! The modules, from the outside in: `app` has the routes and layers. `home`, `registration`,
//! `login`, `reset` and `account` have a function for each page and form. `guess` checks passwords
//! and slows down those who guess them, `page` renders the templates, `error` renders failures for
//! visitors, `mail` has the mails, `accounts` is the table of users, and `database` opens the file.
//!
//! An address isn't verified here, so it is only used for mails to the user who entered it. The
//! example `password_reset` verifies addresses and changes them.

mod account;
mod accounts;
mod app;
mod database;
mod error;
mod guess;
mod home;
mod login;
mod mail;
mod page;
mod registration;
mod reset;

use std::{env, future, net::SocketAddr};

use login_manager::BoxError;
use tokio::{net::TcpListener, signal};

pub(crate) use self::{app::app, database::open, mail::Mailer};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "output for the terminal")]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt::init();
    let path = env::var_os("DATABASE").unwrap_or("tutorial.db".into());
    let database = open(&path)
        .await
        .map_err(|error| format!("can't open the database {}: {error}", path.display()))?;
    let port = env::var("PORT").unwrap_or("3000".to_owned());
    let port: u16 = port
        .parse()
        .map_err(|_| format!("PORT must be a number up to 65535, not '{port}'"))?;
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("can't listen on port {port}: {error}"))?;
    let site = format!("http://localhost:{}", listener.local_addr()?.port());
    println!("Listening on {site}");
    let mailer = Mailer::new(site, |to, text| println!("\nTo: {to}\n\n{text}\n"));
    let app = app(database, mailer).await?;
    // The throttle reads the address of the client.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
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
