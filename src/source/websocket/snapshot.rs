//! Snapshots of order books: asked for, again and again, until the book has spliced one.
//!
//! One that comes with the subscription is asked for by subscribing again, from the begin of a connection
//! on: the subscription may have been refused for a moment, or lost. A snapshot beside the stream is fetched
//! only after the stream of book changes has begun, or it could not be spliced. Whether one was spliced is
//! told by the engine; bodies are not read here. Each symbol waits for itself: one whose requests fail delays
//! no other.

use std::hash::RandomState;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustc_hash::FxHashMap;
use tokio::task::JoinSet;
use tracing::warn;

use super::backoff::{doubled, jittered};
use super::rest::RestClient;
use super::settings::WebsocketSettings;
use crate::clock;
use crate::decode::route::name_hash;
use crate::decode::venue::{SnapshotRequest, Venue};
use crate::source::snapshot_requests::BookReport;
use crate::source::status::{FeedStatus, count};

/// The symbols whose books need snapshots, and the snapshots on their way.
pub(super) struct SnapshotFetcher {
    venue: &'static dyn Venue,
    /// The streams of each symbol.
    streams: Vec<String>,
    rest: Option<Arc<RestClient>>,
    /// By the hash of the symbol, which is the same in either case.
    symbols: FxHashMap<u64, SymbolSnapshot>,
    /// Whether snapshots come beside the stream, which must have begun.
    beside: bool,
    /// Whether they come with the subscription, and somebody tells when the book has spliced one.
    with_subscription: bool,
    awaits_splice: bool,
    /// Whether the messages come from topics: a book that waits has seen changes, of whatever symbol.
    of_topics: bool,
    under_way: JoinSet<(u64, Result<Vec<u8>, String>)>,
    backoff: (Duration, Duration),
    jitter: RandomState,
    status: Arc<FeedStatus>,
}

struct SymbolSnapshot {
    name: String,
    progress: SnapshotProgress,
    /// Requests since the book was whole for a while.
    requests: u32,
    /// Whether the book has ever been whole.
    was_whole: bool,
    /// Whether a new connection was made for it meanwhile.
    has_reconnected: bool,
    /// The last failure that was told.
    told: String,
}

/// How far a symbol's snapshot is on this connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum SnapshotProgress {
    /// Waits for the stream of changes to begin.
    AwaitsStream,
    /// To be requested then.
    Due(Instant),
    /// Being fetched.
    UnderWay,
    /// Comes with the subscription; the book should have spliced it by then.
    Subscribed(Instant),
    /// Handed to the book, which should have spliced it by then.
    AwaitsSplice(Instant),
    /// The book has been whole since then, as far as is known.
    Whole(Instant),
    /// The venue has refused it for good: it is not asked for on this connection any more.
    Refused,
}

/// What is to be done about the snapshots now.
#[derive(Debug, Default)]
pub(super) struct SnapshotStep {
    /// Texts to send.
    pub(super) messages: Vec<String>,
    /// A symbol whose book subscribing again has not repaired.
    pub(super) unrepaired: Option<String>,
}

impl SnapshotFetcher {
    pub(super) fn new(settings: &WebsocketSettings, status: Arc<FeedStatus>) -> Self {
        let venue = settings.venue;
        let mut streams = settings.streams.iter();
        let beside = streams.any(|stream| venue.needs_snapshot(stream));
        let symbols = settings.symbols.iter().map(|symbol| {
            let snapshot = SymbolSnapshot::new(symbol, SnapshotProgress::AwaitsStream);
            (name_hash(symbol.as_bytes()), snapshot)
        });
        let mut fetcher = Self {
            venue,
            streams: settings.streams.clone(),
            symbols: symbols.collect(),
            rest: settings
                .rest
                .as_ref()
                .map(|base| Arc::new(RestClient::new(base, settings))),
            beside,
            with_subscription: settings.awaits_splice
                && !beside
                && venue.has_book(&settings.streams),
            awaits_splice: settings.awaits_splice,
            of_topics: false,
            under_way: JoinSet::new(),
            backoff: (settings.backoff_min, settings.backoff_max),
            jitter: RandomState::new(),
            status,
        };
        fetcher.reconnected();
        fetcher
    }

    /// Fetches snapshots for books whose changes come from topics: of symbols that are told by the engine.
    pub(super) fn of_topics(settings: &WebsocketSettings, status: Arc<FeedStatus>) -> Self {
        Self {
            of_topics: true,
            beside: true,
            with_subscription: false,
            symbols: FxHashMap::default(),
            ..Self::new(settings, status)
        }
    }

    /// Whether snapshots come beside the stream, not with the subscription.
    pub(super) fn are_beside(&self) -> bool {
        self.beside
    }

    /// Abandons what was under way: a new connection needs new snapshots.
    pub(super) fn reconnected(&mut self) {
        self.under_way = JoinSet::new();
        let now = clock::instant();
        let progress = match (self.beside, self.with_subscription) {
            (true, _) => SnapshotProgress::AwaitsStream,
            // They come by themselves, unless the subscription was refused or went astray.
            (false, true) => SnapshotProgress::Subscribed(now + SUBSCRIBED_WITHIN),
            (false, false) => SnapshotProgress::Whole(now),
        };
        for symbol in self.symbols.values_mut() {
            symbol.progress = progress;
        }
    }

    /// Another connection takes over: where snapshots come with the subscription, it brings its own.
    pub(super) fn handed_over(&mut self) {
        if self.with_subscription {
            self.reconnected();
        }
    }

    /// Takes a message in which the venue refuses a part of the subscription: a symbol that it names, and
    /// whose book is not there, is not asked for again.
    pub(super) fn refused(&mut self, message: &[u8]) {
        for symbol in self.symbols.values_mut() {
            let is_there = matches!(symbol.progress, SnapshotProgress::Whole(_));
            if !is_there && names(message, symbol.name.as_bytes()) {
                symbol.progress = SnapshotProgress::Refused;
            }
        }
    }

    /// Looks at a message: the first change of a book makes its snapshot due.
    pub(super) fn look_at(&mut self, message: &[u8]) {
        if !self.beside {
            return;
        }
        let Some(symbol) = self.venue.book_change_of(message) else {
            return;
        };
        if let Some(symbol) = self.symbols.get_mut(&name_hash(symbol.as_bytes()))
            && symbol.progress == SnapshotProgress::AwaitsStream
        {
            symbol.progress = SnapshotProgress::Due(clock::instant());
        }
    }

    /// Takes what the engine says of a book.
    pub(super) fn report(&mut self, report: &BookReport) {
        let name = report.instrument.rsplit_once('.');
        let name = name.map_or(&*report.instrument, |(symbol, _)| symbol);
        let (hash, now) = (name_hash(name.as_bytes()), clock::instant());
        if self.of_topics {
            let new = || SymbolSnapshot::new(name, SnapshotProgress::Whole(now));
            self.symbols.entry(hash).or_insert_with(new);
        }
        let Some(symbol) = self.symbols.get_mut(&hash) else {
            return;
        };
        match (report.is_whole, symbol.progress) {
            (true, SnapshotProgress::Whole(_)) => {}
            (true, progress) => {
                let is_answer = symbol.requests > 0;
                if let SnapshotProgress::AwaitsSplice(_) = progress
                    && is_answer
                {
                    count(&self.status.snapshots);
                }
                symbol.was_whole = true;
                symbol.told.clear();
                symbol.progress = SnapshotProgress::Whole(now);
            }
            (false, SnapshotProgress::Whole(since)) => {
                if now.saturating_duration_since(since) > self.backoff.1 {
                    (symbol.requests, symbol.has_reconnected) = (0, false);
                }
                let wait = wait(self.backoff, &self.jitter, symbol.requests);
                symbol.progress = SnapshotProgress::Due(now + wait);
            }
            // It came, and the book has lost an update since, unless it is on its way.
            (false, SnapshotProgress::Subscribed(_)) => {
                let wait = wait(self.backoff, &self.jitter, symbol.requests);
                symbol.progress = SnapshotProgress::Due(now + wait.max(self.backoff.0));
            }
            // It is being seen to.
            (false, _) => {}
        }
    }

    /// Requests what is due. `is_sending`: messages wait until the venue allows them, so that no other one is
    /// of use, and what was asked for may not have been sent.
    pub(super) fn step(&mut self, now: Instant, is_sending: bool) -> SnapshotStep {
        let mut step = SnapshotStep::default();
        for (&hash, symbol) in &mut self.symbols {
            if is_sending && !self.beside {
                if let SnapshotProgress::AwaitsSplice(until) | SnapshotProgress::Subscribed(until) =
                    &mut symbol.progress
                {
                    *until = (*until).max(now + SPLICED_WITHIN);
                }
                continue;
            }
            if let SnapshotProgress::AwaitsSplice(until) | SnapshotProgress::Subscribed(until) =
                symbol.progress
                && now >= until
            {
                let request = self.venue.snapshot_request(&symbol.name, &self.streams);
                let in_band = matches!(request, SnapshotRequest::Send(_));
                // A new connection is tried once; what it does not repair must not break the other books.
                let is_lost = in_band && symbol.was_whole && symbol.requests >= SENT_MAX;
                if is_lost && !symbol.has_reconnected {
                    symbol.has_reconnected = true;
                    step.unrepaired = Some(symbol.name.clone());
                }
                count(&self.status.snapshot_failures);
                symbol.tell("no snapshot came that the book could use");
                let wait = wait(self.backoff, &self.jitter, symbol.requests);
                symbol.progress = SnapshotProgress::Due(now + wait);
            }
            let SnapshotProgress::Due(at) = symbol.progress else {
                continue;
            };
            if now < at {
                continue;
            }
            symbol.requests = symbol.requests.saturating_add(1);
            match (
                self.venue.snapshot_request(&symbol.name, &self.streams),
                &self.rest,
            ) {
                (SnapshotRequest::Send(messages), _) => {
                    step.messages.extend(messages);
                    // They leave no faster than the venue allows.
                    let limits = self.venue.limits();
                    let sent = step.messages.len() as u32 / limits.messages_max.max(1);
                    let wait = limits.messages_window.saturating_mul(sent) + SPLICED_WITHIN;
                    symbol.progress = SnapshotProgress::AwaitsSplice(now + wait);
                }
                (SnapshotRequest::Get { path, weight }, Some(rest)) => {
                    let rest = Arc::clone(rest);
                    let fetch = async move { (hash, rest.get(path, weight).await) };
                    self.under_way.spawn(fetch);
                    symbol.progress = SnapshotProgress::UnderWay;
                }
                (SnapshotRequest::Get { .. }, None) => {
                    symbol.tell("the pipeline names no REST address: `[source] rest`");
                    symbol.progress = SnapshotProgress::Due(now + self.backoff.1);
                }
            }
        }
        step
    }

    /// The next snapshot, as a frame's bytes. `None` when none is under way, or one failed.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        self.next_named().await.map(|(_, bytes)| bytes)
    }

    /// The same, with the hash of its symbol.
    pub(super) async fn next_named(&mut self) -> Option<(u64, Bytes)> {
        let (hash, body) = self.under_way.join_next().await?.ok()?;
        let symbol = self.symbols.get_mut(&hash)?;
        let now = clock::instant();
        match body {
            Ok(body) => {
                symbol.progress = match self.awaits_splice {
                    true => SnapshotProgress::AwaitsSplice(now + SPLICED_WITHIN),
                    false => {
                        count(&self.status.snapshots);
                        SnapshotProgress::Whole(now)
                    }
                };
                let message = self.venue.snapshot_message(&symbol.name, &body);
                Some((hash, message.into()))
            }
            Err(why) => {
                count(&self.status.snapshot_failures);
                symbol.tell(&why);
                let wait = wait(self.backoff, &self.jitter, symbol.requests);
                symbol.progress = SnapshotProgress::Due(now + wait);
                None
            }
        }
    }
}

impl SymbolSnapshot {
    fn new(symbol: &str, progress: SnapshotProgress) -> Self {
        Self {
            name: symbol.to_owned(),
            progress,
            requests: 0,
            was_whole: false,
            has_reconnected: false,
            told: String::new(),
        }
    }

    /// Tells of a failure, once until it is another one.
    fn tell(&mut self, why: &str) {
        if self.told != why {
            why.clone_into(&mut self.told);
            warn!(
                symbol = self.name,
                why, "no book snapshot yet: trying again until the book has one"
            );
        }
    }
}

/// Whether a text has this name, and not as a part of a longer one.
fn names(text: &[u8], name: &[u8]) -> bool {
    let is_part = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"-_/".contains(byte))
    };
    memchr::memmem::find_iter(text, name).any(|at| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        !is_part(before) && !is_part(text.get(at + name.len()))
    })
}

/// How long to wait before the request after so many.
fn wait(backoff: (Duration, Duration), jitter: &RandomState, requests: u32) -> Duration {
    if requests == 0 {
        return Duration::ZERO;
    }
    let ceiling = doubled(backoff.0, requests - 1, backoff.1);
    ceiling / 2 + jittered(jitter, ceiling / 2)
}

/// How long a book may take to splice a snapshot that it was given: more than a batch and a queue take.
const SPLICED_WITHIN: Duration = Duration::from_secs(4);
/// How long it may be after a subscription until the book has spliced the snapshot that comes with it.
const SUBSCRIBED_WITHIN: Duration = Duration::from_secs(8);
/// Subscriptions sent again for one book before the connection is given up.
const SENT_MAX: u32 = 3;
