//! `foretick check --leakage`: sets with a planted leak, each beside a twin without it.

#[path = "leakage/added.rs"]
mod added;
#[path = "leakage/columns.rs"]
mod columns;
mod given;
#[path = "leakage/intervals.rs"]
mod intervals;
#[path = "leakage/kinds.rs"]
mod kinds;
#[path = "leakage/set.rs"]
mod set;
