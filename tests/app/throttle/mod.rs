//! Guesses are counted before they are checked, slowed down and forgotten.

mod addresses;
mod failures;
mod names;
mod races;
mod settings;
mod stored;
mod waits;

use std::{net::IpAddr, time::Duration};

use login_manager::throttle::{Attempt, Permit, Throttle};

pub const SECOND: Duration = Duration::from_secs(1);

/// A guess without an address.
pub async fn attempt(throttle: &Throttle, name: &str) -> Result<Permit, Duration> {
    attempt_from(throttle, name, None).await
}

pub async fn attempt_from(
    throttle: &Throttle,
    name: &str,
    address: Option<&str>,
) -> Result<Permit, Duration> {
    let address: Option<IpAddr> = address.map(|address| address.parse().unwrap());
    match throttle.attempt(name).from(address).await.unwrap() {
        Attempt::Permit(permit) => Ok(permit),
        Attempt::Wait(wait) => Err(wait.duration()),
    }
}

/// Makes so many guesses fail, all of which are permitted.
pub async fn fail(throttle: &Throttle, name: &str, times: usize) {
    for n in 0..times {
        let permit = attempt(throttle, name).await;
        drop(permit.unwrap_or_else(|wait| panic!("guess {n} has to wait {wait:?}")));
    }
}
