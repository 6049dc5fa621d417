//! What a run of faults reads: a pipeline, and the records of its topic, each with its partition.

use std::fmt::Write;
use std::path::PathBuf;

use foretick::decode::route::SymbolFinder;
use foretick::frame::split_stamp;
use rustc_hash::FxHashMap;

use crate::dice::Dice;
use crate::given::{self, Folder, companies};
use crate::market::Market;
use crate::plan::Plan;

/// One record of the input.
pub(crate) struct Record {
    pub(crate) partition: i32,
    pub(crate) key: String,
    pub(crate) payload: String,
    /// Whether it cannot be decoded.
    pub(crate) is_bad: bool,
}

/// Its pipeline.
pub(crate) fn pipeline(market: Market, folder: &Folder) -> PathBuf {
    match market {
        Market::Trades => folder.write("pipeline.toml", TRADES),
        Market::Frames => folder.write("pipeline.toml", given::EVERY_KIND),
        Market::Alerts => given::repository("pipelines/default-alerts"),
    }
}

/// About as many records as the plan says. Where partitions are added, keys that first come in the last
/// third are in these.
pub(crate) fn records(plan: &Plan) -> Vec<Record> {
    let (seed, about) = (plan.seed, plan.messages);
    let (partitions, more) = (plan.partitions, plan.more_partitions);
    let lines = match plan.market {
        Market::Trades => trades(seed, about, plan.keys, more > 0),
        Market::Frames => frames(seed, about),
        Market::Alerts => statements(seed, about),
    };
    let (mut homes, mut seen) = (FxHashMap::default(), 0_i32);
    let first = lines.len() * 2 / 3;
    let mut records = Vec::with_capacity(lines.len() + lines.len() / EVERY_BAD);
    for (at, (key, payload)) in lines.into_iter().enumerate() {
        let partition = *homes.entry(key.clone()).or_insert_with(|| {
            seen += 1;
            match more > 0 && at >= first {
                true => partitions + seen % more,
                false => seen % partitions,
            }
        });
        if at % EVERY_BAD == EVERY_BAD / 2 {
            records.push(Record {
                partition,
                key: key.clone(),
                payload: format!("{{\"bad\":{at}"),
                is_bad: true,
            });
        }
        records.push(Record {
            partition,
            key,
            payload,
            is_bad: false,
        });
    }
    records
}

/// One record of so many cannot be decoded.
const EVERY_BAD: usize = 400;

/// Frames of a simulated exchange, until there are enough.
fn frames(seed: u64, about: usize) -> Vec<(String, String)> {
    let symbols = ["BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT"];
    let (mut seconds, mut text) = (about as u64 / 150 + 10, String::new());
    for _ in 0..6 {
        text = given::capture(seed, seconds, &symbols);
        if text.lines().count() >= about {
            break;
        }
        seconds *= 2;
    }
    let (mut key, mut symbols) = ("none".to_owned(), SymbolFinder::default());
    let of = |line: &str| {
        let (_, message) = split_stamp(line.as_bytes());
        if let Some(symbol) = symbols.symbol_of(0, message) {
            key = symbol.to_ascii_uppercase();
        }
        (key.clone(), line.to_owned())
    };
    text.lines().take(about).map(of).collect()
}

fn trades(seed: u64, about: usize, keys: u64, has_late_keys: bool) -> Vec<(String, String)> {
    let mut dice = Dice::new(seed);
    let (mut ts, mut prices) = (
        1_700_000_000_000_000_000_i64,
        vec![10_000_000_u64; keys as usize],
    );
    let mut ids = vec![0_u64; keys as usize];
    let trade = |at: usize| {
        ts += 1 + dice.below(4_000_000) as i64;
        let all = match has_late_keys && at < about * 2 / 3 {
            true => keys * 3 / 4,
            false => keys,
        };
        let which = dice.below(all) as usize;
        prices[which] = (prices[which] + dice.below(2_001)).max(1_001_000) - 1_000;
        ids[which] += 1;
        let symbol = format!("SYM{which:02}USDT");
        let (price, size) = (prices[which], 1 + dice.below(900));
        let side = dice.one_of(&["buy", "sell"]);
        let mut line = String::new();
        write!(
            line,
            r#"{{"ts_event":{ts},"symbol":"{symbol}","price":"{}.{:04}","size":"0.{size:04}","side":"{side}","trade_id":{}}}"#,
            price / 10_000,
            price % 10_000,
            ids[which]
        )
        .expect("memory takes text");
        (symbol, line)
    };
    (0..about).map(trade).collect()
}

/// Eight years of statements, and a command about one in seven firms.
fn statements(seed: u64, about: usize) -> Vec<(String, String)> {
    let mut dice = Dice::new(seed);
    let firms = about.div_ceil(9).max(8);
    let mut lines = vec![];
    for line in companies::statements(firms) {
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let key = value["obligor"].as_str().expect("a name").to_owned();
        let ts = value["ts_event"].as_i64().expect("a time") + 1;
        lines.push((key.clone(), line));
        let rule = dice.one_of(&["level", "change"]);
        let command = match dice.below(14) {
            0 => format!(
                r#"{{"action":"acknowledge","ts_event":{ts},"obligor":"{key}","rule":"{rule}"}}"#
            ),
            1 => {
                let until = ts + 400 * 86_400_000_000_000;
                format!(
                    r#"{{"action":"silence","ts_event":{ts},"obligor":"{key}","rule":"{rule}","until":{until}}}"#
                )
            }
            _ => continue,
        };
        lines.push((key, command));
    }
    lines
}

/// Windows by count and by time, an average without end, a normaliser that learns, on trades.
const TRADES: &str = r#"
name = "fault-trades"

[row]
on = "trade"
stale_after_ms = 60_000

[[feature]]
name = "price"
kind = "price"

[[feature]]
name = "flow"
kind = "trade_flow"
window = 20

[[feature]]
name = "return"
kind = "log_return"
of = "price"

[[feature]]
name = "volatility"
kind = "realised_volatility"
of = "return"
window = 50

[[feature]]
name = "mean"
kind = "mean"
of = "price"
window_ms = 2_000

[[feature]]
name = "ema"
kind = "ema"
of = "price"
alpha = 0.01

[model]
kind = "sum"
normalise = "expanding"
"#;
