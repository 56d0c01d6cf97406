//! Imports the users of a Flask application: its SQLite database with Werkzeug's password hashes.
//! The first login of each user replaces the hash with an argon2id hash.
//!
//! ```sh
//! cargo run -p import_users
//! ```
//!
//! `DATABASE=flaskr.db` names the database, with the table `user` of Flask's tutorial; its default
//! is `flaskr.db` in the current directory. If there is none, one with two users is created. In
//! another terminal:
//!
//! ```sh
//! curl -c jar -d 'username=alice&password=wonderland' http://localhost:3000/login  # hash renewed
//! curl -b jar http://localhost:3000/                                               # Hello, alice!
//! curl -d 'username=alice&password=wonderland' http://localhost:3000/login         # logged in
//! curl -d 'username=bob&password=wonderland' http://localhost:3000/login           # wrong
//! sqlite3 flaskr.db 'SELECT username, substr(password, 1, 30) FROM user'
//! ```
//!
//! `PORT=8080` changes the port. The Flask application can't check the renewed hashes, so stop it
//! before users log in here.

use std::{env, path::Path};

use axum::{
    Form, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use login_manager::{
    Auth, AuthUser, BoxError, LoginManager, LoginRequired, Passwords, SqliteStore, UserLoader,
};
use serde::Deserialize;
use sqlx::{
    Row as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteRow},
};
use tokio::{net::TcpListener, signal};
use tower_http::csrf::CsrfLayer;

/// A row of the table `user`, as Flask's tutorial defines it.
struct User {
    id: i64,
    username: String,
    password: String,
}

impl AuthUser for User {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }

    // There is no security stamp. The hash would be a poor one: renewing it would end the sessions.
}

#[derive(Clone)]
struct Users(SqlitePool);

impl Users {
    async fn find(&self, id: i64) -> Result<Option<User>, sqlx::Error> {
        let user = sqlx::query("SELECT * FROM user WHERE id = ?").bind(id);
        user.try_map(from_row).fetch_optional(&self.0).await
    }

    async fn find_by_name(&self, name: &str) -> Result<Option<User>, sqlx::Error> {
        let user = sqlx::query("SELECT * FROM user WHERE username = ?").bind(name);
        user.try_map(from_row).fetch_optional(&self.0).await
    }

    /// Replaces the hash that was just checked, unless the password has been changed meanwhile.
    async fn replace_hash(&self, user: &User, hash: &str) -> Result<(), sqlx::Error> {
        let sql = "UPDATE user SET password = ? WHERE id = ? AND password = ?";
        let replaced = sqlx::query(sql).bind(hash).bind(user.id);
        replaced.bind(&user.password).execute(&self.0).await?;
        Ok(())
    }
}

impl UserLoader<User> for Users {
    async fn load(&self, id: &i64) -> Result<Option<User>, BoxError> {
        Ok(self.find(*id).await?)
    }
}

fn from_row(row: SqliteRow) -> Result<User, sqlx::Error> {
    Ok(User {
        id: row.try_get("id")?,
        username: row.try_get("username")?,
        password: row.try_get("password")?,
    })
}

#[derive(Clone)]
struct App {
    users: Users,
    passwords: Passwords,
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

async fn log_in(
    State(app): State<App>,
    auth: Auth<User>,
    Form(form): Form<Credentials>,
) -> Result<Response, Failed> {
    let user = app.users.find_by_name(&form.username).await?;
    let stored = user.as_ref().map(|user| &*user.password);
    let verdict = app.passwords.verify(&*form.password, stored).await?;
    let Some(user) = user.filter(|_| verdict.is_valid()) else {
        let text = "Wrong user name or password.\n";
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, text).into_response());
    };
    // True for every hash of Werkzeug. If replacing it fails, the next login tries again.
    let is_renewed = verdict.needs_rehash() && renew(&app, &user, form.password).await.is_ok();
    auth.login(user).await?;
    let text = match is_renewed {
        true => "Logged in, and the hash was renewed.\n",
        false => "Logged in.\n",
    };
    Ok(text.into_response())
}

async fn renew(app: &App, user: &User, password: String) -> Result<(), Failed> {
    let hash = app.passwords.hash(password).await?;
    Ok(app.users.replace_hash(user, &hash).await?)
}

async fn home(LoginRequired(user): LoginRequired<User>) -> String {
    format!("Hello, {}!\n", user.username)
}

/// Any error that a handler can't deal with.
struct Failed;

impl<E: Into<BoxError>> From<E> for Failed {
    fn from(_: E) -> Self {
        Self
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    }
}

/// The whole app. Tests call it too.
pub(crate) async fn app(database: SqlitePool) -> Result<Router, BoxError> {
    let users = Users(database.clone());
    let sessions = SqliteStore::new(database); // in the same file, in a table of its own
    sessions.migrate().await?;
    let login_manager = LoginManager::new(sessions, users.clone()).with_realm("user");
    let passwords = Passwords::new();
    Ok(Router::new()
        .route("/", get(home))
        .route("/login", post(log_in))
        .layer(login_manager)
        .layer(CsrfLayer::new())
        .with_state(App { users, passwords }))
}

/// The table of Flask's tutorial with two users: alice, whose hash is from a current Werkzeug, and
/// bob, who registered when it still used PBKDF2.
const SAMPLE: &str = "
    CREATE TABLE IF NOT EXISTS user (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        username TEXT UNIQUE NOT NULL,
        password TEXT NOT NULL
    );
    INSERT INTO user (username, password) VALUES
        ('alice', 'scrypt:32768:8:1$aLhj10PPKxjVksGs$4119d1b012b52b311a4371510e8fe145b9692c5806b521379a74aee0bff17743906306fd8c985b544a2d9acd25d9f4d4b86103243bf3e6edf0a8494c5e74ae5a'),
        ('bob', 'pbkdf2:sha256:600000$iLHyLBSAlzrDXLen$8eafa0b48c6bf7f73b42641c9a47402571e3adeabdafcaa6fb8cda8fd3c8ad6f');
";

/// Opens the database, or creates one with the sample if there is none.
pub(crate) async fn open(path: impl AsRef<Path>) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(path);
    let options = options.create_if_missing(true);
    let database = SqlitePoolOptions::new().connect_with(options).await?;
    let table = "SELECT count(*) FROM sqlite_schema WHERE name = 'user'";
    let (tables,): (i64,) = sqlx::query_as(table).fetch_one(&database).await?;
    if tables == 0 {
        sqlx::raw_sql(SAMPLE).execute(&database).await?;
    }
    Ok(database)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "output for the terminal")]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt::init();
    let path = env::var("DATABASE").unwrap_or("flaskr.db".to_owned());
    let app = app(open(&path).await?).await?;
    let port: u16 = env::var("PORT").unwrap_or("3000".to_owned()).parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("Listening on http://localhost:{port}");
    axum::serve(listener, app)
        .with_graceful_shutdown(async { signal::ctrl_c().await.unwrap_or_default() })
        .await?;
    Ok(())
}
