//! One leak at a time, in a set that is clean but for it.

use serde_json::{Value, json};

use crate::set::{BORDER, Dice, SECOND, Set, report, unchecked};

/// Arguments that say of a foreign set what it does not say itself.
const NAMED: [&str; 4] = ["--split", "part", "--label-end", "known_at"];

#[test]
fn a_clean_set_has_no_leak_and_all_kinds_are_checked() {
    let found = report("clean", &Set::clean(), &[], &[]);
    assert_eq!(unchecked(&found), [""; 0], "{found:#}");
    assert_eq!(
        (&found["rows"], &found["features"]),
        (&json!(1200), &json!(["flow", "spread", "oil"]))
    );
    assert_eq!(
        (&found["train"], &found["test"]),
        (&json!(790), &json!(382))
    );
}

#[test]
fn a_clean_foreign_set_says_what_could_not_be_checked() {
    let found = report("foreign", &Set::foreign(), &NAMED, &[]);
    assert_eq!(
        unchecked(&found),
        ["late_input", "no_release", "group_overlap"],
        "{found:#}"
    );
    assert_eq!(found["features"], json!(["flow", "spread", "oil"]));
}

#[test]
fn an_input_known_after_the_row_is_found() {
    let mut set = Set::clean();
    let mut known = set.time("oil_known");
    let late = set.time("ts_event")[500].map(|time| time + 1);
    known[500] = late;
    known[700] = set.time("ts_recv")[700].map(|time| time + SECOND);
    set.times("oil_known", known);
    let planted = [("late_input", "oil")];
    let found = report("late-described", &set, &[], &planted);
    let leak = &found["leakage"][0];
    assert_eq!(
        (&leak["rows"], &leak["example"]["row"]),
        (&json!(2), &json!(500))
    );
    assert_eq!(leak["example"]["instrument"], "AAA");
    assert_eq!(leak["example"]["ts_event"], "2026-01-05T00:04:10Z");
    assert!(leak["example"]["values"]["oil_known"].is_string(), "{leak}");
    assert!(
        leak["what"]
            .as_str()
            .is_some_and(|what| what.contains("in 1 rows")),
        "{leak}"
    );
    // By its name alone, and by an option.
    let mut by_name = set.clone();
    by_name.described = None;
    report("late-named", &by_name, &[], &planted);
    by_name.rename("oil_known", "published");
    report("late-unnamed", &by_name, &[], &[]);
    report(
        "late-option",
        &by_name,
        &["--known", "published=oil"],
        &planted,
    );
}

#[test]
fn a_normaliser_fitted_past_the_split_is_found_by_the_description() {
    let mut set = Set::clean();
    set.describe("/normalise/fitted_to", json!("2026-01-05T00:08:20Z"));
    let planted = [("normaliser", "split"), ("normaliser", "fold_0")];
    let found = report("fitted", &set, &[], &planted);
    // Test rows from 409 s to 499 s, of two instruments.
    assert_eq!(found["leakage"][0]["rows"], 182);
    // A fit that begins after what is held out does not know it.
    set.describe("/normalise/fitted_to", json!("2026-01-05T00:06:40Z"));
    set.describe("/normalise/fitted_from", json!("2026-01-05T00:05:00Z"));
    report("fitted-after", &set, &[], &[]);
}

/// The values of a column, standardised by the rows that `is_fitted` picks.
fn standardised(set: &Set, column: &str, is_fitted: impl Fn(usize) -> bool) -> Vec<Option<f64>> {
    let values = set.number(column);
    let fitted: Vec<f64> = (0..values.len())
        .filter(|row| is_fitted(*row))
        .filter_map(|row| values[row])
        .collect();
    let count = fitted.len() as f64;
    let mean = fitted.iter().sum::<f64>() / count;
    let variance = fitted
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / count;
    values
        .iter()
        .map(|value| value.map(|value| (value - mean) / variance.sqrt()))
        .collect()
}

#[test]
fn a_column_standardised_over_all_rows_is_found_and_one_over_train_is_not() {
    let clean = Set::foreign();
    let parts = clean.text("part");
    let is_in = |row: usize, part: &str| parts[row].as_deref() == Some(part);
    let planted = [("normaliser", "flow")];
    let mut set = clean.clone();
    set.numbers("flow", standardised(&clean, "flow", |_| true));
    let found = report("standard-all", &set, &NAMED, &planted);
    assert!(
        found["leakage"][0]["example"]["values"]["train_mean"].is_number(),
        "{found:#}"
    );
    // 32 bits, as models take them.
    let single = set.number("flow");
    set.numbers(
        "flow",
        single
            .iter()
            .map(|value| value.map(|value| f64::from(value as f32)))
            .collect(),
    );
    report("standard-single", &set, &NAMED, &planted);
    set.numbers(
        "flow",
        standardised(&clean, "flow", |row| is_in(row, "train")),
    );
    report("standard-train", &set, &NAMED, &[]);
    set.numbers(
        "flow",
        standardised(&clean, "flow", |row| !is_in(row, "purge")),
    );
    report("standard-both", &set, &NAMED, &planted);
    // Each instrument by its own rows.
    let mut twice = clean.clone();
    let (first, second) = (
        standardised(&clean, "flow", |row| row % 2 == 0),
        standardised(&clean, "flow", |row| row % 2 == 1),
    );
    let shifted = first.iter().zip(&second).enumerate();
    twice.numbers(
        "flow",
        shifted
            .map(|(row, (a, b))| if row % 2 == 0 { *a } else { *b })
            .collect(),
    );
    twice.numbers("spread", clean.number("spread"));
    report("standard-each", &twice, &NAMED, &planted);
    let of_train =
        |odd: usize| standardised(&clean, "flow", |row| row % 2 == odd && is_in(row, "train"));
    let (first, second) = (of_train(0), of_train(1));
    let own = first.iter().zip(&second).enumerate();
    twice.numbers(
        "flow",
        own.map(|(row, (a, b))| if row % 2 == 0 { *a } else { *b })
            .collect(),
    );
    report("standard-each-train", &twice, &NAMED, &[]);
}

#[test]
fn one_instrument_alone_standardised_over_all_its_rows_is_found() {
    let clean = Set::foreign();
    let mut set = clean.clone();
    let own = standardised(&clean, "flow", |row| row % 2 == 1);
    let flow = clean.number("flow").into_iter().zip(own).enumerate();
    set.numbers(
        "flow",
        flow.map(|(row, (raw, scaled))| if row % 2 == 1 { scaled } else { raw })
            .collect(),
    );
    let found = report("standard-one", &set, &NAMED, &[("normaliser", "flow")]);
    assert_eq!(found["leakage"][0]["rows"], 600);
}

#[test]
fn a_column_scaled_to_the_range_of_all_rows_is_found() {
    let scaled = |least: f64, most: f64, shift: f64, factor: f64| {
        let mut set = Set::foreign();
        let mut flow = set.number("flow");
        // The extremes of all rows: in train at 3 and 5, in test at 1,000 and 1,002.
        flow[3] = Some(least);
        flow[5] = Some(most);
        flow[1_000] = Some(-10.0);
        flow[1_002] = Some(20.0);
        let to_range = |value: f64| shift + factor * (value + 10.0) / 30.0;
        set.numbers(
            "flow",
            flow.iter().map(|value| value.map(to_range)).collect(),
        );
        set
    };
    let planted = [("normaliser", "flow")];
    report("range-both", &scaled(0.0, 0.0, 0.0, 1.0), &NAMED, &planted);
    report("range-one", &scaled(-10.0, 0.0, 0.0, 1.0), &NAMED, &planted);
    report(
        "range-signed",
        &scaled(0.0, 0.0, -1.0, 2.0),
        &NAMED,
        &planted,
    );
    report("range-train", &scaled(-10.0, 20.0, 0.0, 1.0), &NAMED, &[]);
    // Half of the rows at the ends: a share of its own, no scale.
    let mut flags = Set::foreign();
    let mut dice = Dice(5);
    let flag = |row: usize| if row < 10 { 0.5 } else { dice.below(2) as f64 };
    flags.numbers("flow", (0..flags.len()).map(flag).map(Some).collect());
    report("range-flags", &flags, &NAMED, &[]);
}

#[test]
fn a_join_without_a_release_is_found() {
    let mut set = Set::clean();
    set.describe("/inputs/0/release", Value::Null);
    let planted = [("no_release", "oil")];
    let found = report("release-described", &set, &[], &planted);
    assert_eq!(found["leakage"][0]["rows"], 1200);
    set.describe("/inputs/0/known_column", Value::Null);
    set.remove("oil_known");
    let found = report("release-untold", &set, &[], &planted);
    assert_eq!(unchecked(&found), ["late_input"]);
    // Named by an option.
    let as_of = [&NAMED[..], &["--as-of", "oil"]].concat();
    report("release-option", &Set::foreign(), &as_of, &planted);
    let mut told = Set::foreign();
    told.times(
        "published",
        told.time("timestamp")
            .iter()
            .map(|time| time.map(|time| time - SECOND))
            .collect(),
    );
    report(
        "release-known",
        &told,
        &[&as_of[..], &["--known", "published=oil"]].concat(),
        &[],
    );
}

#[test]
fn a_group_on_both_sides_is_found() {
    let mut set = Set::clean();
    let mut groups = set.text("group");
    groups[1_100] = groups[100].clone();
    set.texts("group", groups.clone());
    let found = report("group-split", &set, &[], &[("group_overlap", "split")]);
    assert_eq!(
        found["leakage"][0]["example"]["values"],
        json!({"group": "g100", "held_out_row": 1_100})
    );
    groups[500] = groups[101].clone();
    groups[1_100] = Some("other".into());
    set.texts("group", groups);
    // 250 s is test in the fold and train in the split.
    report("group-fold", &set, &[], &[("group_overlap", "fold_0")]);
    let mut foreign = Set::foreign();
    foreign.texts(
        "text_id",
        (0..foreign.len())
            .map(|row| Some(format!("t{}", row % 1_150)))
            .collect(),
    );
    let by_option = [&NAMED[..], &["--group", "text_id"]].concat();
    let found = report(
        "group-option",
        &foreign,
        &by_option,
        &[("group_overlap", "part")],
    );
    assert_eq!(found["leakage"][0]["rows"], 50);
}

#[test]
fn a_row_on_both_sides_is_found() {
    let clean = Set::foreign();
    let all: Vec<usize> = (0..clean.len()).collect();
    let mut set = clean.taken(&[&all[..], &[20, 22]].concat());
    let mut parts = set.text("part");
    parts[1_200] = Some("test".into());
    parts[1_201] = Some("test".into());
    set.texts("part", parts);
    // The copies lie among their train rows in time, so that their labels overlap too.
    let planted = [("label_overlap", "part"), ("duplicate_rows", "part")];
    let found = report("twice", &set, &NAMED, &planted);
    assert_eq!(found["leakage"][1]["rows"], 2);
    assert_eq!(found["leakage"][1]["example"]["row"], 20);
    assert_eq!(
        found["leakage"][1]["example"]["values"]["held_out_row"],
        1_200
    );
    // One feature differs: no copy.
    let mut flow = set.number("flow");
    flow[1_200] = flow[1_200].map(|value| value + 1e-9);
    flow[1_201] = None;
    set.numbers("flow", flow);
    report("twice-changed", &set, &NAMED, &[("label_overlap", "part")]);
    // The same time and features of another instrument are another row; both in train are no leak.
    let mut other = clean.taken(&[&all[..], &[20]].concat());
    other.texts(
        "part",
        clean.taken(&[&all[..], &[20]].concat()).text("part"),
    );
    report("twice-train", &other, &NAMED, &[]);
}

#[test]
fn a_feature_that_is_the_label_is_found() {
    let clean = Set::clean();
    let moved = clean.number("move_bps");
    let planted = [("label_in_features", "flow")];
    let with = |of: &dyn Fn(f64) -> f64| {
        let mut set = clean.clone();
        set.numbers("flow", moved.iter().map(|value| value.map(of)).collect());
        set
    };
    report("label-copy", &with(&|value| value), &[], &planted);
    report(
        "label-unit",
        &with(&|value| 3.0 - value / 10_000.0),
        &[],
        &planted,
    );
    report(
        "label-single",
        &with(&|value| f64::from(value as f32)),
        &[],
        &planted,
    );
    let mut dice = Dice(9);
    let noise: Vec<f64> = (0..clean.len()).map(|_| dice.share()).collect();
    let mut near = clean.clone();
    let noisy = moved
        .iter()
        .zip(&noise)
        .map(|(value, noise)| value.map(|value| value + 0.01 * noise));
    near.numbers("flow", noisy.collect());
    report("label-near", &near, &[], &[]);
    // The class as a number.
    let code = |word: &Option<String>| match word.as_deref() {
        Some("up") => Some(1.0),
        Some("down") => Some(-1.0),
        _ => Some(0.0),
    };
    let mut coded = clean.clone();
    coded.numbers("flow", clean.text("label").iter().map(code).collect());
    report("label-class", &coded, &[], &planted);
    let mut almost = coded.number("flow");
    almost[77] = Some(0.5);
    coded.numbers("flow", almost);
    report("label-class-almost", &coded, &[], &[]);
}

#[test]
fn the_border_of_time_may_be_an_option() {
    let mut set = Set::foreign();
    set.remove("part");
    let from = [
        "--test-from",
        "2026-01-05T00:06:40Z",
        "--label-end",
        "known_at",
    ];
    // Nothing is purged, so that the last five seconds of train reach over the border.
    let found = report("from", &set, &from, &[("label_overlap", "--test-from")]);
    assert_eq!(found["leakage"][0]["rows"], 10);
    assert_eq!(BORDER, 1_767_571_600 * SECOND, "2026-01-05T00:06:40Z");
}
