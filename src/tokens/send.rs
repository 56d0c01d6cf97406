//! Sending tokens in the background, so that no response depends on whether there is an account.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{
    Issue, Purpose, Token, Tokens,
    content::Content,
    subject::{Subject, TOKENS},
};
use crate::{
    entry::{EntryKey, EntryStep, change_entry, load_entry},
    error::{BoxError, ConfigError, Error, ErrorKind},
    event::{Event, EventKind},
    store::SessionId,
    user::{AuthUser, IntoUser},
};

/// How many tokens are sent at a time. Each may wait for a mail server.
pub(super) const MAX_SENDING: usize = 256;
/// How long one delivery may take.
const DELIVERY: Duration = Duration::from_secs(60);

impl<U: AuthUser> Tokens<U> {
    /// Issues a token and delivers it, in the background. The call returns at once, and neither its
    /// result nor its time depends on whether there is an account.
    ///
    /// `deliver` gets the user and the token and sends the mail. It is called if there is an
    /// account, it is active, and no other token was issued within the [gap](Purpose::gap).
    ///
    /// ```
    /// # use std::{io, sync::Arc};
    /// # use login_manager::{AuthUser, tokens::{Purpose, Tokens}};
    /// # struct Account { id: i64, email: String }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # struct Db;
    /// # impl Db {
    /// #     async fn by_email(&self, _: &str) -> io::Result<Option<Account>> { Ok(None) }
    /// # }
    /// # async fn mail(to: &str, text: String) -> io::Result<()> { Ok(()) }
    /// # async fn handler(db: Db, tokens: Tokens<Account>, typed: String) -> io::Result<()> {
    /// let account = db.by_email(&typed).await?;
    /// tokens.send(account, Purpose::reset(), async |account, token| {
    ///     let link = format!("https://example.com/reset?token={}", token.text());
    ///     mail(&account.email, link).await // to the stored address, not to what was typed
    /// });
    /// // "If there is an account with this address, we have sent a mail to it."
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// An error, a panic, or a delivery of more than a minute is reported as
    /// [`TokenNotSent`](EventKind::TokenNotSent). After an error or a minute, the next request need
    /// not wait for the gap. The token remains valid, since the mail may have been sent all the
    /// same.
    ///
    /// At most 256 calls per handle (its clones included) are in progress at a time. Beyond that,
    /// nothing is sent and [`TokenNotSent`](EventKind::TokenNotSent) is reported, whether or not
    /// there is an account. A call that is in progress when the program ends is lost.
    ///
    /// Without an account, there is one read of the store. With one, there is the same read, a
    /// write and the delivery. All of it happens in the background, so only the load on the store
    /// and on the mail server could reveal the difference. The lookup of the account is up to the
    /// application.
    ///
    /// # Panics
    /// - if a setting of the purpose is [invalid](Purpose::check)
    /// - outside of a tokio runtime
    #[track_caller]
    pub fn send<F, Fut, E>(&self, account: Option<impl IntoUser<U>>, purpose: Purpose, deliver: F)
    where
        F: FnOnce(Arc<U>, Token) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + Send + 'static,
    {
        ConfigError::expect_none(purpose.check());
        let account = account.map(IntoUser::into_user);
        self.start(account, purpose, |issue| issue, deliver);
    }

    /// Like [`send`](Tokens::send), for a token that carries data or is bound to a browser:
    /// `configure` gets the [`Issue`] before it is awaited. If issuing fails, for example because
    /// the data is too long, this is reported like any other failure.
    ///
    /// ```
    /// # use std::io;
    /// # use login_manager::AuthUser;
    /// # struct Account { id: i64, email: String }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # async fn mail(to: &str, text: &str) -> io::Result<()> { Ok(()) }
    /// use login_manager::tokens::{Issue, Purpose, Tokens};
    ///
    /// # fn handler(tokens: Tokens<Account>, account: Option<Account>, browser: String) {
    /// let bind = move |issue: Issue<_>| issue.bound_to(&browser);
    /// tokens.send_with(account, Purpose::code(), bind, async |account, token| {
    ///     mail(&account.email, token.text()).await
    /// });
    /// # }
    /// ```
    ///
    /// # Panics
    /// Panics as [`send`](Tokens::send) does.
    #[track_caller]
    pub fn send_with<F, Fut, E>(
        &self,
        account: Option<impl IntoUser<U>>,
        purpose: Purpose,
        configure: impl FnOnce(Issue<U>) -> Issue<U> + Send + 'static,
        deliver: F,
    ) where
        F: FnOnce(Arc<U>, Token) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + Send + 'static,
    {
        ConfigError::expect_none(purpose.check());
        let account = account.map(IntoUser::into_user);
        self.start(account, purpose, configure, deliver);
    }

    fn start<F, Fut, E>(
        &self,
        account: Option<Arc<U>>,
        purpose: Purpose,
        configure: impl FnOnce(Issue<U>) -> Issue<U> + Send + 'static,
        deliver: F,
    ) where
        F: FnOnce(Arc<U>, Token) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + Send + 'static,
    {
        let tokens = self.clone();
        let id = account.as_ref().map(|account| account.id().to_string());
        let mut unsent = Unsent {
            tokens: tokens.clone(),
            event: Some(tokens.not_sent(purpose, id.as_deref())),
        };
        let Ok(permit) = Arc::clone(&self.sending).try_acquire_owned() else {
            return unsent.report(|event| event.because_text("too many tokens are being sent"));
        };
        tokio::spawn(async move {
            let _permit = permit;
            let sent = tokens.send_now(account, purpose, configure, deliver).await;
            match sent {
                Ok(()) => unsent.is_sent(),
                Err(NotSent::Failed(error)) => unsent.report(|event| event.because(&error)),
                Err(NotSent::Delivery(error)) => unsent.report(|event| event.because_of(&error)),
                Err(NotSent::Late) => {
                    unsent.report(|event| event.because_text("no answer within a minute"));
                }
            }
        });
    }

    async fn send_now<F, Fut, E>(
        &self,
        account: Option<Arc<U>>,
        purpose: Purpose,
        configure: impl FnOnce(Issue<U>) -> Issue<U> + Send + 'static,
        deliver: F,
    ) -> Result<(), NotSent>
    where
        F: FnOnce(Arc<U>, Token) -> Fut + Send,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + Send + 'static,
    {
        let Some(account) = account.filter(|account| account.is_active()) else {
            return self.look_up_nothing().await.map_err(NotSent::Failed);
        };
        let issue = configure(Issue::to_user(self, &account, purpose));
        let Some(token) = issue.run().await.map_err(NotSent::Failed)? else {
            return Ok(());
        };
        let subject = Subject::of(&*account).map_err(NotSent::Failed)?;
        let key = self.key(purpose, &subject, token.address());
        let digest = token.digest;
        let error = match timeout(DELIVERY, deliver(account, token)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => NotSent::Delivery(error.into()),
            Err(_) => NotSent::Late,
        };
        // Best effort: if this fails, the next token has to wait for the gap.
        let now = self.realm.clock.now();
        let lifted = change_entry(&self.realm, &key, now, |entry| {
            let Some(entry) = entry else {
                return Ok(EntryStep::Keep(()));
            };
            let mut content = Content::decode(entry.content())?;
            if content.secret != digest || content.is_used {
                return Ok(EntryStep::Keep(()));
            }
            content.may_repeat = true;
            Ok(EntryStep::Put {
                content: content.encode(),
                expires: entry.expires(),
                then: (),
            })
        });
        lifted.await.ok();
        Err(error)
    }

    /// Makes the same read with which issuing and redeeming begin, for an entry that no user has.
    pub(super) async fn look_up_nothing(&self) -> Result<(), Error> {
        let key = EntryKey {
            id: SessionId::random().map_err(|_| ErrorKind::Random)?,
            owner: self.realm.entry_owner(TOKENS, ""),
        };
        let now = self.realm.clock.now();
        load_entry(&self.realm, &key, now).await.map(drop)
    }

    fn not_sent(&self, purpose: Purpose, user_id: Option<&str>) -> Event {
        let event = self.realm.event(EventKind::TokenNotSent);
        event.of(user_id, None).for_purpose(purpose.name())
    }
}

/// Why a token was not sent.
enum NotSent {
    Failed(Error),
    Delivery(BoxError),
    Late,
}

/// Reports on drop that nothing was sent, unless its event was taken, so that a panic in the task
/// is reported, too.
struct Unsent<U: AuthUser> {
    tokens: Tokens<U>,
    event: Option<Event>,
}

impl<U: AuthUser> Unsent<U> {
    fn is_sent(&mut self) {
        self.event = None;
    }

    fn report(&mut self, because: impl FnOnce(Event) -> Event) {
        self.event = self.event.take().map(because);
    }
}

impl<U: AuthUser> Drop for Unsent<U> {
    fn drop(&mut self) {
        if let Some(event) = self.event.take() {
            self.tokens.realm.emit(&event);
        }
    }
}
