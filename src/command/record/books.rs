//! The books of a feed that is being recorded: whether each is whole, so that the feed fetches a snapshot for
//! one that is not, and a replay of the capture can repair it.
//!
//! Decodes a copy of what is recorded; nothing that it finds changes the capture.

use crate::config::SourceKind;
use crate::engine::book::Book;
use crate::event::Body;
use crate::frame::Frame;
use crate::instrument::InstrumentId;
use crate::pipeline::Pipeline;
use crate::run::intake::Intake;
use crate::source::snapshot_requests::SnapshotRequests;

/// Books, and where to say that one needs a snapshot. None for sources without snapshots.
pub(super) struct RecordedBooks(Option<Books>);

struct Books {
    intake: Intake,
    books: Vec<Book>,
    requests: SnapshotRequests,
}

impl RecordedBooks {
    pub(super) fn of(pipeline: &Pipeline, requests: SnapshotRequests) -> Self {
        let has_snapshots = pipeline.file.source.kind == SourceKind::Websocket;
        Self(has_snapshots.then(|| Books {
            intake: Intake::new(pipeline.decoder()),
            books: vec![],
            requests,
        }))
    }

    /// Follows a frame.
    pub(super) fn take(&mut self, frame: &Frame) {
        if let Some(books) = &mut self.0 {
            books.take(frame);
        }
    }
}

impl Books {
    fn take(&mut self, frame: &Frame) {
        let messages = self.intake.split(&frame.bytes);
        if messages.is_empty() {
            self.intake.frame(frame.origin, &frame.bytes);
        }
        for message in messages {
            self.intake.frame(frame.origin, &message);
        }
        let (batch, names) = (self.intake.batch(), self.intake.instruments());
        for event in &batch.events {
            let instrument = event.instrument;
            match &event.body {
                Body::Gap(_) if instrument == InstrumentId::ALL => {
                    for (at, book) in self.books.iter_mut().enumerate() {
                        if book.is_live() {
                            self.requests.request(names.name(InstrumentId(at as u32)));
                        }
                        book.freeze();
                    }
                }
                Body::Gap(_) => {
                    let book = book_of(&mut self.books, instrument);
                    if book.is_live() {
                        self.requests.request(names.name(instrument));
                    }
                    book.freeze();
                }
                Body::Depth(depth) => {
                    let (bids, asks) = batch.levels(depth);
                    let book = book_of(&mut self.books, instrument);
                    let was_live = book.is_live();
                    book.apply(depth, bids, asks, event.ts_event);
                    match (was_live, book.is_live()) {
                        (true, false) => self.requests.request(names.name(instrument)),
                        (false, true) => self.requests.spliced(names.name(instrument)),
                        (true, true) if depth.snapshot.is_some() => {
                            self.requests.spliced(names.name(instrument));
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        self.intake.release();
    }
}

fn book_of(books: &mut Vec<Book>, instrument: InstrumentId) -> &mut Book {
    let at = instrument.index();
    if at >= books.len() {
        books.resize_with(at + 1, Book::default);
    }
    &mut books[at]
}
