//! Tokens for an address that has no user yet.

use super::{Invitation, Issue, Purpose, Tokens, redeem::Stop, subject::Subject};
use crate::{error::Error, session::finish, store::SessionToken, user::AuthUser};

impl<U: AuthUser> Tokens<U> {
    /// Issues a token to an address without a user: an invitation, or the link that starts a
    /// registration. The address takes the place of the user: there is one valid token for each
    /// address and purpose, the gap applies to it, and no user is loaded. Spell it the same way
    /// each time.
    ///
    /// [`peek_invitation`](Tokens::peek_invitation) and [`accept`](Tokens::accept) return the
    /// address and the data. The application has to check whether an account with this address has
    /// been created meanwhile.
    ///
    /// ```
    /// # use login_manager::{AuthUser, Error, tokens::{Purpose, Tokens}};
    /// # struct Account { id: i64 }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # async fn mail(to: &str, text: String) {}
    /// # async fn handler(tokens: Tokens<Account>, team: i64) -> Result<(), Error> {
    /// let address = "carol@example.com";
    /// let issued = tokens.invite(address, Purpose::invitation()).carry(&team).await?;
    /// if let Some(token) = issued {
    ///     let link = format!("https://example.com/join?token={}", token.text());
    ///     mail(address, link).await;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// - those of [`issue`](Tokens::issue), when it is awaited
    ///
    /// # Panics
    /// Panics if a setting of the purpose is [invalid](Purpose::check), or if it has codes.
    #[track_caller]
    pub fn invite(&self, address: &str, purpose: Purpose) -> Issue<U> {
        Issue::to_address(self, address, purpose.expect_link())
    }

    /// Looks at an invitation without using it: for the GET of a link.
    ///
    /// # Errors
    /// - [`ErrorKind::Store`](crate::ErrorKind::Store) if the store failed or missed its deadline
    ///
    /// # Panics
    /// Panics if a setting of the purpose is [invalid](Purpose::check), or if it has codes.
    #[track_caller]
    pub fn peek_invitation(
        &self,
        token: &str,
        purpose: Purpose,
    ) -> impl Future<Output = Result<Option<Invitation>, Error>> + Send + use<U> {
        self.invitation(token, purpose.expect_link(), false)
    }

    /// Redeems an invitation: for the POST of a form. It is used up, even if the application then
    /// fails to create the account.
    ///
    /// # Errors
    /// - those of [`peek_invitation`](Tokens::peek_invitation). The invitation may be used up
    /// - [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if concurrent requests kept changing
    ///   the token
    ///
    /// # Panics
    /// Panics if a setting of the purpose is [invalid](Purpose::check), or if it has codes.
    #[track_caller]
    pub fn accept(
        &self,
        token: &str,
        purpose: Purpose,
    ) -> impl Future<Output = Result<Option<Invitation>, Error>> + Send + use<U> {
        finish(self.invitation(token, purpose.expect_link(), true))
    }

    /// Withdraws the invitation of this address, if there is one.
    ///
    /// # Errors
    /// - those of [`accept`](Tokens::accept)
    ///
    /// # Panics
    /// Panics if a setting of the purpose is [invalid](Purpose::check), or if it has codes.
    #[track_caller]
    pub fn withdraw_invitation(
        &self,
        address: &str,
        purpose: Purpose,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<U> {
        let subject = Subject::Address(address.to_owned());
        self.withdraw_from(Ok(subject), purpose.expect_link())
    }

    fn invitation(
        &self,
        token: &str,
        purpose: Purpose,
        is_accepted: bool,
    ) -> impl Future<Output = Result<Option<Invitation>, Error>> + Send + use<U> {
        let token = SessionToken::parse(token.as_bytes());
        let tokens = self.clone();
        async move {
            let outcome = async {
                let found = tokens.find_invitation(token, purpose).await?;
                if is_accepted {
                    tokens.use_up_found(&found, purpose).await?;
                }
                let invitation = Invitation::new(found.subject.text(), found.content);
                Ok::<_, Stop>(invitation)
            };
            let outcome = outcome.await;
            tokens.settle(purpose, outcome)
        }
    }
}
