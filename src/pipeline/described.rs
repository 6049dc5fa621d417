//! What a pipeline says of inputs that are read without its model.

use crate::decode::Venues;
use crate::kafka::Properties;
use crate::source::file::TableMeaning;

/// What a pipeline says of inputs that are read without its model.
#[derive(Clone, Debug, Default)]
pub struct DescribedInputs {
    /// The venues whose messages are read.
    pub venues: Venues,
    /// What the rows of tables are.
    pub tables: TableMeaning,
    /// Properties of the clients that read topics.
    pub kafka: Properties,
}
