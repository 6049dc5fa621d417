//! Events written as rows: to Parquet, or to JSON lines as the topics hold them.

mod json;
mod parquet_columns;
mod partitions;

pub use self::json::{EventLines, is_written};
pub use self::partitions::{EventPartitions, PartitionFault, check_folder};
use crate::event::{Body, Level};
use crate::units::Nanos;

/// An event with what it refers to.
#[derive(Clone, Copy, Debug)]
pub struct NamedEvent<'e> {
    /// The venue's time; undefined where it sent none.
    pub ts_event: Nanos,
    /// When it was received; undefined where that is unknown.
    pub ts_recv: Nanos,
    /// The whole name of the instrument.
    pub instrument: &'e str,
    /// What happened.
    pub body: &'e Body,
    /// The bid levels of a book change.
    pub bids: &'e [Level],
    /// Its ask levels.
    pub asks: &'e [Level],
}
