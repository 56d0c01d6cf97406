//! Roles and permissions: on routes, on single objects, and in templates.
//!
//! ```sh
//! cargo run -p permissions
//! ```
//!
//! Open <http://localhost:3000> and log in as one of three users; there are no passwords in this
//! example. Or use another terminal:
//!
//! ```sh
//! curl -c jar -X POST http://localhost:3000/login/bob        # a writer
//! curl -b jar -X POST http://localhost:3000/articles/1/edit  # 200: his own article
//! curl -b jar -X POST http://localhost:3000/articles/2/edit -i         # 403: Carol's
//! curl -b jar http://localhost:3000/roles -i                 # 403: for admins only
//! curl -c admin -X POST http://localhost:3000/login/alice
//! curl -b admin -d role=admin http://localhost:3000/roles/bob  # applies to Bob's next request
//! curl -b jar http://localhost:3000/roles                    # 200
//! ```
//!
//! The roles are part of the user, whom the loader reads from the database in each request. So a
//! role that is granted or withdrawn counts from the next request on, without a new login. Don't
//! copy roles into the session.

use std::{
    collections::HashMap,
    env,
    error::Error,
    future::ready,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Form, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{Html, Redirect, Result},
    routing::{get, post},
};
use login_manager::{
    Auth, AuthUser, CurrentUser, LoginManager, LoginRequired, MemoryStore, login_required,
};
use minijinja::{context, render};
use serde::Deserialize;
use tokio::{net::TcpListener, signal};
use tower_http::csrf::CsrfLayer;

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    Reader,
    Writer,
    Admin,
}

#[derive(Clone, Copy, PartialEq)]
enum Permission {
    Write,
    ManageRoles,
}

impl Role {
    /// The one place that says which role may do what.
    fn permits(self, permission: Permission) -> bool {
        match permission {
            Permission::Write => matches!(self, Self::Writer | Self::Admin),
            Permission::ManageRoles => self == Self::Admin,
        }
    }
}

#[derive(Clone)]
struct Account {
    name: String,
    role: Role,
}

impl Account {
    fn may(&self, permission: Permission) -> bool {
        self.role.permits(permission)
    }

    /// Writers edit their own articles, admins all of them.
    fn may_edit(&self, author: &str) -> bool {
        self.may(Permission::Write) && (self.name == author || self.role == Role::Admin)
    }
}

impl AuthUser for Account {
    type Id = String;

    fn id(&self) -> String {
        self.name.clone()
    }
}

/// Stands for a database.
#[derive(Clone)]
struct Database {
    roles: Arc<Mutex<HashMap<String, Role>>>,
    /// The authors of the articles.
    articles: Arc<HashMap<u32, &'static str>>,
}

impl Database {
    fn new() -> Self {
        let roles = [
            ("alice", Role::Admin),
            ("bob", Role::Writer),
            ("carol", Role::Writer),
            ("dave", Role::Reader),
        ];
        let roles = roles.map(|(name, role)| (name.to_owned(), role));
        Self {
            roles: Arc::new(Mutex::new(HashMap::from(roles))),
            articles: Arc::new(HashMap::from([(1, "bob"), (2, "carol")])),
        }
    }

    fn find(&self, name: &str) -> Option<Account> {
        let roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        let role = *roles.get(name)?;
        Some(Account {
            name: name.to_owned(),
            role,
        })
    }

    /// Returns whether there is such a user.
    fn set_role(&self, name: &str, role: Role) -> bool {
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        roles.get_mut(name).map(|old| *old = role).is_some()
    }
}

/// The whole app. Tests call it too.
pub(crate) fn app() -> Router {
    let database = Database::new();
    let accounts = database.clone();
    let login_manager = LoginManager::new(MemoryStore::new(), move |name: String| {
        ready(accounts.find(&name))
    })
    .with_realm("account");

    // A guard on a part of the router: whatever is added to it later is guarded, too.
    let admin = Router::new()
        .route("/roles", get(roles))
        .route("/roles/{name}", post(set_role))
        .route_layer(login_required::<Account>().and(|user| user.may(Permission::ManageRoles)));

    Router::new()
        .route("/", get(home))
        .route("/articles/{id}/edit", post(edit))
        .route("/login/{name}", post(log_in))
        .merge(admin)
        .layer(login_manager)
        .layer(CsrfLayer::new())
        .with_state(database)
}

const HOME: &str = r#"<!doctype html><title>Articles</title>
{% if user %}<p>Hello, {{ user }}!</p>{% endif %}
{% if may_manage_roles %}<p><a href="/roles">Roles</a></p>{% endif %}
{% for article in articles %}
<p>Article {{ article.id }} by {{ article.author }}
{% if article.may_edit %}<form method="post" action="/articles/{{ article.id }}/edit"><button>Edit</button></form>{% endif %}</p>
{% endfor %}
{% for name in ["alice", "bob", "carol", "dave"] %}
<form method="post" action="/login/{{ name }}"><button>Log in as {{ name }}</button></form>
{% endfor %}"#;

/// The same functions decide whether a button is shown and whether it works.
async fn home(
    State(database): State<Database>,
    CurrentUser(user): CurrentUser<Account>,
) -> Result<Html<String>, StatusCode> {
    let user = user.as_deref();
    let mut articles: Vec<_> = database.articles.iter().collect();
    articles.sort();
    let articles: Vec<_> = articles
        .into_iter()
        .map(|(id, author)| {
            let may_edit = user.is_some_and(|user| user.may_edit(author));
            context! { id => *id, author => *author, may_edit }
        })
        .collect();
    let page = render!(
        HOME,
        user => user.map(|user| &user.name),
        may_manage_roles => user.is_some_and(|user| user.may(Permission::ManageRoles)),
        articles
    );
    Ok(Html(page))
}

/// A permission that depends on the object is checked where the object is loaded.
async fn edit(
    State(database): State<Database>,
    Path(id): Path<u32>,
    LoginRequired(user): LoginRequired<Account>,
) -> Result<String, StatusCode> {
    let author = database.articles.get(&id).ok_or(StatusCode::NOT_FOUND)?;
    if !user.may_edit(author) {
        return Err(StatusCode::FORBIDDEN);
    }
    Ok(format!("{} edits article {id}.", user.name))
}

async fn roles(State(database): State<Database>) -> String {
    let roles = database
        .roles
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let mut lines: Vec<_> = roles
        .iter()
        .map(|(name, role)| format!("{name}: {role:?}\n"))
        .collect();
    lines.sort();
    lines.concat()
}

#[derive(Deserialize)]
struct Granted {
    role: Role,
}

async fn set_role(
    State(database): State<Database>,
    Path(name): Path<String>,
    Form(Granted { role }): Form<Granted>,
) -> StatusCode {
    match database.set_role(&name, role) {
        true => StatusCode::NO_CONTENT,
        false => StatusCode::NOT_FOUND,
    }
}

async fn log_in(
    State(database): State<Database>,
    Path(name): Path<String>,
    auth: Auth<Account>,
) -> Result<Redirect> {
    let account = database.find(&name).ok_or(StatusCode::NOT_FOUND)?;
    auth.login(account).await?;
    Ok(Redirect::to("/"))
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "output for the terminal")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt::init();
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
    axum::serve(listener, app())
        .with_graceful_shutdown(async { signal::ctrl_c().await.unwrap_or_default() })
        .await?;
    Ok(())
}
