//! `foretick diff`: its exit codes, and its report of a difference.

use serde_json::Value;

use crate::given::{self, Folder, Run};

/// Two replays of one capture, `a` and `b`.
fn two_replays(test: &str) -> Folder {
    given::replays(test, ["a", "b"])
}

fn diff(folder: &Folder, args: &[&str]) -> Run {
    let (a, b) = (folder.path("a"), folder.path("b"));
    let mut all = vec!["diff".as_ref(), a.as_os_str(), b.as_os_str()];
    all.extend(args.iter().map(|arg| std::ffi::OsStr::new(*arg)));
    given::foretick(&all)
}

/// Rewrites `b` with one line changed.
fn change(folder: &Folder, line: usize, from: &str, to: &str) {
    let text = folder.read("b");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert!(lines[line].contains(from), "{}", lines[line]);
    lines[line] = lines[line].replacen(from, to, 1);
    folder.write("b", lines.join("\n"));
}

#[test]
fn two_replays_are_equal_but_for_the_clock() {
    let folder = two_replays("diff-equal");
    let run = diff(&folder, &[]);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    assert!(run.stdout.starts_with("equal: "), "{}", run.stdout);
    let run = diff(&folder, &["--all-fields", "--json"]);
    assert_eq!(run.code, Some(1), "the clock readings differ");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let fields: Vec<&String> = report["by_field"].as_object().unwrap().keys().collect();
    assert!(
        fields
            .iter()
            .all(|name| ["ts_out", "latency_ns"].contains(&name.as_str())),
        "{report}"
    );
}

#[test]
fn diff_names_the_place_of_a_difference() {
    let folder = two_replays("diff-one");
    change(&folder, 7, r#""quality":""#, r#""quality":"un"#);
    let run = diff(&folder, &[]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stdout.contains("1 differences") && run.stdout.contains("quality"),
        "{}",
        run.stdout
    );
    let report: Value = serde_json::from_str(&diff(&folder, &["--json"]).stdout).unwrap();
    assert_eq!(report["differences"], 1);
    assert_eq!(report["by_field"]["quality"], 1);
    let first = &report["first"];
    assert!(first["right"].as_str().unwrap().starts_with("un"));
    let changed: Value = serde_json::from_str(folder.read("a").lines().nth(7).unwrap()).unwrap();
    for key in ["instrument", "ts_event"] {
        assert_eq!(first[key], changed[key], "{report}");
    }
}

#[test]
fn a_signal_on_one_side_only_is_a_difference() {
    let folder = two_replays("diff-short");
    let text = folder.read("b");
    let cut = text.trim_end().rfind('\n').unwrap();
    folder.write("b", &text[..cut]);
    let run = diff(&folder, &[]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("1 differences"), "{}", run.stdout);
    assert!(run.stdout.contains("only on the left"), "{}", run.stdout);
}

#[test]
fn numbers_may_differ_by_the_tolerance() {
    let folder = two_replays("diff-tolerance");
    change(&folder, 3, r#""score":"#, r#""score":1000000"#);
    assert_eq!(diff(&folder, &["--tolerance", "1e-6"]).code, Some(1));
    assert_eq!(diff(&folder, &["--tolerance", "1e15"]).code, Some(0));
}

#[test]
fn a_line_that_is_no_signal_is_refused_with_its_number() {
    let folder = two_replays("diff-broken");
    // Two empty lines count too.
    change(&folder, 2, "{", "\n\n{");
    change(&folder, 6, "{", "");
    let run = diff(&folder, &[]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("line 7") && run.stderr.contains("JSON lines"),
        "{}",
        run.stderr
    );
    let run = given::foretick(&["diff".into(), folder.path("a"), folder.path("nowhere")]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("nowhere"), "{}", run.stderr);
}

#[test]
fn a_file_that_is_neither_json_lines_nor_parquet_is_named_with_the_remedy() {
    let folder = two_replays("diff-binary");
    let b = folder.path("b");
    let pipeline = folder.path("pipeline.toml");
    let (capture, parquet) = (folder.path("capture"), folder.path("b.parquet"));
    let args = [
        "replay".as_ref(),
        pipeline.as_os_str(),
        "--input".as_ref(),
        capture.as_os_str(),
        "--output".as_ref(),
        parquet.as_os_str(),
    ];
    assert_eq!(given::foretick(&args).code, Some(0));
    let refused = |path: &std::path::Path, kind: &str| {
        let args = ["diff".as_ref(), b.as_os_str(), path.as_os_str()];
        let run = given::foretick(&args);
        assert_eq!(run.code, Some(1), "{}", run.stdout);
        let named = format!(
            "{}: it is {kind}, but `diff` compares JSON lines and Parquet",
            path.display()
        );
        assert!(run.stderr.contains(&named), "{}", run.stderr);
        assert!(
            run.stderr.contains("`replay --output signals.jsonl`"),
            "{}",
            run.stderr
        );
    };
    std::fs::copy(&parquet, folder.path("renamed")).expect("a copy");
    for path in [parquet, folder.path("renamed")] {
        let run = given::foretick(&["diff".as_ref(), b.as_os_str(), path.as_os_str()]);
        assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    }
    refused(&folder.write("table.csv", "a,b\n"), "CSV");
    refused(&folder.write("bytes", [0xff, 0xfa, b'\n']), "no text");
}

#[test]
fn lines_that_are_no_signals_and_tolerances_that_are_none_are_refused() {
    let folder = two_replays("diff-other");
    for side in ["a", "b"] {
        folder.write(side, "{\"a\":1}\n");
    }
    let run = diff(&folder, &[]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("it has no `ts_event`"),
        "{}",
        run.stderr
    );
    for wrong in ["--tolerance=nan", "--tolerance=-1"] {
        let run = diff(&folder, &[wrong]);
        assert_eq!(run.code, Some(2), "{wrong}");
        assert!(run.stderr.contains("not below 0"), "{}", run.stderr);
    }
}
