//! Guards: which requests they let through, and what denied requests get.

mod access;
mod closed_by_default;
mod denied;
mod freshness;
mod page_loads;
mod paths;
mod permissions;
mod step_up;
