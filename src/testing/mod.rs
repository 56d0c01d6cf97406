//! Helpers for tests of an application or of a custom store.
//!
//! - [`TestClock`]: a clock that the test moves
//! - [`login_for_tests`](crate::LoginManager::login_for_tests): the cookie of a logged-in browser,
//!   in one line
//! - [`store_contract`]: checks everything that a [`SessionStore`](crate::SessionStore) must
//!   guarantee
//!
//! In the manual: [Testing your application](crate::manual::testing).

mod clock;
mod login;
mod store_contract;

pub use clock::TestClock;
pub use login::TestLogin;
pub use store_contract::{StoreCheck, StoreContract, store_checks, store_contract};
