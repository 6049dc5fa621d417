//! Splice, gap, crossing, silence and overload, through decoder and engine: what `quality` then says.
//!
//! The rules of the book alone are tested in `src/book.rs`.

use std::sync::Arc;

use foretick::decode::Decoder;
use foretick::engine::{Engine, Settings};
use foretick::event::Batch;
use foretick::frame::Origin;
use foretick::instrument::{InstrumentId, Instruments};
use foretick::model::linear::Linear;
use foretick::model::normalise::Normalise;
use foretick::signal::Signal;
use foretick::signal::quality::Quality;
use foretick::simulate;
use foretick::simulate::Market;
use foretick::units::Nanos;

use crate::given::Folder;

/// Rows in a window.
const STEPS: usize = 5;
const SECOND: i64 = 1_000_000_000;
/// Early 2026, in milliseconds.
const START: i64 = 1_767_571_200_000;

/// A decoder and an engine, frame by frame.
struct Feed {
    decoder: Decoder,
    engine: Engine,
    batch: Batch,
    number: i64,
}

impl Feed {
    /// Rows of mid and imbalance on events of kind `on`.
    fn new(on: &str) -> Self {
        let text = FEATURES.replace("ON", on);
        let pipeline =
            Folder::new(&format!("broken-{:?}", std::thread::current().id())).pipeline(&text, &[]);
        let settings = Settings {
            rules: pipeline.rules,
            steps: STEPS,
            every: 1,
            while_warming: pipeline.file.row.while_warming,
            normalise: Normalise::None,
            outputs: 1,
            reasons: 0,
            half_life: None,
        };
        let (model, _) = Linear::sum(pipeline.plan.names());
        Self {
            decoder: Decoder::new(Instruments::new(&[], 100), 4 << 20),
            engine: Engine::new(Arc::clone(&pipeline.plan), settings, Box::new(model)),
            batch: Batch::default(),
            number: 0,
        }
    }

    /// Takes one frame that came at `ms` after the start.
    fn take(&mut self, ms: i64, frame: &str) -> Vec<Signal> {
        let origin = Origin {
            ts_recv: Nanos((START + ms) * 1_000_000),
            offset: self.number,
            partition: 0,
            stream: 0,
            late: false,
            known: false,
        };
        self.number += 1;
        self.batch.clear();
        let decoded = self
            .decoder
            .decode(origin, frame.as_bytes(), &mut self.batch);
        decoded.expect("these frames can be read");
        let mut signals = vec![];
        self.engine
            .step(&self.batch, &mut signals)
            .expect("a sum never fails");
        signals
    }

    /// The qualities of a frame's signals.
    fn words(&mut self, ms: i64, frame: &str) -> Vec<&'static str> {
        let signals = self.take(ms, frame);
        signals.iter().map(|signal| signal.quality.word()).collect()
    }

    fn wanted(&mut self) -> Vec<String> {
        let mut ids: Vec<InstrumentId> = vec![];
        self.engine.take_wanted(&mut ids);
        let name = |id| self.decoder.instruments().name(id).to_owned();
        ids.into_iter().map(name).collect()
    }

    /// A book of one instrument, and full windows over it, by ten changes 100 ms apart.
    fn ready(&mut self, symbol: &str) {
        self.take(0, &depth(symbol, 0, (100, 100), "[]", "[]"));
        self.take(0, &snapshot(symbol, 100));
        for n in 1..=10 {
            self.take(100 * n, &trade(symbol, 100 * n, n));
            let id = 100 + n as u64;
            self.take(
                100 * n,
                &depth(symbol, 100 * n, (id, id), r#"[["10","2"]]"#, "[]"),
            );
        }
    }
}

const FEATURES: &str = r#"
name = "broken-book"
[row]
on = "ON"
stale_after_ms = 2_000
[[feature]]
name = "mid"
kind = "mid"
[[feature]]
name = "imbalance"
kind = "queue_imbalance"
levels = 3
[[feature]]
name = "flow"
kind = "trade_flow"
window_ms = 500
[model]
kind = "sum"
"#;

#[test]
fn a_capture_is_spliced_and_stays_sound() {
    let mut feed = Feed::new("book");
    let text = crate::given::capture(11, 6, &["BTCUSDT", "ETHUSDT"]);
    let mut words = vec![];
    for line in text.lines() {
        words.extend(feed.words(0, line));
    }
    let counts = *feed.engine.counts();
    assert!(
        counts.waited > 4,
        "diffs came before the snapshots: {counts:?}"
    );
    assert_eq!((counts.gaps, counts.crossed), (0, 0));
    assert!(feed.wanted().is_empty());
    assert_eq!(words.first(), Some(&"warming"));
    assert_eq!(words.last(), Some(&"ok"));
    assert!(words.iter().all(|word| ["warming", "ok"].contains(word)));
}

/// The market itself, so that a snapshot can be asked for when one is needed.
#[test]
fn a_lost_diff_is_a_gap_until_a_snapshot_comes() {
    let mut settings = simulate::Settings::default();
    settings.instruments.truncate(2);
    let mut market = Market::new(&settings).unwrap();
    let mut feed = Feed::new("book");
    let mut told = vec![];
    let mut advance = |market: &mut Market, feed: &mut Feed, to: i64, lost: &mut u32| {
        let mut messages = vec![];
        market.advance(Nanos(settings.start.0 + to), &mut messages);
        let mut words: [Vec<&'static str>; 2] = Default::default();
        for message in messages {
            let is_depth = message.stream == simulate::Stream::Depth && message.instrument == 0;
            if is_depth && *lost > 0 {
                *lost -= 1;
                continue;
            }
            told.push(message.instrument);
            words[message.instrument].extend(feed.words(0, &message.json));
        }
        words
    };
    advance(&mut market, &mut feed, SECOND, &mut 0);
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        feed.take(0, &market_snapshot(&market, symbol));
    }
    let [bitcoin, ether] = advance(&mut market, &mut feed, 3 * SECOND, &mut 0);
    assert!(bitcoin.ends_with(&["ok"]) && ether.ends_with(&["ok"]));
    assert!(feed.wanted().is_empty());

    let [bitcoin, ether] = advance(&mut market, &mut feed, 4 * SECOND, &mut 1);
    assert_eq!(feed.wanted(), ["BTCUSDT.BINANCE"], "asked for once");
    let before = bitcoin.len();
    assert!(before <= 1, "a frozen book makes no rows: {bitcoin:?}");
    assert!(
        ether.iter().all(|word| *word == "ok"),
        "another book is not concerned"
    );
    assert_eq!(feed.engine.counts().gaps, 1);

    let back = feed.words(0, &market_snapshot(&market, "BTCUSDT"));
    assert_eq!(
        back,
        ["gap"],
        "the snapshot's own row tells that something was lost"
    );
    let [bitcoin, _] = advance(&mut market, &mut feed, 6 * SECOND, &mut 0);
    let expected = [["gap"; STEPS - 1].as_slice(), &["ok"; 12]].concat();
    assert_eq!(
        bitcoin[..16],
        expected,
        "as long as the row is in the window"
    );
    assert_eq!(feed.engine.counts().gaps, 1);
}

#[test]
fn a_gapped_book_is_told_on_every_trade() {
    let mut feed = Feed::new("trade");
    feed.ready("BTCUSDT");
    assert_eq!(feed.words(1_100, &trade("BTCUSDT", 1_100, 11)), ["ok"]);
    feed.take(
        1_200,
        &depth("BTCUSDT", 1_200, (113, 113), r#"[["10","3"]]"#, "[]"),
    );
    for n in 12..20 {
        assert_eq!(
            feed.words(1_200, &trade("BTCUSDT", 1_200, n)),
            ["gap"],
            "trade {n}"
        );
    }
    assert_eq!(feed.wanted(), ["BTCUSDT.BINANCE"]);
}

#[test]
fn a_snapshot_that_is_too_old_is_asked_for_again() {
    let mut feed = Feed::new("trade");
    feed.ready("BTCUSDT");
    feed.take(1_200, &depth("BTCUSDT", 1_200, (150, 151), "[]", "[]"));
    assert_eq!(feed.wanted().len(), 1);
    feed.take(1_200, &snapshot("BTCUSDT", 140));
    assert_eq!(feed.wanted(), ["BTCUSDT.BINANCE"]);
    feed.take(1_200, &snapshot("BTCUSDT", 150));
    assert!(feed.wanted().is_empty());
}

#[test]
fn a_reconnect_breaks_every_book() {
    let mut feed = Feed::new("trade");
    feed.ready("BTCUSDT");
    feed.ready("ETHUSDT");
    feed.take(
        1_100,
        r#"{"foretick":"gap","reason":"reconnect","missing":0}"#,
    );
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        assert_eq!(feed.words(1_200, &trade(symbol, 1_200, 11)), ["gap"]);
        feed.take(1_300, &snapshot(symbol, 200));
        let mut words = vec![];
        for n in 12..(12 + STEPS as i64) {
            words.extend(feed.words(1_300, &trade(symbol, 1_300, n)));
        }
        assert_eq!(
            words[..STEPS - 1],
            ["gap"; STEPS - 1],
            "while the lost time is in the window"
        );
        assert_eq!(words.last(), Some(&"ok"), "{symbol}");
    }
}

#[test]
fn missing_trades_are_a_gap_of_one_window() {
    let mut feed = Feed::new("trade");
    feed.ready("BTCUSDT");
    feed.words(1_100, &trade("BTCUSDT", 1_100, 15));
    assert_eq!(
        (feed.engine.counts().gaps, feed.engine.counts().missing),
        (1, 4)
    );
    let words: Vec<_> = (16..22)
        .flat_map(|n| feed.words(1_100, &trade("BTCUSDT", 1_100, n)))
        .collect();
    assert_eq!(words, ["gap", "gap", "gap", "gap", "ok", "ok"]);
}

#[test]
fn a_crossed_book_says_so() {
    let mut feed = Feed::new("book");
    feed.ready("BTCUSDT");
    let crossing = depth("BTCUSDT", 1_100, (111, 111), r#"[["12","1"]]"#, "[]");
    assert_eq!(feed.words(1_100, &crossing), ["crossed"]);
    assert_eq!(feed.engine.counts().crossed, 1);
    let mended = depth("BTCUSDT", 1_200, (112, 112), r#"[["12","0"]]"#, "[]");
    assert_eq!(
        feed.words(1_200, &mended),
        ["crossed"],
        "still in the window"
    );
}

#[test]
fn trades_without_a_book_become_stale() {
    let mut feed = Feed::new("trade");
    feed.ready("BTCUSDT");
    assert_eq!(
        feed.words(3_000, &trade("BTCUSDT", 3_000, 11)),
        ["ok"],
        "two seconds are allowed"
    );
    assert_eq!(feed.words(3_001, &trade("BTCUSDT", 3_001, 12)), ["stale"]);
    assert!(feed.wanted().is_empty(), "old is not lost");
}

#[test]
fn windows_by_time_warm_up() {
    let mut feed = Feed::new("book");
    let mut words = vec![];
    feed.take(0, &depth("BTCUSDT", 0, (100, 100), "[]", "[]"));
    feed.take(0, &snapshot("BTCUSDT", 100));
    feed.take(0, &trade("BTCUSDT", 0, 1));
    for n in 1..=20 {
        let id = 100 + n as u64;
        words.extend(feed.words(100 * n, &depth("BTCUSDT", 100 * n, (id, id), "[]", "[]")));
    }
    // The sixth row is the first at 500 ms; the fifth, the last that is not warm, is still in the
    // windows of the five signals from the first one on, which comes with the fifth row.
    let (warming, ok) = words.split_at(5);
    assert!(warming.iter().all(|word| *word == "warming"), "{words:?}");
    assert!(
        ok.len() > 5 && ok.iter().all(|word| *word == "ok"),
        "{words:?}"
    );
}

#[test]
fn frames_that_we_dropped_are_told_as_degraded() {
    let mut feed = Feed::new("trade");
    feed.ready("BTCUSDT");
    let overflow = r#"{"foretick":"gap","symbol":"BTCUSDT","reason":"overflow","missing":7}"#;
    feed.take(1_100, overflow);
    assert_eq!(feed.engine.counts().missing, 7);
    let words: Vec<_> = (11..17)
        .flat_map(|n| feed.words(1_100, &trade("BTCUSDT", 1_100, n)))
        .collect();
    assert_eq!(
        words,
        [
            "degraded", "degraded", "degraded", "degraded", "degraded", "ok"
        ]
    );
}

#[test]
fn an_instrument_that_falls_silent_says_so_once() {
    let mut feed = Feed::new("trade");
    feed.ready("BTCUSDT");
    let tick = |ms: i64| format!(r#"{{"foretick":"tick","ts":{}}}"#, (START + ms) * 1_000_000);
    assert!(
        feed.take(2_900, &tick(2_900)).is_empty(),
        "heard of 1.9 s ago"
    );
    let told = feed.take(3_500, &tick(3_500));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].quality, Quality::Stale);
    assert_eq!(
        told[0].ts_event,
        Nanos((START + 3_500) * 1_000_000),
        "the tick's time"
    );
    assert!(feed.take(4_500, &tick(4_500)).is_empty(), "once is enough");
    feed.take(5_000, &trade("BTCUSDT", 5_000, 11));
    assert_eq!(feed.take(8_000, &tick(8_000)).len(), 1, "silent anew");
}

fn depth(symbol: &str, ms: i64, ids: (u64, u64), bids: &str, asks: &str) -> String {
    let (first, last, time) = (ids.0, ids.1, START + ms);
    format!(
        r#"{{"e":"depthUpdate","E":{time},"s":"{symbol}","U":{first},"u":{last},"b":{bids},"a":{asks}}}"#
    )
}

fn snapshot(symbol: &str, last: u64) -> String {
    let stream = symbol.to_ascii_lowercase();
    format!(
        r#"{{"stream":"{stream}@depth_snapshot","data":{{"lastUpdateId":{last},"bids":[["10","1"],["9","2"]],"asks":[["11","1"],["12","5"]]}}}}"#
    )
}

fn trade(symbol: &str, ms: i64, id: i64) -> String {
    let time = START + ms;
    format!(
        r#"{{"e":"trade","E":{time},"s":"{symbol}","t":{id},"p":"10.5","q":"0.1","T":{time},"m":false,"M":true}}"#
    )
}

fn market_snapshot(market: &Market, symbol: &str) -> String {
    let json = market
        .snapshot(symbol, 1_000)
        .expect("the symbol is listed");
    let stream = symbol.to_ascii_lowercase();
    format!(r#"{{"stream":"{stream}@depth_snapshot","data":{json}}}"#)
}
