//! The redirect to the login page, and back to the requested page.

mod login_page;
mod login_pages;
mod next;
