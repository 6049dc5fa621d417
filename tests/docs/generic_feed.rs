//! The example of the page on described feeds gives what the page says.

use std::fs;

use serde_json::Value;

use crate::given::{Folder, foretick, repository};

#[test]
fn the_described_feed_gives_three_signals() {
    let path = repository("docs/src/how-to/generic-feed.md");
    let page = fs::read_to_string(path).expect("the page is text");
    let file_of = |word: &str| {
        let behind = page.split_once(&format!("<<'{word}'\n"));
        let text = behind.and_then(|(_, rest)| rest.split_once(&format!("\n{word}")));
        text.expect("the page writes a file").0.to_owned() + "\n"
    };
    let folder = Folder::new("generic-feed");
    let messages = folder.write("orchard.jsonl", file_of("EOF1"));
    let pipeline = folder.write("pipeline.toml", file_of("EOF2"));
    let (signals, letters) = (folder.path("signals.jsonl"), folder.path("letters.jsonl"));
    let run = foretick(&[
        "replay".into(),
        pipeline,
        "--input".into(),
        messages,
        "--output".into(),
        signals,
        "--dead-letters".into(),
        letters,
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(folder.read("letters.jsonl"), "");
    let signals = folder.read("signals.jsonl");
    let signals: Vec<Value> = signals
        .lines()
        .map(|line| serde_json::from_str(line).expect("a signal is JSON"))
        .collect();
    let told = |signal: &Value| {
        let score = signal["score"].as_f64().expect("a score is a number");
        let instrument = signal["instrument"].as_str().expect("a name");
        let quality = signal["quality"].as_str().expect("a word");
        format!("{instrument} {score:.4} {quality}")
    };
    // The imbalance of 300 bid against 120 asked, twice, and then against 95.
    let (before, after) = (180.0 / 420.0, 205.0 / 395.0);
    let line = |score: f64| format!("PEAR-USD.ORCHARD {score:.4} ok");
    let found: Vec<String> = signals.iter().map(told).collect();
    assert_eq!(found, [line(before), line(before), line(after)]);
}
