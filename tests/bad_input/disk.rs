//! Files that cannot be read or written: a full disk, a missing folder, a truncated capture.

#![cfg(unix)]

use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::given::{self, Folder, Run};

/// A device on which every write fails, as on a full disk.
const FULL: &str = "/dev/full";

fn ready(test: &str) -> Folder {
    let folder = Folder::new(test);
    folder.write("pipeline.toml", given::SMALL);
    // More signals than a buffer holds.
    folder.write("capture", given::capture(71, 8, &["BTCUSDT", "ETHUSDT"]));
    folder
}

fn replay(folder: &Folder, more: &[&Path]) -> Run {
    let mut command = command(folder);
    given::run(command.args(more))
}

fn command(folder: &Folder) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_foretick"));
    command.arg("replay").arg(folder.path("pipeline.toml"));
    command.arg("--input").arg(folder.path("capture"));
    command
}

fn failed(run: &Run, what: &[&str]) {
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    for what in what {
        assert!(run.stderr.contains(what), "{what:?} in: {}", run.stderr);
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}

#[test]
fn a_full_disk_ends_the_run_with_advice() {
    let folder = ready("disk-full");
    for shards in ["engine.shards=1", "engine.shards=2"] {
        let args = ["--output", FULL, "--set", shards].map(Path::new);
        failed(&replay(&folder, &args), &[FULL, "free some space"]);
    }
    // Few signals stay in a buffer until the end, and fail when it is flushed.
    folder.write("capture", given::capture(71, 1, &["BTCUSDT"]));
    let args = ["--output", FULL].map(Path::new);
    failed(&replay(&folder, &args), &[FULL, "free some space"]);
}

#[test]
fn a_simulated_capture_that_cannot_be_written_is_named_once() {
    let args = [
        "simulate",
        "--seconds",
        "1",
        "--output",
        "/nowhere/day.jsonl",
    ];
    let run = given::foretick(&args.map(Path::new));
    failed(
        &run,
        &["while writing the capture /nowhere/day.jsonl: No such file"],
    );
    assert_eq!(
        run.stderr.matches("while writing").count(),
        1,
        "{}",
        run.stderr
    );
}

#[test]
fn a_full_disk_fails_a_run_that_writes_parquet() {
    let folder = ready("disk-parquet");
    let output = folder.path("signals.parquet");
    symlink(FULL, &output).unwrap();
    let run = replay(&folder, &[Path::new("--output"), &output]);
    failed(&run, &["signals.parquet", "No space left"]);
}

#[test]
fn a_full_disk_fails_a_run_that_writes_to_standard_output() {
    let folder = ready("disk-stdout");
    let full = File::options().write(true).open(FULL).unwrap();
    let mut command = command(&folder);
    command.args(["--output", "-"]).stdout(full);
    failed(
        &given::run_as_is(&mut command),
        &["standard output", "No space left"],
    );
}

#[test]
fn a_summary_that_cannot_be_written_is_an_error_without_a_panic() {
    let folder = ready("disk-summary");
    for json in [&[][..], &["--json"]] {
        let full = File::options().write(true).open(FULL).unwrap();
        let mut command = command(&folder);
        command.args(json).stdout(full);
        let run = given::run_as_is(&mut command);
        failed(&run, &["while writing to standard output", "No space left"]);
    }
}

#[test]
fn a_full_disk_fails_a_run_that_writes_dead_letters() {
    let folder = ready("disk-letters");
    let mut text = folder.read("capture");
    text += &"{\"e\":\"trade\",\n".repeat(2_000);
    folder.write("capture", text);
    let args = ["--dead-letters", FULL].map(Path::new);
    failed(&replay(&folder, &args), &[FULL, "free some space"]);
}

#[test]
fn the_error_names_a_missing_folder() {
    let folder = ready("disk-folder");
    let output = folder.path("no/such/signals.jsonl");
    let run = replay(&folder, &[Path::new("--output"), &output]);
    failed(&run, &["no/such/signals.jsonl", "make the folder first"]);
}

#[test]
fn the_error_names_a_missing_capture() {
    let folder = ready("disk-capture");
    let run = replay(&folder, &[&folder.path("nowhere.gz")]);
    failed(&run, &["nowhere.gz", "check the path"]);
}

#[test]
fn a_truncated_capture_gives_its_signals_and_an_error() {
    let folder = ready("disk-cut");
    let whole = replay(&folder, &["--output", "-"].map(Path::new)).stdout;
    let packed = zstd::encode_all(folder.read("capture").as_bytes(), 3).unwrap();
    folder.write("capture", &packed[..packed.len() * 3 / 4]);
    let run = replay(&folder, &["--output", "-"].map(Path::new));
    failed(&run, &["cut off or damaged"]);
    let count = run.stdout.lines().count();
    assert!(count > 10, "the signals of its intact part are written");
    assert!(count < whole.lines().count());
    // They replace nothing, whatever the form and the number of threads.
    for (name, shards) in [("out.jsonl", "1"), ("out.parquet", "1"), ("out.jsonl", "2")] {
        folder.write(name, "kept");
        let output = folder.path(name);
        let shards = format!("engine.shards={shards}");
        let args = ["--force", "--set", &shards, "--output"].map(Path::new);
        let run = replay(&folder, &[&args[..], &[&output]].concat());
        failed(&run, &["cut off or damaged"]);
        assert_eq!(folder.read(name), "kept", "{name}");
        std::fs::remove_file(&output).expect("it is there");
        let run = replay(&folder, &[&args[1..], &[&output]].concat());
        failed(&run, &["cut off or damaged"]);
        assert!(output.exists(), "{name}: what the intact part gave");
    }
}
