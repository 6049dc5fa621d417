//! Snapshots of order books: one for each symbol of a new connection, and whenever one is requested.
//!
//! A snapshot is fetched only after the symbol's stream of book changes has begun, or it could not be
//! spliced. Bodies are not read here: splicing is the book's business. A request that fails for good is
//! forgotten; the book requests again as long as it waits.

use std::hash::RandomState;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustc_hash::FxHashMap;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{error, warn};

use super::backoff::jittered;
use super::request_budget::RequestBudget;
use super::settings::WebsocketSettings;
use crate::clock;
use crate::decode::route::name_hash;
use crate::decode::venue::{SnapshotRequest, Venue};
use crate::source::status::{FeedStatus, count};

/// The symbols whose books need snapshots, and the snapshots on their way.
pub(super) struct SnapshotFetcher {
    venue: &'static dyn Venue,
    /// The streams of the subscription, in the venue's words.
    streams: Vec<String>,
    rest: Option<Arc<RestClient>>,
    /// By the hash of the symbol, which is the same in either case.
    symbols: FxHashMap<u64, SymbolSnapshot>,
    under_way: JoinSet<(u64, Option<Bytes>)>,
}

struct SymbolSnapshot {
    name: String,
    progress: SnapshotProgress,
}

/// How far a symbol's snapshot is on this connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum SnapshotProgress {
    /// Waits for the stream of changes to begin.
    AwaitsStream,
    /// Being fetched.
    UnderWay,
    /// None is needed; one may be requested.
    Idle,
}

/// The REST interface of the venue.
struct RestClient {
    venue: &'static dyn Venue,
    agent: ureq::Agent,
    base: String,
    backoff_min: Duration,
    backoff_max: Duration,
    /// One request at a time: snapshots weigh heavily, and a ban concerns all symbols.
    budget: Mutex<RequestBudget>,
    jitter: RandomState,
    status: Arc<FeedStatus>,
}

/// The outcome of one request.
enum RestAnswer {
    Body(Vec<u8>),
    /// Try again after so long, if the venue says how long.
    Later(Option<Duration>, String),
    Refused(String),
}

impl SnapshotFetcher {
    pub(super) fn new(settings: &WebsocketSettings, status: Arc<FeedStatus>) -> Self {
        let venue = settings.venue;
        let mut streams = settings.streams.iter();
        let needed = streams.any(|stream| venue.needs_snapshot(stream));
        let symbols = settings.symbols.iter().filter(|_| needed).map(|symbol| {
            let snapshot = SymbolSnapshot {
                name: symbol.clone(),
                progress: SnapshotProgress::AwaitsStream,
            };
            (name_hash(symbol.as_bytes()), snapshot)
        });
        Self {
            venue,
            streams: settings.streams.clone(),
            symbols: symbols.collect(),
            rest: settings
                .rest
                .as_ref()
                .map(|base| Arc::new(RestClient::new(base, settings, status))),
            under_way: JoinSet::new(),
        }
    }

    /// Abandons what was under way: a new connection needs new snapshots.
    pub(super) fn reconnected(&mut self) {
        self.under_way = JoinSet::new();
        for symbol in self.symbols.values_mut() {
            symbol.progress = SnapshotProgress::AwaitsStream;
        }
    }

    /// Looks at a message: the first change of a book starts the request for its snapshot.
    pub(super) fn look_at(&mut self, message: &[u8]) {
        let Some(symbol) = self.venue.book_change_of(message) else {
            return;
        };
        let hash = name_hash(symbol.as_bytes());
        let found = self.symbols.get_mut(&hash);
        let Some(symbol) = found.filter(|symbol| symbol.progress == SnapshotProgress::AwaitsStream)
        else {
            return;
        };
        symbol.progress = SnapshotProgress::Idle;
        let name = symbol.name.clone();
        if let SnapshotRequest::Get { path, weight } =
            self.venue.snapshot_request(&name, &self.streams)
        {
            self.fetch(hash, name, path, weight);
        }
    }

    /// Requests a snapshot of an instrument (`BTCUSDT.BINANCE`, in either case). Returns the messages that
    /// must be sent for it.
    pub(super) fn request(&mut self, instrument: &str) -> Vec<String> {
        let name = instrument.split('.').next().unwrap_or(instrument);
        let hash = name_hash(name.as_bytes());
        let Some(symbol) = self.symbols.get(&hash) else {
            warn!(
                instrument,
                "a snapshot is requested, but no stream of book changes is subscribed"
            );
            return vec![];
        };
        if symbol.progress != SnapshotProgress::Idle {
            return vec![];
        }
        let name = symbol.name.clone();
        match self.venue.snapshot_request(&name, &self.streams) {
            SnapshotRequest::Get { path, weight } => {
                self.fetch(hash, name, path, weight);
                vec![]
            }
            SnapshotRequest::Send(messages) => messages,
        }
    }

    /// The next snapshot, as a frame's bytes. `None` when none is under way, or one failed.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        let (hash, body) = self.under_way.join_next().await?.ok()?;
        if let Some(symbol) = self.symbols.get_mut(&hash) {
            symbol.progress = SnapshotProgress::Idle;
        }
        body
    }

    fn fetch(&mut self, hash: u64, name: String, path: String, weight: u32) {
        let (Some(rest), Some(symbol)) = (self.rest.clone(), self.symbols.get_mut(&hash)) else {
            return;
        };
        symbol.progress = SnapshotProgress::UnderWay;
        self.under_way
            .spawn(async move { (hash, rest.snapshot(&name, &path, weight).await) });
    }
}

impl RestClient {
    fn new(base: &str, settings: &WebsocketSettings, status: Arc<FeedStatus>) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(REQUEST_TIMEOUT))
            .timeout_connect(Some(settings.connect_timeout))
            // A snapshot from where a redirect leads is not the venue's.
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .new_agent();
        let budget = RequestBudget::new(settings.weight_max, settings.weight_window);
        Self {
            venue: settings.venue,
            agent,
            base: base.trim_end_matches('/').to_owned(),
            backoff_min: settings.backoff_min,
            backoff_max: settings.backoff_max,
            budget: Mutex::new(budget),
            jitter: RandomState::new(),
            status,
        }
    }

    /// Fetches until there is an answer. Others wait for their turn meanwhile: a ban holds for every symbol.
    async fn snapshot(self: &Arc<Self>, symbol: &str, path: &str, weight: u32) -> Option<Bytes> {
        let mut budget = self.budget.lock().await;
        let mut ceiling = self.backoff_min;
        loop {
            let now = clock::instant();
            let pause = budget.wait(now, weight);
            if budget.becomes_exhausted(now, pause) {
                warn!(
                    symbol,
                    ?pause,
                    "the budget of the venue's requests is spent: snapshots wait"
                );
            }
            sleep(pause).await;
            budget.spend(clock::instant(), weight);
            let (rest, url) = (Arc::clone(self), format!("{}{path}", self.base));
            let answer = tokio::task::spawn_blocking(move || rest.get(&url))
                .await
                .ok()?;
            let wait = match answer {
                RestAnswer::Body(body) => {
                    count(&self.status.snapshots);
                    return Some(self.venue.snapshot_message(symbol, &body).into());
                }
                RestAnswer::Refused(reason) => {
                    count(&self.status.snapshot_failures);
                    error!(symbol, reason, "the venue refuses a book snapshot");
                    return None;
                }
                RestAnswer::Later(after, reason) => {
                    count(&self.status.snapshot_failures);
                    warn!(symbol, reason, "no book snapshot yet: trying again");
                    after.unwrap_or_else(|| ceiling / 2 + jittered(&self.jitter, ceiling / 2))
                }
            };
            sleep(wait).await;
            ceiling = (ceiling * 2).min(self.backoff_max);
        }
    }

    fn get(&self, url: &str) -> RestAnswer {
        let mut response = match self.agent.get(url).call() {
            Ok(response) => response,
            Err(error) => return RestAnswer::Later(None, error.to_string()),
        };
        match response.status().as_u16() {
            200 => match response
                .body_mut()
                .with_config()
                .limit(BODY_BYTES_MAX)
                .read_to_vec()
            {
                Ok(body) if body.starts_with(b"{") => RestAnswer::Body(body),
                Ok(_) => RestAnswer::Later(None, "the answer is no JSON object".into()),
                Err(error) => RestAnswer::Later(None, error.to_string()),
            },
            // Too many requests; banned for having gone on.
            code @ (429 | 418) => RestAnswer::Later(retry_after(&response), format!("HTTP {code}")),
            code if code >= 500 => RestAnswer::Later(None, format!("HTTP {code}")),
            code => RestAnswer::Refused(format!("HTTP {code}")),
        }
    }
}

fn retry_after(response: &ureq::http::Response<ureq::Body>) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// 5000 levels a side are about half a megabyte.
const BODY_BYTES_MAX: u64 = 8 << 20;
