//! A hyper server without axum: the manager and the guard are layers around any tower service.
//!
//! ```sh
//! cargo run -p hyper_server
//! ```
//!
//! Open <http://localhost:3000> and log in as `alice` with the password `wonderland` (in Safari, see
//! the quickstart), or use another terminal:
//!
//! ```sh
//! curl -i http://localhost:3000/dashboard                        # 401: not a page load
//! curl -i http://localhost:3000/dashboard -H 'Accept: text/html' # 303: as browsers send it
//! curl -i -c jar -d 'username=alice&password=wonderland' 'http://localhost:3000/login?next=/dashboard'
//! curl -b jar http://localhost:3000/dashboard                    # Hello, alice!
//! curl -i -b jar -X POST http://localhost:3000/logout
//! curl -i -b jar http://localhost:3000/dashboard                 # 401: logged out
//! ```

use std::{
    collections::HashMap, convert::Infallible, env, error::Error, future, pin::pin, sync::Arc,
    time::Duration,
};

use http_body_util::{BodyExt, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use login_manager::{
    Auth, AuthUser, ErrorKind, LoginManager, MemoryStore, NextPath, Passwords, login_required,
};
use tokio::{net::TcpListener, signal};
use tower::{ServiceBuilder, service_fn};
use tower_http::csrf::CsrfLayer;

#[derive(Clone)]
struct Account {
    name: String,
    password_hash: String,
}

impl AuthUser for Account {
    type Id = String;

    fn id(&self) -> String {
        self.name.clone()
    }
}

#[derive(Clone)]
struct App {
    accounts: Arc<HashMap<String, Account>>,
    passwords: Passwords,
}

/// The whole server. Tests call it too.
pub(crate) async fn serve(
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> Result<(), Box<dyn Error>> {
    let passwords = Passwords::new();
    let alice = Account {
        name: "alice".to_owned(),
        password_hash: passwords.hash("wonderland").await?,
    };
    let accounts = Arc::new(HashMap::from([(alice.id(), alice)]));
    let login_manager = LoginManager::new(MemoryStore::new(), {
        let accounts = Arc::clone(&accounts);
        move |name: String| future::ready(accounts.get(&name).cloned()) // your database
    })
    .with_realm("user")
    .with_login_page("/login");

    let app = App {
        accounts,
        passwords,
    };
    let service = ServiceBuilder::new() // the first layer is the outermost one
        .layer(CsrfLayer::new()) // rejects forms sent from other sites
        .layer(login_manager)
        // A page that is added later needs a login, too.
        .layer(login_required::<Account>().except(["/", "/login", "/logout"]))
        .service(service_fn(move |request| answer(app.clone(), request)));
    let service = TowerToHyperService::new(service);

    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()); // clients have 30 seconds to send the head of a request
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, _)) = accepted else {
            // There may be too many open files: wait until some are closed.
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        };
        let connection = server.serve_connection(TokioIo::new(stream), service.clone());
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("a connection failed: {error}");
            }
        });
    }
    connections.shutdown().await;
    Ok(())
}

/// Turns an error of the manager into a response: 503 if the store failed, for example.
async fn answer(app: App, request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let answer = route(&app, request).await;
    Ok(answer.unwrap_or_else(|error| error.response()))
}

async fn route(
    app: &App,
    request: Request<Incoming>,
) -> Result<Response<String>, login_manager::Error> {
    let auth = Auth::from_extensions(request.extensions()).ok_or(ErrorKind::NoManager)?;
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => home(&auth).await,
        (&Method::GET, "/dashboard") => dashboard(&auth).await,
        (&Method::GET, "/login") => Ok(page(StatusCode::OK, LOGIN_FORM)),
        (&Method::POST, "/login") => log_in(app, &auth, request.into_body()).await,
        (&Method::POST, "/logout") => log_out(&auth).await,
        _ => Ok(page(StatusCode::NOT_FOUND, "<p>There is no such page.</p>")),
    }
}

async fn home(auth: &Auth<Account>) -> Result<Response<String>, login_manager::Error> {
    let user = auth.user().await?;
    let name = user.as_ref().map_or("stranger", |user| &user.name);
    let text = format!(r#"<p>Hello, {name}! <a href="/dashboard">Dashboard</a></p>"#);
    Ok(page(StatusCode::OK, text))
}

async fn dashboard(auth: &Auth<Account>) -> Result<Response<String>, login_manager::Error> {
    // The guard has already looked up the user, and denied anonymous requests.
    let Some(user) = auth.user().await? else {
        return Ok(page(StatusCode::UNAUTHORIZED, ""));
    };
    let name = &user.name;
    let text = format!(
        r#"<p>Hello, {name}!</p><form method="post" action="/logout"><button>Log out</button></form>"#
    );
    Ok(page(StatusCode::OK, text))
}

/// Without an `action` the form is sent to the URL of the page, including `?next=`.
const LOGIN_FORM: &str = r#"<form method="post">
  <label>User name <input name="username" autocomplete="username" required></label>
  <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <button>Log in</button>
</form>"#;

async fn log_in(
    app: &App,
    auth: &Auth<Account>,
    body: Incoming,
) -> Result<Response<String>, login_manager::Error> {
    // Without a limit, one request could fill the memory.
    let Ok(body) = Limited::new(body, 16 * 1024).collect().await else {
        return Ok(page(
            StatusCode::BAD_REQUEST,
            "<p>The form is too long.</p>",
        ));
    };
    let body = body.to_bytes();
    let mut form: HashMap<_, _> = form_urlencoded::parse(&body).into_owned().collect();
    let account = app
        .accounts
        .get(form.get("username").map_or("", |name| name));
    let password = form.remove("password").unwrap_or_default();
    let stored = account.map(|account| &*account.password_hash);
    let verdict = match app.passwords.verify(password, stored).await {
        Ok(verdict) => verdict,
        Err(error) => return Ok(error.response()), // 503 if too many passwords are being checked
    };
    let Some(account) = account.filter(|_| verdict.is_valid()) else {
        let text = format!("<p>Wrong user name or password.</p>{LOGIN_FORM}");
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, text));
    };
    auth.login(account.clone()).await?;
    Ok(auth.next().redirect_or("/dashboard"))
}

async fn log_out(auth: &Auth<Account>) -> Result<Response<String>, login_manager::Error> {
    auth.logout().await?;
    Ok(NextPath::none().redirect_or("/"))
}

fn page(status: StatusCode, text: impl Into<String>) -> Response<String> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response
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
    let stop = async { signal::ctrl_c().await.unwrap_or_default() };
    serve(listener, stop).await
}
