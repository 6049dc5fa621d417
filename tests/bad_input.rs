//! Bad input of every kind: nothing panics, nothing is lost uncounted, and messages say what to do.
//!
//! What a broker does wrong is in `live.rs`; gaps and late news of a sound feed are in `path/`.

mod given;
mod needs;

#[path = "bad_input/config.rs"]
mod config;
#[path = "bad_input/disk.rs"]
mod disk;
#[path = "bad_input/feeds.rs"]
mod feeds;
#[path = "bad_input/frames.rs"]
mod frames;
#[path = "bad_input/model.rs"]
mod model;
#[path = "bad_input/mutated.rs"]
mod mutated;
#[path = "bad_input/outputs.rs"]
mod outputs;
#[path = "bad_input/provider.rs"]
mod provider;
#[path = "bad_input/secrets.rs"]
mod secrets;
#[path = "bad_input/unread.rs"]
mod unread;
