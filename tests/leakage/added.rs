//! Columns that were added to a set which keeps its description, and inputs without a known time.

use serde_json::{Value, json};

use crate::set::{SECOND, Set, look, report};

/// What a kind does not cover.
fn not_covered(report: &Value, kind: &str) -> String {
    let kinds = report["checked"].as_array().expect("a list");
    let found = kinds.iter().find(|one| one["kind"] == kind);
    found.expect("the kind is told of")["not_covered"].to_string()
}

#[test]
fn a_label_that_was_added_as_a_column_is_found() {
    let clean = Set::clean();
    let moved = clean.number("move_bps");
    let planted = [("label_in_features", "leak")];
    let mut set = clean.clone();
    let scaled = moved
        .iter()
        .map(|value| value.map(|value| value * 3.0 - 2.0));
    set.numbers("leak", scaled.collect());
    let found = report("added-copy", &set, &[], &planted);
    assert_eq!(
        (&found["features"], &found["added"]),
        (&json!(["flow", "spread", "oil"]), &json!(["leak"]))
    );
    let code = |word: &Option<String>| match word.as_deref() {
        Some("up") => Some(2.0),
        Some("down") => Some(0.0),
        _ => Some(1.0),
    };
    set.numbers("leak", clean.text("label").iter().map(code).collect());
    report("added-code", &set, &[], &planted);
    let mut number = clean.clone();
    number.numbers(
        "count",
        (0..clean.len()).map(|row| Some(row as f64)).collect(),
    );
    let found = report("added-number", &number, &[], &[]);
    assert_eq!(found["added"], json!(["count"]));
    for kind in ["late_input", "no_release"] {
        assert!(not_covered(&found, kind).contains("`count`"), "{found:#}");
    }
}

#[test]
fn a_column_of_texts_that_was_added_is_told_of() {
    let mut set = Set::clean();
    set.texts("copy", set.text("label"));
    let found = report("added-text", &set, &[], &[]);
    let told = not_covered(&found, "label_in_features");
    assert!(told.contains("hold no numbers: `copy`"), "{told}");
    assert_eq!(
        not_covered(
            &report("no-text", &Set::clean(), &[], &[]),
            "label_in_features"
        ),
        "[]"
    );
}

#[test]
fn a_column_that_was_added_hides_no_row_on_both_sides() {
    let clean = Set::clean();
    let all: Vec<usize> = (0..clean.len()).collect();
    let mut set = clean.taken(&[&all[..], &[20]].concat());
    let mut split = set.text("split");
    split[1_200] = Some("test".into());
    set.texts("split", split);
    set.remove("fold_0");
    set.texts("group", set.text("group").iter().map(|_| None).collect());
    set.numbers(
        "number",
        (0..set.len()).map(|row| Some(row as f64)).collect(),
    );
    let planted = [("label_overlap", "split"), ("duplicate_rows", "split")];
    set.describe("/split/embargo_ms", json!(0));
    // The copy lies in the stated fit too.
    set.describe("/normalise/fitted_to", Value::Null);
    report("added-copies", &set, &[], &planted);
}

#[test]
fn a_scale_of_an_added_column_is_found() {
    let mut set = Set::clean();
    let rows = set.len();
    let to_range = |row: usize| Some(row as f64 / (rows - 1) as f64);
    set.numbers("scaled", (0..rows).map(to_range).collect());
    report("added-range", &set, &[], &[("normaliser", "scaled")]);
}

#[test]
fn a_value_without_a_known_time_is_found_or_told() {
    let clean = Set::clean();
    let planted = |column| [("no_release", column)];
    // Of an input of the set the time may be missing until the first, and not behind it.
    let mut known = clean.time("oil_known");
    known[0] = None;
    let mut set = clean.clone();
    set.times("oil_known", known.clone());
    for (name, args) in [
        ("begin", &[][..]),
        ("begin-option", &["--as-of", "oil"][..]),
    ] {
        let found = report(&format!("known-{name}"), &set, args, &[]);
        let told = not_covered(&found, "late_input");
        assert!(told.contains("`oil`: 1 rows have a value"), "{told}");
    }
    known[500] = None;
    set.times("oil_known", known);
    let found = report("known-middle", &set, &[], &planted("oil"));
    assert_eq!(found["leakage"][0]["rows"], 1);
    assert_eq!(found["leakage"][0]["example"]["row"], 500);
    let mixed: Vec<usize> = (0..set.len()).rev().collect();
    let found = report("known-reversed", &set.taken(&mixed), &[], &[]);
    let told = not_covered(&found, "late_input");
    assert!(told.contains("`oil`: 2 rows have a value"), "{told}");
    // An input that was added must have a time in each row, with the option and without it.
    let mut added = clean.clone();
    added.numbers(
        "cpi",
        clean
            .number("oil")
            .iter()
            .map(|oil| oil.map(f64::sqrt))
            .collect(),
    );
    let time = |time: &Option<i64>| time.map(|time| time - 30 * SECOND);
    let mut known: Vec<Option<i64>> = clean.time("ts_event").iter().map(time).collect();
    added.times("cpi_known", known.clone());
    report("added-known", &added, &["--as-of", "cpi"], &[]);
    known[0] = None;
    added.times("cpi_known", known);
    for (name, args) in [("named", &["--as-of", "cpi"][..]), ("unnamed", &[][..])] {
        let found = report(&format!("added-{name}"), &added, args, &planted("cpi"));
        assert_eq!(found["leakage"][0]["example"]["row"], 0);
    }
    added.remove("cpi_known");
    report("added-untold", &added, &["--as-of", "cpi"], &planted("cpi"));
}

#[test]
fn the_text_names_what_was_added() {
    let mut set = Set::clean();
    set.numbers(
        "count",
        (0..set.len()).map(|row| Some(row as f64)).collect(),
    );
    let folder = crate::given::Folder::new("leakage-added-count");
    let path = set.write(&folder).display().to_string();
    let run = crate::given::foretick(&["check", "--leakage", &path]);
    assert!(
        run.stdout.contains("added        1 (count)"),
        "{}",
        run.stdout
    );
    let run = look("added-none", &Set::clean(), &[]);
    assert!(run.stdout.contains("\"added\":[]"), "{}", run.stdout);
}
