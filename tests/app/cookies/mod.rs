//! Cookies and other response headers: what is read and what is written.

mod configuration;
mod reading;
mod response_headers;
mod several;
mod writing;
