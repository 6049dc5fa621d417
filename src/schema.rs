//! The records that topics and tables hold: their kinds, and the fields that a pipeline reads of them.

/// Which records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A loan application: key `applicant`, fields in `fields`; stands alone.
    Application,
    /// A financial statement: key `obligor`, fields in `items`, of a `period`.
    Statement,
}

/// A column that is a field of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name in the record. It lives as long as the process, as all names in errors do.
    pub name: &'static str,
    /// The texts that it may have; none for a number.
    pub categories: Vec<String>,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// Whether a record without it is refused.
    pub needed: bool,
}

impl RecordKind {
    /// The field that names whom a record is about, here and in what is published.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Application => "applicant",
            Self::Statement => "obligor",
        }
    }

    /// The field that its values stand in.
    #[must_use]
    pub fn container(self) -> &'static str {
        match self {
            Self::Application => "fields",
            Self::Statement => "items",
        }
    }
}
