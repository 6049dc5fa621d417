//! A replay is sealed: the wall clock changes nothing but `ts_out`.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::clock::virtual_time;
use crate::tests::scratch::Scratch;

const PIPELINE: &str = r#"
name = "sealed"
[row]
on = "trade"
[[feature]]
name = "mean"
kind = "mean"
of = "price"
window = 3
[model]
kind = "sum"
"#;

/// The digest of a replay in which the wall clock is so far ahead, and its signals.
fn replayed(scratch: &Scratch, ahead: Duration) -> (String, Vec<Value>) {
    let _virtual = virtual_time::begin(Rc::new(virtual_time::pass));
    virtual_time::pass(ahead);
    let trade = |at: i64| {
        let ts = 1_700_000_000_000_000_000 + at * 1_000_000_000;
        let received = ts + 2_000_000;
        format!(
            r#"{received} {{"ts_event":{ts},"symbol":"A.B","price":{},"size":1,"side":"buy"}}"#,
            100 + at % 7
        ) + "\n"
    };
    let path = scratch.write("pipeline.toml", PIPELINE);
    let capture = scratch.write("capture", (0..50).map(trade).collect::<String>());
    let output = scratch.path().join("signals.jsonl");
    let options = ReplayOptions {
        inputs: vec![capture],
        output: Some(output.clone()),
        ..ReplayOptions::default()
    };
    let pipeline = Pipeline::load(&path, &[]).unwrap();
    let summary = replay(&pipeline, &options).unwrap();
    let text = std::fs::read_to_string(output).unwrap();
    let signals = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (summary.digest, signals.collect())
}

#[test]
fn the_wall_clock_changes_nothing_but_the_time_of_output() {
    const YEARS: Duration = Duration::from_secs(3_000 * 86_400);
    let scratch = Scratch::new();
    let (digest, mut now) = replayed(&scratch, Duration::ZERO);
    let (later_digest, mut later) = replayed(&scratch, YEARS);
    assert_eq!((digest, now.len()), (later_digest, 50));
    for (one, other) in now.iter_mut().zip(&mut later) {
        let ts_out = |signal: &mut Value| signal["ts_out"].take().as_i64().unwrap();
        assert_eq!(ts_out(other) - ts_out(one), YEARS.as_nanos() as i64);
        // The seconds of the stages are of this run too.
        one["latency_ns"].take();
        other["latency_ns"].take();
    }
    assert_eq!(now, later);
}

/// A session of the simulated exchange in which a feed breaks, messages cannot be read, and time passes.
fn troubled_capture(scratch: &Scratch) -> std::path::PathBuf {
    let path = scratch.path().join("market.jsonl");
    let settings = crate::simulate::MarketSettings::default();
    let mut file = std::fs::File::create(&path).unwrap();
    let (length, latency) = (Duration::from_secs(20), Duration::from_millis(2));
    crate::simulate::write_capture(&settings, length, latency, &mut file).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines = vec![];
    for (at, line) in text.lines().enumerate() {
        let stamp = &line[..19];
        if at % 500 == 250 {
            lines.push(format!(r#"{stamp} {{"foretick":"tick","ts":{stamp}}}"#));
        }
        if at % 700 == 350 {
            lines.push(format!("{stamp} {{\"symbol\":\"BTCUSDT\",\"price\":"));
        }
        if at == 4_000 {
            lines.push(format!(
                r#"{stamp} {{"foretick":"gap","reason":"reconnect"}}"#
            ));
        }
        lines.push(line.to_owned());
    }
    scratch.write("troubled.jsonl", lines.join("\n"))
}

const MARKET: &str = r#"
name = "market"
[row]
on = "trade"
[[feature]]
name = "mean"
kind = "mean"
of = "price"
window = 3
[[feature]]
name = "spread"
kind = "spread"
[model]
kind = "sum"
"#;

/// What a replay with so many shards writes, without the readings of the clock, and its summary.
fn sharded(
    scratch: &Scratch,
    pipeline: &str,
    inputs: &[PathBuf],
    set: &[String],
) -> ([Vec<Value>; 3], Summary) {
    let path = scratch.write("pipeline.toml", pipeline);
    let pipeline = Pipeline::load(&path, set).unwrap();
    let file = |name: &str| scratch.path().join(name);
    let options = ReplayOptions {
        inputs: inputs.to_vec(),
        output: Some(file("signals.jsonl")),
        dead_letters: Some(file("dead.jsonl")),
        gaps: Some(file("gaps.jsonl")),
        ..ReplayOptions::default()
    };
    let summary = replay(&pipeline, &options).unwrap();
    let read = |name: &str| -> Vec<Value> {
        let text = std::fs::read_to_string(file(name)).unwrap();
        let value = |line: &str| {
            let mut value: Value = serde_json::from_str(line).unwrap();
            for clock in ["ts_out", "latency_ns"] {
                value.as_object_mut().unwrap().remove(clock);
            }
            value
        };
        text.lines().map(value).collect()
    };
    let written = ["signals.jsonl", "dead.jsonl", "gaps.jsonl"].map(read);
    (written, summary)
}

/// Compares replays with several shards to that with one, line by line.
fn compare_shards(pipeline: &str, inputs: &[PathBuf], least: usize) {
    let scratch = Scratch::new();
    let set = |shards: usize| [format!("engine.shards={shards}"), "engine.batch=7".into()];
    let (one, summary) = sharded(&scratch, pipeline, inputs, &set(1));
    assert!(one[0].len() >= least, "{}", one[0].len());
    for shards in [2, 3, 8] {
        let (several, of_several) = sharded(&scratch, pipeline, inputs, &set(shards));
        for (one, several) in one.iter().zip(&several) {
            let differs = one
                .iter()
                .zip(several)
                .position(|(one, several)| one != several);
            assert_eq!(differs, None, "{shards} shards");
            assert_eq!(one.len(), several.len());
        }
        assert_eq!(of_several.digest, summary.digest);
        assert_eq!(of_several.frames, summary.frames);
        assert_eq!(of_several.signals, summary.signals);
    }
}

#[test]
fn shards_write_what_one_thread_writes_in_its_order() {
    let scratch = Scratch::new();
    let capture = troubled_capture(&scratch);
    let (one, _) = sharded(&scratch, MARKET, std::slice::from_ref(&capture), &[]);
    assert!(
        one.iter().all(|written| !written.is_empty()),
        "there is trouble"
    );
    compare_shards(MARKET, std::slice::from_ref(&capture), 1_000);
    let corrects = MARKET.replace(
        "[row]",
        "[source]\nlateness_ms = 50\n[row]\ncorrect_ms = 1000\nlate = \"correct\"",
    );
    compare_shards(&corrects, &[capture], 1_000);
}

/// Real messages of two instruments, where the data is at hand.
#[test]
#[ignore = "reads the captures of a day that lie in FORETICK_DATA"]
fn shards_write_the_signals_of_a_real_day_in_order() {
    let data = PathBuf::from(std::env::var("FORETICK_DATA").expect("FORETICK_DATA"));
    let captures = data.join("captures/binance-spot");
    let inputs = ["btcusdt_20240808.gz", "ethusdt_20240808.gz"].map(|name| captures.join(name));
    compare_shards(MARKET, &inputs, 10_000);
}
