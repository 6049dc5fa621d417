//! Events written as rows: to Parquet, or to JSON lines as the topics hold them.

mod json;
mod layout;
mod named;
mod parquet_columns;
mod parquet_fields;
mod partitions;

pub use self::json::{EventLines, is_json_event, json_record};
pub use self::layout::{PartitionFault, check_folder};
pub use self::named::{NamedEvent, is_written};
pub use self::partitions::EventPartitions;
