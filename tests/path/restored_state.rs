//! An engine's state, written out in the middle of a run and read back: the rest of the run is the same.

use foretick::engine::Engine;
use foretick::engine::state::EngineState;
use foretick::event::Batch;
use foretick::frame::Origin;
use foretick::pipeline::Pipeline;
use foretick::signal::Signal;
use foretick::signal::digest::Digest;
use foretick::units::Nanos;
use serde_json::json;

use crate::given::{self, Folder};
use crate::needs;
use crate::saved_states::go_on_at_every_offset;

const HOUR: i64 = 3_600_000_000_000;
/// Hours from 1970 to August 2023.
const START: i64 = 470_000;

#[test]
fn books_windows_and_normalisers_continue_after_a_restore() {
    let folder = Folder::new("restore-market");
    let set = ["model.normalise=\"expanding\""];
    let pipeline = folder.pipeline(given::EVERY_KIND, &set);
    let capture = given::capture(5, 10, &["BTCUSDT", "ETHUSDT", "SOLUSDT"]);
    let mut frames: Vec<String> = capture.lines().map(str::to_owned).collect();
    // A gap right before the restore: that windows hold it is part of their state.
    let middle = frames.len() / 2;
    let gap = r#"{"foretick":"gap","symbol":"ETHUSDT","reason":"overflow","missing":3}"#;
    frames.insert(middle - 40, gap.to_owned());
    goes_on_after_a_restore(&pipeline, &frames, middle);
}

#[test]
fn windows_of_a_linear_model_continue_after_a_restore() {
    let case = given::repository("tests/golden/linear-expanding/pipeline.toml");
    let capture = given::capture(6, 8, &["BTCUSDT", "SOLUSDT"]);
    let frames: Vec<String> = capture.lines().map(str::to_owned).collect();
    goes_on_after_a_restore(&given::load(&case, &[]), &frames, frames.len() / 2);
}

#[test]
fn windows_of_an_onnx_model_continue_after_a_restore() {
    let test = "windows_of_an_onnx_model_continue_after_a_restore";
    let folder = given::repository("pipelines/price-direction");
    if !needs::onnx(test) || !needs::file(test, &folder.join("model.onnx")) {
        return;
    }
    let capture = given::capture(7, 14, &["BTCUSDT", "ETHUSDT"]);
    let frames: Vec<String> = capture.lines().map(str::to_owned).collect();
    for window in ["plain", "auto"] {
        let set = format!("model.window={window}");
        let pipeline = given::load(&folder, &[&set]);
        goes_on_after_a_restore(&pipeline, &frames, frames.len() / 2);
    }
}

#[test]
fn figures_and_sentiment_continue_after_a_restore() {
    let folder = Folder::new("restore-context");
    let pipeline = folder.pipeline(DAILY, &[]);
    let mut frames = vec![];
    for hour in 1..=60_i64 {
        let price = 100.0 + (hour * 7 % 13) as f64;
        frames.push(
            json!({"ts_event": (START + hour) * HOUR, "figure": "vix", "value": price / 5.0}),
        );
        let sentiment =
            json!({"average": 0.01 * hour as f64, "weight": 2.0, "half_life_ms": 3_600_000});
        // Known two hours later: some wait while the state is written.
        frames.push(
            json!({"ts_event": (START + hour + 2) * HOUR, "instrument": "A", "score": 0.5,
            "sentiment": sentiment}),
        );
        frames.push(
            json!({"ts_event": (START + hour) * HOUR, "symbol": "A", "open": price, "high": price + 1.0,
            "low": price - 1.0, "close": price + 0.5}),
        );
    }
    let frames: Vec<String> = frames.iter().map(ToString::to_string).collect();
    goes_on_after_a_restore(&pipeline, &frames, 90);
}

#[test]
fn periods_of_companies_continue_after_a_restore() {
    let folder = Folder::new("restore-periods");
    folder.write("linear.json", LINEAR);
    let pipeline = folder.pipeline(STATEMENTS, &[]);
    let statement = |hour: i64, firm: i64, year: i64, a: f64| {
        json!({"ts_event": (START + hour) * HOUR, "obligor": format!("F{firm}"), "period": year, "items": {"a": a}})
            .to_string()
    };
    let mut frames = vec![];
    for hour in 0..120_i64 {
        // Some years come late, some are restated, and some say again what is known.
        let (firm, year) = (hour % 5, 2_000 + hour / 10 - hour % 3);
        frames.push(statement(hour, firm, year, (hour / 2 % 7) as f64 * 0.1));
    }
    goes_on_after_a_restore(&pipeline, &frames, 60);
}

#[test]
fn averages_of_news_continue_after_a_restore() {
    let folder = Folder::new("restore-news");
    folder.write(
        "vocab.txt",
        "[PAD]\n[UNK]\n[CLS]\n[SEP]\n$\nup\ndown\na\n##a\n##aa\n",
    );
    folder.write(
        "names.csv",
        "symbol,cashtag,names\nA.X,AAA,Alpha\nB.X,BBB,Beta\n",
    );
    let pipeline = folder.pipeline(NEWS, &[]);
    let item = |n: i64| {
        let headline = ["$AAA up", "Alpha and Beta down", "Beta up up"][n as usize % 3];
        let text = format!("{headline} {n}");
        json!({"ts_event": START * HOUR + n * HOUR / 7, "id": format!("{}", n % 40), "revision": n / 40, "headline": text})
            .to_string()
    };
    let frames: Vec<String> = (0..120).map(item).collect();
    goes_on_after_a_restore(&pipeline, &frames, 60);
}

#[test]
fn the_shipped_pipelines_of_statements_and_headlines_continue_after_a_restore() {
    let test = "the_shipped_pipelines_of_statements_and_headlines_continue_after_a_restore";
    if !needs::onnx(test) {
        return;
    }
    let statements = given::companies::statements(12);
    let pipeline = given::load(&given::repository("pipelines/default-alerts"), &[]);
    goes_on_after_a_restore(&pipeline, &statements, statements.len() * 3 / 4);
    let text = std::fs::read_to_string(given::repository("pipelines/news-sentiment/golden.jsonl"));
    let item = |(at, line): (i64, &str)| {
        let vector: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        json!({"ts_event": START * HOUR + at * HOUR / 3, "id": at.to_string(), "headline": vector["headline"],
            "language": "en", "instruments": [format!("A{}", at % 5), format!("B{}", at % 3)]})
        .to_string()
    };
    let text = text.expect("it is shipped");
    let headlines: Vec<String> = (0..).zip(text.lines()).take(60).map(item).collect();
    let pipeline = given::load(&given::repository("pipelines/news-sentiment"), &[]);
    goes_on_after_a_restore(&pipeline, &headlines, headlines.len() / 2);
}

/// Runs an engine over all frames, and another that takes the first one's state in the middle.
fn goes_on_after_a_restore(pipeline: &Pipeline, frames: &[String], middle: usize) {
    go_on_at_every_offset(pipeline, frames);
    let loaded = pipeline.load_model().expect("the model is sound");
    let engine = || loaded.engine().expect("it was loaded before");
    let (mut first, mut decoder) = (engine(), pipeline.decoder());
    let mut signals = vec![];
    for (number, frame) in (0..).zip(&frames[..middle]) {
        step(&mut first, &mut decoder, number, frame, &mut signals);
    }
    let before = signals.len();
    assert!(before > 10, "there was something to remember");
    let bytes = postcard::to_stdvec(first.state()).expect("a state can be written");
    let state: EngineState = postcard::from_bytes(&bytes).expect("it can be read back");
    let mut second = engine();
    second.restore(state).expect("it is of the same model");
    let mut expected = signals.split_off(before);
    for (number, frame) in (0..).zip(frames).skip(middle) {
        // One decoder for both: it decodes each frame once.
        let mut batch = Batch::default();
        if decoder
            .decode(origin(number), frame.as_bytes(), &mut batch)
            .is_err()
        {
            continue;
        }
        first.step(&batch, &mut expected).expect("it does not fail");
        second.step(&batch, &mut signals).expect("it does not fail");
        if number % 7 == 0 {
            first.run_deferred_work(|| false);
        }
    }
    let signals = &signals[before..];
    assert!(signals.len() > 10, "there is something to compare");
    assert_eq!(signals.len(), expected.len());
    let digest = |signals: &[Signal]| {
        let mut digest = Digest::new(&loaded.lineage);
        for signal in signals {
            digest.add(signal, decoder.instruments().name(signal.instrument));
        }
        digest.finish()
    };
    assert_eq!(digest(signals), digest(&expected));
    // Windows that are slid have deferred steps, which the two engines may do at other times.
    if first.deferred() == (0, 0) {
        let end =
            |engine: &Engine| postcard::to_stdvec(engine.state()).expect("a state can be written");
        assert!(
            end(&first) == end(&second),
            "the states are equal at the end"
        );
    }
}

fn step(
    engine: &mut Engine,
    decoder: &mut foretick::decode::Decoder,
    number: i64,
    frame: &str,
    signals: &mut Vec<Signal>,
) {
    let mut batch = Batch::default();
    if decoder
        .decode(origin(number), frame.as_bytes(), &mut batch)
        .is_ok()
    {
        engine.step(&batch, signals).expect("it does not fail");
    }
}

fn origin(offset: i64) -> Origin {
    Origin {
        ts_recv: Nanos(1_767_571_200_000_000_000 + offset * 1_000_000),
        offset,
        partition: 0,
        stream: 0,
        late: false,
        reprocessed: false,
    }
}

const DAILY: &str = r#"
name = "daily"
[row]
on = "bar"
[[feature]]
name = "move"
kind = "log_return"
of = "close"
[[feature]]
name = "smooth"
kind = "ema"
of = "close"
half_life_ms = 7_200_000
[[feature]]
name = "range"
kind = "atr"
periods = 5
[[feature]]
name = "volatility"
kind = "range_volatility"
estimator = "garman_klass"
window = 4
[[feature]]
name = "within_the_day"
kind = "difference"
of = "close"
overnight = "exclude"
zone = "Asia/Tokyo"
hidden = true
[[feature]]
name = "moves"
kind = "sum"
of = "within_the_day"
window = 3
[[feature]]
name = "fear"
kind = "figure"
figure = "vix"
[[feature]]
name = "fear_move"
kind = "log_return"
of = "fear"
[[feature]]
name = "mood"
kind = "sentiment"
[model]
kind = "sum"
normalise = "expanding"
"#;

const STATEMENTS: &str = r#"
name = "statements"
[row]
on = "statement"
[[feature]]
name = "a"
kind = "field"
[model]
kind = "linear"
file = "linear.json"
[signal]
schema = "signals.default.v1"
"#;

const LINEAR: &str = r#"{"name": "small", "version": "1", "features": ["a"], "labels": ["alive", "failed"],
    "weights": [[0.0], [1.0]], "bias": [0.0, 0.0]}"#;

const NEWS: &str = r#"
name = "news"
[source]
topics = ["news.items.v1"]
max_frame_bytes = 4096
[row]
on = "news"
[news]
vocabulary = "vocab.txt"
names = "names.csv"
half_life_ms = 3_600_000
[[feature]]
name = "token"
kind = "tokens"
max_tokens = 8
[model]
kind = "sum"
normalise = "none"
"#;
