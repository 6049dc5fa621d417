//! Snapshots of what instruments hold, one a partition of the input, kept in a folder.
//!
//! A snapshot belongs to the offsets behind which it was taken: reading goes on there, and what had been
//! published before is not published again. It is used only where the group has committed those offsets,
//! and where it is of the same model, features and settings; any other is refused with the reason, and the
//! state is made of the topic again. Decides nothing about partitions, and knows no engine.

mod error;
mod file;
mod folder;
mod header;
mod store;
pub mod usable;

pub use self::error::StateError;
pub use self::file::StateSnapshot;
pub use self::folder::{SavedFile, StateFolder, saved_files};
pub use self::header::{StateHeader, StateIdentity, TopicPosition};
pub use self::store::StateStore;
