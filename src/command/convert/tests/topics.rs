//! Topics that were written mean what they were made of.

use super::*;
use crate::command::arguments::{Cli, Command};
use crate::simulate::broker::EmbeddedBroker;
use clap::Parser;

/// What the arguments ask for.
fn options(args: &[&str]) -> Result<ConvertOptions, ConvertFault> {
    let all = ["foretick", "convert"].iter().chain(args);
    match Cli::parse_from(all).command {
        Command::Convert(args) => ConvertOptions::of(&args),
        _ => unreachable!("it is `convert`"),
    }
}

fn simulated(scratch: &Scratch, is_sorted: bool) -> PathBuf {
    let capture = scratch.path().join("capture.jsonl");
    let settings = MarketSettings {
        start: Nanos(1_723_161_595_000_000_000),
        ..MarketSettings::default()
    };
    write_capture_file(&settings, Duration::from_secs(10), &capture).unwrap();
    // A gap of the feed; and a trade of each instrument before all, since records of topics have times.
    let text = std::fs::read_to_string(&capture).unwrap();
    let mut ts = 1_723_161_594_000_000_000_i64;
    let first = |symbol: &str| {
        ts += 1;
        format!(
            r#"{ts} {{"ts_event":{ts},"symbol":"{symbol}USDT.BINANCE","price":"9","size":"1","side":"buy"}}"#
        )
    };
    let first = ["BTC", "ETH", "BNB", "SOL"].map(first);
    let mut lines: Vec<&str> = first
        .iter()
        .map(String::as_str)
        .chain(text.lines())
        .collect();
    let gap = r#"1723161604000000000 {"foretick":"gap","reason":"reconnect"}"#;
    let at = lines.iter().position(|line| *line > gap).unwrap();
    lines.insert(at, gap);
    if is_sorted {
        lines.sort_by_key(|line| &line[..19]);
        lines.dedup_by_key(|line| &line[..19]);
    }
    std::fs::write(&capture, lines.join("\n")).unwrap();
    capture
}

fn replayed(
    scratch: &Scratch,
    inputs: &[PathBuf],
    span: (Option<Nanos>, Option<Nanos>),
) -> (u64, String) {
    let pipeline = scratch.write("pipeline.toml", PIPELINE);
    let pipeline = Pipeline::load(&pipeline, &[]).unwrap();
    let options = ReplayOptions {
        inputs: inputs.to_vec(),
        from: span.0,
        to: span.1,
        warm_up: span.0.map(|_| 60_000_000_000),
        ..ReplayOptions::default()
    };
    let summary = replay(&pipeline, &options).unwrap();
    (summary.signals, summary.digest)
}

/// Converts a capture to one topic, and to the topics of the kinds, and replays both.
fn round_trip(bootstrap: &str, one: &str) {
    let scratch = Scratch::new();
    let capture = simulated(&scratch, false);
    let all = (None, None);
    let middle = Some(Nanos(1_723_161_600_000_000_000));
    let expected = replayed(&scratch, std::slice::from_ref(&capture), all);
    assert!(expected.0 > 50, "{}", expected.0);
    let input = capture.to_str().unwrap();
    let whole = format!("kafka://{bootstrap}/{one}");
    let converted = convert(&options(&[input, "--output", &whole]).unwrap()).unwrap();
    assert_eq!(
        converted.left_out.keys().collect::<Vec<_>>(),
        [&"trade_told_twice"]
    );
    // The gap of the feed is one of each instrument.
    let rows: u64 = converted.rows.values().sum();
    let instruments = converted.instruments.len() as u64;
    assert_eq!(converted.rows["gap"], 1);
    assert_eq!(converted.records, rows - 1 + instruments);
    let topic = [PathBuf::from(&whole)];
    assert_eq!(replayed(&scratch, &topic, all), expected);
    for span in [(middle, None), (None, middle)] {
        let part = replayed(&scratch, std::slice::from_ref(&capture), span);
        assert!(part.0 > 20 && part.0 < expected.0);
        assert_eq!(replayed(&scratch, &topic, span), part);
    }
    // What is there is added to with --force alone.
    let again = convert(&options(&[input, "--output", &whole]).unwrap());
    let error = again.unwrap_err().to_string();
    assert!(
        error.contains("records") && error.contains("--force"),
        "{error}"
    );
    let error = options(&[&whole, "--output", &whole])
        .unwrap_err()
        .to_string();
    assert!(error.contains("is an input"), "{error}");
    // From topic to file.
    let lines = scratch.path().join("lines.jsonl");
    convert(&options(&[&whole, "--output", lines.to_str().unwrap()]).unwrap()).unwrap();
    assert_eq!(replayed(&scratch, &[lines], all), expected);
}

#[test]
fn a_capture_that_went_through_a_topic_replays_to_the_same_digest() {
    let broker = EmbeddedBroker::start(&[("all", 3)]).unwrap();
    round_trip(&broker.bootstrap(), "all");
}

#[test]
fn events_of_each_kind_go_to_a_topic_of_their_own() {
    let kinds = ["md.trades.v1", "md.quotes.v1", "md.book.v1", "md.bars.v1"];
    let broker = EmbeddedBroker::start(&kinds.map(|topic| (topic, 2))).unwrap();
    let scratch = Scratch::new();
    // What is merged of several topics is in the order of the receive times.
    let capture = simulated(&scratch, true);
    let expected = replayed(&scratch, std::slice::from_ref(&capture), (None, None));
    let output = format!("kafka://{}", broker.bootstrap());
    let input = capture.to_str().unwrap();
    let converted = convert(&options(&[input, "--output", &output]).unwrap()).unwrap();
    assert!(converted.records > converted.rows.values().sum::<u64>());
    let topics = kinds[..3]
        .iter()
        .map(|topic| PathBuf::from(format!("{output}/{topic}")));
    let topics: Vec<PathBuf> = topics.collect();
    assert_eq!(replayed(&scratch, &topics, (None, None)), expected);
}

#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn a_real_topic_replays_to_the_same_digest_too() {
    let bootstrap = std::env::var("KAFKA_BOOTSTRAP").expect("KAFKA_BOOTSTRAP");
    let topic = format!("foretick-convert-{}", crate::clock::now().0);
    round_trip(&bootstrap, &topic);
}

#[test]
fn a_span_that_is_empty_is_refused() {
    let error = options(&[
        "in.jsonl",
        "--output",
        "out",
        "--from",
        "2024-08-09",
        "--to",
        "2024-08-08",
    ]);
    assert!(matches!(error, Err(ConvertFault::Span)));
}
