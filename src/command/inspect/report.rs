//! The report on captures and archives, as JSON and as text. Counts nothing itself.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, SecondsFormat};
use serde::{Serialize, Serializer};

use crate::run::account::Account;
use crate::run::readability::Readability;
use crate::units::Nanos;

/// The contents of captures and archives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CaptureReport {
    /// The formats of the files: `capture`, `json_lines`, `dbn`, … In JSON one is a text, several are a list.
    #[serde(serialize_with = "one_or_several")]
    pub format: Vec<String>,
    /// The files in zip archives, by the path of the archive.
    pub inside: BTreeMap<String, Vec<String>>,
    /// Records of the files: their lines, rows or messages. Several events may come of one.
    pub records: u64,
    /// The venues whose messages it holds. In JSON one is a text, several are a list.
    #[serde(serialize_with = "one_or_several")]
    pub venue: Vec<String>,
    /// Frames read: lines, and rows of which a record gives one or several.
    pub frames: u64,
    /// Events and notices by kind.
    pub events: BTreeMap<&'static str, u64>,
    /// The first and the last venue time of an event, as RFC 3339; none where no event has one.
    #[serde(serialize_with = "rfc3339")]
    pub first: Option<Nanos>,
    /// See `first`.
    #[serde(serialize_with = "rfc3339")]
    pub last: Option<Nanos>,
    /// Records that are earlier than the one before them in their file, by receive time, else by venue time.
    pub out_of_order: u64,
    /// Places where messages are missing: the numbers of updates, trades or a connection's messages jump, a
    /// checksum is wrong, or the capture has a gap written down.
    pub gaps: u64,
    /// Messages missing in those places.
    pub missing: u64,
    /// Depth updates that left the book crossed, and crossed quotes.
    pub crossed: u64,
    /// Depth updates dropped at the splice, because the snapshot held them.
    pub splice_dropped: u64,
    /// Frames that were not decoded, by reason.
    pub errors: BTreeMap<&'static str, u64>,
    /// The rebuilt book against the venue's best bid and offer; that of LOBSTER's messages against their
    /// order book file.
    pub book_vs_quote: Comparison,
    /// The rebuilt book against the venue's checksums.
    pub checksums: Comparison,
    /// The venue's numbers of messages or book updates.
    pub sequence: Sequence,
    /// Instruments seen.
    pub instruments: Vec<String>,
    /// What was seen of each.
    pub by_instrument: BTreeMap<String, InstrumentReport>,
    /// First and last receive time, where the capture has them.
    pub received: Option<(i64, i64)>,
    /// Receive time minus venue time, in nanoseconds: lowest and highest. Negative where our clock
    /// runs behind the venue's.
    pub delay_ns: Option<(i64, i64)>,
    /// What became of the frames.
    #[serde(skip)]
    pub account: Account,
    /// Whether the frames were readable.
    #[serde(skip)]
    pub readability: Readability,
}

/// How often two views of the same thing were equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Comparisons made.
    pub compared: u64,
    /// Of them equal, in price and size of both sides.
    pub equal: u64,
}

/// Numbers of a venue: of a connection's messages where it counts them, else of book updates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sequence {
    /// The first number; of several instruments the lowest. None where nothing is numbered.
    pub first: Option<u64>,
    /// The last number; of several instruments the highest.
    pub last: Option<u64>,
    /// Numbers missing between them.
    pub missing: u64,
}

/// What was seen of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InstrumentReport {
    /// Its events.
    pub events: u64,
    /// The first and the last venue time; none where no event has one.
    pub times: Option<(i64, i64)>,
    /// The longest time between two of its events, by the venue's clock.
    pub silence_ns_max: i64,
    /// The numbers of its book's updates.
    pub book: Sequence,
}

impl CaptureReport {
    pub(super) fn count(&mut self, kind: &'static str) {
        *self.events.entry(kind).or_default() += 1;
    }

    /// Counts a place where so many messages are missing.
    pub(super) fn miss(&mut self, missing: u64) {
        self.gaps += 1;
        self.missing = self.missing.saturating_add(missing);
    }
}

impl Comparison {
    pub(super) fn count(&mut self, is_equal: bool) {
        self.compared += 1;
        self.equal += u64::from(is_equal);
    }
}

impl Sequence {
    /// Takes the numbers of the next update.
    pub(super) fn take(&mut self, first: u64, last: u64) {
        self.first.get_or_insert(first);
        self.last = Some(last);
    }

    /// This and another one.
    #[must_use]
    pub(super) fn and(self, other: Self) -> Self {
        let firsts = [self.first, other.first].into_iter().flatten();
        Self {
            first: firsts.min(),
            last: self.last.max(other.last),
            missing: self.missing.saturating_add(other.missing),
        }
    }
}

fn one_or_several<S: Serializer>(venues: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match venues {
        [one] => serializer.serialize_str(one),
        several => several.serialize(serializer),
    }
}

fn rfc3339<S: Serializer>(time: &Option<Nanos>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(as_rfc3339).serialize(serializer)
}

fn as_rfc3339(time: Nanos) -> String {
    DateTime::from_timestamp_nanos(time.0).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

impl fmt::Display for CaptureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "format         {}", self.format.join(" "))?;
        for (archive, files) in &self.inside {
            writeln!(f, "in {archive}: {}", files.join(", "))?;
        }
        writeln!(f, "venue          {}", self.venue.join(" "))?;
        writeln!(f, "records        {:>10}", self.records)?;
        writeln!(f, "frames         {:>10}", self.frames)?;
        for (kind, count) in &self.events {
            writeln!(f, "  {kind:<12} {count:>10}")?;
        }
        for (reason, count) in &self.errors {
            writeln!(f, "  not read     {count:>10}  {reason}")?;
        }
        if let (Some(first), Some(last)) = (self.first, self.last) {
            writeln!(
                f,
                "times          {} to {}",
                as_rfc3339(first),
                as_rfc3339(last)
            )?;
        }
        writeln!(f, "out of order   {:>10}", self.out_of_order)?;
        let Self { gaps, missing, .. } = self;
        writeln!(f, "gaps           {gaps:>10}  ({missing} messages missing)")?;
        let Sequence {
            first,
            last,
            missing,
        } = self.sequence;
        if let (Some(first), Some(last)) = (first, last) {
            writeln!(f, "numbers        {first} to {last}, {missing} missing")?;
        }
        writeln!(f, "crossed books  {:>10}", self.crossed)?;
        writeln!(f, "splice dropped {:>10}", self.splice_dropped)?;
        let Comparison { compared, equal } = self.book_vs_quote;
        writeln!(f, "book = quote   {equal:>10}  of {compared} depth updates")?;
        let Comparison { compared, equal } = self.checksums;
        if compared > 0 {
            writeln!(f, "checksum right {equal:>10}  of {compared}")?;
        }
        if let Some((least, most)) = self.delay_ns {
            let millis = |nanos: i64| nanos as f64 / 1e6;
            let (least, most) = (millis(least), millis(most));
            writeln!(f, "delay, ms      {least:>10.1}  to {most:.1}")?;
        }
        writeln!(f, "instruments    {}", self.instruments.join(" "))
    }
}
