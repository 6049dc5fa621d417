//! Conflation: how a source that must not wait fills the shards' rings, and what it does when one is full.
//!
//! It never blocks and never parses. Of quotes it keeps the newest of each instrument; every other frame is
//! dropped and counted, and a gap frame goes ahead of the next frame of its instrument.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::ring::Sender;
use super::status::{FeedStatus, count};
use crate::clock;
use crate::decode::control::{PREFIX, is_of_feed};
use crate::decode::route::{name_hash, shard_of};
use crate::decode::venue::Venue;
use crate::frame::{Frame, Origin};

/// Routes a venue's frames to the shards' rings; frames that name no instrument go to every shard.
///
/// The frames of one instrument stay in order. What is held is bounded: one quote and one count for
/// each listed symbol, a gap and a few frames about the connection for each shard.
#[derive(Debug)]
pub struct Conflation {
    venue: &'static dyn Venue,
    rings: Vec<Sender>,
    shards: Vec<HeldOfShard>,
    symbols: Vec<HeldOfSymbol>,
    by_hash: FxHashMap<u64, usize>,
    status: Arc<FeedStatus>,
    /// Whether frames of several messages are split.
    splits: bool,
}

/// What waits for room in one shard's ring.
#[derive(Debug, Default)]
struct HeldOfShard {
    /// Frames about the connection, oldest first.
    controls: VecDeque<Frame>,
    /// Lost frames that belong to no listed symbol.
    lost: Lost,
    /// Symbols with something to send, oldest first.
    waiting: VecDeque<usize>,
}

/// What waits for room of one listed symbol.
#[derive(Debug)]
struct HeldOfSymbol {
    name: Box<str>,
    shard: usize,
    lost: Lost,
    quote: Option<Frame>,
    queued: bool,
}

/// What a gap is about.
#[derive(Clone, Copy, Debug)]
enum Concerned<'a> {
    /// A symbol of a venue.
    Symbol(&'a str, &'a str),
    /// All instruments of a shard, and of how many it is one.
    Shard(usize, usize),
}

/// Frames lost since the last gap frame, and the origin of the last of them.
#[derive(Debug, Default)]
struct Lost {
    frames: u64,
    last: Option<Origin>,
}

impl Conflation {
    /// Conflation of a venue's frames into `rings`, one a shard, for `symbols` in either case.
    ///
    /// # Panics
    /// Without a ring.
    #[must_use]
    pub fn new(
        venue: &'static dyn Venue,
        rings: Vec<Sender>,
        symbols: &[String],
        status: Arc<FeedStatus>,
    ) -> Self {
        assert!(!rings.is_empty(), "frames need a ring to go to");
        let symbols: Vec<HeldOfSymbol> = symbols
            .iter()
            .map(|name| HeldOfSymbol {
                name: name.to_ascii_uppercase().into(),
                shard: shard_of(name.as_bytes(), rings.len()),
                lost: Lost::default(),
                quote: None,
                queued: false,
            })
            .collect();
        Self {
            venue,
            shards: rings.iter().map(|_| HeldOfShard::default()).collect(),
            by_hash: symbols
                .iter()
                .enumerate()
                .map(|(at, symbol)| (name_hash(symbol.name.as_bytes()), at))
                .collect(),
            rings,
            symbols,
            status,
            splits: true,
        }
    }

    /// The same, which hands frames on as they came.
    #[must_use]
    pub fn whole(self) -> Self {
        Self {
            splits: false,
            ..self
        }
    }

    /// Takes a frame that was received. One of several messages becomes a frame for each.
    pub fn push(&mut self, frame: Frame) {
        let messages = match self.splits {
            true => self.venue.split(&frame.bytes),
            false => vec![],
        };
        if messages.is_empty() {
            return self.push_one(frame);
        }
        for message in messages {
            self.push_one(Frame {
                bytes: message.into(),
                ..frame
            });
        }
    }

    fn push_one(&mut self, frame: Frame) {
        self.in_turn(|all| all.route(frame));
    }

    /// Between turns the counters agree with what is held.
    fn in_turn<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        self.status.turns.enter();
        let done = work(self);
        self.status.turns.leave();
        done
    }

    fn route(&mut self, frame: Frame) {
        self.status.data_came(frame.origin.ts_recv);
        if let Some(symbol) = self.venue.symbol_of(&frame.bytes) {
            let listed = self.by_hash.get(&name_hash(symbol.as_bytes())).copied();
            let shard = match listed {
                Some(at) => self.symbols[at].shard,
                None => shard_of(symbol.as_bytes(), self.rings.len()),
            };
            return self.offer(shard, listed, frame);
        }
        let copies = self.rings.len() as u64 - 1;
        self.status.copies.fetch_add(copies, Relaxed);
        for shard in 0..self.rings.len() {
            self.offer(shard, None, frame.clone());
        }
    }

    /// Sends `gap` ahead of everything that comes now to every shard: the connection is lost.
    ///
    /// Quotes still held are dropped and counted: nothing would say when they are of the past.
    pub fn disconnected(&mut self, gap: &Frame) {
        self.drop_held();
        for shard in 0..self.rings.len() {
            self.shards[shard].controls.clear();
        }
        self.control(gap);
    }

    /// Sends a frame about the connection to every shard, ahead of everything that comes now.
    pub fn control(&mut self, frame: &Frame) {
        for shard in 0..self.rings.len() {
            let controls = &mut self.shards[shard].controls;
            if controls.len() == CONTROLS_MAX {
                // Together they say no more than that the connection was not whole.
                controls.clear();
                let bytes = Bytes::from_static(RECONNECT_GAP);
                controls.push_back(Frame {
                    bytes,
                    ..frame.clone()
                });
            } else {
                controls.push_back(frame.clone());
            }
            self.in_turn(|all| all.flush_gaps(shard));
        }
    }

    /// Counts a frame that a second connection brought once more, or that came too late to be applied.
    pub fn drop_repeated(&mut self, frame: &Frame) {
        let _turn = self.status.begin_turn();
        self.status.data_came(frame.origin.ts_recv);
        count(&self.status.dropped.repeated);
    }

    /// Counts a binary message on a feed of text.
    pub fn drop_binary(&mut self) {
        let _turn = self.status.begin_turn();
        self.status.data_came(clock::now());
        count(&self.status.dropped.binary);
    }

    /// Sends what is held as far as there is room. Returns whether all was sent.
    pub fn flush(&mut self) -> bool {
        let mut clear = true;
        for shard in 0..self.rings.len() {
            clear &= self.in_turn(|all| all.flush_shard(shard));
        }
        clear
    }

    /// Whether something waits for room.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        self.shards
            .iter()
            .any(|held| held.has_gap() || !held.waiting.is_empty())
    }

    /// Drops the held quotes and counts them.
    pub fn drop_held(&mut self) {
        let _turn = self.status.begin_turn();
        let dropped = self
            .symbols
            .iter_mut()
            .filter_map(|symbol| symbol.quote.take())
            .count() as u64;
        self.status.dropped.orphaned.fetch_add(dropped, Relaxed);
        self.status.held.fetch_sub(dropped, Relaxed);
    }

    fn offer(&mut self, shard: usize, listed: Option<usize>, frame: Frame) {
        // Held frames of this instrument are older and go first.
        let clear = self.flush_gaps(shard) && listed.is_none_or(|at| self.flush_symbol(at));
        let frame = if clear {
            match self.rings[shard].try_send(frame) {
                Ok(()) => return count(&self.status.sent),
                Err(back) => back,
            }
        } else {
            frame
        };
        match listed {
            Some(at) => self.hold(at, frame),
            None => {
                self.shards[shard].lost.add(frame.origin);
                count(&self.status.dropped.overflow);
            }
        }
    }

    fn hold(&mut self, at: usize, frame: Frame) {
        let symbol = &mut self.symbols[at];
        if self.venue.is_quote(&frame.bytes) {
            let before = symbol.quote.replace(frame);
            count(if before.is_some() {
                &self.status.conflated
            } else {
                &self.status.held
            });
        } else {
            symbol.lost.add(frame.origin);
            count(&self.status.dropped.overflow);
        }
        if !symbol.queued {
            symbol.queued = true;
            self.shards[symbol.shard].waiting.push_back(at);
        }
    }

    fn flush_shard(&mut self, shard: usize) -> bool {
        if !self.flush_gaps(shard) {
            return false;
        }
        while let Some(at) = self.shards[shard].waiting.pop_front() {
            self.symbols[at].queued = false;
            if !self.flush_symbol(at) {
                self.symbols[at].queued = true;
                self.shards[shard].waiting.push_front(at);
                return false;
            }
        }
        true
    }

    /// Sends the shard's own gaps. Returns whether none is left.
    fn flush_gaps(&mut self, shard: usize) -> bool {
        let concerned = Concerned::Shard(shard, self.rings.len());
        let (held, ring) = (&mut self.shards[shard], &self.rings[shard]);
        if !held.has_gap() {
            return true;
        }
        while let Some(control) = held.controls.pop_front() {
            if let Err(back) = ring.try_send(control) {
                held.controls.push_front(back);
                return false;
            }
            count(&self.status.gaps);
        }
        held.lost.send_gap(concerned, ring, &self.status)
    }

    /// Sends what is held of a symbol: its gap, then its quote. Returns whether nothing is left.
    fn flush_symbol(&mut self, at: usize) -> bool {
        let symbol = &mut self.symbols[at];
        let ring = &self.rings[symbol.shard];
        let concerned = Concerned::Symbol(&symbol.name, self.venue.name());
        if !symbol.lost.send_gap(concerned, ring, &self.status) {
            return false;
        }
        let Some(quote) = symbol.quote.take() else {
            return true;
        };
        match ring.try_send(quote) {
            Ok(()) => {
                self.status.held.fetch_sub(1, Relaxed);
                count(&self.status.sent);
                true
            }
            Err(back) => {
                symbol.quote = Some(back);
                false
            }
        }
    }
}

impl HeldOfShard {
    fn has_gap(&self) -> bool {
        !self.controls.is_empty() || self.lost.last.is_some()
    }
}

impl Lost {
    fn add(&mut self, origin: Origin) {
        self.frames += 1;
        self.last = Some(origin);
    }

    /// Sends a gap frame about what is concerned, if frames were lost. Returns whether none is left to send.
    fn send_gap(&mut self, concerned: Concerned<'_>, ring: &Sender, status: &FeedStatus) -> bool {
        let Some(origin) = self.last else {
            return true;
        };
        // The gap carries the origin of the last frame lost: it ends there.
        let bytes = overflow_gap(concerned, self.frames);
        let sent = ring.try_send(Frame { origin, bytes }).is_ok();
        if sent {
            *self = Self::default();
            count(&status.gaps);
        }
        sent
    }
}

/// The gap frame at the end of a connection that is lost.
pub(super) const RECONNECT_GAP: &[u8] = br#"{"foretick":"gap","reason":"reconnect"}"#;

/// The frame between two connections that overlapped.
pub(super) const HANDOVER: &[u8] = br#"{"foretick":"handover"}"#;

/// The gap frame where numbers of the connection show that messages are missing; 0 for an unknown number.
pub(crate) fn sequence_gap(missing: u64) -> Bytes {
    format!(r#"{{"foretick":"gap","reason":"sequence","missing":{missing}}}"#).into()
}

/// Frames about the connection that may wait for room in a ring.
const CONTROLS_MAX: usize = 8;

fn overflow_gap(concerned: Concerned<'_>, missing: u64) -> Bytes {
    let concerned = match concerned {
        Concerned::Symbol(symbol, venue) => format!(r#""symbol":"{symbol}","venue":"{venue}","#),
        Concerned::Shard(_, 1) => String::new(),
        Concerned::Shard(shard, shards) => format!(r#""shard":{shard},"shards":{shards},"#),
    };
    format!(r#"{{"foretick":"gap",{concerned}"reason":"overflow","missing":{missing}}}"#).into()
}

/// Whether a frame of this venue that came through a shard's ring went to all of them.
pub(crate) fn is_for_all_shards(venue: &dyn Venue, frame: &[u8]) -> bool {
    match frame.starts_with(PREFIX) {
        true => is_of_feed(frame),
        false => venue.symbol_of(frame).is_none(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::decode::venues::Venues;
    use crate::source::ring::{Receiver, ring};
    use crate::units::Nanos;

    fn frame(offset: i64, text: &str) -> Frame {
        Frame {
            origin: Origin {
                ts_recv: Nanos(offset),
                offset,
                partition: 1,
                stream: 0,
                late: false,
                reprocessed: false,
            },
            bytes: Bytes::copy_from_slice(text.as_bytes()),
        }
    }

    fn trade(offset: i64, symbol: &str) -> Frame {
        let text = format!(r#"{{"stream":"{symbol}@trade","data":{{"t":{offset}}}}}"#);
        frame(offset, &text)
    }

    fn quote(offset: i64, symbol: &str) -> Frame {
        let text = format!(r#"{{"stream":"{symbol}@bookTicker","data":{{"u":{offset}}}}}"#);
        frame(offset, &text)
    }

    fn binance() -> &'static dyn Venue {
        Venues::default().named("BINANCE").unwrap()
    }

    fn drained(receiver: &Receiver) -> Vec<String> {
        let mut frames = Vec::new();
        receiver.drain(&mut frames, usize::MAX, Duration::ZERO);
        frames
            .iter()
            .map(|frame| String::from_utf8(frame.bytes.to_vec()).unwrap())
            .collect()
    }

    fn conflation(capacity: usize, symbols: &[&str]) -> (Conflation, Receiver, Arc<FeedStatus>) {
        let (sender, receiver) = ring(capacity);
        let status = Arc::new(FeedStatus::default());
        let symbols: Vec<String> = symbols.iter().map(|&s| s.to_owned()).collect();
        let conflation = Conflation::new(binance(), vec![sender], &symbols, Arc::clone(&status));
        (conflation, receiver, status)
    }

    #[test]
    fn a_burst_is_conflated_or_dropped_and_followed_by_a_gap() {
        let (mut conflation, receiver, status) = conflation(4, &["BTCUSDT", "ETHUSDT"]);
        for offset in 0..4 {
            conflation.push(trade(offset, "btcusdt"));
        }
        for offset in 4..10 {
            conflation.push(trade(offset, "btcusdt"));
            conflation.push(quote(100 + offset, "btcusdt"));
        }
        conflation.push(quote(200, "ethusdt"));
        assert_eq!(status.unexplained(), 0);
        assert_eq!(status.held.load(Relaxed), 2);
        assert_eq!(drained(&receiver).len(), 4);

        assert!(conflation.is_holding());
        assert!(conflation.flush());
        conflation.push(trade(300, "btcusdt"));
        assert_eq!(
            drained(&receiver),
            [
                r#"{"foretick":"gap","symbol":"BTCUSDT","venue":"BINANCE","reason":"overflow","missing":6}"#,
                r#"{"stream":"btcusdt@bookTicker","data":{"u":109}}"#,
                r#"{"stream":"ethusdt@bookTicker","data":{"u":200}}"#,
                r#"{"stream":"btcusdt@trade","data":{"t":300}}"#,
            ]
        );
        assert!(!conflation.is_holding());
        assert_eq!(status.unexplained(), 0);
        assert_eq!(status.received.load(Relaxed), 18);
        assert_eq!(status.sent.load(Relaxed), 7);
        assert_eq!(status.conflated.load(Relaxed), 5);
        assert_eq!(status.dropped.overflow.load(Relaxed), 6);
        assert_eq!(status.gaps.load(Relaxed), 1);
    }

    #[test]
    fn held_frames_go_before_new_ones() {
        let (mut conflation, receiver, _) = conflation(1, &["BTCUSDT"]);
        conflation.push(trade(0, "btcusdt"));
        conflation.push(quote(1, "btcusdt"));
        drained(&receiver);
        // One place: the held quote takes it, and the trade behind it is lost, not sent first.
        conflation.push(trade(2, "btcusdt"));
        assert_eq!(
            drained(&receiver),
            [r#"{"stream":"btcusdt@bookTicker","data":{"u":1}}"#]
        );
        assert!(conflation.flush());
        assert_eq!(
            drained(&receiver),
            [
                r#"{"foretick":"gap","symbol":"BTCUSDT","venue":"BINANCE","reason":"overflow","missing":1}"#
            ]
        );
    }

    #[test]
    fn a_reconnect_gap_comes_first_and_old_quotes_are_dropped() {
        let (mut conflation, receiver, status) = conflation(1, &["BTCUSDT"]);
        conflation.push(trade(0, "btcusdt"));
        conflation.push(quote(1, "btcusdt"));
        let gap = frame(2, std::str::from_utf8(RECONNECT_GAP).unwrap());
        conflation.disconnected(&gap);
        conflation.push(trade(3, "ethusdt"));
        drained(&receiver);
        assert!(!conflation.flush());
        assert_eq!(
            drained(&receiver),
            [r#"{"foretick":"gap","reason":"reconnect"}"#]
        );
        conflation.flush();
        // ETHUSDT is not listed: its loss is a gap of the whole shard.
        assert_eq!(
            drained(&receiver),
            [r#"{"foretick":"gap","reason":"overflow","missing":1}"#]
        );
        assert_eq!(status.dropped.orphaned.load(Relaxed), 1);
        assert_eq!(status.unexplained(), 0);
    }

    #[test]
    fn a_symbol_has_its_shard_and_the_rest_goes_to_all() {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..3).map(|_| ring(8)).unzip();
        let status = Arc::new(FeedStatus::default());
        let mut conflation =
            Conflation::new(binance(), senders, &["btcusdt".into()], Arc::clone(&status));
        conflation.push(trade(0, "btcusdt"));
        conflation.push(frame(1, r#"{"result":null,"id":1}"#));
        for (shard, receiver) in receivers.iter().enumerate() {
            let own = usize::from(shard == shard_of(b"BTCUSDT", 3));
            assert_eq!(receiver.len(), 1 + own, "shard {shard}");
        }
        assert_eq!(status.unexplained(), 0);
        assert_eq!(status.sent.load(Relaxed), 4);
        for receiver in &receivers {
            drained(receiver);
        }
        for offset in 2..12 {
            conflation.push(frame(offset, r#"{"result":null,"id":1}"#));
        }
        for (shard, receiver) in receivers.iter().enumerate() {
            drained(receiver);
            assert!(conflation.flush_gaps(shard));
            let gap = format!(
                r#"{{"foretick":"gap","shard":{shard},"shards":3,"reason":"overflow","missing":2}}"#
            );
            assert_eq!(drained(receiver), [gap], "a shard tells of its own loss");
        }
    }

    #[test]
    fn a_frame_tells_whether_it_went_to_all_shards() {
        for (text, is_for_all) in [
            (r#"{"result":null,"id":1}"#, true),
            (r#"{"foretick":"gap","reason":"reconnect"}"#, true),
            (r#"{"foretick":"tick","ts":1}"#, true),
            (r#"{"stream":"btcusdt@trade","data":{"t":1}}"#, false),
            (
                r#"{"foretick":"gap","symbol":"X","reason":"overflow"}"#,
                false,
            ),
            (
                r#"{"foretick":"gap","shard":1,"shards":3,"reason":"overflow"}"#,
                false,
            ),
        ] {
            assert_eq!(
                is_for_all_shards(binance(), text.as_bytes()),
                is_for_all,
                "{text}"
            );
        }
    }
}
