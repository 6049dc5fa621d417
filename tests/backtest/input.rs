//! What the input does not say: when messages were received, and of instruments that it does not have.

use std::fmt::Write;

use serde_json::Value;

use crate::given::{Folder, SMALL, capture, foretick};
use crate::{CANONICAL, report};

/// The report on a capture of one instrument, with or without receive times.
fn tried(test: &str, is_stamped: bool, set: &[&str]) -> Value {
    let folder = Folder::new(&format!("backtest-input-{test}"));
    let pipeline = folder.write("pipeline.toml", SMALL).display().to_string();
    let mut day = String::new();
    for line in capture(5, 5, &["BTCUSDT"]).lines() {
        let (_, message) = line.split_once(' ').expect("a line begins with its stamp");
        let line = if is_stamped { line } else { message };
        writeln!(day, "{line}").expect("memory");
    }
    let input = folder.write("day.jsonl", day).display().to_string();
    let mut args = vec!["backtest", &pipeline, "--input", &input, "--json"];
    for one in CANONICAL.iter().chain(set) {
        args.extend(["--set", one]);
    }
    report(&foretick(&args))
}

#[test]
fn the_latency_of_the_feed_is_known_by_receive_times_alone() {
    let fill = ["backtest.fill_on=book"];
    let stamped = tried("stamped", true, &fill);
    assert!(
        stamped["feed_latency_ms"]["count"].as_u64() > Some(0),
        "{stamped}"
    );
    let bare = tried("bare", false, &fill);
    assert!(bare["signals"].as_u64() > Some(0), "{bare}");
    assert_eq!(bare["feed_latency_ms"], Value::Null);
    assert_eq!(bare["order_latency_ms"]["max"], 50.0);
}

#[test]
fn a_size_of_an_instrument_that_the_input_lacks_is_a_warning() {
    let warned = |name: &str| {
        let sizes = format!("backtest.sizes={{ \"{name}\" = 0.02 }}");
        let found = tried(name, true, &["backtest.fill_on=book", &sizes]);
        let findings = found["findings"].as_array().expect("a list").clone();
        findings
            .into_iter()
            .find(|finding| finding["code"] == "unknown_size")
    };
    assert_eq!(warned("BTCUSDT.BINANCE"), None);
    let warning = warned("BTCUSDT").expect("the venue is missing");
    assert_eq!(warning["severity"], "warning");
    let text = warning["text"].as_str().expect("text");
    assert!(text.contains("sizes as BTCUSDT: "), "{text}");
}
