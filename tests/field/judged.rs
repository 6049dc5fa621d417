//! Judging scores: stored signals have the figures of a replay, numbers and horizons those of scipy and
//! scikit-learn (computed once, recorded here), and baselines are fitted on the training part alone.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::given::{self, Folder, Run};
use crate::replayed::one_feature;

const START: i64 = 1_790_000_000_000_000_000;
const SECOND: i64 = 1_000_000_000;
const TRADES: i64 = 200;
/// The first trade that is judged; those before are the training part.
const JUDGED_FROM: i64 = 120;

/// The size of a trade in hundredths, which is the score.
fn size(at: i64) -> i64 {
    at * 53 % 97 + 1
}

/// A number that has something in common with the size.
fn outcome(at: i64) -> f64 {
    (4 * size(at) + 10 * (at * 31 % 41) - 200) as f64 / 1000.0
}

/// A pipeline whose score is the size of a trade, and trades of one a second.
fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    let pipeline = one_feature("kind = \"size\"", "trade", "");
    let pipeline = pipeline.replace("[sink]", "[signal]\nhorizon_ms = 1_000\n[sink]");
    folder.write("pipeline.toml", pipeline);
    let mut text = String::new();
    for at in 0..TRADES {
        let cents = 10_000 + at * 37 % 23 + at * at % 29 * 2;
        let line = json!({
            "ts_event": START + at * SECOND, "symbol": "A.X", "price": cents as f64 / 100.0,
            "size": size(at) as f64 / 100.0, "side": "buy", "trade_id": at + 1,
        });
        writeln!(text, "{line}").expect("memory takes text");
    }
    folder.write("in.jsonl", text);
    folder
}

/// Labels of all trades; those before [`JUDGED_FROM`] are of the split `train`.
fn labels(folder: &Folder, of: impl Fn(i64) -> Value) {
    let mut text = String::new();
    for at in 0..TRADES {
        let split = if at < JUDGED_FROM { "train" } else { "test" };
        let mut label = json!({"key": "A.X", "ts_event": START + at * SECOND, "split": split});
        let more = of(at).as_object().expect("fields").clone();
        label.as_object_mut().expect("fields").extend(more);
        writeln!(text, "{label}").expect("memory takes text");
    }
    folder.write("labels.jsonl", text);
}

/// Evaluates with these arguments, of which names of files of the folder have a dot.
fn evaluate(folder: &Folder, args: &[&str]) -> (Run, Value) {
    let in_folder = |arg: &&str| match arg.contains('.') {
        true => folder.path(arg).display().to_string(),
        false => (*arg).to_owned(),
    };
    let mut command = vec!["evaluate".to_owned(), in_folder(&"pipeline.toml")];
    command.extend(args.iter().map(in_folder));
    command.push("--json".into());
    let run = given::foretick(&command);
    let report = serde_json::from_str(&run.stdout).unwrap_or(Value::Null);
    (run, report)
}

fn judged(folder: &Folder, args: &[&str]) -> Value {
    let (run, report) = evaluate(folder, args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    report
}

#[track_caller]
fn assert_near(found: &Value, expected: f64) {
    let near = found
        .as_f64()
        .is_some_and(|found| (found - expected).abs() <= 1e-9 * expected.abs().max(1.0));
    assert!(near, "{expected} expected, {found} found");
}

const OF_A_REPLAY: [&str; 4] = ["--input", "in.jsonl", "--labels", "labels.jsonl"];

#[test]
fn stored_signals_have_the_figures_of_a_replay() {
    let folder = folder("field-judged-stored");
    labels(
        &folder,
        |at| json!({"outcome": i32::from(outcome(at) > 0.2)}),
    );
    let mut replay = judged(&folder, &OF_A_REPLAY);
    for output in ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst", "out.parquet"] {
        let [pipeline, input, path] = ["pipeline.toml", "in.jsonl", output]
            .map(|name| folder.path(name).display().to_string());
        let run = given::foretick(&["replay", &pipeline, "--input", &input, "--output", &path]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let stored = judged(&folder, &["--signals", output, "--labels", "labels.jsonl"]);
        for unknown in [
            "incomplete_rows",
            "missing_fields",
            "undefined_scores",
            "invalid_probabilities",
        ] {
            assert_eq!(stored[unknown], Value::Null);
            replay[unknown] = Value::Null;
        }
        assert_eq!(stored["rows"], TRADES);
        assert_eq!(stored, replay, "{output}");
    }
    // What comes again counts once.
    let again = [
        "--signals",
        "out.jsonl",
        "out.parquet",
        "--labels",
        "labels.jsonl",
    ];
    let again = judged(&folder, &again);
    assert_eq!(again["signals_left_out"], TRADES);
    assert_eq!(again["auc"], replay["auc"]);
}

#[test]
fn labels_join_by_the_id_of_the_signal() {
    let folder = folder("field-judged-ids");
    let [pipeline, input, path] = ["pipeline.toml", "in.jsonl", "out.jsonl"]
        .map(|name| folder.path(name).display().to_string());
    let run = given::foretick(&["replay", &pipeline, "--input", &input, "--output", &path]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let mut text = String::new();
    for (at, line) in folder.read("out.jsonl").lines().enumerate() {
        let signal: Value = serde_json::from_str(line).expect("a signal is JSON");
        let label = json!({"signal_id": signal["signal_id"], "outcome": at % 2});
        writeln!(text, "{label}").expect("memory takes text");
    }
    folder.write("labels.jsonl", text);
    let report = judged(&folder, &OF_A_REPLAY);
    assert_eq!(
        (&report["rows"], &report["unscored"]),
        (&json!(TRADES), &json!(0))
    );
    let stored = judged(
        &folder,
        &["--signals", "out.jsonl", "--labels", "labels.jsonl"],
    );
    assert_eq!(stored["auc"], report["auc"]);
}

#[test]
fn numbers_and_their_baselines_have_the_figures_of_scikit_learn() {
    let folder = folder("field-judged-numbers");
    labels(&folder, |at| json!({"outcome": outcome(at)}));
    let of_test = [&OF_A_REPLAY[..], &["--split", "test"]].concat();
    let report = judged(&folder, &of_test);
    assert_eq!(
        (&report["kind"], &report["rows"]),
        (&json!("number"), &json!(80))
    );
    for (name, expected) in [
        ("r2", -4.596_858_367_405_159),
        ("mae", 0.309_424_999_999_999_95),
        ("rmse", 0.365_479_342_781_503_85),
        ("ic_pearson", 0.655_905_789_776_208),
        ("ic_spearman", 0.648_794_075_481_857_9),
        ("calibration_slope", 0.364_254_100_452_608_53),
        ("calibration_intercept", 0.016_551_347_326_185_1),
    ] {
        assert_near(&report[name], expected);
        assert!(
            report["intervals"][name]["low"].is_f64(),
            "{name}: {report}"
        );
    }
    assert_eq!(report["training_rows"], JUDGED_FROM);
    let base = &report["baselines"]["base_rate"];
    assert_near(&base["mae"], 0.126_31);
    assert_near(&base["r2"], -0.000_802_000_725_349_083_5);
    assert_eq!(base["ic_pearson"], Value::Null);
    assert_eq!(base["undefined"]["ic_pearson"], "all scores are equal");
    assert_near(&report["baselines"]["last_move"]["mae"], LAST_MOVE_MAE);
    // Weights of the rows count for the model and for the baseline.
    labels(
        &folder,
        |at| json!({"outcome": outcome(at), "weight": 1 + at % 3}),
    );
    let report = judged(&folder, &of_test);
    assert_eq!(report["is_weighted"], true);
    assert_near(&report["mae"], 0.310_566_037_735_849_07);
    assert_near(
        &report["baselines"]["base_rate"]["mae"],
        0.130_620_545_073_375_28,
    );
}

const LAST_MOVE_MAE: f64 = 0.126_427_610_389_959_64;

#[test]
fn baselines_are_fitted_on_the_training_part_or_left_out() {
    let folder = folder("field-judged-baselines");
    labels(
        &folder,
        |at| json!({"outcome": i32::from(outcome(at) > 0.2)}),
    );
    let of_test = [&OF_A_REPLAY[..], &["--split", "test"]].concat();
    let report = judged(&folder, &of_test);
    for (name, expected) in OF_OUTCOMES {
        assert_near(&report[name], expected);
    }
    assert_near(&report["baselines"]["base_rate"]["brier"], BASE_BRIER);
    assert_near(&report["baselines"]["last_move"]["brier"], LAST_BRIER);
    let all = judged(&folder, &OF_A_REPLAY);
    assert_eq!(all["baselines"], json!({}), "all labels are judged");
    for baseline in ["base_rate", "last_move"] {
        let why = all["baselines_left_out"][baseline]
            .as_str()
            .expect("a reason");
        assert!(why.contains("`train`"), "{why}");
    }
    let stored = ["--signals", "in.jsonl", "--labels", "labels.jsonl"];
    let (run, _) = evaluate(&folder, &stored);
    assert!(
        run.code == Some(1) && run.stderr.contains("`score`"),
        "{}",
        run.stderr
    );
}

const OF_OUTCOMES: [(&str, f64); 3] = [
    ("average_precision", 0.856_926_261_874_664_3),
    ("balanced_accuracy", 0.725),
    ("gini", 0.678_75),
];
const BASE_BRIER: f64 = 0.250_277_777_777_777_77;
const LAST_BRIER: f64 = 0.246_922_745_460_141_62;

#[test]
fn intervals_draw_the_groups_of_the_labels() {
    let folder = folder("field-judged-groups");
    labels(&folder, |at| json!({"outcome": at % 2, "group": at % 7}));
    let report = judged(&folder, &OF_A_REPLAY);
    assert_eq!(
        report["redraws"],
        json!({"by": "group", "units": 7, "block_ns": null})
    );
    assert!(report["intervals"]["gini"]["high"].is_f64(), "{report}");
}

#[test]
fn information_coefficients_by_horizon_are_those_of_scipy() {
    let folder = folder("field-judged-horizons");
    let report = judged(
        &folder,
        &["--input", "in.jsonl", "--horizons", "10s,1s,2000ms,5s"],
    );
    let decay = &report["ic_decay"];
    for (at, (horizon, rows, pearson, spearman)) in [
        (
            1,
            198,
            -0.056_073_232_225_395_08,
            -0.056_748_997_455_218_664,
        ),
        (2, 197, -0.091_747_089_934_054_25, -0.083_216_719_074_492_1),
        (5, 194, -0.084_452_521_460_909_98, -0.084_594_513_701_750_07),
        (
            10,
            189,
            -0.045_532_478_263_844_8,
            -0.049_913_519_265_906_385,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let ic = &decay["by_horizon"][at];
        assert_eq!(ic["horizon_ns"], horizon * SECOND);
        assert_eq!(
            (&ic["rows"], &ic["beyond_end"]),
            (&json!(rows), &json!(TRADES - rows))
        );
        assert_near(&ic["ic_pearson"], pearson);
        assert_near(&ic["ic_spearman"], spearman);
        for name in ["ic_pearson", "ic_spearman"] {
            let bound = |end: &str| ic["intervals"][name][end].as_f64().expect("a bound");
            assert!(bound("low") < bound("high"), "{ic}");
        }
        assert_eq!(ic["redraws"]["by"], "time");
    }
    assert_near(&decay["half_life_ns_pearson"], 7_596_357_719.850_635);
    assert_near(&decay["half_life_ns_spearman"], 6_569_150_053.098_068);
    assert_eq!(report["rows"], Value::Null, "nothing was judged by labels");
}

#[test]
fn a_move_begins_at_the_price_that_the_signal_saw() {
    let folder = folder("field-judged-ticks");
    let mut text = String::new();
    // Three trades of one time, of which each signal saw another price.
    for (at, (millis, price, size)) in [
        (0, 100, 0.1),
        (0, 101, 0.2),
        (0, 102, 0.3),
        (1_500, 104, 0.4),
        (3_000, 105, 0.5),
    ]
    .into_iter()
    .enumerate()
    {
        let line = json!({
            "ts_event": START + millis * SECOND / 1_000, "symbol": "A.X", "price": price, "size": size,
            "side": "buy", "trade_id": at + 1,
        });
        writeln!(text, "{line}").expect("memory takes text");
    }
    folder.write("in.jsonl", text);
    let report = judged(&folder, &["--input", "in.jsonl", "--horizons", "1s"]);
    let ic = &report["ic_decay"]["by_horizon"][0];
    // scipy.stats.pearsonr([0.1, 0.2, 0.3, 0.4], [102/100 - 1, 102/101 - 1, 0, 0])
    assert_eq!((&ic["rows"], &ic["beyond_end"]), (&json!(4), &json!(1)));
    assert_near(&ic["ic_pearson"], -0.943_381_647_001_972_4);
}

#[test]
fn what_cannot_be_judged_is_told() {
    let folder = folder("field-judged-refused");
    let refused = |args: &[&str], code: i32, part: &str| {
        let (run, _) = evaluate(&folder, args);
        assert_eq!(run.code, Some(code), "{args:?}: {}", run.stdout);
        assert!(run.stderr.contains(part), "{args:?}: {}", run.stderr);
    };
    let events = ["--input", "in.jsonl"];
    refused(&events, 2, "--labels");
    refused(&[&events[..], &["--horizons", "5"]].concat(), 2, "100ms");
    refused(
        &[&events[..], &["--horizons", "1h"]].concat(),
        1,
        "ends before",
    );
    refused(
        &["--signals", "in.jsonl", "--horizons", "1s"],
        2,
        "--horizons",
    );
    folder.write("none.jsonl", "");
    refused(
        &["--signals", "none.jsonl", "--labels", "none.jsonl"],
        1,
        "0 signals",
    );
    labels(&folder, |at| json!({"outcome": outcome(at), "weight": -1}));
    refused(&OF_A_REPLAY, 1, "labels.jsonl:1: its `weight` is below 0");
    labels(&folder, |at| json!({"outcome": outcome(at), "weight": 0}));
    refused(&OF_A_REPLAY, 1, "weight 0");
    labels(&folder, |_| json!({"outcome": "inf"}));
    refused(&OF_A_REPLAY, 1, "a finite number");
    // One outcome alone: what it does not define is null, with the reason.
    labels(&folder, |_| json!({"outcome": 0}));
    let report = judged(&folder, &OF_A_REPLAY);
    for name in [
        "auc",
        "gini",
        "average_precision",
        "ic_pearson",
        "calibration_slope",
    ] {
        assert_eq!(report[name], Value::Null, "{name}");
        assert!(report["undefined"][name].is_string(), "{name}: {report}");
    }
    // A NaN, which is an outcome that is not known.
    labels(&folder, |at| match at {
        0 => json!({"outcome": null}),
        at => json!({"outcome": outcome(at)}),
    });
    let report = judged(&folder, &OF_A_REPLAY);
    assert_eq!(report["unknown_outcomes"], 1);
}
