//! What the caller says of a set that the set does not say itself.

use crate::units::Nanos;

/// The columns of a set, where it has no description of its own or is to be read otherwise. An empty one
/// leaves all to the set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeakageOptions {
    /// The time of decision of a row.
    pub time: Option<String>,
    /// The key of a row: instrument, firm.
    pub instrument: Option<String>,
    /// The column that says what is train and what is held out.
    pub split: Option<String>,
    /// Without such a column: rows from this time on are held out.
    pub test_from: Option<Nanos>,
    /// Columns that hold labels, as classes or as values.
    pub labels: Vec<String>,
    /// Columns with the time at which a label was known.
    pub label_ends: Vec<String>,
    /// Without such a column: the time from a row to its label, in nanoseconds.
    pub horizon_ns: Option<i64>,
    /// Rows in a window, where no column says when it began.
    pub steps: Option<usize>,
    /// Features with the column that says when their value was known.
    pub known: Vec<KnownTime>,
    /// Features that are taken as of another time.
    pub as_of: Vec<String>,
    /// The column of groups that must not be split.
    pub group: Option<String>,
    /// The hash of the features that the set should hold.
    pub features_sha256: Option<String>,
}

/// A column with the time at which the value of a feature was known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownTime {
    /// The column of times.
    pub column: String,
    /// The feature.
    pub feature: String,
}

impl std::str::FromStr for KnownTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((column, feature)) if !column.is_empty() && !feature.is_empty() => Ok(Self {
                column: column.to_owned(),
                feature: feature.to_owned(),
            }),
            _ => Err("write COLUMN=FEATURE, such as oil_published=oil".into()),
        }
    }
}
