//! The feed: one connection after the other, and two where the end of one is announced.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{error, info, warn};

use super::backoff::ReconnectBackoff;
use super::connection::{Incoming, OpenConnection, Socket};
use super::end::{End, EndReport};
use super::host_limits::HostLimits;
use super::overlap::Overlap;
use super::replacement::{Progress, Replacement, opening};
use super::settings::{WebsocketError, WebsocketSettings};
use super::snapshot::SnapshotFetcher;
use crate::clock;
use crate::decode::ConnectionOrder;
use crate::decode::venue::{Reaction, Subscription};
use crate::frame::{Frame, Origin};
use crate::source::conflation::{Conflation, HANDOVER, RECONNECT_GAP, sequence_gap};
use crate::source::snapshot_requests::BookReport;
use crate::source::status::{FeedStatus, count};

/// The feed's state across connections.
pub(super) struct Feed {
    settings: Arc<WebsocketSettings>,
    subscription: Arc<Subscription>,
    limits: Arc<HostLimits>,
    out: Conflation,
    status: Arc<FeedStatus>,
    snapshots: SnapshotFetcher,
    backoff: ReconnectBackoff,
    report: EndReport,
    /// Connections so far.
    connections: i32,
    /// Number of the next frame, over all connections.
    offset: i64,
}

/// The replacement is over.
struct Gone;

impl Feed {
    pub(super) fn new(
        settings: WebsocketSettings,
        out: Conflation,
        status: Arc<FeedStatus>,
    ) -> Result<Self, WebsocketError> {
        let subscription = settings.subscription()?;
        Ok(Self {
            snapshots: SnapshotFetcher::new(&settings, Arc::clone(&status)),
            limits: HostLimits::of(&settings.url, &settings),
            backoff: ReconnectBackoff::new(settings.backoff_min, settings.backoff_max),
            settings: Arc::new(settings),
            subscription: Arc::new(subscription),
            out,
            status,
            report: EndReport::default(),
            connections: 0,
            offset: 0,
        })
    }

    /// Lives until the venue refuses it for good.
    pub(super) async fn live(
        &mut self,
        reports: &mut mpsc::Receiver<BookReport>,
    ) -> Result<(), WebsocketError> {
        loop {
            self.pause(self.backoff.wait()).await;
            let opening = opening(&self.settings, &self.subscription, &self.limits);
            let (end, life) = match self.meanwhile(opening).await {
                Ok(socket) => {
                    let connection = self.begin(socket);
                    self.read(connection, reports).await
                }
                Err(end) => (end, Duration::ZERO),
            };
            self.status.set_healthy(false);
            self.backoff.ended(life, end.was_quiet());
            self.note_refusal(&end);
            self.report.end(&end, &self.settings.url, &self.status);
            if let End::Fatal(words) = end {
                let url = self.settings.url.clone();
                return Err(WebsocketError::Refused { url, words });
            }
        }
    }

    /// Sends what is held as long as the shards may still take it, and drops the rest.
    pub(super) async fn finish(&mut self) {
        let begin = clock::instant();
        while !self.out.flush() && begin.elapsed() < FLUSH_FOR {
            sleep(FLUSH_EVERY).await;
        }
        self.out.drop_held();
    }

    /// Begins the first connection, or one that nothing connects with the one before.
    fn begin(&mut self, socket: Socket) -> OpenConnection {
        let connection = self.connection(socket);
        if connection.number > 1 {
            let gap = self.frame(connection.number, Bytes::from_static(RECONNECT_GAP));
            self.out.reconnected(&gap);
        }
        self.snapshots.reconnected();
        self.status.set_healthy(true);
        connection
    }

    fn connection(&mut self, socket: Socket) -> OpenConnection {
        self.connections += 1;
        count(&self.status.connections);
        info!(
            url = self.settings.url,
            connection = self.connections,
            "connected"
        );
        OpenConnection::new(socket, self.connections, &self.settings, &self.subscription)
    }

    /// Reads a connection, and those that take its place, to the end of the last. Also returns how long that
    /// one lived.
    async fn read(
        &mut self,
        mut connection: OpenConnection,
        reports: &mut mpsc::Receiver<BookReport>,
    ) -> (End, Duration) {
        let mut replacement = Replacement::None;
        // Once the end of the connection is announced: when to open the next one.
        let mut replace_at = None;
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // An interval, not a sleep: a busy socket must not delay the held frames for ever.
        let mut retry = interval(FLUSH_EVERY);
        retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let end = tokio::select! {
                received = connection.receive() => {
                    self.take(&mut connection, received, &mut replacement)
                }
                progress = replacement.next() => {
                    if self.replace(progress, &mut replacement).is_err() {
                        replace_at = Some(self.next_attempt(Duration::ZERO));
                    }
                    None
                }
                _ = retry.tick(), if self.out.is_holding() => {
                    self.out.flush();
                    None
                }
                Some(report) = reports.recv() => {
                    self.snapshots.report(&report);
                    None
                }
                Some(body) = self.snapshots.next() => {
                    let frame = self.frame(connection.number, body);
                    self.out.push(frame);
                    None
                }
                _ = beat.tick() => {
                    let number = connection.number;
                    let end = self.beat(&mut connection, &mut replacement).await.err();
                    if connection.number != number {
                        replace_at = None;
                    }
                    end
                }
            };
            match end {
                None => {}
                Some(end) if end.is_announced() => {
                    replace_at = replace_at.or_else(|| Some(self.next_attempt(connection.life())));
                }
                // Whatever ended it, the next one has taken its place already.
                Some(_) if replacement.has_begun() => {
                    self.hand_over(&mut connection, &mut replacement).await;
                    replace_at = None;
                }
                Some(end) => return (end, connection.life()),
            }
            if replacement.is_none() && replace_at.is_some_and(|at| clock::instant() >= at) {
                let opening = opening(&self.settings, &self.subscription, &self.limits);
                replacement = Replacement::Opening(opening, Box::default());
            }
        }
    }

    /// When to try again after a connection that lived so long.
    fn next_attempt(&mut self, life: Duration) -> Instant {
        self.backoff.ended(life, false);
        clock::instant() + self.backoff.wait()
    }

    /// Does what is due: texts, pings, snapshots, the end of a connection, the change to another one.
    async fn beat(
        &mut self,
        connection: &mut OpenConnection,
        replacement: &mut Replacement,
    ) -> Result<(), End> {
        let now = clock::instant();
        let step = self.snapshots.step(now);
        connection.queue(step.messages);
        if let Some(symbol) = step.unrepaired {
            return Err(End::Unrepaired(symbol));
        }
        connection.send_due(now).await?;
        if let Replacement::Open(open) = replacement {
            let (other, overlap) = &mut **open;
            if let Err(end) = other.send_due(now).await {
                self.report.end(&end, &self.settings.url, &self.status);
                *replacement = Replacement::None;
            } else if overlap.is_complete(now) {
                self.hand_over(connection, replacement).await;
            }
        }
        connection.is_over(now).map_or(Ok(()), Err)
    }

    /// Takes what the connection in use gave.
    fn take(
        &mut self,
        connection: &mut OpenConnection,
        received: Incoming,
        replacement: &mut Replacement,
    ) -> Option<End> {
        let bytes = match received {
            Incoming::Data(bytes) => bytes,
            Incoming::Binary => {
                self.status.data_came(clock::now());
                count(&self.status.dropped.binary);
                return None;
            }
            Incoming::Nothing => return None,
            Incoming::End(end) => return Some(end),
        };
        match replacement {
            Replacement::None => {}
            Replacement::Opening(_, overlap) => overlap.saw(&bytes),
            Replacement::Open(open) => open.1.saw(&bytes),
        }
        let frame = self.frame(connection.number, bytes);
        let reaction = self.settings.venue.reaction(&frame.bytes);
        self.deliver(connection, frame);
        self.react(connection, reaction)
    }

    /// Hands a frame on, unless its number says that it is a copy; a gap goes before it where messages are
    /// missing.
    fn deliver(&mut self, connection: &mut OpenConnection, frame: Frame) {
        match connection.check.take(self.settings.venue, &frame.bytes) {
            ConnectionOrder::Follows => {}
            ConnectionOrder::Lost(missing) => {
                let gap = self.frame(connection.number, sequence_gap(missing));
                self.out.control(&gap);
            }
            ConnectionOrder::Behind => return self.out.drop_repeated(&frame),
        }
        self.snapshots.look_at(&frame.bytes);
        self.out.push(frame);
    }

    fn react(&mut self, connection: &mut OpenConnection, reaction: Reaction) -> Option<End> {
        match reaction {
            Reaction::None => None,
            Reaction::Reconnect => Some(End::Shutdown),
            Reaction::Answer(text) => {
                connection.queue([text]);
                None
            }
            Reaction::Rejected(words) => {
                count(&self.status.rejections);
                let url = &self.settings.url;
                let told = format!("the venue refuses a part of the subscription: `{words}`");
                self.report.news(&told, || error!(url, "{told}"));
                None
            }
            Reaction::Fault(words) => {
                let url = &self.settings.url;
                let told = format!("the venue reports a fault: `{words}`");
                self.report.news(&told, || warn!(url, "{told}"));
                None
            }
            Reaction::Fatal(words) => Some(End::Fatal(words)),
        }
    }

    /// Takes what came of a replacement; an error where there is none any more.
    fn replace(&mut self, progress: Progress, replacement: &mut Replacement) -> Result<(), Gone> {
        let end = match progress {
            Progress::Opened(socket) => {
                let mut overlap = match std::mem::replace(replacement, Replacement::None) {
                    Replacement::Opening(_, overlap) => *overlap,
                    Replacement::None | Replacement::Open(_) => Overlap::default(),
                };
                overlap.begin(clock::instant());
                *replacement = Replacement::Open(Box::new((self.connection(*socket), overlap)));
                return Ok(());
            }
            Progress::Received(Incoming::Data(bytes)) => {
                let Replacement::Open(open) = replacement else {
                    return Ok(());
                };
                let (connection, overlap) = &mut **open;
                let reaction = self.settings.venue.reaction(&bytes);
                overlap.hold(self.frame(connection.number, bytes));
                match self.react(connection, reaction) {
                    Some(end) => end,
                    None => return Ok(()),
                }
            }
            Progress::Received(Incoming::Binary | Incoming::Nothing) => return Ok(()),
            Progress::Received(Incoming::End(end)) | Progress::Failed(end) => end,
        };
        // The connection in use goes on until it ends; what comes then is no handover.
        self.note_refusal(&end);
        self.report.end(&end, &self.settings.url, &self.status);
        *replacement = Replacement::None;
        Err(Gone)
    }

    /// Goes over to the replacement: a handover frame, and what it brought that the other did not.
    async fn hand_over(&mut self, connection: &mut OpenConnection, replacement: &mut Replacement) {
        let Replacement::Open(open) = std::mem::replace(replacement, Replacement::None) else {
            return;
        };
        let (next, overlap) = *open;
        let last = std::mem::replace(connection, next);
        self.report
            .end(&End::Renewed, &self.settings.url, &self.status);
        let handover = self.frame(connection.number, Bytes::from_static(HANDOVER));
        self.out.control(&handover);
        for (frame, is_repeated) in overlap.into_frames() {
            match is_repeated {
                true => self.out.drop_repeated(&frame),
                false => self.deliver(connection, frame),
            }
        }
        last.close().await;
    }

    /// Notes that the host wants to be left alone.
    fn note_refusal(&self, end: &End) {
        if let Some(wait) = end.stay_away(self.settings.attempts_window) {
            self.limits.stay_away(wait, clock::instant());
        }
    }

    fn frame(&mut self, partition: i32, bytes: Bytes) -> Frame {
        let origin = Origin {
            ts_recv: clock::now(),
            offset: self.offset,
            partition,
            stream: self.settings.stream,
            late: false,
            reprocessed: false,
        };
        self.offset += 1;
        Frame { origin, bytes }
    }

    /// Waits, still sending what is held.
    async fn pause(&mut self, wait: Duration) {
        self.meanwhile(sleep(wait)).await;
    }

    /// Waits for something, still sending what is held.
    async fn meanwhile<T>(&mut self, what: impl Future<Output = T>) -> T {
        tokio::pin!(what);
        loop {
            tokio::select! {
                result = &mut what => return result,
                () = sleep(FLUSH_EVERY), if self.out.is_holding() => { self.out.flush(); }
            }
        }
    }
}

/// How often the feed looks at what is due.
const BEAT: Duration = Duration::from_millis(50);
/// How often held frames are sent again: often enough for a quote to be fresh, seldom enough to cost
/// nothing.
const FLUSH_EVERY: Duration = Duration::from_millis(1);
/// How long a stopping feed waits for its shards to take the held frames.
const FLUSH_FOR: Duration = Duration::from_millis(200);
