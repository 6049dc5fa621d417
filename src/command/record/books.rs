//! The books of a feed that is being recorded: whether each is whole, so that the feed fetches a snapshot for
//! one that is not, and a replay of the capture can repair it; and what happened as records of our topics,
//! where they are asked for.
//!
//! Decodes a copy of what is recorded; nothing that it finds changes the capture.

use super::records::{EventHead, MarketRecord, RecordState};
use crate::clock;
use crate::config::SourceKind;
use crate::engine::book::{Applied, Book};
use crate::event::{Body, Depth, Event, Level};
use crate::frame::Frame;
use crate::instrument::InstrumentId;
use crate::pipeline::Pipeline;
use crate::run::intake::Intake;
use crate::source::snapshot_requests::SnapshotRequests;

/// Books, and where to say that one needs a snapshot. None for sources without snapshots.
pub(super) struct RecordedBooks(Option<Books>);

struct Books {
    intake: Intake,
    books: Vec<FollowedBook>,
    requests: SnapshotRequests,
    /// None where no records are wanted.
    records: Option<Vec<MarketRecord>>,
}

#[derive(Default)]
struct FollowedBook {
    book: Book,
    state: RecordState,
    /// Whether the venue ends the book by its length.
    is_cut: bool,
}

impl RecordedBooks {
    pub(super) fn of(pipeline: &Pipeline, requests: SnapshotRequests, publishes: bool) -> Self {
        let has_snapshots = pipeline.file.source.kind == SourceKind::Websocket;
        Self((has_snapshots || publishes).then(|| Books {
            intake: Intake::new(pipeline.decoder()),
            books: vec![],
            requests,
            records: publishes.then(Vec::new),
        }))
    }

    /// Follows a frame; gives the records of it that are to be published.
    pub(super) fn take(&mut self, frame: &Frame) -> Vec<MarketRecord> {
        self.0
            .as_mut()
            .map_or_else(Vec::new, |books| books.take(frame))
    }
}

impl Books {
    fn take(&mut self, frame: &Frame) -> Vec<MarketRecord> {
        let messages = self.intake.split(&frame.bytes);
        if messages.is_empty() {
            self.intake.frame(frame.origin, &frame.bytes);
        }
        for message in messages {
            self.intake.frame(frame.origin, &message);
        }
        let Self {
            intake,
            books,
            requests,
            records,
        } = self;
        let (batch, names) = (intake.batch(), intake.instruments());
        for event in &batch.events {
            let head = |instrument: InstrumentId| EventHead {
                name: names.name(instrument),
                ts_event: event.ts_event,
                ts_recv: batch.origins[event.frame as usize].ts_recv,
            };
            if event.instrument == InstrumentId::ALL {
                if let Body::Gap(_) = event.body {
                    for (at, book) in books.iter_mut().enumerate() {
                        book.break_off(head(InstrumentId(at as u32)), requests, records.as_mut());
                    }
                }
                continue;
            }
            let at = event.instrument.index();
            while at >= books.len() {
                let first = clock::now().0.cast_unsigned() / 1_000;
                books.push(FollowedBook {
                    state: RecordState::new(first),
                    ..FollowedBook::default()
                });
            }
            let levels = match &event.body {
                Body::Depth(depth) => batch.levels(depth),
                _ => (&[][..], &[][..]),
            };
            books[at].take(
                head(event.instrument),
                event,
                levels,
                requests,
                records.as_mut(),
            );
        }
        intake.release();
        records.as_mut().map_or_else(Vec::new, std::mem::take)
    }
}

impl FollowedBook {
    fn take(
        &mut self,
        head: EventHead<'_>,
        event: &Event,
        (bids, asks): (&[Level], &[Level]),
        requests: &SnapshotRequests,
        records: Option<&mut Vec<MarketRecord>>,
    ) {
        match &event.body {
            Body::Gap(_) | Body::FeedGap(_) => self.break_off(head, requests, records),
            Body::Depth(depth) => {
                if depth.snapshot.is_some() {
                    self.is_cut = depth.keep > 0;
                }
                let was_live = self.book.is_live();
                let applied = self.book.apply(depth, bids, asks, event.ts_event);
                match (was_live, self.book.is_live()) {
                    (true, false) => requests.request(head.name),
                    (false, true) => requests.spliced(head.name),
                    (true, true) if depth.snapshot.is_some() => requests.spliced(head.name),
                    _ => {}
                }
                if let Some(records) = records {
                    let record = self.book_record(head, applied, depth, (bids, asks), was_live);
                    records.extend(record);
                }
            }
            Body::Trade(trade) => {
                if let Some(records) = records {
                    records.extend(self.state.trade(head, trade));
                }
            }
            Body::Quote(quote) => {
                if let Some(records) = records {
                    records.push(self.state.quote(head, quote));
                }
            }
            Body::SkippedTrade(_) => self.state.skip(),
            Body::Bar(_)
            | Body::Figure(_)
            | Body::Sentiment(_)
            | Body::Amendment(_)
            | Body::Status(_)
            | Body::Record(_)
            | Body::Withdrawn(_)
            | Body::Tick => {}
        }
    }

    /// The record of what a change did.
    fn book_record(
        &mut self,
        head: EventHead<'_>,
        applied: Applied,
        depth: &Depth,
        (bids, asks): (&[Level], &[Level]),
        was_live: bool,
    ) -> Option<MarketRecord> {
        match applied {
            Applied::Changed if depth.snapshot.is_none() && was_live => {
                Some(self.state.change(head, &self.book, bids, asks))
            }
            Applied::Changed | Applied::Spliced { .. } | Applied::Renumbered => {
                Some(self.state.whole(head, &self.book, self.is_cut))
            }
            Applied::Gap { .. } => Some(self.state.gap(head)),
            Applied::Waiting
            | Applied::Stale
            | Applied::Held
            | Applied::TooOld
            | Applied::Unchanged => {
                (was_live && !self.book.is_live()).then(|| self.state.gap(head))
            }
        }
    }

    /// Messages are missing: the book is whole no more.
    fn break_off(
        &mut self,
        head: EventHead<'_>,
        requests: &SnapshotRequests,
        records: Option<&mut Vec<MarketRecord>>,
    ) {
        if self.book.is_live() {
            requests.request(head.name);
            if let Some(records) = records {
                records.push(self.state.gap(head));
            }
        }
        self.book.freeze();
    }
}
