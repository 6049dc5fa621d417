//! A frame's bytes to events: pure; one folder a venue, one file a kind of topic.
//!
//! Knows no transport and no clock. A frame that cannot be read is a small `Copy` error, counted by
//! reason; nothing of it stays in the batch.

mod ahead;
mod alpaca;
mod amount;
mod binance;
mod bybit;
mod coinbase;
pub mod command;
mod connection_check;
pub mod control;
pub mod decoded;
pub mod error;
mod field;
mod format;
mod json;
pub mod json_feed;
mod kept_events;
mod kraken;
mod last_updates;
mod levels;
mod lost;
mod message_output;
mod news;
pub mod news_item;
mod okx;
mod output;
mod packed;
pub mod privacy;
mod record;
pub mod route;
mod shard;
mod snapshot_owners;
mod stream_format;
mod stream_state;
mod symbol;
pub mod text;
mod topic;
mod trade_order;
mod unread;
pub mod venue;
pub mod venue_feed;
mod venue_time;
pub mod venues;

use std::borrow::Cow;
use std::sync::Arc;

pub use self::ahead::AHEAD_NS;
pub use self::connection_check::{
    ConnectionCheck, ConnectionChecks, ConnectionNumbers, ConnectionOrder,
};
pub use self::decoded::{Decoded, Notice};
pub use self::error::DecodeError;
use self::error::plausible;
use self::format::{Format, is_of_topic};
use self::kept_events::KeptEvents;
pub use self::last_updates::LastUpdates;
pub use self::record::RecordForm;
pub use self::snapshot_owners::SnapshotOwners;
use self::stream_format::StreamFormat;
pub use self::stream_state::StreamState;
pub use self::venues::Venues;
use crate::event::Batch;
use crate::frame::binary::{is_binary, wrapped_length};
use crate::frame::packed::is_packed;
use crate::frame::{BYTE_ORDER_MARK, LeadingTime, Origin, leading_time, split_stamp};
use crate::instrument::Instruments;
use crate::news::News;
pub use crate::schema::RecordKind;

/// Reads frames of all streams of one shard, and names their instruments.
#[derive(Debug)]
pub struct Decoder {
    pub(crate) instruments: Instruments,
    venues: Venues,
    streams: Vec<StreamFormat>,
    /// The form of records, where the pipeline reads records.
    records: Option<Arc<RecordForm>>,
    /// Reads headlines, where the pipeline reads headlines.
    pub(crate) news: Option<news::NewsReader>,
    /// The economic figures that features name; others are dropped.
    figures: Vec<String>,
    max_frame_bytes: usize,
    kept: KeptEvents,
}

impl Decoder {
    /// A decoder that numbers instruments by `instruments` and refuses frames over `max_frame_bytes`.
    #[must_use]
    pub fn new(instruments: Instruments, max_frame_bytes: usize) -> Self {
        Self {
            instruments,
            venues: Venues::default(),
            streams: Vec::new(),
            records: None,
            news: None,
            figures: vec![],
            max_frame_bytes,
            kept: KeptEvents::default(),
        }
    }

    /// A decoder for one of several shards over which messages are spread by symbol: of a message about
    /// several symbols, which all shards get, it reads those of its own.
    #[must_use]
    pub fn of_shard(mut self, shard: usize, shards: usize) -> Self {
        self.kept.shard = (shards > 1 && self.reads_market()).then_some((shard, shards));
        self
    }

    /// A decoder that refuses events whose time is further ahead of their receive time than this.
    #[must_use]
    pub fn with_max_ahead(mut self, max_ahead_ns: i64) -> Self {
        self.kept.max_ahead_ns = max_ahead_ns;
        self
    }

    /// A decoder that reads records of this form, and nothing else.
    #[must_use]
    pub fn for_records(self, form: Arc<RecordForm>) -> Self {
        // An applicant is of no use to the next batch, and there is no end of them.
        let instruments = match form.kind() {
            RecordKind::Application => self.instruments.per_batch(),
            RecordKind::Statement => self.instruments,
        };
        Self {
            instruments,
            records: Some(form),
            ..self
        }
    }

    /// Forgets the names that hold for one batch only: see [`Instruments::release`].
    pub fn release_names(&mut self) {
        self.instruments.release();
    }

    /// A decoder that reads news items, and nothing else.
    #[must_use]
    pub fn for_news(self, news: Arc<News>) -> Self {
        Self {
            news: Some(news::NewsReader::new(news)),
            ..self
        }
    }

    /// A decoder that recognises the messages of these venues; without it of all registered ones.
    #[must_use]
    pub fn with_venues(self, venues: Venues) -> Self {
        Self { venues, ..self }
    }

    /// A decoder that reads these economic figures, numbered by their index.
    #[must_use]
    pub fn with_figures(self, figures: &[String]) -> Self {
        Self {
            figures: figures.to_vec(),
            ..self
        }
    }

    /// What names the instruments of book snapshots before messages are spread over shards; none where the
    /// pipeline does not read messages of a market.
    #[must_use]
    pub fn into_snapshot_owners(self) -> Option<SnapshotOwners> {
        self.reads_market()
            .then(|| SnapshotOwners::new(self.venues, self.instruments))
    }

    fn reads_market(&self) -> bool {
        self.records.is_none() && self.news.is_none()
    }

    /// Whether commands about alerts may come between the records.
    #[must_use]
    pub fn reads_commands(&self) -> bool {
        let form = self.records.as_ref();
        form.is_some_and(|form| form.kind() == RecordKind::Statement)
    }

    /// A frame as a dead letter may show it: see [`RecordForm::redacted`].
    #[must_use]
    pub fn redacted<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        match &self.records {
            Some(form) => form.redacted(split_stamp(bytes).1),
            // As it came, whether it comes from a feed or from a capture.
            None => match control::unwrapped(split_stamp(bytes).1) {
                Some(Ok(frame)) => Cow::Owned(frame),
                _ => packed::redacted(bytes),
            },
        }
    }

    /// The venues whose messages are read.
    #[must_use]
    pub fn venues(&self) -> &Venues {
        &self.venues
    }

    /// The messages of which a frame is made, where a venue sends several in one: see [`Venues::split`].
    #[must_use]
    pub fn split(&self, frame: &[u8]) -> Vec<Vec<u8>> {
        self.venues.split(frame)
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
    /// [`DecodeError`]; the batch then holds nothing of this frame, but a gap where its venue counts the
    /// messages of a connection: no number will show that this one is missing.
    pub fn decode(
        &mut self,
        origin: Origin,
        bytes: &[u8],
        batch: &mut Batch,
    ) -> Result<Decoded, DecodeError> {
        let (stamp, message) = split_stamp(bytes);
        self.decode_message(origin.stamped(stamp), message, bytes.len(), batch)
    }

    /// The same for a message whose stamp is in its origin already; `frame_bytes` is the length of the
    /// frame, stamp included.
    ///
    /// # Errors
    /// See [`Decoder::decode`].
    pub fn decode_message(
        &mut self,
        origin: Origin,
        bytes: &[u8],
        frame_bytes: usize,
        batch: &mut Batch,
    ) -> Result<Decoded, DecodeError> {
        if is_packed(bytes) {
            return self.decode_row(origin, bytes, batch);
        }
        let taken_by = control::taken_by(bytes);
        let unwrapped = control::unwrapped(bytes).transpose()?;
        let bytes = unwrapped.as_deref().unwrap_or(bytes);
        if control::length(bytes, taken_by.as_ref(), frame_bytes) > self.max_frame_bytes {
            return Err(DecodeError::Oversized);
        }
        if !is_binary(bytes) && !json::is_shallow(bytes) {
            return Err(DecodeError::Malformed);
        }
        let before = batch.lengths();
        batch.begin_frame(origin);
        let mut result = self.read(origin, bytes, batch);
        if matches!(result, Err(DecodeError::Malformed)) {
            result = self.read_odd(origin, bytes, batch);
        }
        if let Some(stream) = self.streams.get_mut(usize::from(origin.stream)) {
            stream.note_handover(result, origin.ts_recv, &mut batch.events[before.events..]);
        }
        let instruments = &self.instruments;
        self.kept
            .settle(origin, &mut result, instruments, batch, before);
        if result.is_err_and(|error| error.unreadable()) && self.reads_market() {
            lost::note_lost(&self.venues, origin, bytes, batch);
        }
        if let Some(taken_by) = taken_by {
            taken_by.keep_own(&self.instruments, batch, before.events);
        }
        result
    }

    /// Reads a row of an archive, which no venue wrote: no gap stands for one that cannot be read.
    fn decode_row(
        &mut self,
        origin: Origin,
        row: &[u8],
        batch: &mut Batch,
    ) -> Result<Decoded, DecodeError> {
        if wrapped_length(row.len()) > self.max_frame_bytes {
            return Err(DecodeError::Oversized);
        }
        let before = batch.lengths();
        batch.begin_frame(origin);
        let mut result = match self.reads_market() {
            true => packed::decode(row, &mut self.instruments, batch),
            false => Err(DecodeError::UnknownType),
        };
        let instruments = &self.instruments;
        self.kept
            .settle(origin, &mut result, instruments, batch, before);
        result
    }

    /// Reads a message that is no JSON as it stands: behind a byte order mark, or behind a receive time that
    /// cannot be, or is written in another form.
    fn read_odd(
        &mut self,
        origin: Origin,
        bytes: &[u8],
        batch: &mut Batch,
    ) -> Result<Decoded, DecodeError> {
        if let Some(message) = bytes.strip_prefix(BYTE_ORDER_MARK) {
            return self.read(origin, message, batch);
        }
        match leading_time(bytes) {
            Some(LeadingTime::Number(nanos)) => {
                plausible("ts_recv", nanos)?;
                Err(DecodeError::BadNumber("ts_recv"))
            }
            Some(LeadingTime::Other) => Err(DecodeError::BadNumber("ts_recv")),
            None => Err(DecodeError::Malformed),
        }
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
        if self.records.is_some() || self.news.is_some() {
            return self.read_record(bytes, batch);
        }
        let at = usize::from(origin.stream);
        if at >= self.streams.len() {
            self.streams.resize(at + 1, StreamFormat::default());
        }
        let partition = usize::try_from(origin.partition).unwrap_or_default();
        let likely = self.streams[at].format;
        if let Some(format) = likely
            && let events @ Ok(Decoded::Events) =
                self.read_as(format, (at, partition), bytes, batch)
        {
            return events;
        }
        // Each frame is judged by itself, whatever came before it.
        if control::is_control(bytes) {
            return control::decode(bytes, &mut self.instruments, batch);
        }
        match Format::of(bytes, &self.venues) {
            Some(format) => self.read_as(format, (at, partition), bytes, batch),
            None => Err(json::refusal(bytes)),
        }
    }

    fn read_record(&mut self, bytes: &[u8], batch: &mut Batch) -> Result<Decoded, DecodeError> {
        if control::is_control(bytes) {
            return control::decode(bytes, &mut self.instruments, batch);
        }
        match (&self.records, &mut self.news) {
            (Some(form), _) => form.decode(bytes, &mut self.instruments, batch),
            (None, Some(news)) => {
                let (instruments, ahead) = (&mut self.instruments, self.kept.max_ahead_ns);
                match self.venues.recognise(bytes).filter(|_| !is_of_topic(bytes)) {
                    Some(venue) => news.decode_feed(venue.news(bytes)?, instruments, batch, ahead),
                    None => news.decode(bytes, instruments, batch, ahead),
                }
            }
            (None, None) => Err(json::refusal(bytes)),
        }
    }

    /// Reads a message as one of this format. Takes back what it appended where there are no events.
    fn read_as(
        &mut self,
        format: Format,
        (stream, partition): (usize, usize),
        bytes: &[u8],
        batch: &mut Batch,
    ) -> Result<Decoded, DecodeError> {
        let levels = batch.levels.len();
        let known = &mut self.streams[stream];
        if partition >= known.partitions.len() {
            let states = partition + 1;
            known.partitions.resize(states, StreamState::default());
        }
        let state = &mut known.partitions[partition];
        let instruments = &mut self.instruments;
        let decoded = match format {
            Format::Venue(venue) => venue.decode(bytes, state, instruments, batch),
            Format::Topic => topic::decode(bytes, &self.figures, instruments, batch),
        };
        // Notices look alike at several venues; events do not.
        match decoded {
            Ok(Decoded::Events) => known.format = Some(format),
            _ => batch.levels.truncate(levels),
        }
        decoded
    }
}
