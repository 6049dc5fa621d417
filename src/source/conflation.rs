//! The way from a source that must not wait into the rings: routing, and the answer to "full".
//!
//! It never blocks and never parses. Quotes conflate to the latest of their instrument; every other
//! frame is dropped, counted, and told of by a gap frame ahead of the next frame of its instrument.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use memchr::memmem;
use rustc_hash::FxHashMap;

use super::ring::Sender;
use super::status::{FeedStatus, count};
use crate::decode::route::{name_hash, shard_of, stream_of, symbol_of};
use crate::frame::{Frame, Origin};

/// Routes frames to the shards' rings; frames that name no instrument go to every shard.
///
/// The frames of one instrument stay in order. What is held is bounded: one quote and one count for
/// each listed symbol, two gaps for each shard.
#[derive(Debug)]
pub struct Outlet {
    rings: Vec<Sender>,
    lanes: Vec<Lane>,
    symbols: Vec<Symbol>,
    by_hash: FxHashMap<u64, usize>,
    status: Arc<FeedStatus>,
}

/// What waits for room in one ring.
#[derive(Debug, Default)]
struct Lane {
    reconnect: Option<Frame>,
    /// Frames lost that belong to no listed symbol.
    missing: Missing,
    /// Symbols with something to send, oldest first.
    waiting: VecDeque<usize>,
}

#[derive(Debug)]
struct Symbol {
    name: Box<str>,
    shard: usize,
    missing: Missing,
    quote: Option<Frame>,
    queued: bool,
}

/// Frames lost since the last gap frame, and where the last of them came from.
#[derive(Debug, Default)]
struct Missing {
    frames: u64,
    last: Option<Origin>,
}

impl Outlet {
    /// An outlet into `rings`, one a shard, for `symbols` as the feed writes them, in either case.
    ///
    /// # Panics
    /// Without a ring.
    #[must_use]
    pub fn new(rings: Vec<Sender>, symbols: &[String], status: Arc<FeedStatus>) -> Self {
        assert!(!rings.is_empty(), "an outlet needs a ring");
        let symbols: Vec<Symbol> = symbols
            .iter()
            .map(|name| Symbol {
                name: name.to_ascii_uppercase().into(),
                shard: shard_of(name.as_bytes(), rings.len()),
                missing: Missing::default(),
                quote: None,
                queued: false,
            })
            .collect();
        Self {
            lanes: rings.iter().map(|_| Lane::default()).collect(),
            by_hash: symbols
                .iter()
                .enumerate()
                .map(|(at, symbol)| (name_hash(symbol.name.as_bytes()), at))
                .collect(),
            rings,
            symbols,
            status,
        }
    }

    /// Takes a frame that was received.
    pub fn push(&mut self, frame: Frame) {
        self.status.data_came(frame.origin.ts_recv);
        if let Some(symbol) = symbol_of(&frame.bytes) {
            let listed = self.by_hash.get(&name_hash(symbol)).copied();
            let shard = match listed {
                Some(at) => self.symbols[at].shard,
                None => shard_of(symbol, self.rings.len()),
            };
            return self.offer(shard, listed, frame);
        }
        let copies = self.rings.len() as u64 - 1;
        self.status.copies.fetch_add(copies, Relaxed);
        for shard in 0..self.rings.len() {
            self.offer(shard, None, frame.clone());
        }
    }

    /// Puts `gap` ahead of everything that comes now, on every shard: the connection is a new one.
    ///
    /// Quotes still held are of the old connection and are let go.
    pub fn reconnected(&mut self, gap: &Frame) {
        self.orphan();
        for shard in 0..self.rings.len() {
            self.lanes[shard].reconnect = Some(gap.clone());
            self.flush_lane(shard);
        }
    }

    /// Sends what is held as far as there is room. Returns whether nothing is held any more.
    pub fn flush(&mut self) -> bool {
        let mut clear = true;
        for shard in 0..self.rings.len() {
            clear &= self.flush_shard(shard);
        }
        clear
    }

    /// Whether something waits for room.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        self.lanes
            .iter()
            .any(|lane| lane.is_due() || !lane.waiting.is_empty())
    }

    /// Lets go of the quotes that are held, counted.
    pub fn orphan(&mut self) {
        let let_go = self
            .symbols
            .iter_mut()
            .filter_map(|symbol| symbol.quote.take())
            .count() as u64;
        self.status.dropped.orphaned.fetch_add(let_go, Relaxed);
        self.status.held.fetch_sub(let_go, Relaxed);
    }

    fn offer(&mut self, shard: usize, listed: Option<usize>, frame: Frame) {
        // What was held of this instrument is older and goes first.
        let clear = self.flush_lane(shard) && listed.is_none_or(|at| self.flush_symbol(at));
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
                self.lanes[shard].missing.add(frame.origin);
                count(&self.status.dropped.overflow);
            }
        }
    }

    fn hold(&mut self, at: usize, frame: Frame) {
        let symbol = &mut self.symbols[at];
        if is_quote(&frame.bytes) {
            let before = symbol.quote.replace(frame);
            count(if before.is_some() {
                &self.status.conflated
            } else {
                &self.status.held
            });
        } else {
            symbol.missing.add(frame.origin);
            count(&self.status.dropped.overflow);
        }
        if !symbol.queued {
            symbol.queued = true;
            self.lanes[symbol.shard].waiting.push_back(at);
        }
    }

    fn flush_shard(&mut self, shard: usize) -> bool {
        if !self.flush_lane(shard) {
            return false;
        }
        while let Some(at) = self.lanes[shard].waiting.pop_front() {
            self.symbols[at].queued = false;
            if !self.flush_symbol(at) {
                self.symbols[at].queued = true;
                self.lanes[shard].waiting.push_front(at);
                return false;
            }
        }
        true
    }

    /// Sends the shard's own gaps. Returns whether none is left.
    fn flush_lane(&mut self, shard: usize) -> bool {
        let (lane, ring) = (&mut self.lanes[shard], &self.rings[shard]);
        if !lane.is_due() {
            return true;
        }
        if let Some(gap) = lane.reconnect.take() {
            if let Err(back) = ring.try_send(gap) {
                lane.reconnect = Some(back);
                return false;
            }
            count(&self.status.gaps);
        }
        lane.missing.tell(None, ring, &self.status)
    }

    /// Sends what is held of a symbol: its gap, then its quote. Returns whether nothing is left.
    fn flush_symbol(&mut self, at: usize) -> bool {
        let symbol = &mut self.symbols[at];
        let ring = &self.rings[symbol.shard];
        if !symbol.missing.tell(Some(&symbol.name), ring, &self.status) {
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

impl Lane {
    fn is_due(&self) -> bool {
        self.reconnect.is_some() || self.missing.last.is_some()
    }
}

impl Missing {
    fn add(&mut self, origin: Origin) {
        self.frames += 1;
        self.last = Some(origin);
    }

    /// Sends the gap frame, if one is due. Returns whether none is left.
    fn tell(&mut self, symbol: Option<&str>, ring: &Sender, status: &FeedStatus) -> bool {
        let Some(origin) = self.last else {
            return true;
        };
        // The gap carries the origin of the last frame lost: it ends there.
        let bytes = overflow_gap(symbol, self.frames);
        let told = ring.try_send(Frame { origin, bytes }).is_ok();
        if told {
            *self = Self::default();
            count(&status.gaps);
        }
        told
    }
}

/// The gap frame at the start of a new connection.
pub(super) const RECONNECT_GAP: &[u8] = br#"{"foretick":"gap","reason":"reconnect"}"#;

fn overflow_gap(symbol: Option<&str>, missing: u64) -> Bytes {
    let symbol = symbol.map_or(String::new(), |name| format!(r#""symbol":"{name}","#));
    format!(r#"{{"foretick":"gap",{symbol}"reason":"overflow","missing":{missing}}}"#).into()
}

fn is_quote(bytes: &[u8]) -> bool {
    stream_of(bytes).is_some_and(|stream| memmem::find(stream, b"@bookTicker").is_some())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
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
                known: false,
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

    fn drained(receiver: &Receiver) -> Vec<String> {
        let mut frames = Vec::new();
        receiver.drain(&mut frames, usize::MAX, Duration::ZERO);
        frames
            .iter()
            .map(|frame| String::from_utf8(frame.bytes.to_vec()).unwrap())
            .collect()
    }

    fn outlet(capacity: usize, symbols: &[&str]) -> (Outlet, Receiver, Arc<FeedStatus>) {
        let (sender, receiver) = ring(capacity);
        let status = Arc::new(FeedStatus::default());
        let symbols: Vec<String> = symbols.iter().map(|&s| s.to_owned()).collect();
        let outlet = Outlet::new(vec![sender], &symbols, Arc::clone(&status));
        (outlet, receiver, status)
    }

    #[test]
    fn a_burst_is_conflated_dropped_and_told() {
        let (mut outlet, receiver, status) = outlet(4, &["BTCUSDT", "ETHUSDT"]);
        for offset in 0..4 {
            outlet.push(trade(offset, "btcusdt"));
        }
        for offset in 4..10 {
            outlet.push(trade(offset, "btcusdt"));
            outlet.push(quote(100 + offset, "btcusdt"));
        }
        outlet.push(quote(200, "ethusdt"));
        assert_eq!(status.unexplained(), 0);
        assert_eq!(status.held.load(Relaxed), 2);
        assert_eq!(drained(&receiver).len(), 4);

        assert!(outlet.is_holding());
        assert!(outlet.flush());
        outlet.push(trade(300, "btcusdt"));
        assert_eq!(
            drained(&receiver),
            [
                r#"{"foretick":"gap","symbol":"BTCUSDT","reason":"overflow","missing":6}"#,
                r#"{"stream":"btcusdt@bookTicker","data":{"u":109}}"#,
                r#"{"stream":"ethusdt@bookTicker","data":{"u":200}}"#,
                r#"{"stream":"btcusdt@trade","data":{"t":300}}"#,
            ]
        );
        assert!(!outlet.is_holding());
        assert_eq!(status.unexplained(), 0);
        assert_eq!(status.received.load(Relaxed), 18);
        assert_eq!(status.sent.load(Relaxed), 7);
        assert_eq!(status.conflated.load(Relaxed), 5);
        assert_eq!(status.dropped.overflow.load(Relaxed), 6);
        assert_eq!(status.gaps.load(Relaxed), 1);
    }

    #[test]
    fn what_is_held_goes_before_what_is_new() {
        let (mut outlet, receiver, _) = outlet(1, &["BTCUSDT"]);
        outlet.push(trade(0, "btcusdt"));
        outlet.push(quote(1, "btcusdt"));
        drained(&receiver);
        // One place: the held quote takes it, and the trade behind it is lost, not sent first.
        outlet.push(trade(2, "btcusdt"));
        assert_eq!(
            drained(&receiver),
            [r#"{"stream":"btcusdt@bookTicker","data":{"u":1}}"#]
        );
        assert!(outlet.flush());
        assert_eq!(
            drained(&receiver),
            [r#"{"foretick":"gap","symbol":"BTCUSDT","reason":"overflow","missing":1}"#]
        );
    }

    #[test]
    fn a_reconnect_comes_first_and_lets_old_quotes_go() {
        let (mut outlet, receiver, status) = outlet(1, &["BTCUSDT"]);
        outlet.push(trade(0, "btcusdt"));
        outlet.push(quote(1, "btcusdt"));
        let gap = frame(2, std::str::from_utf8(RECONNECT_GAP).unwrap());
        outlet.reconnected(&gap);
        outlet.push(trade(3, "ethusdt"));
        drained(&receiver);
        assert!(!outlet.flush());
        assert_eq!(
            drained(&receiver),
            [r#"{"foretick":"gap","reason":"reconnect"}"#]
        );
        outlet.flush();
        // ETHUSDT is not listed: what is lost of it is told for the whole shard.
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
        let mut outlet = Outlet::new(senders, &["btcusdt".into()], Arc::clone(&status));
        outlet.push(trade(0, "btcusdt"));
        outlet.push(frame(1, r#"{"result":null,"id":1}"#));
        for (shard, receiver) in receivers.iter().enumerate() {
            let own = usize::from(shard == shard_of(b"BTCUSDT", 3));
            assert_eq!(receiver.len(), 1 + own, "shard {shard}");
        }
        assert_eq!(status.unexplained(), 0);
        assert_eq!(status.sent.load(Relaxed), 4);
    }
}
