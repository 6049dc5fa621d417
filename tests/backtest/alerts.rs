//! Backtests of alerts, against a case that was computed by hand, and against `evaluate`.

use serde_json::{Value, json};

use crate::given::{Folder, foretick};
use crate::page::is_that_of;
use crate::{number, report};

/// The score is the probability that the statement says.
const PIPELINE: &str = r#"
name = "pds"

[row]
on = "statement"

[[feature]]
name = "pd"
kind = "field"

[model]
kind = "sum"
normalise = "none"

[signal]
horizon_ms = 31_536_000_000

[[alert]]
name = "level"
on.level = { enter = 0.10, exit = 0.05 }
severity = { warning = 0.15, critical = 0.25 }
"#;

/// A year of 365 days, and the day of the first statements, in nanoseconds.
const YEAR: i64 = 31_536_000_000_000_000;
const FIRST: i64 = 1_300_000_000_000_000_000;

/// The probabilities of default of each firm, a year apart.
const FIRMS: [(&str, [f64; 3]); 4] = [
    ("Rising", [0.02, 0.12, 0.3]),
    ("Flapping", [0.2, 0.03, 0.15]),
    ("Sound", [0.01, 0.01, 0.02]),
    ("Late", [0.06, 0.08, 0.3]),
];

/// The files of the case: the pipeline, its statements, and the outcomes. `Rising` fails half a year after
/// its last statement.
fn case(test: &str) -> (Folder, [String; 3]) {
    let folder = Folder::new(&format!("backtest-alerts-{test}"));
    let (mut statements, mut labels) = (String::new(), String::new());
    for year in 0..3_usize {
        for (firm, pds) in FIRMS {
            let ts = FIRST + year as i64 * YEAR;
            let items = json!({"pd": pds[year]});
            let statement =
                json!({"ts_event": ts, "obligor": firm, "period": 2010 + year, "items": items});
            statements += &format!("{statement}\n");
            let mut label = json!({"key": firm, "ts_event": ts, "outcome": 0});
            if firm == "Rising" && year == 2 {
                label["outcome"] = 1.into();
                label["ts_failure"] = (ts + YEAR / 2).into();
            }
            labels += &format!("{label}\n");
        }
    }
    labels += &format!("{}\n", json!({"key": "Nobody", "outcome": 1}));
    let written = [
        folder.write("pipeline.toml", PIPELINE),
        folder.write("statements.jsonl", statements),
        folder.write("labels.jsonl", labels),
    ];
    let written = written.map(|path| path.display().to_string());
    (folder, written)
}

/// `Rising` fires in the second year and still does when it fails, a year and a half later; `Flapping`
/// fires in the first year, is resolved in the second, and fires again a year after that; `Late` fires in
/// the third.
#[test]
fn episodes_are_those_of_the_hand_computed_case_and_of_evaluate() {
    let (folder, [pipeline, input, labels]) = case("hand");
    let page = folder.path("page.html").display().to_string();
    let mut args = vec![
        "backtest", &pipeline, "--input", &input, "--labels", &labels,
    ];
    args.extend(["--json", "--report", &page]);
    let found = report(&foretick(&args));
    let alerts = &found["alerts"];
    for (key, expected) in [
        ("episodes", 4),
        ("right", 1),
        ("undecided", 0),
        ("failures", 1),
        ("warned", 1),
        ("flaps", 1),
    ] {
        assert_eq!(alerts[key], expected, "{key}: {alerts}");
    }
    assert_eq!(
        (number(&alerts["precision"]), number(&alerts["recall"])),
        (0.25, 1.0)
    );
    assert_eq!(alerts["lead_ns_median"], YEAR + YEAR / 2);
    let weeks = 3.0 * 365.0 / 7.0;
    assert!((number(&alerts["load_per_week"]) - 4.0 / weeks).abs() < 1e-12);
    assert_eq!(found["unmatched_labels"], 1);

    let rule = &found["rules"][0];
    let tried = rule["by_threshold"]
        .as_array()
        .expect("a list of thresholds");
    let of = |enter: f64| {
        let is_it = |one: &&Value| number(&one["enter"]) == enter;
        tried.iter().find(is_it).expect("it was tried")
    };
    // Its own thresholds; those at which `Flapping` fires once, and at which nobody does.
    assert_eq!(of(0.1)["episodes"], alerts["episodes"]);
    assert_eq!(
        (&of(0.2)["episodes"], number(&of(0.2)["precision"])),
        (&json!(3), 1.0 / 3.0)
    );
    assert_eq!(
        (&of(0.5)["episodes"], &of(0.5)["precision"]),
        (&json!(0), &Value::Null)
    );

    is_that_of(&folder.read("page.html"), &found);
    let args = [
        "evaluate", &pipeline, "--input", &input, "--labels", &labels, "--json",
    ];
    let evaluated = report(&foretick(&args));
    let theirs = evaluated["alerts"].as_object().expect("figures of alerts");
    for (key, value) in theirs {
        assert_eq!(alerts[key], *value, "{key}");
    }
}

#[test]
fn rules_need_failures_and_failures_need_rules() {
    let (folder, [pipeline, input, labels]) = case("needs");
    let refused = foretick(&["backtest", &pipeline, "--input", &input]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("add --labels FILE"),
        "{}",
        refused.stderr
    );
    let bare = PIPELINE.split("[[alert]]").next().expect("a beginning");
    let bare = folder.write("bare.toml", bare).display().to_string();
    let refused = foretick(&["backtest", &bare, "--input", &input, "--labels", &labels]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("leave it out to trade"),
        "{}",
        refused.stderr
    );
    let other = folder.write("other.jsonl", "{\"key\": \"Nobody\", \"outcome\": 1}\n");
    let other = other.display().to_string();
    let refused = foretick(&["backtest", &pipeline, "--input", &input, "--labels", &other]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("no label is of a signal"),
        "{}",
        refused.stderr
    );
}
