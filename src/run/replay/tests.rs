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
