//! Inputs as the field sends them: each module is a kind of fault, and holds the right answers to it.

mod given;
mod needs;

#[path = "field/amounts.rs"]
mod amounts;
#[path = "field/comparing.rs"]
mod comparing;
#[path = "field/default_rules.rs"]
mod default_rules;
#[path = "field/features.rs"]
mod features;
#[path = "field/headlines.rs"]
mod headlines;
#[path = "field/numbering.rs"]
mod numbering;
#[path = "field/replayed.rs"]
mod replayed;
#[path = "field/unknown.rs"]
mod unknown;
