//! What `convert` wrote, read by the pipeline that it was converted with, and rows that cannot be read.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::given::{Folder, Run, foretick, json_lines};
use crate::needs;

/// Names of an exchange's own, in German, and a clock that is not UTC.
const PIPELINE: &str = r#"
name = "tape"
[source.history]
ts = "Zeit"
zone = "Europe/Berlin"
symbol = "Papier"
venue = "XETR"
price = "Kurs"
size = "Stk"
side = "Seite"
bid_px = "Geld"
bid_sz = "GeldStk"
ask_px = "Brief"
ask_sz = "BriefStk"
[row]
on = "trade"
[[feature]]
name = "price"
kind = "price"
[[feature]]
name = "flow"
kind = "trade_flow"
window_ms = 1000
[[feature]]
name = "imbalance"
kind = "queue_imbalance"
levels = 1
[model]
kind = "sum"
normalise = "none"
"#;
const TRADES: &str = "Zeit;Papier;Kurs;Stk;Seite\n\
    2024-03-04 09:00:00.100;SAP;171.52;100;buy\n\
    2024-03-04 09:00:00.250;SAP;171.54;200;sell\n\
    2024-03-04 09:00:01;SAP;171.50;50;buy\n";
const QUOTES: &str = "Zeit;Papier;Geld;GeldStk;Brief;BriefStk\n\
    2024-03-04 09:00:00.050;SAP;171.50;300;171.54;100\n\
    2024-03-04 09:00:00.200;SAP;171.50;300;171.54;500\n";

fn run(parts: &[&Path]) -> Run {
    let run = foretick(parts);
    assert_eq!(run.code, Some(0), "{parts:?}: {}", run.stderr);
    run
}

/// The digest and the instruments of the signals of a pipeline on some inputs.
fn replayed(
    folder: &Folder,
    pipeline: &Path,
    inputs: &[PathBuf],
    more: &[&str],
) -> (Value, Vec<String>) {
    let output = folder.path("signals.jsonl");
    let mut args = vec![
        Path::new("replay"),
        pipeline,
        Path::new("--json"),
        Path::new("--force"),
    ];
    args.extend([Path::new("--output"), &output, Path::new("--input")]);
    args.extend(inputs.iter().map(PathBuf::as_path));
    args.extend(more.iter().map(Path::new));
    let summary: Value = serde_json::from_str(&run(&args).stdout).expect("a summary");
    assert_eq!(summary["frames"]["dropped"], 0, "{summary}");
    let signals = json_lines(&folder.read("signals.jsonl"));
    let name = |signal: &Value| signal["instrument"].as_str().unwrap_or_default().to_owned();
    let mut names: Vec<String> = signals.iter().map(name).collect();
    names.dedup();
    (summary["digest"].clone(), names)
}

fn convert(inputs: &[PathBuf], pipeline: &Path, output: &Path, more: &[&str]) -> Run {
    let mut args = vec![Path::new("convert"), Path::new("--pipeline"), pipeline];
    args.extend([Path::new("--output"), output]);
    args.extend(more.iter().map(Path::new));
    args.extend(inputs.iter().map(PathBuf::as_path));
    run(&args)
}

#[test]
fn a_mapping_does_not_rename_what_was_converted_with_it() {
    let folder = Folder::new("converted-mapped");
    let pipeline = folder.write("pipeline.toml", PIPELINE);
    let inputs = [
        folder.write("trades.csv", TRADES),
        folder.write("quotes.csv", QUOTES),
    ];
    let expected = replayed(&folder, &pipeline, &inputs, &[]);
    assert_eq!(expected.1, ["SAP.XETR"]);
    for (output, more) in [
        ("day", &[][..]),
        ("day.parquet", &[]),
        ("exact.parquet", &["--exact"]),
        ("day.jsonl", &[]),
    ] {
        let output = folder.path(output);
        convert(&inputs, &pipeline, &output, more);
        let again = replayed(&folder, &pipeline, std::slice::from_ref(&output), &[]);
        assert_eq!(again, expected, "{}", output.display());
    }
}

/// Ten minutes of ticks of LEAN, whose pipeline appends a venue and finds sides by the tick rule.
#[test]
fn ticks_of_lean_are_the_same_once_they_are_converted() {
    let Some(data) = needs::data("ticks_of_lean_are_the_same_once_they_are_converted") else {
        return;
    };
    let folder = Folder::new("converted-lean");
    let pipeline = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/price-direction/ibm");
    let zip = |kind: &str| data.join(format!("equities/ibm-ticks/20131011_{kind}.zip"));
    let to = ["--to", "2013-10-11T13:40:00Z"];
    let inputs = [zip("quote"), zip("trade")];
    let output = folder.path("day");
    convert(&inputs, &pipeline, &output, &to);
    let expected = replayed(&folder, &pipeline, &inputs, &to);
    assert_eq!(expected.1, ["IBM.XNYS"]);
    assert_eq!(replayed(&folder, &pipeline, &[output], &to), expected);
}

#[test]
fn lines_of_events_go_to_standard_output_and_the_report_beside_them() {
    let folder = Folder::new("converted-stdout");
    let pipeline = folder.write("pipeline.toml", PIPELINE);
    let inputs = [folder.write("trades.csv", TRADES)];
    let run = convert(&inputs, &pipeline, Path::new("-"), &[]);
    let file = folder.path("x.jsonl");
    convert(&inputs, &pipeline, &file, &[]);
    assert_eq!(run.stdout, folder.read("x.jsonl"));
    assert_eq!(json_lines(&run.stdout).len(), 3);
    assert!(
        run.stderr.contains("rows         3 trade"),
        "{}",
        run.stderr
    );
    assert!(!Path::new("-").exists());
    let mut args = ["convert", "--json", "--output", "-"]
        .map(Path::new)
        .to_vec();
    args.push(&inputs[0]);
    let refused = foretick(&args);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("leave out one"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_row_that_cannot_be_read_is_told_as_a_row() {
    let folder = Folder::new("converted-unread");
    let pipeline = folder.write("pipeline.toml", PIPELINE);
    for (from, to, words) in [
        (
            ";buy\n",
            ";Kauf\n",
            &[
                "line 2, column `Seite` holds `Kauf`",
                "a side is `buy`",
                "`sell`",
                "out_of_range `side`",
            ][..],
        ),
        (
            "171.52",
            "teuer",
            &["column `Kurs` holds `teuer`", "no decimal number"],
        ),
        (
            ";100;",
            ";viel;",
            &["column `Stk` holds `viel`", "no decimal number"],
        ),
        (
            "2024-03-04 09:00:00.100",
            "4.3.24",
            &["column `Zeit` holds `4.3.24`", "RFC 3339"],
        ),
        ("171.52", "-171.52", &["the row {", "price -171.52"]),
        (";buy\n", "\n", &["4 cells, and the header has 5"]),
    ] {
        let input = folder.write("trades.csv", TRADES.replacen(from, to, 1));
        let args = [Path::new("replay"), &pipeline, Path::new("--input"), &input];
        let run = foretick(&args);
        assert_eq!(run.code, Some(1), "{to}: {}", run.stderr);
        for word in words {
            assert!(run.stderr.contains(word), "{word}: {}", run.stderr);
        }
        assert!(!run.stderr.contains("looks like"), "{}", run.stderr);
    }
}
