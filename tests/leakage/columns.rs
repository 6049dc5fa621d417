//! What a set does not say, and options that do not fit it.

use serde_json::json;

use crate::given::{Folder, foretick};
use crate::set::{Set, look, report, unchecked};

#[test]
fn a_column_that_is_not_there_is_a_usage_error() {
    for option in [
        "--time",
        "--split",
        "--label",
        "--label-end",
        "--group",
        "--as-of",
        "--instrument",
    ] {
        let run = look(
            &format!("wrong{option}"),
            &Set::clean(),
            &[option, "nothing"],
        );
        assert_eq!(run.code, Some(2), "{option}: {}", run.stderr);
        for word in [option, "no column `nothing`", "ts_event"] {
            assert!(run.stderr.contains(word), "{option}: {}", run.stderr);
        }
    }
    let run = look("wrong-known", &Set::clean(), &["--known", "oil_known"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("COLUMN=FEATURE"), "{}", run.stderr);
    let run = look("wrong-time", &Set::clean(), &["--time", "flow"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("is no time"), "{}", run.stderr);
}

#[test]
fn what_cannot_be_checked_is_never_called_clean() {
    let mut set = Set::clean();
    set.described = None;
    let all: Vec<usize> = (0..set.len()).collect();
    for name in [
        "split",
        "fold_0",
        "group",
        "oil_known",
        "label",
        "move_bps",
        "label_end",
        "window_start",
    ] {
        set.remove(name);
    }
    // Nothing but times and features: nothing can be checked.
    let run = look("bare", &set, &[]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    for word in [
        "nothing in it can be checked",
        "--split",
        "--label",
        "--known",
        "--as-of",
    ] {
        assert!(run.stderr.contains(word), "{word}: {}", run.stderr);
    }
    // Words that say nothing.
    set.texts(
        "split",
        all.iter()
            .map(|row| Some(format!("part{}", row % 2)))
            .collect(),
    );
    set.numbers(
        "y",
        set.number("flow")
            .iter()
            .map(|value| value.map(|value| value * value))
            .collect(),
    );
    let found = report("words", &set, &[], &[]);
    assert_eq!(
        unchecked(&found),
        [
            "late_input",
            "normaliser",
            "label_overlap",
            "no_release",
            "group_overlap",
            "duplicate_rows"
        ]
    );
    let why = found["checked"][1]["how"].as_str().expect("a reason");
    assert!(why.contains("`part0`, `part1`"), "{why}");
    // A split without test rows.
    set.texts("split", all.iter().map(|_| Some("train".into())).collect());
    let found = report("no-test", &set, &[], &[]);
    let why = found["checked"][5]["how"].as_str().expect("a reason");
    assert!(why.contains("no validation or test rows"), "{why}");
}

#[test]
fn a_file_that_is_no_set_is_an_error() {
    let folder = Folder::new("leakage-files");
    let text = folder.write("set.csv", "a,b\n1,2\n").display().to_string();
    let nowhere = folder.path("nowhere.parquet").display().to_string();
    let empty = Set::clean().taken(&[]).write(&folder).display().to_string();
    let here = folder.path("").display().to_string();
    for (path, word) in [
        (&text, "write the set as Parquet"),
        (&nowhere, "No such file"),
        (&empty, "it has no rows"),
        (&here, "it is a folder"),
    ] {
        let run = foretick(&["check", "--leakage", path]);
        assert_eq!(run.code, Some(1), "{path}: {}", run.stdout);
        assert!(run.stderr.contains(word), "{path}: {}", run.stderr);
    }
    let run = foretick(&["check"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    let run = foretick(&["check", "--split", "part", "pipelines/price-direction"]);
    assert_eq!(
        run.code,
        Some(2),
        "an option of --leakage without it: {}",
        run.stderr
    );
}

/// Times as integers, days, texts; flags and large texts as splits.
#[test]
fn other_types_are_read() {
    let mut set = Set::foreign();
    let times = set.time("timestamp");
    let whole = |time: &Option<i64>| time.map(|time| time as f64);
    set.numbers("timestamp", times.iter().map(whole).collect());
    // Numbers with a fraction are no times.
    let run = look(
        "float-times",
        &set,
        &["--split", "part", "--label-end", "known_at"],
    );
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    let text =
        |time: &Option<i64>| time.map(|time| foretick::time::rfc3339(foretick::units::Nanos(time)));
    set.texts("timestamp", times.iter().map(text).collect());
    let train = set
        .text("part")
        .iter()
        .map(|part| Some((part.as_deref() == Some("train")).to_string()))
        .collect();
    set.texts("is_train", train);
    let found = report(
        "texts",
        &set,
        &["--split", "is_train", "--label-end", "known_at"],
        &[("label_overlap", "is_train")],
    );
    // All that is not train is test here, purged rows too.
    assert_eq!(found["train"], 790);
    assert_eq!(found["test"], json!(410));
}

/// The hash of the features must be that of a pipeline that is named.
#[test]
fn a_set_of_other_features_than_the_pipelines_is_refused() {
    let folder = Folder::new("leakage-pipeline");
    let pipeline = folder
        .write("pipeline.toml", crate::given::SMALL)
        .display()
        .to_string();
    let mut set = Set::clean();
    let run = look("other-features", &set, &[&pipeline]);
    assert_eq!(run.code, Some(2), "{}{}", run.stdout, run.stderr);
    assert!(
        run.stderr.contains("its features have the hash abc"),
        "{}",
        run.stderr
    );
    let sha256 = folder
        .pipeline(crate::given::SMALL, &[])
        .plan
        .sha256()
        .to_owned();
    set.describe("/features_sha256", json!(sha256));
    report("same-features", &set, &[&pipeline], &[]);
}

#[test]
fn the_text_names_the_leak_its_row_and_what_to_do() {
    let mut set = Set::clean();
    let known = set
        .time("ts_event")
        .iter()
        .map(|time| time.map(|time| time + 1))
        .collect();
    set.times("oil_known", known);
    let folder = Folder::new("leakage-text");
    let path = set.write(&folder).display().to_string();
    let run = foretick(&["check", "--leakage", &path]);
    assert_eq!(run.code, Some(1));
    for word in [
        "1200 rows (790 train, 0 validation, 382 test)",
        "leak         late_input, 1200 rows: `oil`",
        "example    row 0 of AAA at 2026-01-05T00:00:00Z: oil ",
        "to do      join it by the time of its release",
        "1 leak found by 7 of 7 checks",
    ] {
        assert!(run.stdout.contains(word), "{word}\n{}", run.stdout);
    }
}
