//! What `foretick replay` offers: cuts in time, the recording's own speed, formats, fields.

use std::ffi::OsStr;
use std::fs::File;

use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, cast::AsArray};
use foretick::clock;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::given::{self, Folder, Run};

/// A folder with a pipeline and a capture.
fn ready(test: &str, seconds: u64) -> Folder {
    let folder = Folder::new(test);
    folder.write("pipeline.toml", given::SMALL);
    folder.write(
        "capture",
        given::capture(21, seconds, &["BTCUSDT", "ETHUSDT"]),
    );
    folder
}

fn replay(folder: &Folder, args: &[&str]) -> Run {
    let (pipeline, capture) = (folder.path("pipeline.toml"), folder.path("capture"));
    let mut all = vec!["replay".as_ref(), pipeline.as_os_str(), "--input".as_ref()];
    all.push(capture.as_os_str());
    all.extend(args.iter().map(|arg| OsStr::new(*arg)));
    let run = given::foretick(&all);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run
}

fn signals(text: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).expect("a signal is JSON");
    text.lines().map(parse).collect()
}

#[test]
fn a_part_of_a_capture_gives_the_signals_of_the_whole() {
    let folder = ready("replay-cut", 6);
    let all = signals(&replay(&folder, &["--output", "-"]).stdout);
    let times: Vec<i64> = all
        .iter()
        .map(|s| s["ts_event"].as_i64().unwrap())
        .collect();
    let (from, to) = (times[times.len() / 3], times[times.len() * 2 / 3]);
    let args = [
        "--output",
        "-",
        "--from",
        &from.to_string(),
        "--to",
        &to.to_string(),
    ];
    let cut = signals(&replay(&folder, &args).stdout);
    let part: Vec<Value> = all
        .into_iter()
        .filter(|s| (from..to).contains(&s["ts_event"].as_i64().unwrap()))
        .collect();
    assert!(part.len() > 10 && part.len() < times.len());
    assert_eq!(
        without_clocks(cut),
        without_clocks(part),
        "the earlier frames warm up all the same"
    );
}

#[test]
fn times_may_be_dates() {
    let folder = ready("replay-dates", 4);
    let from = "2026-01-05T00:00:02Z";
    let cut = signals(&replay(&folder, &["--output", "-", "--from", from]).stdout);
    let first = cut[0]["ts_event"].as_i64().unwrap();
    assert!(
        (1_767_571_202_000_000_000..1_767_571_203_000_000_000).contains(&first),
        "{first}"
    );
}

#[test]
fn a_paced_replay_takes_as_long_as_configured_and_changes_no_signal() {
    let folder = ready("replay-pace", 4);
    let json = |run: Run| serde_json::from_str::<Value>(&run.stdout).expect("a summary");
    let fast = json(replay(&folder, &["--json"]));
    let began = clock::instant();
    let paced = json(replay(&folder, &["--json", "--speed", "4x"]));
    let took = began.elapsed().as_secs_f64();
    assert!(took >= 0.9, "4 s at four times the speed took {took} s");
    assert_eq!(fast["digest"], paced["digest"]);
    assert!(fast["signals"].as_u64().is_some_and(|count| count > 20));
    let sharded = ["--json", "--speed", "8", "--set", "engine.shards=2"];
    assert_eq!(fast["digest"], json(replay(&folder, &sharded))["digest"]);
}

#[test]
fn parquet_and_json_contain_the_same_signals() {
    let folder = ready("replay-parquet", 5);
    let output = folder.path("signals.parquet");
    replay(&folder, &["--output", output.to_str().unwrap()]);
    let lines = signals(&replay(&folder, &["--output", "-"]).stdout);
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(output).unwrap()).unwrap();
    let mut row = 0;
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let column = |name: &str| batch.column_by_name(name).expect("a field is a column");
        let text = |name: &str| column(name).as_string::<i32>();
        let (ids, names, quality) = (text("signal_id"), text("instrument"), text("quality"));
        let times = column("ts_event").as_primitive::<Int64Type>();
        let scores = column("score").as_primitive::<Float64Type>();
        for at in 0..batch.num_rows() {
            let line = &lines[row];
            assert_eq!(ids.value(at), line["signal_id"]);
            assert_eq!(names.value(at), line["instrument"]);
            assert_eq!(quality.value(at), line["quality"]);
            assert_eq!(times.value(at), line["ts_event"].as_i64().unwrap());
            let score = line["score"].as_f64().unwrap();
            assert_eq!(scores.value(at).to_bits(), score.to_bits(), "row {row}");
            row += 1;
        }
        assert_eq!(ids.null_count(), 0);
    }
    assert_eq!(row, lines.len());
}

#[test]
fn signals_have_the_configured_fields_in_their_order() {
    let folder = ready("replay-fields", 2);
    let fields = r#"sink.fields=["score","instrument","quality"]"#;
    let run = replay(&folder, &["--output", "-", "--set", fields]);
    let line = run.stdout.lines().next().expect("a signal");
    let place = |name: &str| {
        line.find(&format!("\"{name}\":"))
            .expect("the field is there")
    };
    assert!(place("score") < place("instrument") && place("instrument") < place("quality"));
    assert_eq!(signals(line)[0].as_object().unwrap().len(), 3);
}

#[test]
fn every_signal_keeps_to_its_schema() {
    let folder = ready("replay-schema", 3);
    let text = std::fs::read_to_string(given::repository("schemas/signals.direction.v1.json"));
    let schema: Value = serde_json::from_str(&text.unwrap()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let case = given::repository("tests/golden/linear-expanding/pipeline.toml");
    let capture = folder.path("capture");
    for pipeline in [folder.path("pipeline.toml"), case] {
        let args = [
            "replay".as_ref(),
            pipeline.as_os_str(),
            "--input".as_ref(),
            capture.as_os_str(),
        ];
        let more = ["--output", "-", "--set", "signal.horizon_ms=1000"].map(OsStr::new);
        let run = given::foretick(&[&args[..], &more].concat());
        let made = signals(&run.stdout);
        assert!(!made.is_empty(), "{}", run.stderr);
        for signal in &made {
            let errors: Vec<String> = validator
                .iter_errors(signal)
                .map(|e| e.to_string())
                .collect();
            assert!(errors.is_empty(), "{signal}: {errors:?}");
        }
    }
}

fn without_clocks(mut signals: Vec<Value>) -> Vec<Value> {
    for signal in &mut signals {
        let fields = signal.as_object_mut().expect("a signal is an object");
        fields.remove("ts_out");
        fields.remove("latency_ns");
    }
    signals
}
