//! Mails. `main` prints them, where your application sends them.

use std::{io, sync::Arc};

use login_manager::tokens::Token;

use super::accounts::Account;

#[derive(Clone)]
pub(crate) struct Mailer {
    site: Arc<str>,
    deliver: Arc<Deliver>,
}

type Deliver = dyn Fn(&str, &str) + Send + Sync;

impl Mailer {
    /// `site` is the beginning of the URLs in mails: from the configuration, never from the `Host`
    /// header, which the client chooses. `deliver` gets the address and the text.
    pub(crate) fn new(site: String, deliver: impl Fn(&str, &str) + Send + Sync + 'static) -> Self {
        Self {
            site: site.into(),
            deliver: Arc::new(deliver),
        }
    }

    pub(crate) async fn reset_link(&self, account: &Account, token: &Token) -> io::Result<()> {
        let (name, site, token) = (&account.name, &self.site, token.text());
        let text = format!(
            "Hello {name},\n\nchoose a new password here within an hour:\n{site}/reset?token={token}\n\n\
            If you didn't ask for this, ignore this mail."
        );
        (self.deliver)(&account.email, &text);
        Ok(())
    }

    /// So that the owner notices if it was someone else.
    pub(crate) fn password_changed(&self, account: &Account) {
        let (name, site) = (&account.name, &self.site);
        let text = format!(
            "Hello {name},\n\nyour password has been changed.\n\nIf it wasn't you, choose another one:\n\
            {site}/forgot"
        );
        (self.deliver)(&account.email, &text);
    }
}
