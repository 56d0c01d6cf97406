use http::{Request, Response};
use login_manager::{AuthUser, LoginManager, MemoryStore};
use tower::{Layer, Service, service_fn};

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

async fn handle(_: Request<()>) -> Result<Response<Vec<u8>>, std::io::Error> {
    Ok(Response::new(Vec::new()))
}

fn main() {
    let manager = LoginManager::new(MemoryStore::new(), |id| async move { Some(Account { id }) });
    let mut service = manager.layer(service_fn(handle));
    let _response = Service::call(&mut service, Request::new(()));
}
