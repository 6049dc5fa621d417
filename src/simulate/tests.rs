//! What must hold for the simulated market as a whole, read from its messages alone where possible.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;

fn after(seconds: i64) -> Nanos {
    Nanos(MarketSettings::default().start.0 + seconds * 1_000_000_000)
}

fn run(settings: &MarketSettings, seconds: i64) -> Vec<Message> {
    let (mut market, mut messages) = (Market::new(settings).unwrap(), Vec::new());
    market.advance(after(seconds), &mut messages);
    messages
}

fn with_seed(seed: u64) -> MarketSettings {
    MarketSettings {
        seed,
        ..MarketSettings::default()
    }
}

fn data(message: &Message) -> Value {
    serde_json::from_str(message.data()).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// A book as a client keeps it: text of the price → text of the quantity, prices as numbers to sort them.
#[derive(Debug, Default, PartialEq)]
struct RebuiltBook {
    bids: BTreeMap<u64, String>,
    asks: BTreeMap<u64, String>,
    last: u64,
}

impl RebuiltBook {
    fn from_snapshot(text: &str) -> Self {
        let json: Value = serde_json::from_str(text).unwrap();
        let mut book = Self {
            last: json["lastUpdateId"].as_u64().unwrap(),
            ..Self::default()
        };
        set(&mut book.bids, &json["bids"]);
        set(&mut book.asks, &json["asks"]);
        book
    }

    fn apply(&mut self, diff: &Value) {
        if diff["u"].as_u64().unwrap() <= self.last {
            return;
        }
        assert!(diff["U"].as_u64().unwrap() <= self.last + 1, "a gap");
        set(&mut self.bids, &diff["b"]);
        set(&mut self.asks, &diff["a"]);
        self.last = diff["u"].as_u64().unwrap();
    }
}

fn set(side: &mut BTreeMap<u64, String>, levels: &Value) {
    for level in levels.as_array().unwrap() {
        let price = (number(&level[0]) * 1e8).round() as u64;
        match level[1].as_str().unwrap() {
            "0.00000000" => drop(side.remove(&price)),
            quantity => drop(side.insert(price, quantity.to_owned())),
        }
    }
}

#[test]
fn one_seed_gives_the_same_bytes_on_every_machine() {
    let mut digest = Sha256::new();
    for message in run(&MarketSettings::default(), 60) {
        digest.update(format!("{} {}\n", message.ts.0, message.json));
    }
    let hex: String = digest
        .finalize()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(hex, GOLDEN);
}

#[test]
fn seeds_differ_and_cuts_do_not() {
    let whole = run(&with_seed(5), 20);
    assert_ne!(whole, run(&with_seed(6), 20));
    let (mut market, mut pieces) = (Market::new(&with_seed(5)).unwrap(), Vec::new());
    for millis in (0..=20_000).step_by(7).chain([20_000]) {
        let until = Nanos(after(0).0 + millis * 1_000_000);
        market.advance(until, &mut pieces);
    }
    assert_eq!(whole, pieces);
}

#[test]
fn an_instrument_is_not_moved_by_another() {
    let all = run(&MarketSettings::default(), 10);
    let mut settings = MarketSettings::default();
    settings.instruments.truncate(1);
    let alone = run(&settings, 10);
    let of_first: Vec<_> = all.into_iter().filter(|m| m.instrument == 0).collect();
    assert_eq!(of_first, alone);
}

#[test]
fn snapshot_and_diffs_rebuild_the_book() {
    let (settings, mut messages) = (MarketSettings::default(), Vec::new());
    let mut market = Market::new(&settings).unwrap();
    market.advance(after(1), &mut messages);
    let symbols: Vec<&str> = settings
        .instruments
        .iter()
        .map(|l| l.symbol.as_str())
        .collect();
    let snapshot = |market: &Market, symbol| {
        RebuiltBook::from_snapshot(&market.snapshot(symbol, 5_000).unwrap())
    };
    let mut books: Vec<RebuiltBook> = symbols.iter().map(|s| snapshot(&market, s)).collect();
    let mut compared = 0;
    loop {
        messages.clear();
        if !market.step(after(60), &mut messages) {
            break;
        }
        for diff in messages.iter().filter(|m| m.stream == MarketStream::Depth) {
            books[diff.instrument].apply(&data(diff));
            assert_eq!(
                books[diff.instrument],
                snapshot(&market, symbols[diff.instrument])
            );
            compared += 1;
        }
    }
    assert!(compared > 2_000, "{compared} diffs");
}

#[test]
fn the_ticker_is_the_best_of_the_book_and_never_crossed() {
    let mut settings = MarketSettings::default();
    settings.instruments.truncate(1);
    let mut market = Market::new(&settings).unwrap();
    let (mut messages, mut ticker) = (Vec::new(), Value::Null);
    while market.step(after(60), &mut messages) {
        for message in messages.drain(..) {
            if message.stream == MarketStream::BookTicker {
                ticker = data(&message);
                assert!(number(&ticker["b"]) < number(&ticker["a"]), "{ticker}");
            }
        }
        let top: Value = serde_json::from_str(&market.snapshot("BTCUSDT", 1).unwrap()).unwrap();
        if !ticker.is_null() {
            assert_eq!(
                top["bids"][0],
                serde_json::json!([ticker["b"], ticker["B"]])
            );
            assert_eq!(
                top["asks"][0],
                serde_json::json!([ticker["a"], ticker["A"]])
            );
            assert!(ticker["u"].as_u64() <= top["lastUpdateId"].as_u64());
        }
    }
}

#[test]
fn trades_count_up_lie_on_the_grid_and_add_up_to_aggregates() {
    let settings = MarketSettings::default();
    let mut last = vec![0; settings.instruments.len()];
    let mut open: Vec<Vec<(u64, Value, f64)>> = vec![Vec::new(); last.len()];
    let (mut trades, mut swept) = (0, 0);
    for message in run(&settings, 120) {
        let (at, data) = (message.instrument, data(&message));
        let scaled = settings.instruments[at].scaled();
        let price = || Price::parse(data["p"].as_str().unwrap().as_bytes()).unwrap();
        let quantity = || Size::parse(data["q"].as_str().unwrap().as_bytes()).unwrap();
        match message.stream {
            MarketStream::Trade => {
                let id = data["t"].as_u64().unwrap();
                assert!(last[at] == 0 || id == last[at] + 1);
                assert_eq!(price().scaled(8).unwrap() % scaled.tick, 0);
                assert_eq!(quantity().scaled(8).unwrap() % scaled.step, 0);
                assert!(quantity() > Size::ZERO);
                last[at] = id;
                open[at].push((id, data["p"].clone(), number(&data["q"])));
                trades += 1;
            }
            MarketStream::AggTrade => {
                let fills = std::mem::take(&mut open[at]);
                assert_eq!(data["f"].as_u64(), fills.first().map(|f| f.0));
                assert_eq!(data["l"].as_u64(), fills.last().map(|f| f.0));
                assert!(fills.iter().all(|f| f.1 == data["p"]));
                let sum: f64 = fills.iter().map(|f| f.2).sum();
                assert!((sum - number(&data["q"])).abs() < 1e-6);
                swept += usize::from(fills.len() > 1);
            }
            MarketStream::BookTicker | MarketStream::Depth => {}
        }
    }
    assert!(
        trades > 1_000 && swept > 10,
        "{trades} trades, {swept} swept"
    );
}

#[test]
fn order_flow_predicts_a_little_and_the_price_moves_as_asked() {
    let settings = MarketSettings::default();
    let messages = run(&settings, 1_800);
    for (at, listing) in settings.instruments.iter().enumerate() {
        let (flow, returns) = by_second(messages.iter().filter(|m| m.instrument == at));
        let deviation = (returns.iter().map(|r| r * r).sum::<f64>() / returns.len() as f64).sqrt();
        let now = correlation(&flow, &returns);
        let next = correlation(&flow[..flow.len() - 1], &returns[1..]);
        let per_second = messages.iter().filter(|m| m.instrument == at).count() as f64 / 1_800.0;
        let name = &listing.symbol;
        let ratio = deviation * 1e4 / listing.volatility_bp;
        assert!((0.6..1.7).contains(&ratio), "{name}: volatility {ratio}");
        assert!((0.02..0.6).contains(&next), "{name}: {next}");
        assert!(now > next && now < 0.95, "{name}: {now}");
        assert!((50.0..200.0).contains(&per_second), "{name}: {per_second}");
    }
}

/// Order-flow imbalance at the best prices (Cont, Kukanov and Stoikov 2014) and return of the mid, by
/// second.
fn by_second<'a>(messages: impl Iterator<Item = &'a Message>) -> (Vec<f64>, Vec<f64>) {
    let mut seconds: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    let mut last: Option<[f64; 4]> = None;
    for message in messages.filter(|m| m.stream == MarketStream::BookTicker) {
        let data = data(message);
        let top = ["b", "B", "a", "A"].map(|field| number(&data[field]));
        if let Some(before) = last {
            let side =
                |p: f64, q: f64, p0: f64, q0: f64| f64::from(p >= p0) * q - f64::from(p <= p0) * q0;
            let bid = side(top[0], top[1], before[0], before[1]);
            let ask = side(-top[2], top[3], -before[2], before[3]);
            let second = seconds.entry(message.ts.0 / 1_000_000_000).or_default();
            second.0 += bid - ask;
            second.1 += libm::log((top[0] + top[2]) / (before[0] + before[2]));
        }
        last = Some(top);
    }
    seconds.into_values().unzip()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
    let (ma, mb) = (mean(a), mean(b));
    let product = |x: &[f64], mx: f64, y: &[f64], my: f64| {
        x.iter()
            .zip(y)
            .map(|(x, y)| (x - mx) * (y - my))
            .sum::<f64>()
    };
    product(a, ma, b, mb) / (product(a, ma, a, ma) * product(b, mb, b, mb)).sqrt()
}

#[test]
fn a_capture_holds_snapshots_that_splice() {
    let (settings, mut bytes) = (MarketSettings::default(), Vec::new());
    let (duration, latency) = (Duration::from_secs(3), Duration::from_millis(20));
    write_capture(&settings, duration, latency, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<(i64, Value)> = text
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(local, json)| (local.parse().unwrap(), serde_json::from_str(json).unwrap()))
        .collect();
    assert!(lines.windows(2).all(|w| w[0].0 <= w[1].0), "time went back");
    for listing in &settings.instruments {
        let lower = listing.symbol.to_lowercase();
        let of = |stream: &str| {
            let name = format!("{lower}@{stream}");
            let found = lines.iter().enumerate();
            found.filter(move |(_, (_, json))| json["stream"] == name.as_str())
        };
        let (at, (_, snapshot)) = of("depth_snapshot").next().unwrap();
        let mut book = RebuiltBook::from_snapshot(&snapshot["data"].to_string());
        let id = book.last;
        let diffs: Vec<_> = of("depth@100ms")
            .map(|(at, (_, j))| (at, &j["data"]))
            .collect();
        let buffered = diffs.iter().filter(|(line, _)| *line < at);
        let old = buffered
            .clone()
            .filter(|(_, d)| d["u"].as_u64().unwrap() <= id);
        let spans = |d: &Value| d["U"].as_u64() <= Some(id + 1) && d["u"].as_u64() > Some(id);
        assert!(old.count() > 0, "{lower}: no diff to drop");
        assert!(
            buffered.clone().any(|(_, d)| spans(d)),
            "{lower}: none straddles"
        );
        diffs.iter().for_each(|(_, diff)| book.apply(diff));
        assert!(book.last > id);
    }
}

#[test]
fn an_invalid_market_is_refused() {
    for (change, expected) in [
        (
            (|l| l.symbol = "btc/usdt".into()) as fn(&mut Listing),
            "capital letters",
        ),
        (
            |l| l.tick = Price::parse(b"5e-9").unwrap(),
            "tick is no multiple",
        ),
        (
            |l| l.tick = Price::parse(b"1000").unwrap(),
            "between a thousand",
        ),
        (
            |l| l.order_size = Size::parse(b"1e-8").unwrap(),
            "below one step",
        ),
        (|l| l.rate_hz = f64::NAN, "rate is not"),
        (|l| l.volatility_bp = 0.0, "volatility is not"),
        (|l| l.symbol = "ETHUSDT".into(), "listed twice"),
    ] {
        let mut settings = MarketSettings::default();
        change(&mut settings.instruments[0]);
        let error = Market::new(&settings).map(drop).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// SHA-256 of a minute of the default settings, time and text of each message on a line.
const GOLDEN: &str = "3759e04f0bdc52eac4794a243e71689eb6ca089532532f234e810047473cdfc9";
