//! Commands about alerts take effect in the order of the frames, on any number of shards.

use std::fmt::Write;

use foretick::pipeline::Pipeline;
use foretick::run::replay::{ReplayOptions, replay};
use serde_json::Value;

use crate::given::Folder;

/// The PD of a company is a field of its statement.
const PIPELINE: &str = r#"
name = "commands"

[source]
kind = "kafka"
topics = ["credit.statements.v1"]

[row]
on = "statement"

[[feature]]
name = "pd"
kind = "field"

[model]
kind = "sum"
normalise = "none"

[[alert]]
name = "level"
on.level = { enter = 0.5, exit = 0.3 }
severity = { warning = 0.6, critical = 0.8 }
for_ms = 10
keep_firing_for_ms = 10
"#;

const COMPANIES: i64 = 12;

/// The time of the first frame.
const BEGAN: i64 = 1_700_000_000_000_000_000;

/// Statements of companies whose PDs rise and fall, and a tick, a silence or an acknowledgement now and
/// then.
fn capture() -> String {
    let mut text = String::new();
    for at in 0..6_000_i64 {
        let (ts, company) = (BEGAN + at * 1_000_000, at * 7 % COMPANIES);
        let pd = (at / COMPANIES * 13 + company * 17) % 100;
        let statement = format!(
            r#"{ts} {{"ts_event":{ts},"obligor":"C{company}","period":{at},"ticker":{{"symbol":"S{}"}},"items":{{"pd":0.{pd:02}}}}}"#,
            at % 5
        );
        writeln!(text, "{statement}").expect("memory takes text");
        let command = match at % 50 {
            10 => format!(r#""action":"tick","ts_event":{}"#, ts + 5_000_000),
            20 => format!(
                r#""action":"silence","obligor":"C{company}","rule":"level","until":{}"#,
                ts + 40_000_000
            ),
            30 => format!(r#""action":"acknowledge","obligor":"C{company}","rule":"level""#),
            40 => format!(
                r#""action":"acknowledge","dedup_key":"C{company}/level/{}""#,
                at / 70
            ),
            _ => continue,
        };
        writeln!(text, "{ts} {{{command}}}").expect("memory takes text");
    }
    text
}

fn alerts(folder: &Folder, pipeline: &Pipeline, capture: &str) -> Vec<Value> {
    let options = ReplayOptions {
        inputs: vec![folder.write("capture", capture)],
        alerts: Some(folder.path("alerts.jsonl")),
        ..ReplayOptions::default()
    };
    let summary = replay(pipeline, &options).expect("the capture is sound");
    assert!(summary.frames.balances(), "{:?}", summary.frames);
    assert_eq!(summary.frames.dropped, 0, "{:?}", summary.frames);
    let lines = capture.lines().count() as u64;
    assert_eq!(summary.frames.received, lines, "each line is one frame");
    let text = folder.read("alerts.jsonl");
    let parse = |line| serde_json::from_str(line).expect("an alert is JSON");
    let mut alerts: Vec<Value> = text.lines().map(parse).collect();
    // Alerts are in order by obligor.
    alerts.sort_by_key(|alert| (alert["dedup_key"].to_string(), alert["sequence"].as_u64()));
    alerts
}

#[test]
fn alerts_do_not_depend_on_the_number_of_shards() {
    let folder = Folder::new("commands-shards");
    let capture = capture();
    let of = |shards: usize, batch: usize| {
        let set = [
            format!("engine.shards={shards}"),
            format!("engine.batch={batch}"),
        ];
        let pipeline = folder.pipeline(PIPELINE, &set.each_ref().map(String::as_str));
        alerts(&folder, &pipeline, &capture)
    };
    let expected = of(1, 256);
    assert!(expected.len() > 1_000, "{}", expected.len());
    let acknowledged = |alert: &&Value| alert["acknowledged"] == true;
    assert!(expected.iter().any(|alert| acknowledged(&alert)));
    for (shards, batch) in [(1, 1), (2, 7), (2, 4_096), (4, 7), (4, 4_096)] {
        let alerts = of(shards, batch);
        let first = alerts.iter().zip(&expected).find(|(a, b)| a != b);
        assert_eq!(first, None, "{shards} shards, batches of {batch}");
        assert_eq!(
            alerts.len(),
            expected.len(),
            "{shards} shards, batches of {batch}"
        );
    }
}

#[test]
fn a_command_in_a_reprocessed_frame_takes_effect_without_a_word() {
    let folder = Folder::new("commands-again");
    let statement = |ts: i64, mark: &str, pd: &str| {
        let time = BEGAN + ts;
        format!(
            r#"{time}{mark} {{"ts_event":{time},"obligor":"C1","period":{ts},"items":{{"pd":{pd}}}}}"#
        )
    };
    let silence = |mark: &str| {
        let time = BEGAN + 150;
        format!(
            r#"{time}{mark} {{"ts_event":{time},"action":"silence","obligor":"C1","rule":"level","until":9000000000000000000}}"#
        )
    };
    for (shards, mark, count) in [(1, "", 0), (1, "?", 0), (2, "", 0), (2, "?", 0)] {
        let set = [format!("engine.shards={shards}")];
        let pipeline = folder.pipeline(PIPELINE, &set.each_ref().map(String::as_str));
        let lines = [
            statement(100, "?", "0.1"),
            silence(mark),
            statement(200, "", "0.9"),
        ];
        let alerts = alerts(&folder, &pipeline, &lines.join("\n"));
        let case = format!("{shards} shards, `{mark}`: {alerts:?}");
        assert_eq!(alerts.len(), count, "{case}");
    }
}
