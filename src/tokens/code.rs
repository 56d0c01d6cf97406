//! [`RedeemCode`]: short codes, whose tries are counted.

use std::{fmt, pin::Pin};

use super::{Purpose, Redeemed, Tokens, content::Content, redeem::Stop, subject::Subject};
use crate::{
    entry::{EntryKey, EntryStep, change_entry},
    error::Error,
    reason::RefusedReason,
    session::finish,
    store::Digest,
    user::AuthUser,
};

/// Redeems a code when it is awaited: see [`Tokens::redeem_code`].
#[must_use = "no code is redeemed until it is awaited"]
pub struct RedeemCode<U: AuthUser> {
    tokens: Tokens<U>,
    purpose: Purpose,
    subject: Result<Option<Subject>, Error>,
    code: Option<String>,
    browser: Option<Digest>,
}

/// The outcome of counting a try.
enum Try {
    Counted(Content),
    Refused(RefusedReason),
}

impl<U: AuthUser> RedeemCode<U> {
    pub(super) fn new(tokens: &Tokens<U>, user: Option<&U>, purpose: Purpose, code: &str) -> Self {
        Self {
            tokens: tokens.clone(),
            purpose,
            subject: user.map(Subject::of).transpose(),
            code: digits_in(code),
            browser: None,
        }
    }

    /// Sets the text to which the code was [bound](super::Issue::bound_to). With another text, or
    /// without one, such a code is refused, and the try is not counted: only the browser that
    /// requested the code can use up its tries.
    pub fn bound_to(mut self, browser: &str) -> Self {
        self.browser = Some(self.tokens.browser_digest(browser));
        self
    }

    async fn run(self) -> Result<Option<Redeemed<U>>, Error> {
        let (tokens, purpose) = (self.tokens.clone(), self.purpose);
        tokens.settle(purpose, self.redeem().await)
    }

    async fn redeem(self) -> Result<Redeemed<U>, Stop> {
        let Self {
            tokens,
            purpose,
            subject,
            code,
            browser,
        } = self;
        let Some(subject) = subject? else {
            let Some(_) = code else {
                return Err(Stop::Refused(RefusedReason::Malformed, None));
            };
            // The same read as for a user without a code.
            tokens.look_up_nothing().await?;
            return Err(Stop::Refused(RefusedReason::Unknown, None));
        };
        let refused = |why| Stop::Refused(why, subject.user_id().map(str::to_owned));
        let code = code.ok_or_else(|| refused(RefusedReason::Malformed))?;
        let key = tokens.key(purpose, &subject, None);
        let content = match tokens.count_try(&key, browser).await? {
            Try::Counted(content) => content,
            Try::Refused(why) => return Err(refused(why)),
        };
        let digest = tokens.code_digest(&key, &code);
        if content.secret != digest {
            return Err(refused(RefusedReason::WrongCode));
        }
        let user = tokens.user(&subject, &content, purpose).await?;
        tokens.use_up(&key, &subject, &digest, purpose).await?;
        Ok(Redeemed::new(user, content))
    }
}

impl<U: AuthUser> Tokens<U> {
    /// Counts a try before the code is compared, so that concurrent guesses are counted, too.
    async fn count_try(&self, key: &EntryKey, browser: Option<Digest>) -> Result<Try, Error> {
        let now = self.realm.clock.now();
        change_entry(&self.realm, key, now, |entry| {
            let refused = |why| Ok(EntryStep::Keep(Try::Refused(why)));
            let Some(entry) = entry else {
                return refused(RefusedReason::Unknown);
            };
            let mut content = Content::decode(entry.content())?;
            if content.browser != browser {
                return refused(RefusedReason::OtherBrowser);
            }
            if let Err(why) = content.judge(now) {
                return refused(why);
            }
            let Some(tries_left) = content.tries_left.checked_sub(1) else {
                return refused(RefusedReason::NoTriesLeft);
            };
            content.tries_left = tries_left;
            Ok(EntryStep::Put {
                content: content.encode(),
                expires: entry.expires(),
                then: Try::Counted(content),
            })
        })
        .await
    }
}

/// The digits of a code, which people may type with spaces. `None` if there are too few or too
/// many, or if there are other characters.
fn digits_in(code: &str) -> Option<String> {
    let code = code.chars().filter(|c| !c.is_whitespace());
    let code: String = code.take(13).collect();
    let is_code = (6..=12).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
    is_code.then_some(code)
}

impl<U: AuthUser> IntoFuture for RedeemCode<U> {
    type Output = Result<Option<Redeemed<U>>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(finish(self.run()))
    }
}

impl<U: AuthUser> fmt::Debug for RedeemCode<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedeemCode")
            .field("purpose", &self.purpose.name())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_with_spaces_and_nothing_else() {
        for code in ["123456", " 123 456\n"] {
            assert_eq!(digits_in(code).as_deref(), Some("123456"));
        }
        let too_long = "1".repeat(13);
        for code in ["", "12345", "12345a", "12-3456", "１２３４５６", &too_long] {
            assert_eq!(digits_in(code), None, "{code}");
        }
    }
}
