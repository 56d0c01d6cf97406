//! For tests: of an application, and of a store of your own.
//!
//! - [`TestClock`]: time that passes when a test says so
//! - [`login_for_tests`](crate::LoginManager::login_for_tests): the cookie of a browser that has logged in
//! - [`store_contract`]: everything that a [`SessionStore`](crate::SessionStore) promises, checked

mod clock;
mod login;
mod store_contract;

pub use clock::TestClock;
pub use login::TestLogin;
pub use store_contract::{StoreCheck, StoreContract, store_checks, store_contract};
