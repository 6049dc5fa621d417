//! Overlap of windows and labels across the border, against a twin that compares all pairs of rows.

use serde_json::{Value, json};

use crate::set::{BEGIN, Dice, SECOND, Set, report};

fn rows_of(report: &Value) -> Vec<u64> {
    let leaks = report["leakage"].as_array().expect("a list");
    leaks
        .iter()
        .map(|leak| leak["rows"].as_u64().expect("a number"))
        .collect()
}

#[test]
fn a_purge_that_is_too_short_is_found() {
    // Three seconds before the border are train: their labels of five seconds reach into test windows.
    let mut set = Set::clean();
    let (times, mut split) = (set.time("ts_event"), set.text("split"));
    for (row, time) in times.iter().enumerate() {
        if split[row].as_deref() == Some("purge")
            && time.is_some_and(|time| time < BEGIN + 398 * SECOND)
        {
            split[row] = Some("train".into());
        }
    }
    set.texts("split", split);
    // 395, 396, 397 s; the first test window begins at 400 s.
    let found = report("purge", &set, &[], &[("label_overlap", "split")]);
    assert_eq!(rows_of(&found), [6]);
    let example = &found["leakage"][0]["example"];
    assert_eq!(example["ts_event"], "2026-01-05T00:06:35Z");
    assert_eq!(example["values"]["label_end"], "2026-01-05T00:06:40Z");
    assert_eq!(
        example["values"]["held_out_window_start"],
        "2026-01-05T00:06:40Z"
    );
    assert_eq!(
        example["values"]["held_out_ts_event"],
        "2026-01-05T00:06:49Z"
    );
}

#[test]
fn a_window_that_reaches_back_into_what_is_held_out_is_found_in_a_fold() {
    let mut set = Set::clean();
    let mut fold = set.text("fold_0");
    // Row 2 * 310: its window begins at 301 s, within the labels of test rows up to 304 s.
    fold[620] = Some("train".into());
    set.texts("fold_0", fold.clone());
    report("fold-window", &set, &[], &[("label_overlap", "fold_0")]);
    // 318 s: neither window nor label meets them, but the stated embargo of 20 s does.
    fold[620] = Some("purge".into());
    fold[636] = Some("train".into());
    set.texts("fold_0", fold);
    let found = report("fold-embargo", &set, &[], &[("label_overlap", "fold_0")]);
    assert!(
        found["leakage"][0]["what"]
            .as_str()
            .is_some_and(|what| what.contains("embargo of 20000 ms"))
    );
    set.describe("/split/embargo_ms", json!(0));
    report("fold-no-embargo", &set, &[], &[]);
}

#[test]
fn horizon_and_steps_may_be_options() {
    let mut set = Set::foreign();
    set.remove("known_at");
    let split = ["--split", "part"];
    let found = report("untold-horizon", &set, &split, &[]);
    assert!(crate::set::unchecked(&found).contains(&"label_overlap"));
    // Purged were 5 s before the border and 9 s behind it.
    let told = |horizon, steps| [&split[..], &["--horizon-ms", horizon, "--steps", steps]].concat();
    report("told-horizon", &set, &told("5000", "10"), &[]);
    let planted = [("label_overlap", "part")];
    assert_eq!(
        rows_of(&report(
            "longer-horizon",
            &set,
            &told("7000", "10"),
            &planted
        )),
        [4]
    );
    assert_eq!(
        rows_of(&report(
            "longer-window",
            &set,
            &told("5000", "12"),
            &planted
        )),
        [4]
    );
}

/// Random labels, windows and splits, in order and out of it: the counts are those of all pairs.
#[test]
fn counts_are_those_of_all_pairs() {
    for seed in 0..6 {
        let mut dice = Dice(seed);
        let mut set = Set::clean();
        let times: Vec<i64> = set.time("ts_event").into_iter().flatten().collect();
        let rows = times.len();
        let ends = times
            .iter()
            .map(|time| Some(time + dice.below(20_000) as i64 * 1_000_000));
        set.times("label_end", ends.collect());
        let mut words = |stay: u64| {
            let mut word = "train";
            let mut next = || {
                if dice.below(stay) == 0 {
                    word =
                        ["train", "test", "purge", "validation", "train"][dice.below(5) as usize];
                }
                Some(word.to_owned())
            };
            (0..rows).map(|_| next()).collect::<Vec<_>>()
        };
        set.texts("split", words(60));
        set.texts("fold_0", words(5));
        set.describe("/split/embargo_ms", json!(0));
        set.remove("group");
        set.described.as_mut().expect("it is described")["normalise"] = json!({"kind": "none"});
        let planted = [("label_overlap", "split"), ("label_overlap", "fold_0")];
        let expected = [overlaps(&set, "split"), overlaps(&set, "fold_0")];
        assert!(expected.iter().all(|rows| *rows > 0));
        let found = report(&format!("pairs-{seed}"), &set, &[], &planted);
        assert_eq!(rows_of(&found), expected, "seed {seed}");
        let mut order: Vec<usize> = (0..rows).collect();
        for at in (1..rows).rev() {
            order.swap(at, dice.below(at as u64 + 1) as usize);
        }
        let found = report(&format!("mixed-{seed}"), &set.taken(&order), &[], &planted);
        assert_eq!(rows_of(&found), expected, "seed {seed}, out of order");
    }
}

/// Train rows that meet a held-out row of their instrument, by comparing all pairs.
fn overlaps(set: &Set, split: &str) -> u64 {
    let (names, roles) = (set.text("instrument"), set.text(split));
    let (times, starts, ends) = (
        set.time("ts_event"),
        set.time("window_start"),
        set.time("label_end"),
    );
    let span = |row: usize| (starts[row].or(times[row]), ends[row]);
    let is_held = |row: &usize| matches!(roles[*row].as_deref(), Some("test" | "validation"));
    let held: Vec<usize> = (0..set.len()).filter(is_held).collect();
    let meets = |train: usize| {
        let own = span(train);
        held.iter().any(|&other| {
            // A held-out row without a window is not scored: only its label can be met, by later rows.
            let is_met = starts[other].is_some() || times[train] >= times[other];
            let theirs = span(other);
            names[train] == names[other] && is_met && own.0 <= theirs.1 && theirs.0 <= own.1
        })
    };
    let train = (0..set.len()).filter(|row| roles[*row].as_deref() == Some("train"));
    train.filter(|row| meets(*row)).count() as u64
}

#[test]
fn rows_that_do_not_say_when_their_label_was_known_are_told() {
    let what = |report: &Value| {
        let kinds = report["checked"].as_array().expect("a list").iter();
        let found = kinds.into_iter().find(|one| one["kind"] == "label_overlap");
        found.expect("the kind is told of").clone()
    };
    let clean = Set::clean();
    let ends = clean.time("label_end");
    let mut set = Set::clean();
    set.times("label_end", vec![None; set.len()]);
    let found = what(&report("no-ends", &set, &[], &[]));
    assert_eq!(found["checked"], false, "{found}");
    // Of one label in ten.
    let some = ends.iter().enumerate();
    let some = some.map(|(row, end)| end.filter(|_| row % 10 > 0));
    set.times("label_end", some.collect());
    let found = what(&report("some-ends", &set, &[], &[]));
    let told = found["not_covered"].to_string();
    assert!(told.contains("do not say that"), "{found}");
    let times = clean.time("ts_event");
    let early = times.iter().map(|time| time.map(|time| time - SECOND));
    set.times("label_end", early.collect());
    let found = what(&report("early-ends", &set, &[], &[]));
    assert_eq!(found["checked"], false, "{found}");
}
