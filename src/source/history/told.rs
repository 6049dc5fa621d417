//! What is known of a file beside its columns.

use super::archive_name::ArchiveName;
use super::known::KnownForm;
use super::mapping::HistoryMapping;
use super::time_form::TimeForm;

/// What is known of a file beside its columns.
pub(super) struct ToldOfFile<'a> {
    pub(super) name: &'a ArchiveName,
    pub(super) mapping: &'a HistoryMapping,
    /// The form, where the reader of the format knows it.
    pub(super) form: Option<&'static KnownForm>,
    /// The instrument, where the reader of the format knows it, and its day.
    pub(super) instrument: Option<String>,
    pub(super) times: TimeForm,
    /// See [`super::format::HistoryOptions::lateness_ns`].
    pub(super) lateness_ns: Option<i64>,
}
