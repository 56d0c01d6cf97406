//! Remember-me: restore, token exchange, theft, and what keeps or ends it.

mod attacks;
mod interrupted;
mod kept;
mod races;
mod restore;
mod rules;
mod theft;
mod tokens;
