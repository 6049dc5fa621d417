//! The feed: one connection after the other, and two where the end of one is announced.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{info, warn};

use super::backoff::ReconnectBackoff;
use super::connection::{Incoming, OpenConnection, Socket};
use super::end::{End, EndReport};
use super::events::{self, shown};
use super::host_limits::HostLimits;
use super::numbering::FrameNumbers;
use super::reaction::{is_of_market, of_replacement, react};
use super::replacement::{Gone, NEVER, Progress, Replacement, opening};
use super::settings::{WebsocketError, WebsocketSettings};
use super::snapshot::SnapshotFetcher;
use crate::clock;
use crate::decode::ConnectionOrder;
use crate::decode::venue::{Reaction, Subscription};
use crate::frame::Frame;
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
    /// The connection in use.
    open: Option<i32>,
    numbers: FrameNumbers,
}

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
            numbers: FrameNumbers::new(settings.stream),
            settings: Arc::new(settings),
            subscription: Arc::new(subscription),
            out,
            status,
            report: EndReport::default(),
            connections: 0,
            open: None,
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
                    // What was said of the books of the connection before concerns them no more.
                    while reports.try_recv().is_ok() {}
                    let connection = self.begin(socket);
                    self.read(connection, reports).await
                }
                Err(end) => (end, Duration::ZERO),
            };
            self.status.set_healthy(false);
            self.backoff.ended(life, end.was_quiet());
            end.note_at(&self.limits, self.settings.unsaid_refusal());
            self.lose(&end);
            if let End::Fatal(words) = end {
                let url = self.settings.url.clone();
                return Err(WebsocketError::Refused { url, words });
            }
        }
    }

    /// Sends what is held as long as the shards may still take it, and drops the rest.
    pub(super) async fn finish(&mut self) {
        if let Some(open) = self.open.take() {
            self.put_event(open, events::stopped(open));
        }
        let begin = clock::instant();
        while !self.out.flush() && begin.elapsed() < FLUSH_FOR {
            sleep(FLUSH_EVERY).await;
        }
        self.out.drop_held();
    }

    /// What a lost connection has brought is of the past from now on, not only once there is another one.
    fn lose(&mut self, end: &End) {
        let open = self.open.take();
        if let Some(number) = open {
            let gap = self.frame(number, Bytes::from_static(RECONNECT_GAP));
            self.out.disconnected(&gap);
        }
        self.tell_end(open, end);
    }

    /// Begins the first connection, or one that nothing connects with the one before.
    fn begin(&mut self, socket: Socket) -> OpenConnection {
        let connection = self.connection(socket);
        self.open = Some(connection.number);
        self.tell_open(connection.number);
        self.snapshots.reconnected();
        self.status.set_healthy(true);
        connection
    }

    fn connection(&mut self, socket: Socket) -> OpenConnection {
        self.connections += 1;
        count(&self.status.connections);
        let (url, connection) = (shown(&self.subscription.address), self.connections);
        info!(url, connection, "connected");
        OpenConnection::new(socket, self.connections, &self.settings, &self.subscription)
    }

    /// Puts a frame that tells of a connection where the frames of the feed are.
    fn put_event(&mut self, connection: i32, event: String) {
        let frame = self.frame(connection, event.into());
        self.out.control(&frame);
    }

    fn tell_open(&mut self, connection: i32) {
        let event = events::opened(connection, &self.subscription.address);
        self.put_event(connection, event);
    }

    /// Tells of the end of a connection; none where it could not be opened.
    fn tell_end(&mut self, connection: Option<i32>, end: &End) {
        self.report.end(end, &self.settings.url, &self.status);
        let event = events::ended(connection, end);
        self.put_event(connection.unwrap_or(self.connections), event);
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
                    match self.replace(progress, &mut replacement) {
                        Ok(()) => {}
                        Err(Gone::Failed) => replace_at = Some(self.next_attempt(Duration::ZERO)),
                        Err(Gone::Refused) => replace_at = Some(clock::instant() + NEVER),
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
                Some(end) if replacement.has_begun() => {
                    self.hand_over(&mut connection, &mut replacement, &end)
                        .await;
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
        let step = self.snapshots.step(now, connection.is_sending());
        connection.queue(step.messages);
        if let Some(symbol) = step.unrepaired {
            return Err(End::Unrepaired(symbol));
        }
        connection.send_due(now).await?;
        if let Replacement::Open(open) = replacement {
            let (other, overlap) = &mut **open;
            if let Err(end) = other.send_due(now).await {
                let number = other.number;
                self.tell_end(Some(number), &end);
                *replacement = Replacement::None;
            } else if overlap.is_complete(now) {
                self.hand_over(connection, replacement, &End::Renewed).await;
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
                self.out.drop_binary();
                let url = &self.settings.url;
                let told = "a binary message on a feed of text: such messages are dropped";
                self.report.news(told, || warn!(url, "{told}"));
                return None;
            }
            Incoming::Nothing => return None,
            Incoming::End(end) => return Some(end),
        };
        replacement.saw(&bytes);
        let venue = self.settings.venue;
        connection.note_market(|| is_of_market(venue, &bytes));
        let frame = self.frame(connection.number, bytes);
        let reaction = venue.reaction(&frame.bytes);
        if matches!(reaction, Reaction::Rejected(_)) {
            self.snapshots.refused(&frame.bytes);
        }
        self.deliver(connection, frame, false);
        let url = &self.settings.url;
        react(reaction, connection, &mut self.report, &self.status, url)
    }

    /// Hands a frame on, unless its number says that it is a copy; a gap goes before it where messages are
    /// missing.
    fn deliver(&mut self, connection: &mut OpenConnection, mut frame: Frame, is_copy: bool) {
        match connection.check.take(self.settings.venue, &frame.bytes) {
            ConnectionOrder::Follows => {}
            ConnectionOrder::Lost(missing) => {
                let gap = self.frame(connection.number, sequence_gap(missing));
                self.out.control(&gap);
                frame = self.numbers.renumbered(frame);
            }
            ConnectionOrder::Behind => return self.out.drop_repeated(&frame),
        }
        if is_copy {
            return self.out.drop_repeated(&frame);
        }
        self.snapshots.look_at(&frame.bytes);
        self.out.push(frame);
    }

    /// Takes what came of a replacement; an error where there is none any more.
    fn replace(&mut self, progress: Progress, replacement: &mut Replacement) -> Result<(), Gone> {
        let end = match progress {
            Progress::Opened(socket) => {
                let connection = self.connection(*socket);
                self.tell_open(connection.number);
                replacement.open(connection);
                return Ok(());
            }
            Progress::Received(Incoming::Data(bytes)) => {
                let Replacement::Open(open) = replacement else {
                    return Ok(());
                };
                let (connection, overlap) = &mut **open;
                let venue = self.settings.venue;
                let reaction = of_replacement(venue.reaction(&bytes));
                let is_of_market = is_of_market(venue, &bytes);
                overlap.hold(self.frame(connection.number, bytes), is_of_market);
                let url = &self.settings.url;
                match react(reaction, connection, &mut self.report, &self.status, url) {
                    Some(end) => end,
                    None => return Ok(()),
                }
            }
            Progress::Received(Incoming::Binary | Incoming::Nothing) => return Ok(()),
            Progress::Received(Incoming::End(end)) | Progress::Failed(end) => end,
        };
        // The connection in use goes on until it ends; what comes then is no handover.
        end.note_at(&self.limits, self.settings.unsaid_refusal());
        self.tell_end(replacement.number(), &end);
        *replacement = Replacement::None;
        Err(Gone::by(&end))
    }

    /// Goes over to the replacement: a handover frame, and what it brought that the other did not.
    async fn hand_over(
        &mut self,
        connection: &mut OpenConnection,
        replacement: &mut Replacement,
        end: &End,
    ) {
        let Replacement::Open(open) = std::mem::replace(replacement, Replacement::None) else {
            return;
        };
        let (next, overlap) = *open;
        let last = std::mem::replace(connection, next);
        self.open = Some(connection.number);
        self.tell_end(Some(last.number), end);
        let handover = self.frame(connection.number, Bytes::from_static(HANDOVER));
        self.out.control(&handover);
        let venue = self.settings.venue;
        self.snapshots.handed_over();
        for (frame, is_copy) in overlap.into_frames(venue, self.snapshots.are_beside()) {
            let frame = self.numbers.renumbered(frame);
            self.deliver(connection, frame, is_copy);
        }
        last.close().await;
    }

    fn frame(&mut self, partition: i32, bytes: Bytes) -> Frame {
        self.numbers.frame(partition, bytes)
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
