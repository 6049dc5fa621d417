//! A frame's bytes to events: pure, one file per format.
//!
//! Knows no transport and no clock. A frame that cannot be read is a small `Copy` error, counted by
//! reason; nothing of it stays in the batch.

mod binance;
mod control;
mod json;
mod news;
mod plain;
pub mod privacy;
mod record;
pub mod route;
mod topic;

use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::FxHashMap;

pub use self::json::AHEAD_NS;
pub use self::record::Form;
use crate::event::Batch;
use crate::frame::Origin;
use crate::frame::split_stamp;
use crate::instrument::{InstrumentId, Instruments, Refused};
use crate::news::News;
pub use crate::schema::RecordKind;
use crate::units::NumberError;

/// Reads frames of all streams of one shard, and names their instruments.
#[derive(Debug)]
pub struct Decoder {
    instruments: Instruments,
    streams: Vec<Stream>,
    /// What records look like, where the pipeline reads such.
    form: Option<Arc<Form>>,
    /// Reads headlines, where the pipeline reads such.
    news: Option<news::Reader>,
    /// The figures that are read; others are not for us.
    figures: Vec<String>,
    max_frame_bytes: usize,
}

/// What is remembered of one stream.
#[derive(Clone, Debug, Default)]
struct Stream {
    format: Option<Format>,
    /// The last depth update of each instrument: a bare REST snapshot names no symbol.
    depths: FxHashMap<InstrumentId, u64>,
}

impl Stream {
    /// Whose snapshot this is: that of the one instrument whose updates are numbered near it. Venues
    /// number the books of different instruments far apart.
    fn near(&self, sequence: u64) -> Option<InstrumentId> {
        let mut near = self
            .depths
            .iter()
            .filter(|(_, last)| last.abs_diff(sequence) < NEAR);
        let (instrument, _) = near.next()?;
        near.next().is_none().then_some(*instrument)
    }
}

/// A snapshot is fetched within seconds of an update; the busiest book has some 10,000 a second.
const NEAR: u64 = 1_000_000;

/// Who wrote the messages of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Binance spot websocket and REST messages.
    Binance,
    /// Foretick's own JSON topics, `schemas/md.*.json`.
    Topic,
}

/// What a readable frame was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// Events, now in the batch.
    Events,
    /// A message about the connection, without events.
    Notice(Notice),
}

/// Messages about the connection itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A request was accepted.
    Ack,
    /// The venue refused a request or reports a fault.
    VenueError,
    /// The venue will close the connection; connect anew at once.
    Shutdown,
}

/// Why a frame gave no events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The text ends in the middle.
    Truncated,
    /// Not JSON.
    Malformed,
    /// Not UTF-8.
    NotUtf8,
    /// Longer than the configured limit.
    Oversized,
    /// JSON, but a field is missing or of another type.
    WrongShape,
    /// A number that is none, in this field.
    BadNumber(&'static str),
    /// A number outside of what the field can mean: a negative price, a size of zero in a trade.
    OutOfRange(&'static str),
    /// A message kind that this format does not have, or that nobody here reads.
    UnknownType,
    /// A book of another rule: futures chain by `pu` and need a decoder of their own.
    FuturesDepth,
    /// An instrument that the pipeline does not list.
    NotListed,
    /// More instruments than the pipeline allows.
    TooManyInstruments,
    /// A record without a field that the pipeline cannot do without.
    MissingField(&'static str),
    /// A product that the pipeline does not grade.
    UnknownProduct,
    /// A figure of the economy that no feature names.
    OtherFigure,
    /// An item in a language that is not read.
    OtherLanguage,
    /// An item that concerns no instrument that is known.
    NoInstrument,
    /// A revision of an item that is not newer than the one known, or says the same.
    OldRevision,
    /// An item that says what another said shortly before about the same instruments.
    NearDuplicate,
    /// A snapshot that names no symbol and is numbered near the updates of none, or of several.
    UnnamedSnapshot,
}

impl DecodeError {
    /// The word used in counters and dead letters.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::NotUtf8 => "not_utf8",
            Self::Oversized => "oversized",
            Self::WrongShape => "wrong_shape",
            Self::BadNumber(_) => "bad_number",
            Self::OutOfRange(_) => "out_of_range",
            Self::UnknownType => "unknown_type",
            Self::FuturesDepth => "futures_depth",
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
            Self::BadNumber(field) | Self::OutOfRange(field) | Self::MissingField(field) => {
                Some(field)
            }
            _ => None,
        }
    }

    /// Whether the frame is unreadable, and so belongs to the dead letters; others are just not for us.
    #[must_use]
    pub fn unreadable(self) -> bool {
        match self {
            Self::Truncated
            | Self::Malformed
            | Self::NotUtf8
            | Self::Oversized
            | Self::WrongShape
            | Self::BadNumber(_)
            | Self::MissingField(_)
            | Self::UnknownProduct
            | Self::OutOfRange(_) => true,
            Self::UnknownType
            | Self::FuturesDepth
            | Self::NotListed
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
    pub const REASONS: [&'static str; 19] = [
        "truncated",
        "malformed",
        "not_utf8",
        "oversized",
        "wrong_shape",
        "bad_number",
        "out_of_range",
        "unknown_type",
        "futures_depth",
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

impl Decoder {
    /// A decoder that names instruments by `instruments` and refuses frames over `max_frame_bytes`.
    #[must_use]
    pub fn new(instruments: Instruments, max_frame_bytes: usize) -> Self {
        Self {
            instruments,
            streams: Vec::new(),
            form: None,
            news: None,
            figures: vec![],
            max_frame_bytes,
        }
    }

    /// The same for records of this form, and nothing else.
    #[must_use]
    pub fn of_records(self, form: Arc<Form>) -> Self {
        Self {
            form: Some(form),
            ..self
        }
    }

    /// The same for items of news, and nothing else.
    #[must_use]
    pub fn of_news(self, news: Arc<News>) -> Self {
        Self {
            news: Some(news::Reader::new(news)),
            ..self
        }
    }

    /// The same with these figures of the economy, numbered by their place.
    #[must_use]
    pub fn with_figures(self, figures: &[String]) -> Self {
        Self {
            figures: figures.to_vec(),
            ..self
        }
    }

    /// Whether commands about alerts may come between the records.
    #[must_use]
    pub fn reads_commands(&self) -> bool {
        let form = self.form.as_ref();
        form.is_some_and(|form| form.kind() == RecordKind::Statement)
    }

    /// A frame as a dead letter may show it: see [`Form::letter`].
    #[must_use]
    pub fn letter<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        match &self.form {
            Some(form) => form.letter(split_stamp(bytes).1),
            None => Cow::Borrowed(bytes),
        }
    }

    /// The instruments seen so far.
    #[must_use]
    pub fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// Reads one frame and appends its events to `batch`.
    ///
    /// A frame may begin with its receive time, `1723161253937085768 {…}`, as capture lines do; that
    /// time then stands for `origin.ts_recv`.
    ///
    /// # Errors
    /// [`DecodeError`]; the batch then holds nothing of this frame.
    pub fn decode(
        &mut self,
        mut origin: Origin,
        bytes: &[u8],
        batch: &mut Batch,
    ) -> Result<Decoded, DecodeError> {
        if bytes.len() > self.max_frame_bytes {
            return Err(DecodeError::Oversized);
        }
        let (stamp, bytes) = split_stamp(bytes);
        if !json::is_shallow(bytes) {
            return Err(DecodeError::Malformed);
        }
        if let Some(stamp) = stamp {
            origin.ts_recv = stamp.ts_recv;
            origin.late |= stamp.late;
            origin.known |= stamp.known;
        }
        let before = (batch.origins.len(), batch.events.len(), batch.levels.len());
        let values = batch.values.len();
        batch.begin_frame(origin);
        let result = self.read(origin, bytes, batch);
        if !matches!(result, Ok(Decoded::Events)) {
            batch.origins.truncate(before.0);
            batch.events.truncate(before.1);
            batch.levels.truncate(before.2);
            batch.values.truncate(values);
        }
        result
    }

    fn read(
        &mut self,
        origin: Origin,
        bytes: &[u8],
        batch: &mut Batch,
    ) -> Result<Decoded, DecodeError> {
        if bytes.starts_with(control::PREFIX) {
            return control::decode(bytes, &mut self.instruments, batch);
        }
        if let Some(form) = &self.form {
            return form.decode(bytes, &mut self.instruments, batch);
        }
        if let Some(news) = &mut self.news {
            return news.decode(bytes, &mut self.instruments, batch);
        }
        let at = usize::from(origin.stream);
        if at >= self.streams.len() {
            self.streams.resize(at + 1, Stream::default());
        }
        let stream = &mut self.streams[at];
        let format = stream.format.unwrap_or_else(|| Format::of(bytes));
        let decoded = match format {
            Format::Binance => binance::decode(bytes, stream, &mut self.instruments, batch),
            Format::Topic => topic::decode(bytes, &self.figures, &mut self.instruments, batch),
        }?;
        // A stream keeps the format of its first readable frame.
        stream.format = Some(format);
        Ok(decoded)
    }
}

impl Format {
    /// Guesses by the one field that every line of ours has and no Binance message does.
    fn of(bytes: &[u8]) -> Self {
        match memchr::memmem::find(bytes, b"\"ts_event\"") {
            Some(_) => Self::Topic,
            None => Self::Binance,
        }
    }
}

impl From<Refused> for DecodeError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotListed => Self::NotListed,
            Refused::TooMany => Self::TooManyInstruments,
        }
    }
}

/// Names the field of a number that could not be read.
fn number<T>(field: &'static str, parsed: Result<T, NumberError>) -> Result<T, DecodeError> {
    parsed.map_err(|error| match error {
        NumberError::NotANumber => DecodeError::BadNumber(field),
        NumberError::OutOfRange => DecodeError::OutOfRange(field),
    })
}
