//! The records of topics and tables: their kinds, and the fields that a pipeline reads.

/// The kinds of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A loan application: key `applicant`, values in `fields`; scored by itself.
    Application,
    /// A financial statement of a `period`: key `obligor`, values in `items`.
    Statement,
}

/// A field of a record that is a column of the row.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordField {
    /// Its name in the record. It lives as long as the process, because decode errors refer to it.
    pub name: &'static str,
    /// The texts that are allowed; the value of the column is the index among them. Empty for a number.
    pub categories: Vec<String>,
    /// The smallest value; a record with a smaller one is refused.
    pub min: f64,
    /// The largest value; a record with a larger one is refused.
    pub max: f64,
    /// Whether a record without it is refused.
    pub needed: bool,
}

impl RecordKind {
    /// The name of the field that identifies the applicant or obligor, in records and in signals.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Application => "applicant",
            Self::Statement => "obligor",
        }
    }

    /// The name of the field that contains the values.
    #[must_use]
    pub fn container(self) -> &'static str {
        match self {
            Self::Application => "fields",
            Self::Statement => "items",
        }
    }
}
