//! The list of a user's sessions, as the account page shows it.

use std::time::Duration;

use login_manager::Auth;
use minijinja::{Value, context};

use super::{accounts::Account, error::AppError};

/// Returns the sessions of the current user: first this one, then the others, the most recently
/// used first.
pub(crate) async fn of_current_user(auth: &Auth<Account>) -> Result<Vec<Value>, AppError> {
    let mut sessions = auth.sessions().await?;
    sessions.sort_by_key(|session| !session.is_current());
    let sessions = sessions.into_iter().map(|session| {
        context! {
            id => session.id().to_string(),
            browser => session.browser(),
            last_used => ago(session.last_seen().elapsed().unwrap_or_default()),
            is_current => session.is_current(),
            is_remembered => session.is_remembered(),
        }
    });
    Ok(sessions.collect())
}

fn ago(time: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let seconds = time.as_secs();
    let (count, unit) = match seconds {
        0..MINUTE => return "just now".to_owned(),
        MINUTE..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        _ => (seconds / DAY, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

#[cfg(test)]
mod tests {
    #[test]
    fn last_use_is_given_in_the_largest_unit() {
        for (seconds, text) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3599, "59 minutes ago"),
            (3600, "1 hour ago"),
            (86399, "23 hours ago"),
            (86400, "1 day ago"),
            (30 * 86400, "30 days ago"),
        ] {
            assert_eq!(super::ago(super::Duration::from_secs(seconds)), text);
        }
    }
}
