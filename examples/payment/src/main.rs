//! A payment provider that sends the browser back by a POST from its own site.
//!
//! ```sh
//! cargo run -p payment
//! ```
//!
//! Open <http://localhost:3000>, log in, order a book and pay for it. The provider's last page
//! submits a form to `/paid`. Browsers do not send the session cookie (`SameSite=Lax`) with a POST
//! from another site, so this request is anonymous, although the user is still logged in. The
//! cookie need not be weakened for it. The handler of `/paid`
//!
//! 1. does not use the current user: the form names the order, and the handler asks the provider
//!    whether it is paid, since anyone can send such a form;
//! 2. redirects to a page of this site with `303 See Other`. Browsers send the cookie with that
//!    GET, so the user is logged in there.
//!
//! Do not keep data in the [`Session`](login_manager::Session) in such a handler. It would be
//! dropped, with an event (`DataDropped`), because the cookie of a new session would replace the
//! cookie of the login.
//!
//! The provider is a stand-in in this program, at another site (`127.0.0.1` instead of
//! `localhost`).

mod provider;

use std::{
    collections::HashMap,
    env,
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Form, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{Html, Redirect, Result},
    routing::{get, post},
};
use login_manager::{Auth, AuthUser, CurrentUser, LoginManager, LoginRequired, MemoryStore};
use serde::Deserialize;
use tokio::{net::TcpListener, signal};
use tower_http::csrf::CsrfLayer;

pub(crate) use self::provider::Provider;

struct Account {
    name: String,
}

impl AuthUser for Account {
    type Id = String;

    fn id(&self) -> String {
        self.name.clone()
    }
}

#[derive(Clone)]
struct Shop {
    provider: Provider,
    orders: Arc<Mutex<HashMap<usize, Order>>>, // your database
}

struct Order {
    buyer: String,
    is_paid: bool,
}

impl Shop {
    fn orders(&self) -> MutexGuard<'_, HashMap<usize, Order>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The whole app. Tests call it too.
pub(crate) fn app(provider: Provider) -> Router {
    let login_manager = LoginManager::new(MemoryStore::new(), |name| async move {
        Some(Account { name }) // your database
    })
    .with_realm("account")
    .with_login_page("/");

    // Any site may POST to `/paid`, as the provider does. That is safe, because its handler trusts
    // the provider and not the form.
    let csrf = CsrfLayer::new().with_insecure_bypass(|_, uri| uri.path() == "/paid");

    Router::new()
        .route("/", get(home))
        .route("/login", post(log_in))
        .route("/orders", post(order))
        .route("/orders/{number}", get(show_order))
        .route("/paid", post(paid))
        .layer(login_manager)
        .layer(csrf)
        .with_state(Shop {
            provider,
            orders: Arc::default(),
        })
}

async fn home(CurrentUser(user): CurrentUser<Account>) -> Html<String> {
    let (action, label) = match user {
        Some(_) => ("/orders", "Order a book"),
        None => ("/login", "Log in as alice"),
    };
    page(&format!(
        r#"<form method="post" action="{action}"><button>{label}</button></form>"#
    ))
}

fn page(content: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><title>Shop</title><main>{content}</main>"
    ))
}

/// Check the credentials here; see the quickstart.
async fn log_in(auth: Auth<Account>) -> Result<Redirect> {
    let name = "alice".to_owned();
    auth.login(Account { name }).await?;
    Ok(Redirect::to("/"))
}

async fn order(State(shop): State<Shop>, LoginRequired(user): LoginRequired<Account>) -> Redirect {
    let mut orders = shop.orders();
    let number = orders.len() + 1;
    let order = Order {
        buyer: user.name.clone(),
        is_paid: false,
    };
    orders.insert(number, order);
    Redirect::to(&shop.provider.payment_url(number))
}

#[derive(Deserialize)]
struct Payment {
    order: usize,
}

/// The provider sends the browser here by a POST, without the session cookie.
async fn paid(State(shop): State<Shop>, Form(payment): Form<Payment>) -> Result<Redirect> {
    let number = payment.order;
    if !shop.provider.was_paid(number) {
        return Err(StatusCode::PAYMENT_REQUIRED.into());
    }
    if let Some(order) = shop.orders().get_mut(&number) {
        order.is_paid = true;
    }
    Ok(Redirect::to(&format!("/orders/{number}")))
}

async fn show_order(
    State(shop): State<Shop>,
    LoginRequired(user): LoginRequired<Account>,
    Path(number): Path<usize>,
) -> Result<Html<String>> {
    let orders = shop.orders();
    let order = orders.get(&number);
    let order = order.filter(|order| order.buyer == user.name);
    let is_paid = order.ok_or(StatusCode::NOT_FOUND)?.is_paid;
    let status = if is_paid { "is paid" } else { "is not paid" };
    let name = &user.name;
    Ok(page(&format!("{name}, your order {number} {status}.")))
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
    let site = format!("http://localhost:{}", listener.local_addr()?.port());
    let other_listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let other_site = format!("http://{}", other_listener.local_addr()?);

    let provider = Provider::new(other_site, format!("{site}/paid"));
    println!("Listening on {site}");
    let app = axum::serve(listener, app(provider.clone()));
    let other_app = axum::serve(other_listener, provider.pages());
    tokio::select! {
        ended = app => ended?,
        ended = other_app => ended?,
        _ = signal::ctrl_c() => {}
    }
    Ok(())
}
