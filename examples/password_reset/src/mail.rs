//! Mails, which are written to files. `AsyncSmtpTransport` of lettre sends them.

use std::{path::Path, sync::Arc};

use axum::response::Html;
use lettre::{
    AsyncFileTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Body, header::ContentTransferEncoding},
};
use login_manager::{
    BoxError,
    tokens::{Purpose, Token},
};

#[derive(Clone)]
pub(crate) struct Mailer {
    site: Arc<str>,
    transport: Arc<AsyncFileTransport<Tokio1Executor>>,
}

impl Mailer {
    pub(crate) fn new(site: &str, folder: &Path) -> Self {
        Self {
            site: site.into(),
            transport: Arc::new(AsyncFileTransport::new(folder)),
        }
    }

    pub(crate) async fn link(
        &self,
        to: &str,
        purpose: Purpose,
        token: &Token,
    ) -> Result<(), BoxError> {
        self.send(to, &self.url(purpose, token)).await
    }

    fn url(&self, purpose: Purpose, token: &Token) -> String {
        let (site, name, token) = (&self.site, purpose.name(), token.text());
        format!("{site}/link/{name}?token={token}\n")
    }

    /// Sends a link to a user who is logged in, and says so.
    pub(crate) async fn answer(
        &self,
        to: &str,
        purpose: Purpose,
        token: Option<Token>,
    ) -> Html<&'static str> {
        let Some(token) = token else {
            return Html("We sent you a mail minutes ago. Look for it, or try again later.");
        };
        match self.link(to, purpose, &token).await {
            Ok(()) => Html("A mail is on its way."),
            Err(_) => Html("The mail could not be sent. Try again later."),
        }
    }

    /// Tells the user what happened. If the mail fails, it has happened nevertheless.
    pub(crate) fn notify(&self, to: &str, text: &str) {
        let (mailer, to, text) = (self.clone(), to.to_owned(), text.to_owned());
        tokio::spawn(async move {
            if mailer.send(&to, &text).await.is_err() {
                tracing::error!("a user was not notified of a change");
            }
        });
    }

    pub(crate) fn notify_of_change(&self, to: &str, undo: Option<&Token>) {
        let link = undo.map(|token| self.url(Purpose::undo(), token));
        let link = link.map(|url| format!("If it wasn't you:\n{url}"));
        let link = link.unwrap_or_default();
        self.notify(
            to,
            &format!("The address of your account was changed.\n{link}"),
        );
    }

    async fn send(&self, to: &str, text: &str) -> Result<(), BoxError> {
        // Lines of up to 998 characters are allowed (RFC 5322), so links need not be broken.
        let body = text.replace('\n', "\r\n").into_bytes();
        let body = Body::dangerous_pre_encoded(body, ContentTransferEncoding::SevenBit);
        let mail = Message::builder()
            .from("Example <noreply@example.com>".parse()?)
            .to(to.parse()?)
            .subject("Your account")
            .body(body)?;
        self.transport.send(mail).await?;
        Ok(())
    }
}

/// An address as text in a page.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
