//! `[source.table]`: what the columns of a CSV or Parquet file mean.

use serde::Deserialize;

/// `[source.table]`. A column that no key names is a field of the record.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableConfig {
    /// The column that identifies the applicant or obligor. Required.
    pub key: String,
    /// The column of a statement's period: whole numbers, also written `2014.0`. Required for statements.
    pub period: Option<String>,
    /// The column of the time at which a row became known: nanoseconds since the epoch, RFC 3339 with any
    /// offset (none is UTC), a date, or a timestamp or date of Parquet. Other units, and years outside 1971
    /// to 2099, are refused. Default: for statements the end of the period's year, for applications the
    /// number of the row.
    pub ts_event: Option<String>,
    /// The column of the outcome, which `evaluate --labels` reads: 0 or 1 (false or true), or a label of the
    /// model; empty where it is not known yet. Required for `--labels`.
    pub outcome: Option<String>,
}
