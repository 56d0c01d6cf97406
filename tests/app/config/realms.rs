//! Several realms in one application and one store are independent.

use std::{collections::BTreeSet, marker::PhantomData, time::Duration};

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use login_manager::{
    Auth, AuthUser, CurrentUser, Error, LoginManager, LoginRequired, MemoryStore, Session,
    login_required, testing::TestClock,
};

use crate::support::{
    browser::Browser,
    faulty_store::{Call, Fault, FaultyStore},
    world::{Named, People},
};

macro_rules! user_type {
    ($name:ident) => {
        #[derive(Clone)]
        pub struct $name(pub i64);

        impl AuthUser for $name {
            type Id = i64;

            fn id(&self) -> i64 {
                self.0
            }
        }
    };
}

user_type!(Customer);
user_type!(Admin);

mod elsewhere {
    use login_manager::AuthUser;

    user_type!(Admin);
}

/// Customers 1 and 2 below `/shop`, admins 1 and 2 below `/office`, `/put` and `/get` for
/// everybody's data. The customers' manager is the inner one.
fn app(store: &MemoryStore) -> Router {
    let (customers, admins) = (
        People::new([1, 2].map(Customer)),
        People::new([1, 2].map(Admin)),
    );
    let both = async |CurrentUser(customer): CurrentUser<Customer>,
                      CurrentUser(admin): CurrentUser<Admin>| {
        format!(
            "{:?} {:?}",
            customer.map(|user| user.0),
            admin.map(|user| user.0)
        )
    };
    Router::new()
        .nest("/shop", customers.routes())
        .nest("/office", admins.routes())
        .route("/both", get(both))
        .route("/innermost/{value}", post(put_innermost).get(get_innermost))
        .route("/of/{whose}/{value}", post(put_of).get(get_of))
        .route(
            "/needs-both",
            get(|_: LoginRequired<Customer>, _: LoginRequired<Admin>| async { "both" }),
        )
        .merge(
            Router::new()
                .route("/layered", get(|| async { "admin" }))
                .route_layer(login_required::<Admin>()),
        )
        .layer(
            customers
                .manager(store.clone())
                .with_login_page("/shop/login"),
        )
        .layer(
            admins
                .manager(store.clone())
                .with_login_page("/office/login"),
        )
}

async fn put_innermost(session: Session, Path(value): Path<String>) -> Result<(), Error> {
    session.insert("key", &value).await
}

async fn get_innermost(session: Session) -> Result<String, Error> {
    Ok(session.get("key").await?.unwrap_or_default())
}

fn session_of(whose: &str, customer: &Auth<Customer>, admin: &Auth<Admin>) -> Session {
    match whose {
        "customer" => customer.session(),
        _ => admin.session(),
    }
}

async fn put_of(
    customer: Auth<Customer>,
    admin: Auth<Admin>,
    Path((whose, value)): Path<(String, String)>,
) -> Result<(), Error> {
    session_of(&whose, &customer, &admin)
        .insert("key", &value)
        .await
}

async fn get_of(
    customer: Auth<Customer>,
    admin: Auth<Admin>,
    Path((whose, _)): Path<(String, String)>,
) -> Result<String, Error> {
    let value = session_of(&whose, &customer, &admin).get("key").await?;
    Ok(value.unwrap_or_default())
}

#[tokio::test]
async fn users_of_two_types_with_equal_ids_are_independent() {
    let store = MemoryStore::new();
    let mut browser = Browser::new(app(&store));
    assert_eq!(browser.post("/shop/login/0").await.set_cookies().len(), 1);
    assert_eq!(browser.cookie_names(), ["__Host-customer-session"]);
    assert_eq!(browser.get("/both").await.body, "Some(1) None");
    assert_eq!(
        browser.get("/office/me").await.location(),
        "/office/login?next=/office/me&notice=login"
    );
    assert_eq!(
        browser.get("/layered").await.location(),
        "/office/login?next=/layered&notice=login"
    );

    assert_eq!(browser.post("/office/login/0").await.set_cookies().len(), 1);
    assert_eq!(
        browser.cookie_names(),
        ["__Host-admin-session", "__Host-customer-session"]
    );
    assert_eq!(browser.get("/both").await.body, "Some(1) Some(1)");
    assert_eq!(browser.get("/needs-both").await.body, "both");
    assert_eq!(browser.get("/layered").await.body, "admin");
    assert_eq!(store.len(), 2);

    let owners: Vec<_> = store
        .records()
        .into_iter()
        .map(|record| record.owner)
        .collect();
    assert_ne!(owners[0], owners[1]);
}

#[tokio::test]
async fn cookie_of_one_realm_opens_and_ends_nothing_in_another() {
    let store = MemoryStore::new();
    let mut browser = Browser::new(app(&store));
    browser.post("/shop/login/0").await;
    browser.post("/office/login/1").await;
    let [admin, customer] =
        ["admin-session", "customer-session"].map(|name| browser.cookie(name).unwrap());
    let mut swapped = browser.another();
    swapped.plant("__Host-admin-session", &customer);
    swapped.plant("__Host-customer-session", &admin);
    assert_eq!(swapped.get("/both").await.body, "None None");
    assert_eq!(
        swapped.get("/office/why").await.body,
        "Some(UnknownSession)"
    );
    assert_eq!(store.len(), 2, "and trying it ends nothing");
    assert_eq!(browser.get("/both").await.body, "Some(1) Some(2)");
}

#[tokio::test]
async fn verbs_of_one_realm_leave_the_other_alone() {
    let store = MemoryStore::new();
    let mut browser = Browser::new(app(&store));
    browser.post("/shop/login/0").await;
    browser.post("/office/login/0").await;
    let customer = browser.cookie("customer-session");
    for (verb, both) in [
        ("/office/login/1", "Some(1) Some(2)"),
        ("/office/login/0", "Some(1) Some(1)"),
        ("/office/logout", "Some(1) None"),
    ] {
        let answer = browser.post(verb).await;
        assert_eq!(answer.status, 200);
        assert!(
            answer
                .set_cookies()
                .iter()
                .all(|set| set.starts_with("__Host-admin-")),
            "{verb}"
        );
        assert_eq!(browser.get("/both").await.body, both, "{verb}");
        assert_eq!(browser.cookie("customer-session"), customer, "{verb}");
    }
    browser.post("/office/login/0").await;
    browser.post("/shop/logout").await;
    assert_eq!(browser.get("/both").await.body, "None Some(1)");
    let has_owner = |record: &&login_manager::store::SessionRecord| record.owner.is_some();
    let records = store.records();
    let closed = records.iter().filter(has_owner).count() - 1;
    assert_eq!(
        closed, 2,
        "alice's and bob's sessions in the office, for the grace"
    );
}

#[tokio::test]
async fn logins_to_two_realms_in_one_handler_set_two_cookies() {
    let login = async |customer: Auth<Customer>, admin: Auth<Admin>| {
        customer.login(Customer(1)).await?;
        admin.login(Admin(2)).await?;
        customer.rotate().await
    };
    let store = MemoryStore::new();
    let (customers, admins) = (
        People::new([1, 2].map(Customer)),
        People::new([1, 2].map(Admin)),
    );
    let app = Router::new()
        .route("/login", post(login))
        .nest("/shop", customers.routes())
        .nest("/office", admins.routes());
    let app = app
        .layer(customers.manager(store.clone()))
        .layer(admins.manager(store.clone()));
    let mut browser = Browser::new(app);
    let answer = browser.post("/login").await;
    assert_eq!(answer.set_cookies().len(), 2);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(browser.get("/shop/who").await.body, "<1>");
    assert_eq!(browser.get("/office/who").await.body, "<2>");
    assert_eq!(store.len(), 2);
}

#[tokio::test]
async fn session_extractor_uses_the_innermost_manager() {
    let store = MemoryStore::new();
    let mut browser = Browser::new(app(&store));
    browser.post("/innermost/apples").await;
    assert_eq!(browser.cookie_names(), ["__Host-customer-session"]);
    browser.post("/of/admin/secrets").await;
    assert_eq!(browser.get("/innermost/-").await.body, "apples");
    assert_eq!(browser.get("/of/customer/-").await.body, "apples");
    assert_eq!(browser.get("/of/admin/-").await.body, "secrets");
    browser.post("/of/customer/pears").await;
    assert_eq!(browser.get("/innermost/-").await.body, "pears");

    browser.post("/shop/login/0").await;
    assert_eq!(browser.get("/of/admin/-").await.body, "secrets");
    browser.post("/shop/logout").await;
    assert_eq!(browser.get("/innermost/-").await.body, "");
    assert_eq!(browser.get("/of/admin/-").await.body, "secrets");
}

#[tokio::test]
async fn user_types_of_one_name_share_a_cookie_but_no_session() {
    let store = MemoryStore::new();
    let (here, there) = (People::new([Admin(1)]), People::new([elsewhere::Admin(1)]));
    let app = |here_manager, there_manager| {
        Router::new()
            .nest("/here", here.routes())
            .nest("/there", there.routes())
            .layer::<LoginManager<Admin>>(here_manager)
            .layer::<LoginManager<elsewhere::Admin>>(there_manager)
    };
    let mut browser = Browser::new(app(
        here.manager(store.clone()),
        there.manager(store.clone()),
    ));
    browser.post("/here/login/0").await;
    assert_eq!(browser.get("/here/who").await.body, "<1>");
    assert_eq!(browser.get("/there/who").await.body, "nobody");

    // With realms of their own they live side by side.
    let named = app(
        here.manager(store.clone()).with_realm("office"),
        there.manager(store.clone()).with_realm("warehouse"),
    );
    let mut browser = Browser::new(named);
    browser.post("/here/login/0").await;
    assert_eq!(browser.get("/there/who").await.body, "nobody");
    browser.post("/there/login/0").await;
    assert_eq!(
        browser.cookie_names(),
        ["__Host-office-session", "__Host-warehouse-session"]
    );
    assert_eq!(browser.get("/here/who").await.body, "<1>");
    assert_eq!(browser.get("/there/who").await.body, "<1>");
}

#[derive(Clone)]
struct Member<Club>(i64, PhantomData<Club>);

impl<Club: Clone + Send + Sync + 'static> AuthUser for Member<Club> {
    type Id = i64;

    fn id(&self) -> i64 {
        self.0
    }
}

#[tokio::test]
async fn instances_of_a_generic_user_type_are_separate_realms() {
    let store = MemoryStore::new();
    let chess = People::new([Member::<u8>(1, PhantomData)]);
    let poker = People::new([Member::<u16>(1, PhantomData)]);
    let app = Router::new()
        .nest("/chess", chess.routes())
        .nest("/poker", poker.routes());
    let app = app
        .layer(chess.manager(store.clone()))
        .layer(poker.manager(store.clone()));
    let mut browser = Browser::new(app);
    browser.post("/chess/login/0").await;
    assert_eq!(browser.get("/chess/who").await.body, "<1>");
    assert_eq!(browser.get("/poker/who").await.body, "nobody");
}

#[tokio::test]
async fn one_user_type_in_two_realms_has_separate_sessions() {
    let store = MemoryStore::new();
    let people = People::new([Admin(1)]);
    let [blue, green] = ["blue", "green"].map(|realm| {
        let manager = people.manager(store.clone()).with_realm(realm);
        Browser::new(people.routes().layer(manager))
    });
    let (mut blue, mut green) = (blue, green);
    blue.post("/login/0").await;
    let token = blue.cookie("-session").unwrap();
    green.plant("__Host-green-session", &token);
    assert_eq!(green.get("/who").await.body, "nobody");
    assert_eq!(blue.get("/who").await.body, "<1>");
}

#[tokio::test]
async fn realms_and_ids_with_colons_do_not_collide() {
    let store = MemoryStore::new();
    // The owner text joins realm and id. Without escaping these pairs would have the same owner.
    let named = People::new(["1", "a:1", ":1", "b.1"].map(|id| Named(id.into())));
    let browsers: Vec<_> = ["a", "a:a", "a:", "a.b", "a:a:"]
        .into_iter()
        .map(|realm| {
            let manager = named.manager(store.clone()).with_realm(realm);
            Browser::new(named.routes().layer(manager))
        })
        .collect();
    let mut logged_in = Vec::new();
    for browser in browsers {
        for index in 0..named.0.len() {
            let mut browser = browser.clone();
            browser.post(&format!("/login/{index}")).await;
            logged_in.push((browser, format!("<{}>", named.0[index].0)));
        }
    }
    let owners: BTreeSet<_> = store
        .records()
        .into_iter()
        .map(|record| record.owner)
        .collect();
    assert_eq!(owners.len(), logged_in.len());
    while let Some((mut last, _)) = logged_in.pop() {
        last.post("/logout").await;
        assert_eq!(store.len(), logged_in.len());
        for (browser, id) in &mut logged_in {
            assert_eq!(browser.get("/who").await.body, *id);
        }
    }
}

#[tokio::test]
async fn failed_save_in_one_realm_keeps_cookies_of_another() {
    let both = async |customer: Auth<Customer>, admin: Auth<Admin>| {
        customer.login(Customer(2)).await?;
        admin.session().insert("key", "value").await
    };
    let (store, faulty) = (MemoryStore::new(), FaultyStore::new());
    let (customers, admins) = (People::new([1, 2].map(Customer)), People::new([Admin(1)]));
    let app = Router::new()
        .route("/both", post(both))
        .nest("/shop", customers.routes())
        .nest("/office", admins.routes());
    let inner_first = [true, false].map(|inner_first| {
        let (customers, admins) = (
            customers.manager(store.clone()),
            admins.manager(faulty.clone()),
        );
        if inner_first {
            app.clone().layer(customers).layer(admins)
        } else {
            app.clone().layer(admins).layer(customers)
        }
    });
    for app in inner_first {
        let mut browser = Browser::new(app);
        browser.post("/shop/login/0").await;
        browser.post("/office/login/0").await;
        faulty.fail(Call::Update, Fault::Fails);
        assert_eq!(browser.post("/both").await.status, 503);
        faulty.heal();
        assert_eq!(browser.get("/office/who").await.body, "<1>");
        assert_eq!(
            browser.get("/shop/who").await.body,
            "<2>",
            "the login was done"
        );
    }
}

/// A mistake: both managers have the same realm, so the browser shows one cookie to both of them.
#[tokio::test]
async fn two_user_types_in_one_realm_are_told_apart() {
    let store = MemoryStore::new();
    let (customers, admins) = (People::new([Customer(1)]), People::new([Admin(1)]));
    let customers = customers
        .routes()
        .layer(customers.manager(store.clone()).with_realm("one"));
    let admins = admins
        .routes()
        .layer(admins.manager(store.clone()).with_realm("one"));
    let mut customer = Browser::new(customers.clone());
    customer.post("/login/0").await;
    assert_eq!(customer.get("/who").await.body, "<1>");

    let mut office = customer.moved_to(admins.clone());
    assert_eq!(office.get("/who").await.body, "nobody");
    assert_eq!(office.get("/me").await.status, 401);
    let mut customer = office.moved_to(customers.clone());
    assert_eq!(customer.get("/who").await.body, "<1>", "it was left alone");

    let mut office = customer.moved_to(admins);
    office.post("/login/0").await;
    assert_eq!(office.get("/who").await.body, "<1>");
    assert_eq!(office.moved_to(customers).get("/who").await.body, "nobody");
}

/// Customers or admins in the realm `one`, with `/remember/{id}`, `/put` and `/get`.
fn in_one_realm<U: AuthUser + Clone>(
    store: &FaultyStore,
    clock: &TestClock,
    user: fn(i64) -> U,
) -> Router {
    let people = People::new([user(1)]);
    let remember = async move |auth: Auth<U>| {
        let login = auth.login(user(1)).remember(true);
        login.await.map(drop)
    };
    let put = async |session: Session| session.insert("key", &1).await;
    let get_it = async |session: Session| {
        let value: Option<i64> = session.get("key").await?;
        Ok::<_, Error>(format!("{value:?}"))
    };
    let manager = people.manager(store.clone()).with_clock(clock);
    people
        .routes()
        .route("/remember", post(remember))
        .route("/put", post(put))
        .route("/get", get(get_it))
        .layer(manager.with_realm("one"))
}

/// Where the records of the two apps have the type of their users: there the records of each are
/// equal, and those of the other are not.
async fn place_of_the_user_type(apps: &[Router; 2], store: &FaultyStore) -> Vec<usize> {
    let mut payloads = Vec::new();
    for app in apps {
        for _ in 0..8 {
            Browser::new(app.clone()).post("/login/0").await;
        }
        payloads.push(store.inner.records());
        store.forget_all().await;
    }
    let common = |of: usize, at: usize| {
        let first = payloads[of][0].payload[at];
        let all = payloads[of]
            .iter()
            .all(|record| record.payload[at] == first);
        all.then_some(first)
    };
    (0..payloads[0][0].payload.len())
        .filter(|at| match (common(0, *at), common(1, *at)) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        })
        .collect()
}

#[tokio::test]
async fn session_of_a_renamed_user_type_goes_on() {
    let (store, clock) = (FaultyStore::new(), TestClock::new());
    let apps = [
        in_one_realm(&store, &clock, Customer),
        in_one_realm(&store, &clock, Admin),
    ];
    let place = place_of_the_user_type(&apps, &store).await;
    assert!(!place.is_empty());
    let [app, _] = apps;
    let mut browser = Browser::new(app);
    browser.post("/login/0").await;
    browser.post("/put").await;
    store
        .rewrite(|record| {
            let mut payload = record.payload.to_vec();
            for at in &place {
                payload[*at] ^= 0xff;
            }
            record.payload = payload.into();
        })
        .await;
    assert_eq!(browser.get("/who").await.body, "<1>");
    browser.post("/login/0").await;
    assert_eq!(browser.get("/get").await.body, "Some(1)");
    assert_eq!(store.inner.len(), 1);
}

#[tokio::test]
async fn remember_cookie_of_another_user_type_hides_no_other() {
    let (store, clock) = (FaultyStore::new(), TestClock::new());
    let apps = [
        in_one_realm(&store, &clock, Customer),
        in_one_realm(&store, &clock, Admin),
    ];
    let mut cookies = Vec::new();
    for app in &apps {
        let mut browser = Browser::new(app.clone());
        browser.post("/remember").await;
        let cookie = browser.cookie("-remember").unwrap();
        cookies.push(format!("__Host-one-remember={cookie}"));
    }
    for order in [[0, 1], [1, 0]] {
        let cookies = order.map(|at| cookies[at].clone()).join("; ");
        let customers = Browser::new(apps[0].clone());
        let answer = customers.get_with_cookies("/who", &[&cookies]).await;
        assert_eq!(answer.body, "<1>", "{order:?}");
        clock.advance(Duration::from_secs(1));
    }
    let customers = Browser::new(apps[0].clone());
    let answer = customers.get_with_cookies("/why", &[&cookies[1]]).await;
    assert_eq!(answer.body, "Some(OtherUserType)");
}
