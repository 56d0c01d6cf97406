//! Events and log lines.

mod causes;
mod life_cycle;
mod secrets;
mod spans;
