//! What venues send: frames that others recorded where `FORETICK_DATA` has them, else made-up ones.
//!
//! Measures nothing itself.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use foretick::frame::split_stamp;
use serde_json::Value;

/// The venues with frames here.
pub(crate) const VENUES: [&str; 7] = [
    "BINANCE",
    "BINANCE_USDM",
    "COINBASE",
    "KRAKEN",
    "OKX",
    "BYBIT",
    "ALPACA",
];

/// Messages of a venue, in the order in which they came, and whether they were recorded.
pub(crate) fn frames(venue: &str) -> (Vec<Vec<u8>>, bool) {
    match recorded(venue) {
        Some(frames) if !frames.is_empty() => (frames, true),
        _ => (made_up(venue), false),
    }
}

fn recorded(venue: &str) -> Option<Vec<Vec<u8>>> {
    let folder = std::env::var_os("FORETICK_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let read = |path: &str| read(&folder.join("captures").join(path));
    let lines = |path: &str| -> Option<Vec<Vec<u8>>> {
        let text = read(path)?;
        let messages = text
            .split(|&byte| byte == b'\n')
            .map(|line| split_stamp(line).1);
        Some(
            messages
                .filter(|line| !line.is_empty())
                .map(<[u8]>::to_vec)
                .collect(),
        )
    };
    match venue {
        "BINANCE" => lines("binance-spot/btcusdt_20240808.gz"),
        "BINANCE_USDM" => lines("binance-usdm/btcusdt_20240808.gz"),
        "COINBASE" => lines("frames/coinbase_l2.jsonl"),
        "KRAKEN" => {
            let text = String::from_utf8(read("cryptofeed/KRAKEN.ws.50.0")?).ok()?;
            let frames = after_times(&text).filter_map(second_version_of_kraken);
            Some(frames.collect())
        }
        "OKX" => {
            let text = String::from_utf8(read("cryptofeed/OKX.ws.1.0")?).ok()?;
            let archive = after_times(&text).map(|line| line.as_bytes().to_vec());
            Some(archive.chain(lines("frames/okx_books.jsonl")?).collect())
        }
        "BYBIT" => lines("frames/bybit_orderbook.jsonl"),
        _ => None,
    }
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = vec![];
    match path.extension().is_some_and(|end| end == "gz") {
        true => MultiGzDecoder::new(File::open(path).ok()?)
            .read_to_end(&mut bytes)
            .ok()?,
        false => return fs::read(path).ok(),
    };
    Some(bytes)
}

/// The messages of an archive with `1652459225.5: {…}`; other lines are what the client sent.
fn after_times(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter(|line| !line.starts_with("wss"));
    lines.filter_map(|line| Some(line.split_once(": ")?.1))
}

/// A message of the first version of Kraken's feed as the second version writes it: the digits are the
/// venue's, and so are the checksums of changes.
fn second_version_of_kraken(message: &str) -> Option<Vec<u8>> {
    let message: Value = serde_json::from_str(message).ok()?;
    if message["event"] == "subscriptionStatus" {
        let (depth, pair) = (&message["subscription"]["depth"], &message["pair"]);
        let text = format!(
            r#"{{"method":"subscribe","result":{{"channel":"book","depth":{depth},"snapshot":true,"symbol":{pair}}},"success":true}}"#
        );
        return Some(text.into_bytes());
    }
    let parts = message.as_array()?;
    let pair = parts.last()?;
    let bodies = &parts[1..parts.len() - 2];
    let levels = |names: [&str; 2]| -> Vec<[&str; 2]> {
        let lists = bodies.iter().flat_map(|body| names.map(|name| &body[name]));
        let levels = lists.filter_map(Value::as_array).flatten();
        let texts = levels.filter_map(|level| Some([level[0].as_str()?, level[1].as_str()?]));
        texts.collect()
    };
    let (bids, asks) = (levels(["b", "bs"]), levels(["a", "as"]));
    let checksum = bodies.iter().find_map(|body| body["c"].as_str());
    let (kind, checksum) = match checksum {
        Some(checksum) => ("update", checksum.parse().ok()?),
        None => {
            let best = asks.iter().take(10).chain(bids.iter().take(10)).flatten();
            let digits =
                best.map(|number| number.replace('.', "").trim_start_matches('0').to_owned());
            (
                "snapshot",
                crc32fast::hash(digits.collect::<String>().as_bytes()),
            )
        }
    };
    let side = |levels: &[[&str; 2]]| {
        let level = |[price, size]: &[&str; 2]| format!(r#"{{"price":{price},"qty":{size}}}"#);
        levels.iter().map(level).collect::<Vec<_>>().join(",")
    };
    let text = format!(
        r#"{{"channel":"book","type":"{kind}","data":[{{"symbol":{pair},"bids":[{}],"asks":[{}],"checksum":{checksum},"timestamp":"2026-01-02T03:04:05.123456Z"}}]}}"#,
        side(&bids),
        side(&asks),
    );
    Some(text.into_bytes())
}

/// A book, quotes, trades and changes of it, some thousand messages.
fn made_up(venue: &str) -> Vec<Vec<u8>> {
    (0..5_000)
        .map(|number| message(venue, number).into_bytes())
        .collect()
}

fn message(venue: &str, number: u64) -> String {
    // A price that wanders by a cent, and a time that goes on by a millisecond.
    let (bid, ask) = (6_000_000 + number % 7, 6_000_001 + number % 7);
    let [bid, ask] = [bid, ask].map(|cents| format!("{}.{:02}", cents / 100, cents % 100));
    let (ms, size) = (1_767_323_045_000 + number, 1 + number % 9);
    let at = format!(
        "2026-01-02T03:04:{:02}.{:03}Z",
        5 + number / 1_000,
        number % 1_000
    );
    let update = number + 10;
    match (venue, number, number % 3) {
        ("BINANCE", 0, _) => format!(
            r#"{{"stream":"abcusdt@depth_snapshot","data":{{"lastUpdateId":10,"bids":[["{bid}","1"]],"asks":[["{ask}","2"]]}}}}"#
        ),
        ("BINANCE", _, 0) => format!(
            r#"{{"stream":"abcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{ms},"s":"ABCUSDT","U":{},"u":{update},"b":[["{bid}","{size}.10000000"]],"a":[["{ask}","{size}.20000000"]]}}}}"#,
            update - 2
        ),
        ("BINANCE", _, 1) => format!(
            r#"{{"stream":"abcusdt@trade","data":{{"e":"trade","E":{ms},"s":"ABCUSDT","t":{number},"p":"{bid}","q":"0.0{size}000000","T":{ms},"m":true,"M":true}}}}"#
        ),
        ("BINANCE", ..) => format!(
            r#"{{"stream":"abcusdt@bookTicker","data":{{"u":{update},"s":"ABCUSDT","b":"{bid}","B":"{size}.10000000","a":"{ask}","A":"{size}.20000000"}}}}"#
        ),
        ("BINANCE_USDM", 0, _) => format!(
            r#"{{"stream":"abcusdt@depth_snapshot","data":{{"lastUpdateId":10,"E":{ms},"T":{ms},"bids":[["{bid}","1"]],"asks":[["{ask}","2"]]}}}}"#
        ),
        ("BINANCE_USDM", _, 0) => format!(
            r#"{{"stream":"abcusdt@depth@0ms","data":{{"e":"depthUpdate","E":{ms},"T":{ms},"s":"ABCUSDT","U":{},"u":{update},"pu":{},"b":[["{bid}","{size}.100"]],"a":[["{ask}","{size}.200"]]}}}}"#,
            update - 2,
            update - 3
        ),
        ("BINANCE_USDM", _, 1) => format!(
            r#"{{"stream":"abcusdt@trade","data":{{"e":"trade","E":{ms},"T":{ms},"s":"ABCUSDT","t":{number},"p":"{bid}","q":"0.0{size}","X":"MARKET","m":true}}}}"#
        ),
        ("BINANCE_USDM", ..) => format!(
            r#"{{"stream":"abcusdt@bookTicker","data":{{"e":"bookTicker","u":{update},"s":"ABCUSDT","b":"{bid}","B":"{size}.100","a":"{ask}","A":"{size}.200","T":{ms},"E":{ms}}}}}"#
        ),
        ("COINBASE", _, 0) => {
            let kind = if number == 0 { "snapshot" } else { "update" };
            format!(
                r#"{{"channel":"l2_data","timestamp":"{at}","sequence_num":{number},"events":[{{"type":"{kind}","product_id":"ABC-USD","updates":[{{"side":"bid","event_time":"{at}","price_level":"{bid}","new_quantity":"{size}.1"}},{{"side":"offer","event_time":"{at}","price_level":"{ask}","new_quantity":"{size}.2"}}]}}]}}"#
            )
        }
        ("COINBASE", _, 1) => format!(
            r#"{{"channel":"market_trades","client_id":"","timestamp":"{at}","sequence_num":{number},"events":[{{"type":"update","trades":[{{"trade_id":"{update}","product_id":"ABC-USD","price":"{bid}","size":"0.0{size}","side":"BUY","time":"{at}"}}]}}]}}"#
        ),
        ("COINBASE", ..) => format!(
            r#"{{"channel":"ticker","client_id":"","timestamp":"{at}","sequence_num":{number},"events":[{{"type":"update","tickers":[{{"type":"ticker","product_id":"ABC-USD","price":"{bid}","volume_24_h":"12.5","low_24_h":"20.1","high_24_h":"20.9","low_52_w":"1","high_52_w":"30","price_percent_chg_24_h":"-0.48","best_bid":"{bid}","best_bid_quantity":"{size}.1","best_ask":"{ask}","best_ask_quantity":"{size}.2"}}]}}]}}"#
        ),
        ("KRAKEN", _, 0 | 1) => format!(
            r#"{{"channel":"ticker","type":"update","data":[{{"symbol":"ABC/USD","bid":{bid},"bid_qty":{size}.10000000,"ask":{ask},"ask_qty":{size}.20000000,"last":{bid},"volume":12.50000000,"vwap":20.55,"low":20.10,"high":20.90,"change":-0.10,"change_pct":-0.48,"timestamp":"{at}"}}]}}"#
        ),
        ("KRAKEN", ..) => format!(
            r#"{{"channel":"trade","type":"update","data":[{{"symbol":"ABC/USD","side":"buy","price":{bid},"qty":0.0{size}000000,"ord_type":"market","trade_id":{update},"timestamp":"{at}"}}]}}"#
        ),
        ("OKX", _, 0) => {
            let (action, before) = if number == 0 {
                ("snapshot", -1)
            } else {
                ("update", number as i64 + 7)
            };
            format!(
                r#"{{"arg":{{"channel":"books","instId":"ABC-USDT"}},"action":"{action}","data":[{{"asks":[["{ask}","{size}.2","0","1"]],"bids":[["{bid}","{size}.1","0","4"]],"ts":"{ms}","seqId":{update},"prevSeqId":{before}}}]}}"#
            )
        }
        ("OKX", _, 1) => format!(
            r#"{{"arg":{{"channel":"trades","instId":"ABC-USDT"}},"data":[{{"instId":"ABC-USDT","tradeId":"{update}","px":"{bid}","sz":"0.0{size}","side":"sell","ts":"{ms}","count":"1","source":"0","seqId":{update}}}]}}"#
        ),
        ("OKX", ..) => format!(
            r#"{{"arg":{{"channel":"bbo-tbt","instId":"ABC-USDT"}},"data":[{{"asks":[["{ask}","{size}.2","0","1"]],"bids":[["{bid}","{size}.1","0","4"]],"ts":"{ms}","seqId":{update}}}]}}"#
        ),
        ("BYBIT", _, 0) => {
            let kind = if number == 0 { "snapshot" } else { "delta" };
            format!(
                r#"{{"topic":"orderbook.50.ABCUSDT","ts":{ms},"type":"{kind}","data":{{"s":"ABCUSDT","b":[["{bid}","{size}.1"]],"a":[["{ask}","{size}.2"]],"u":{},"seq":{number}}},"cts":{ms}}}"#,
                10 + number / 3
            )
        }
        ("BYBIT", _, 1) => format!(
            r#"{{"topic":"publicTrade.ABCUSDT","ts":{ms},"type":"snapshot","data":[{{"i":"229000000000{update:07}","T":{ms},"p":"{bid}","v":"0.0{size}","S":"Sell","seq":{number},"s":"ABCUSDT","BT":false,"RPI":false}}]}}"#
        ),
        ("BYBIT", ..) => format!(
            r#"{{"topic":"orderbook.1.ABCUSDT","ts":{ms},"type":"snapshot","data":{{"s":"ABCUSDT","b":[["{bid}","{size}.1"]],"a":[["{ask}","{size}.2"]],"u":{update},"seq":{number}}},"cts":{ms}}}"#
        ),
        ("ALPACA", _, 0) => format!(
            r#"[{{"T":"t","i":{update},"S":"OAK","x":"V","p":{bid},"s":{size},"t":"{at}","c":["@","I"],"z":"C"}}]"#
        ),
        _ => format!(
            r#"[{{"T":"q","S":"OAK","bx":"U","bp":{bid},"bs":{size},"ax":"Q","ap":{ask},"as":{size},"t":"{at}","c":["R"],"z":"C"}}]"#
        ),
    }
}
