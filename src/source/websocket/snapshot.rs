//! Depth snapshots by REST: one for each symbol of a new connection, and whenever one is asked for.
//!
//! A snapshot is fetched only after the symbol's depth stream has begun, or it could not be spliced.
//! It does not read the body: splicing is the book's business.

use std::hash::RandomState;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustc_hash::FxHashMap;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{error, warn};

use super::WebsocketSettings;
use super::backoff::jittered;
use crate::decode::route::stream_of;
use crate::source::status::{FeedStatus, count};

/// The symbols with a depth stream, and the snapshots on their way.
pub(super) struct Snapshots {
    source: Option<Arc<Rest>>,
    /// By lower-case symbol.
    symbols: FxHashMap<String, Want>,
    under_way: JoinSet<(String, Option<Bytes>)>,
}

/// Where a symbol's snapshot stands on this connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Want {
    /// The stream has not begun: the snapshot waits for it.
    Stream,
    /// Being fetched.
    Answer,
    /// Nothing; it may be asked for again.
    Nothing,
}

/// The REST side of the venue.
struct Rest {
    agent: ureq::Agent,
    base: String,
    levels: u32,
    backoff_min: Duration,
    backoff_max: Duration,
    /// One request at a time: snapshots weigh heavily, and a ban concerns all symbols.
    turn: Semaphore,
    luck: RandomState,
    status: Arc<FeedStatus>,
}

/// What came of one request.
enum Answer {
    Body(Vec<u8>),
    /// Come back after so long, if it says.
    Later(Option<Duration>, String),
    Never(String),
}

impl Snapshots {
    pub(super) fn new(settings: &WebsocketSettings, status: Arc<FeedStatus>) -> Self {
        let depth = settings.streams.iter().filter_map(|stream| {
            let (symbol, rest) = stream.split_once('@')?;
            is_diff_depth(rest.as_bytes()).then(|| (symbol.to_ascii_lowercase(), Want::Stream))
        });
        Self {
            symbols: depth.collect(),
            source: settings
                .rest
                .as_ref()
                .map(|base| Arc::new(Rest::new(base, settings, status))),
            under_way: JoinSet::new(),
        }
    }

    /// Forgets what was under way: a new connection needs new snapshots.
    pub(super) fn reconnected(&mut self) {
        self.under_way = JoinSet::new();
        for want in self.symbols.values_mut() {
            *want = Want::Stream;
        }
    }

    /// A message came. The first of a depth stream sends for the snapshot.
    pub(super) fn saw(&mut self, bytes: &[u8]) {
        // The table is small, and looked at for depth messages only.
        let Some(symbol) = stream_of(bytes).and_then(depth_symbol) else {
            return;
        };
        if self.symbols.get(symbol) == Some(&Want::Stream) {
            self.fetch(symbol.to_owned());
        }
    }

    /// Somebody needs a snapshot of `symbol`, in either case, with or without its venue.
    pub(super) fn request(&mut self, symbol: &str) {
        let name = symbol.split('.').next().unwrap_or(symbol);
        let name = name.to_ascii_lowercase();
        match self.symbols.get(&name) {
            Some(Want::Nothing) => self.fetch(name),
            Some(Want::Stream | Want::Answer) => {}
            None => warn!(
                symbol,
                "snapshot asked for, but no depth stream is subscribed"
            ),
        }
    }

    /// The next snapshot, as a frame's bytes. `None` when there is none under way, or one failed.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        let (symbol, body) = self.under_way.join_next().await?.ok()?;
        self.symbols.insert(symbol, Want::Nothing);
        body
    }

    fn fetch(&mut self, symbol: String) {
        let Some(rest) = self.source.clone() else {
            return;
        };
        self.symbols.insert(symbol.clone(), Want::Answer);
        self.under_way.spawn(async move {
            let body = rest.depth(&symbol).await;
            (symbol, body)
        });
    }
}

impl Rest {
    fn new(base: &str, settings: &WebsocketSettings, status: Arc<FeedStatus>) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(REQUEST_TIMEOUT))
            .timeout_connect(Some(settings.connect_timeout))
            // A snapshot from where a redirect leads is not the venue's.
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .new_agent();
        Self {
            agent,
            base: base.trim_end_matches('/').to_owned(),
            levels: settings.depth_levels,
            backoff_min: settings.backoff_min,
            backoff_max: settings.backoff_max,
            turn: Semaphore::new(1),
            luck: RandomState::new(),
            status,
        }
    }

    /// Fetches until there is an answer. Waiting keeps the turn: a ban holds for every symbol.
    async fn depth(self: &Arc<Self>, symbol: &str) -> Option<Bytes> {
        let _turn = self.turn.acquire().await.ok()?;
        let mut ceiling = self.backoff_min;
        loop {
            let (rest, url) = (Arc::clone(self), self.url(symbol));
            let answer = tokio::task::spawn_blocking(move || rest.ask(&url))
                .await
                .ok()?;
            let wait = match answer {
                Answer::Body(body) => {
                    count(&self.status.snapshots);
                    return Some(framed(symbol, &body));
                }
                Answer::Never(reason) => {
                    count(&self.status.snapshot_failures);
                    error!(symbol, reason, "the venue refuses a depth snapshot");
                    return None;
                }
                Answer::Later(after, reason) => {
                    count(&self.status.snapshot_failures);
                    warn!(symbol, reason, "no depth snapshot yet: trying again");
                    after.unwrap_or_else(|| ceiling / 2 + jittered(&self.luck, ceiling / 2))
                }
            };
            sleep(wait).await;
            ceiling = (ceiling * 2).min(self.backoff_max);
        }
    }

    fn url(&self, symbol: &str) -> String {
        let symbol = symbol.to_ascii_uppercase();
        format!(
            "{}/api/v3/depth?symbol={symbol}&limit={}",
            self.base, self.levels
        )
    }

    fn ask(&self, url: &str) -> Answer {
        let mut response = match self.agent.get(url).call() {
            Ok(response) => response,
            Err(error) => return Answer::Later(None, error.to_string()),
        };
        match response.status().as_u16() {
            200 => match response
                .body_mut()
                .with_config()
                .limit(BODY_BYTES_MAX)
                .read_to_vec()
            {
                Ok(body) if body.starts_with(b"{") => Answer::Body(body),
                Ok(_) => Answer::Later(None, "the answer is no JSON object".into()),
                Err(error) => Answer::Later(None, error.to_string()),
            },
            // Too many requests; banned for having gone on.
            code @ (429 | 418) => Answer::Later(retry_after(&response), format!("HTTP {code}")),
            code if code >= 500 => Answer::Later(None, format!("HTTP {code}")),
            code => Answer::Never(format!("HTTP {code}")),
        }
    }
}

fn retry_after(response: &ureq::http::Response<ureq::Body>) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

/// The symbol of a stream of book changes; Binance's partial books (`@depth20`) need no snapshot.
fn depth_symbol(stream: &[u8]) -> Option<&str> {
    let at = memchr::memchr(b'@', stream)?;
    is_diff_depth(&stream[at + 1..])
        .then(|| std::str::from_utf8(&stream[..at]).ok())
        .flatten()
}

fn is_diff_depth(name: &[u8]) -> bool {
    name == b"depth" || name.starts_with(b"depth@")
}

fn framed(symbol: &str, body: &[u8]) -> Bytes {
    let head = format!(r#"{{"stream":"{symbol}@depth_snapshot","data":"#);
    [head.as_bytes(), body.trim_ascii_end(), b"}"]
        .concat()
        .into()
}

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// 5000 levels a side are about half a megabyte.
const BODY_BYTES_MAX: u64 = 8 << 20;
