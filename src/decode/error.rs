//! Why a frame gives no events: the reasons of dead letters and of dropped frames.
//!
//! A reason is a small `Copy` value; no text is built for it on the path.

use crate::instrument::InternError;
use crate::time::LikelyUnit;
use crate::units::Nanos;

/// Why a frame gave no events.
///
/// A frame that cannot be read is a *dead letter*: the sink keeps it where the pipeline names a place for
/// dead letters, with the reason, the field at fault and the frame's address. A readable frame that the
/// pipeline does not use is *dropped*. Both are counted by reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The JSON text ends in the middle of a value. Dead letter. Look for a producer or a file that was cut
    /// off; send the message again, whole.
    Truncated,
    /// The text is not JSON, or its brackets nest deeper than 128 levels. Dead letter. Correct the producer.
    Malformed,
    /// The bytes are not UTF-8. Dead letter. Let the producer write UTF-8; it may have compressed the
    /// record, or written Avro or Protobuf.
    NotUtf8,
    /// The frame is longer than `source.max_frame_bytes`. Dead letter. Raise the limit if such messages are
    /// sound: books of 5,000 levels have about 400 kB, and whole ones up to 12 MB. Of a line of a file the
    /// letter shows the beginning, and how long the line was.
    Oversized,
    /// The text is JSON, but no object: a list, a number, text. Dead letter. Send one message a record
    /// or line.
    WrongShape,
    /// The named field has another type than it should: a number where text is meant, text where a list is
    /// meant. Dead letter. Compare the message with the schema of its topic in `schemas/`.
    WrongType(&'static str),
    /// The named field stands twice, so that either value may be meant; `instrument` also where a record has
    /// another `symbol` beside it. Dead letter. Correct the producer.
    RepeatedField(&'static str),
    /// The named field is not a decimal number, or no time where it should be one. Dead letter. Correct the
    /// field in the producer; `NaN` and `inf` are not numbers. A described feed that writes times as text
    /// needs `time_unit = "rfc3339"`.
    BadNumber(&'static str),
    /// The named field has a value that it cannot mean: a negative price, a trade of size zero, an unknown
    /// category, `BUY` for `buy`. Dead letter. Correct the field in the producer.
    OutOfRange(&'static str),
    /// The named field is no time of the years 1971 to 2099 in the unit that it should have. The reason names
    /// the unit that it looks like, if one fits. Dead letter. In records of topics let the producer write
    /// nanoseconds since 1970; for a feed that `[source.websocket.json]` describes, write the unit that the
    /// reason names under `time_unit`. Messages of a venue, such as Binance's `T`, have milliseconds or
    /// microseconds.
    ImplausibleTime(&'static str, Option<LikelyUnit>),
    /// The time of the event is further ahead of the time when it was received, or of the records around
    /// it, than `source.max_ahead_ms` allows. Dead letter, so that it cannot hold time. Set the producer's
    /// clock; look for local time that was written as UTC.
    TimeAhead(&'static str),
    /// The named field has more digits than are kept exactly. Text is never rounded, and of a bare
    /// number only the seventeenth digit, which is noise of a float64. Dead letter. Let the producer
    /// round it: from 0.000001 on, 16 digits are always kept, and below it 22 decimal places.
    TooPrecise(&'static str),
    /// The message came behind a later one of its connection, as its number shows: a copy, or one that was
    /// late. Applied again it would undo what came after it. Dropped. Nothing to do.
    Repeated,
    /// The message is readable, but of a kind that is not used: a stream such as `kline` or
    /// `!miniTicker@arr`, a record of another topic, or an object that nothing shows to be ours.
    /// Dropped. Take the stream or the topic out of the subscription.
    UnknownType,
    /// The pipeline lists its instruments in `source.instruments`, and this is none of them. Dropped. List
    /// the instrument if it should be used.
    NotListed,
    /// The pipeline already keeps state for `source.max_instruments` instruments. Dropped. Raise the limit,
    /// or list the instruments that matter.
    TooManyInstruments,
    /// The message has no value in the named field: it is absent, null, or spelt in another case
    /// (`Price`; also an optional one, as `Volume`). Dead letter. Send the message again with the field.
    MissingField(&'static str),
    /// The application is for a product that is not in `source.products`. Dead letter. Add the product if
    /// the model was trained on it; otherwise send such applications elsewhere.
    UnknownProduct,
    /// The economic figure is named by no feature of the pipeline. Dropped. Nothing to do.
    OtherFigure,
    /// The news item is in a language other than `news.language`. Dropped. Nothing to do.
    OtherLanguage,
    /// The news item names no instrument that the pipeline knows. Dropped. Complete the file `news.names`,
    /// or name an instrument in `news.unrouted` for such items.
    NoInstrument,
    /// The news item repeats an item or revises it with a number that is not newer. Dropped. Nothing to do.
    OldRevision,
    /// The news item has nearly the same words as another item about the same instruments within
    /// `news.fold_ms`. Dropped. Change `news.fold_similarity` if different items are folded.
    NearDuplicate,
    /// The order book snapshot names no symbol, and its number is among the newest book updates of no
    /// instrument of the file (of a topic: of the partition), or of several, whatever the number of
    /// shards. Dropped. Record snapshots together with their symbol, as `foretick record` does.
    UnnamedSnapshot,
}

impl DecodeError {
    /// The word for this reason in counters and dead letters.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::NotUtf8 => "not_utf8",
            Self::Oversized => "oversized",
            Self::WrongShape => "wrong_shape",
            Self::WrongType(_) => "wrong_type",
            Self::RepeatedField(_) => "repeated_field",
            Self::BadNumber(_) => "bad_number",
            Self::OutOfRange(_) => "out_of_range",
            Self::ImplausibleTime(_, Some(LikelyUnit::Seconds)) => "time_in_seconds",
            Self::ImplausibleTime(_, Some(LikelyUnit::Milliseconds)) => "time_in_milliseconds",
            Self::ImplausibleTime(_, Some(LikelyUnit::Microseconds)) => "time_in_microseconds",
            Self::ImplausibleTime(_, Some(LikelyUnit::Nanoseconds)) => "time_in_nanoseconds",
            Self::ImplausibleTime(..) => "implausible_time",
            Self::TimeAhead(_) => "time_ahead",
            Self::TooPrecise(_) => "too_precise",
            Self::UnknownType => "unknown_type",
            Self::Repeated => "repeated",
            Self::NotListed => "instrument_not_listed",
            Self::TooManyInstruments => "too_many_instruments",
            Self::MissingField(_) => "missing_field",
            Self::UnknownProduct => "unknown_product",
            Self::OtherFigure => "other_figure",
            Self::OtherLanguage => "other_language",
            Self::NoInstrument => "no_instrument",
            Self::OldRevision => "old_revision",
            Self::NearDuplicate => "near_duplicate",
            Self::UnnamedSnapshot => "unnamed_snapshot",
        }
    }

    /// The field at fault, where one is known.
    #[must_use]
    pub fn field(self) -> Option<&'static str> {
        match self {
            Self::BadNumber(field)
            | Self::WrongType(field)
            | Self::RepeatedField(field)
            | Self::OutOfRange(field)
            | Self::ImplausibleTime(field, _)
            | Self::TimeAhead(field)
            | Self::TooPrecise(field)
            | Self::MissingField(field) => Some(field),
            _ => None,
        }
    }

    /// Whether the frame cannot be read, and so is a dead letter; otherwise it is dropped.
    #[must_use]
    pub fn unreadable(self) -> bool {
        match self {
            Self::Truncated
            | Self::Malformed
            | Self::NotUtf8
            | Self::Oversized
            | Self::WrongShape
            | Self::WrongType(_)
            | Self::RepeatedField(_)
            | Self::BadNumber(_)
            | Self::ImplausibleTime(..)
            | Self::TimeAhead(_)
            | Self::TooPrecise(_)
            | Self::MissingField(_)
            | Self::UnknownProduct
            | Self::OutOfRange(_) => true,
            Self::UnknownType
            | Self::NotListed
            | Self::Repeated
            | Self::TooManyInstruments
            | Self::OtherFigure
            | Self::OtherLanguage
            | Self::NoInstrument
            | Self::OldRevision
            | Self::NearDuplicate
            | Self::UnnamedSnapshot => false,
        }
    }

    /// All reasons, for counters that should exist from the start.
    pub const REASONS: [&'static str; 28] = [
        "truncated",
        "malformed",
        "not_utf8",
        "oversized",
        "wrong_shape",
        "wrong_type",
        "repeated_field",
        "bad_number",
        "out_of_range",
        "time_in_seconds",
        "time_in_milliseconds",
        "time_in_microseconds",
        "time_in_nanoseconds",
        "implausible_time",
        "time_ahead",
        "too_precise",
        "repeated",
        "unknown_type",
        "instrument_not_listed",
        "too_many_instruments",
        "missing_field",
        "unknown_product",
        "other_figure",
        "other_language",
        "no_instrument",
        "old_revision",
        "near_duplicate",
        "unnamed_snapshot",
    ];
}

/// A time in nanoseconds, where it is a plausible one.
#[inline]
pub(super) fn plausible(field: &'static str, nanos: i64) -> Result<Nanos, DecodeError> {
    Nanos::plausible(nanos).map_err(|error| DecodeError::ImplausibleTime(field, error.likely))
}

impl From<InternError> for DecodeError {
    fn from(error: InternError) -> Self {
        match error {
            InternError::NotListed => Self::NotListed,
            InternError::TooMany => Self::TooManyInstruments,
        }
    }
}
