//! Made-up messages of a stock feed in Alpaca's form: lists of several types and symbols, in JSON or in
//! MessagePack.

use serde_json::{Value, json};

/// Symbols that live on different shards of two, three and four.
pub(crate) const SYMBOLS: [&str; 4] = ["OAK", "ELM", "ASH", "FIR"];

/// A session of `lists` lists. It holds trades, quotes, price limits (which are not used), corrections,
/// cancellations, a halt of OAK with its end, a trade that comes twice and one that cannot be read.
pub(crate) fn session(lists: u64) -> Vec<Value> {
    let mut session = vec![];
    let mut state = 7;
    let mut number = 0;
    for at in 0..lists {
        let mut list = vec![];
        for place in 0..1 + draw(&mut state, 5) {
            let symbol = SYMBOLS[draw(&mut state, 4) as usize];
            let time = time(at * 50_000_000 + place * 1_000);
            let cents = 10_000 + draw(&mut state, 200);
            let price = |cents: u64| cents as f64 / 100.0;
            number += 1;
            list.push(match draw(&mut state, 60) {
                0 => json!({"T": "c", "S": symbol, "x": "V", "oi": number - 3, "op": 1.0, "os": 1, "ci": number,
                    "cp": 1.5, "cs": 2, "t": time, "z": "C"}),
                1 => json!({"T": "x", "S": symbol, "x": "V", "i": number - 2, "p": 1.0, "s": 1, "a": "C",
                    "t": time, "z": "C"}),
                2..5 => json!({"T": "l", "S": symbol, "u": 110.5, "d": 90.5, "i": "B", "t": time, "z": "C"}),
                5..25 => json!({"T": "t", "S": symbol, "i": number, "x": "V", "p": price(cents),
                    "s": 1 + draw(&mut state, 300), "c": ["@"], "t": time, "z": "C"}),
                _ => json!({"T": "q", "S": symbol, "bx": "U", "bp": price(cents - 1), "bs": 1 + draw(&mut state, 9),
                    "ax": "Q", "ap": price(cents + 1), "as": 1 + draw(&mut state, 9), "c": ["R"], "t": time,
                    "z": "C"}),
            });
        }
        let later = time(at * 50_000_000 + 10_000);
        match at {
            100 => list.push(json!({"T": "s", "S": "OAK", "sc": "H", "t": later, "z": "C"})),
            200 => list.push(json!({"T": "s", "S": "OAK", "sc": "T", "t": later, "z": "C"})),
            // One of several that cannot be read: no size.
            250 => list.push(json!({"T": "t", "S": "ELM", "i": 1, "x": "V", "p": 1.0, "t": later})),
            260 => {
                let again = json!({"T": "t", "S": "ASH", "i": 1_000_000, "x": "V", "p": 101.25, "s": 5, "t": later});
                list.extend([again.clone(), again]);
            }
            _ => {}
        }
        session.push(Value::Array(list));
    }
    session
}

/// Nanoseconds after 2026-02-19, 14:30 UTC.
fn time(nanos: u64) -> String {
    let (minutes, seconds) = (30 + nanos / 60_000_000_000, nanos / 1_000_000_000 % 60);
    format!(
        "2026-02-19T14:{minutes:02}:{seconds:02}.{:09}Z",
        nanos % 1_000_000_000
    )
}

/// A number below `below`, by a linear congruential generator.
fn draw(state: &mut u64, below: u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % below
}

/// A message in MessagePack; texts that are times become timestamps.
pub(crate) fn packed(value: &Value) -> Vec<u8> {
    let mut out = vec![];
    pack(value, &mut out);
    out
}

fn pack(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xc0),
        Value::Bool(flag) => out.push(0xc2 + u8::from(*flag)),
        Value::Number(number) => match number.as_u64() {
            Some(whole) => {
                out.push(0xcf);
                out.extend_from_slice(&whole.to_be_bytes());
            }
            None => {
                out.push(0xcb);
                out.extend_from_slice(&number.as_f64().expect("a float").to_be_bytes());
            }
        },
        Value::String(text) => match foretick::time::parse_rfc3339(text) {
            Ok(time) if text.len() > 10 => {
                let (seconds, nanos) = (time.0 / 1_000_000_000, time.0 % 1_000_000_000);
                out.extend_from_slice(&[0xd7, 0xff]);
                out.extend_from_slice(&(nanos << 34 | seconds).to_be_bytes());
            }
            _ => {
                out.extend_from_slice(&[0xd9, text.len() as u8]);
                out.extend_from_slice(text.as_bytes());
            }
        },
        Value::Array(list) => {
            out.push(0xdc);
            out.extend_from_slice(&(list.len() as u16).to_be_bytes());
            list.iter().for_each(|value| pack(value, out));
        }
        Value::Object(map) => {
            out.push(0xde);
            out.extend_from_slice(&(map.len() as u16).to_be_bytes());
            for (key, value) in map {
                pack(&Value::String(key.clone()), out);
                pack(value, out);
            }
        }
    }
}

/// A pipeline over these stocks, with rows on trades.
pub(crate) const PIPELINE: &str = r#"
name = "stocks"
[source]
instruments = ["OAK.ALPACA", "ELM.ALPACA", "ASH.ALPACA", "FIR.ALPACA"]
[row]
on = "trade"
stale_after_ms = 2_000
[[feature]]
name = "mid"
kind = "mid"
[[feature]]
name = "mean"
kind = "mean"
of = "price"
window = 4
[[feature]]
name = "vwap"
kind = "vwap_deviation"
window_ms = 1_000
[model]
kind = "sum"
[metrics]
listen = ""
"#;
