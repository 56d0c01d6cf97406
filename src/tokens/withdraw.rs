//! Withdrawing tokens.

use super::{
    Purpose, Tokens,
    subject::{Subject, TOKENS},
};
use crate::{
    entry::{EntryStep, change_entry},
    error::{ConfigError, Error},
    session::finish,
    user::AuthUser,
};

impl<U: AuthUser> Tokens<U> {
    /// Withdraws the user's token for this purpose, if there is one. The next one can be issued at
    /// once.
    ///
    /// # Errors
    /// - those of [`withdraw_all`](Tokens::withdraw_all)
    /// - [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if concurrent requests kept changing
    ///   the token
    ///
    /// # Panics
    /// Panics if a setting of the purpose is [invalid](Purpose::check).
    #[track_caller]
    pub fn withdraw(
        &self,
        user: &U,
        purpose: Purpose,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<U> {
        ConfigError::expect_none(purpose.check());
        self.withdraw_from(Subject::of(user), purpose)
    }

    /// Withdraws all tokens of the user, except an [undo](Purpose::undo): after a password reset,
    /// for example.
    ///
    /// # Errors
    /// - [`ErrorKind::Store`](crate::ErrorKind::Store) if the store failed or missed its deadline
    /// - [`ErrorKind::UnstableId`](crate::ErrorKind::UnstableId) if the text of the user's id does
    ///   not parse back to the same id
    pub fn withdraw_all(
        &self,
        user: &U,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<U> {
        let (tokens, subject) = (self.clone(), Subject::of(user));
        finish(async move {
            let realm = &tokens.realm;
            let owner = realm.entry_owner(TOKENS, subject?.text());
            realm.delete_all(&owner, None).await.map(drop)
        })
    }

    pub(super) fn withdraw_from(
        &self,
        subject: Result<Subject, Error>,
        purpose: Purpose,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<U> {
        let tokens = self.clone();
        finish(async move {
            let (realm, subject) = (&tokens.realm, subject?);
            let key = tokens.key(purpose, &subject, None);
            if purpose.undoes {
                return realm.delete_all(&key.owner, None).await.map(drop);
            }
            let now = realm.clock.now();
            change_entry(realm, &key, now, |_| Ok(EntryStep::Delete(()))).await
        })
    }
}
