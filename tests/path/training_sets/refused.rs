//! What is wrong with `[label]` and `[split]` is named by its key.

use crate::given::{self, Folder};

const PIPELINE: &str = r#"
name = "p"
[row]
on = "ROW"
[[feature]]
name = "flow"
kind = "KIND"
WINDOW
[model]
kind = "sum"
"#;

fn message(on: &str, tables: &str, command: &str) -> String {
    let folder = Folder::new(&format!("sets-refused-{:?}", std::thread::current().id()));
    let (kind, window) = match on {
        "statement" => ("field", ""),
        "bar" => ("close", ""),
        _ => ("trade_flow", "window = 5"),
    };
    let text = PIPELINE
        .replace("ROW", on)
        .replace("KIND", kind)
        .replace("WINDOW", window);
    let pipeline = folder.write("pipeline.toml", format!("{text}{tables}"));
    let input = folder.write("in.jsonl", given::capture(5, 1, &["BTCUSDT"]));
    let run = match command {
        "check" => given::foretick(&["check".into(), "--offline".into(), pipeline]),
        _ => given::foretick(&[
            "features".into(),
            pipeline,
            "--input".into(),
            input,
            "--output".into(),
            folder.path("set.parquet"),
        ]),
    };
    assert_ne!(run.code, Some(0), "{tables}: {}", run.stdout);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run.stderr
}

const MOVE: &str = "horizon_ms = 1_000\nthreshold_bps = 1.0\n";

#[test]
fn labels_that_make_no_sense_are_named_by_their_key() {
    for (on, table, said) in [
        (
            "trade",
            "[label]\nhorizon_ms = 0\nthreshold_bps = 1.0",
            "`horizon_ms` must be above zero",
        ),
        ("trade", "[label]\nhorizon_ms = 5", "needs `threshold_bps`"),
        (
            "trade",
            "[label]\nthreshold_bps = 5.0",
            "needs `horizon_ms`",
        ),
        (
            "trade",
            "[label]\nthreshold_bps = -5.0\nhorizon_ms = 5",
            "zero or more",
        ),
        (
            "trade",
            "[label]\nhorizon_s = 5",
            "unknown field `horizon_s`",
        ),
        (
            "trade",
            "[label]\nkind = \"next_bar\"\nthreshold_bps = 1.0",
            "`next_bar` is a label of bars",
        ),
        (
            "bar",
            "[label]\nkind = \"next_bar\"\nhorizon_ms = 5\nthreshold_bps = 1.0",
            "`horizon_ms` means nothing",
        ),
        (
            "trade",
            "[label]\nkind = \"volatility\"\nhorizon_ms = 5\nzone = \"UTC\"",
            "`zone` means nothing",
        ),
        (
            "trade",
            "[label]\nkind = \"triple_barrier\"\nhorizon_ms = 5",
            "needs `take_profit_bps`",
        ),
        (
            "trade",
            "[label]\nkind = \"triple_barrier\"\nhorizon_ms = 5\ntake_profit = 1.0",
            "name it by `of`",
        ),
        (
            "trade",
            "[label]\nkind = \"triple_barrier\"\nhorizon_ms = 5\ntake_profit = 1.0\nof = \"x\"",
            "`of = \"x\"` is no column",
        ),
        (
            "trade",
            "[label]\nkind = \"triple_barrier\"\nhorizon_ms = 5\nstop_loss_bps = -1.0",
            "`stop_loss_bps` must be above zero",
        ),
        (
            "trade",
            "[label]\nkind = \"next_session\"\nthreshold_bps = 1.0",
            "needs `zone`",
        ),
        (
            "trade",
            "[label]\nkind = \"next_session\"\nthreshold_bps = 1.0\nzone = \"UTC\"\nopen = \"9.30\"",
            "`open = \"9.30\"`",
        ),
        (
            "trade",
            "[label]\nkind = \"default_within\"\nhorizon_ms = 5",
            "a label of statements",
        ),
        (
            "statement",
            "[label]\nkind = \"default_within\"\nhorizon_ms = 5",
            "needs `outcomes`",
        ),
        (
            "statement",
            "[label]\nhorizon_ms = 5\nthreshold_bps = 1.0",
            "`kind = \"default_within\"` alone",
        ),
        (
            "trade",
            "[label]\nkind = \"smoothed_move\"\nhorizon_ms = 5\nhorizon_rows = 5\nthreshold_bps = 1.0",
            "exclude each other",
        ),
    ] {
        let message = message(on, table, "check");
        assert!(message.contains(said), "{table}: {message}");
        assert!(message.contains("pipeline.toml:"), "{table}: {message}");
    }
}

#[test]
fn several_labels_need_names_of_their_own() {
    for (tables, said) in [
        (
            format!("[[label]]\n{MOVE}[[label]]\n{MOVE}"),
            "needs a `name`",
        ),
        (
            format!("[[label]]\nname = \"a\"\n{MOVE}[[label]]\nname = \"a\"\n{MOVE}"),
            "two labels are named `a`",
        ),
        (
            format!("[[label]]\nname = \"a\"\nsteps = 5\n{MOVE}[[label]]\nname = \"b\"\n{MOVE}"),
            "write it in [split]",
        ),
    ] {
        let message = message("trade", &tables, "check");
        assert!(message.contains(said), "{tables}: {message}");
    }
}

#[test]
fn splits_that_make_no_sense_are_named_by_their_key() {
    let folds = "[split.folds]\nkind = \"combinatorial\"\n";
    for (table, said) in [
        ("[split]\ntest_from = \"tomorrow\"".to_owned(), "`tomorrow` is not a time"),
        (
            "[split]\ntest_from = \"2026-01-05T00:00:08Z\"\nvalidation_from = \"2026-01-06T00:00:08Z\"".to_owned(),
            "`validation_from` must be before `test_from`",
        ),
        ("[split]\nembargo_ms = -1".to_owned(), "`embargo_ms` must be zero or more"),
        ("[split]\ntest_share = 0.5".to_owned(), "set `group_by`"),
        ("[split]\ngroup_by = \"text\"".to_owned(), "groups headlines"),
        ("[split]\ngroup_by = \"key\"\ntest_share = 1.5".to_owned(), "from 0 to 1"),
        (
            "[split]\ngroup_by = \"key\"\ntest_share = 0.5\nvalidation_share = 0.6".to_owned(),
            "must leave groups for `train`",
        ),
        ("[split]\nqualities = [\"good\"]".to_owned(), "`good` is no quality"),
        (format!("{folds}blocks = 1"), "`blocks` must be 2 or more"),
        (format!("{folds}blocks = 5\ntest_blocks = 5"), "below `blocks`"),
        (format!("{folds}blocks = 40\ntest_blocks = 3"), "9880 folds"),
        (format!("{folds}blocks = 4\ntrain_blocks = 2"), "means nothing for combinatorial"),
        (
            format!(
                "[split]\ntest_from = \"2026-01-05T00:00:08Z\"\n{folds}blocks = 4\nto = \"2026-01-05T00:00:08.001Z\""
            ),
            "held out from `split.test_from` on; write a `to`",
        ),
        (
            format!(
                "[split]\nvalidation_from = \"2026-01-05T00:00:08Z\"\ntest_from = \"2026-01-05T00:00:09Z\"\n\
                 {folds}blocks = 4\nto = \"2026-01-05T00:00:09Z\""
            ),
            "held out from `split.validation_from` on; write a `to`",
        ),
    ] {
        let message = message("trade", &format!("{table}\n[label]\n{MOVE}"), "check");
        assert!(message.contains(said), "{table}: {message}");
    }
    let twice = "test_from = \"2026-01-05T00:00:08Z\"\n";
    let message = message(
        "trade",
        &format!("[split]\n{twice}[label]\n{MOVE}{twice}"),
        "check",
    );
    assert!(
        message.contains("`test_from` stands in [label] and in [split]"),
        "{message}"
    );
}

#[test]
fn folds_end_where_the_hold_out_begins_at_the_latest() {
    let tables = |to: &str| {
        format!(
            "[split.folds]\nkind = \"combinatorial\"\nblocks = 4\nto = \"{to}\"\n\
             [label]\n{MOVE}test_from = \"2026-01-05T00:00:08Z\"\n"
        )
    };
    let beyond = message("trade", &tables("2026-01-05T00:00:08.000000001Z"), "check");
    for words in ["write a `to`", "`label.test_from`"] {
        assert!(beyond.contains(words), "{beyond}");
    }
    let folder = Folder::new("sets-folds-at-the-border");
    let text = PIPELINE
        .replace("ROW", "trade")
        .replace("KIND", "trade_flow")
        .replace("WINDOW", "window = 5");
    let tables = tables("2026-01-05T00:00:08Z");
    let pipeline = folder.write("pipeline.toml", format!("{text}{tables}"));
    let run = given::foretick(&["check".into(), "--offline".into(), pipeline]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn two_columns_of_one_name_are_an_error_that_names_both() {
    let label = format!("[label]\nname = \"flow\"\n{MOVE}");
    let message_of = |tables: &str| message("trade", tables, "features");
    let told = message_of(&label);
    assert!(
        told.contains("the feature `flow` and the label's column `flow`"),
        "{told}"
    );
    let told = message_of(&format!("[label]\nname = \"weight\"\n{MOVE}"));
    assert!(told.contains("`weight`"), "{told}");
    let told = message_of("");
    assert!(told.contains("a [label] table is needed"), "{told}");
}
