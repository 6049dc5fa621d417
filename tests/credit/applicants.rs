//! Applications depend on nothing else: any number of applicants, and no state between two applications.

use serde_json::{Value, json};

use crate::given::Folder;
use crate::golden::{foretick, pipeline};
use crate::needs;

const APPLICANTS: usize = 50;

/// Two applications of each applicant, the second ones after all first ones.
fn applications() -> String {
    let application = |at: usize| {
        let line = json!({
            "ts_event": 1_000 + at, "applicant": format!("a-{}", at % APPLICANTS), "product": "card",
            "fields": {"limit_bal": 10_000 + 1_000 * at, "education": 1 + at % 4, "pay_0": at % 3},
        });
        line.to_string() + "\n"
    };
    (0..2 * APPLICANTS).map(application).collect()
}

#[test]
fn more_applicants_than_max_instruments_are_all_graded() {
    if !needs::onnx("more_applicants_than_max_instruments_are_all_graded") {
        return;
    }
    let folder = Folder::new("credit-applicants");
    let input = folder.write("in.jsonl", applications());
    let pipeline = pipeline("loan-risk");
    let mut digests = vec![];
    for set in [
        ["engine.batch=1", "engine.shards=1"],
        ["engine.batch=7", "engine.shards=1"],
        ["engine.batch=4096", "engine.shards=1"],
        ["engine.batch=7", "engine.shards=2"],
        ["engine.batch=4096", "engine.shards=4"],
    ] {
        let mut args = vec!["replay", pipeline.to_str().expect("UTF-8"), "--json"];
        args.extend(["--input", input.to_str().expect("UTF-8")]);
        args.extend(["--set", "source.max_instruments=3"]);
        for one in set {
            args.extend(["--set", one]);
        }
        let done = foretick(&args);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let summary: Value = serde_json::from_str(&done.stdout).expect("a summary as JSON");
        assert_eq!(summary["signals"], 2 * APPLICANTS, "{set:?}: {summary}");
        assert_eq!(summary["frames"]["dropped"], 0, "{set:?}: {summary}");
        digests.push(summary["digest"].clone());
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "the same signals: {digests:?}");
}
