//! Files that must not be written, or not yet: inputs, files that exist, names of another format.

use std::fs;
use std::io::Read;
use std::path::Path;

use crate::given::{self, Folder, Run};

fn ready(test: &str) -> Folder {
    let folder = Folder::new(test);
    folder.write("pipeline.toml", given::SMALL);
    folder.write("in.jsonl", given::capture(71, 2, &["BTCUSDT"]));
    folder
}

fn replay(folder: &Folder, more: &[&str]) -> Run {
    let mut args = vec!["replay".into(), folder.path("pipeline.toml")];
    args.extend(["--input".into(), folder.path("in.jsonl")]);
    for &arg in more {
        let is_option = arg.starts_with('-');
        args.push(if is_option {
            arg.into()
        } else {
            folder.path(arg)
        });
    }
    given::foretick(&args)
}

fn refused(run: &Run, words: &[&str]) {
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    for word in words {
        assert!(run.stderr.contains(word), "{word:?} in {}", run.stderr);
    }
}

#[test]
fn an_existing_file_is_replaced_by_force_alone() {
    let folder = ready("outputs-force");
    folder.write("out.jsonl", "kept");
    refused(
        &replay(&folder, &["--output", "out.jsonl"]),
        &["out.jsonl", "exists", "--force"],
    );
    folder.write("letters.jsonl", "kept");
    refused(
        &replay(&folder, &["--dead-letters", "letters.jsonl"]),
        &["--dead-letters", "--force"],
    );
    assert_eq!(folder.read("out.jsonl"), "kept");
    let run = replay(&folder, &["--output", "out.jsonl", "--force"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(folder.read("out.jsonl").starts_with('{'));
}

#[test]
fn an_input_is_not_read_twice() {
    let folder = ready("inputs-twice");
    std::os::unix::fs::symlink(folder.path("in.jsonl"), folder.path("soft.jsonl")).unwrap();
    fs::hard_link(folder.path("in.jsonl"), folder.path("hard.jsonl")).unwrap();
    for again in ["in.jsonl", "soft.jsonl", "hard.jsonl"] {
        refused(
            &replay(&folder, &[again]),
            &["--input", again, "in.jsonl, which would be read twice"],
        );
        let captures = ["in.jsonl", again].map(|name| folder.path(name).into_os_string());
        let [first, again_path] = captures;
        refused(
            &given::foretick(&["inspect".into(), first, again_path]),
            &[again, "would be read twice"],
        );
    }
    // A copy is another file.
    folder.write("copy.jsonl", folder.read("in.jsonl"));
    assert_eq!(replay(&folder, &["copy.jsonl"]).code, Some(0));
}

#[test]
fn an_input_is_not_replaced_even_by_force() {
    let folder = ready("outputs-input");
    let before = folder.read("in.jsonl");
    std::os::unix::fs::symlink(folder.path("in.jsonl"), folder.path("link.jsonl")).unwrap();
    fs::hard_link(folder.path("in.jsonl"), folder.path("hard.jsonl")).unwrap();
    for output in ["in.jsonl", "link.jsonl", "hard.jsonl", "./in.jsonl"] {
        let run = replay(&folder, &["--output", output, "--force"]);
        refused(&run, &["it is the input"]);
    }
    refused(
        &replay(&folder, &["--output", "pipeline.toml", "--force"]),
        &["pipeline.toml"],
    );
    assert_eq!(folder.read("in.jsonl"), before);
    assert_eq!(folder.read("pipeline.toml"), given::SMALL);
}

#[test]
fn a_name_of_another_format_is_refused() {
    let folder = ready("outputs-format");
    for name in ["out.csv", "out.CSV.gz", "out.xlsx", "out.parquet.zst"] {
        let run = replay(&folder, &["--output", name]);
        refused(&run, &[name, "end the name in"]);
        assert!(!folder.path(name).exists());
    }
    let args = ["--output", "same.jsonl", "--alerts", "same.jsonl"];
    refused(&replay(&folder, &args), &["--output writes the same file"]);
}

#[test]
fn signals_are_compressed_as_the_name_says() {
    let folder = ready("outputs-compressed");
    let plain = replay(&folder, &["--output", "out.jsonl"]);
    assert_eq!(plain.code, Some(0), "{}", plain.stderr);
    let count = folder.read("out.jsonl").lines().count();
    assert!(count > 10);
    for (name, mark) in [
        ("out.jsonl.gz", &[0x1f, 0x8b][..]),
        ("out.ZST", &[0x28, 0xb5]),
    ] {
        let run = replay(&folder, &["--output", name]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let bytes = fs::read(folder.path(name)).unwrap();
        assert!(bytes.starts_with(mark), "{name}");
        let mut text = String::new();
        if name.ends_with("gz") {
            let mut gzip = flate2::read::GzDecoder::new(&*bytes);
            gzip.read_to_string(&mut text).unwrap();
        } else {
            text = String::from_utf8(zstd::decode_all(&*bytes).unwrap()).unwrap();
        }
        assert_eq!(text.lines().count(), count, "{name}");
    }
}

#[test]
fn a_replay_that_fails_leaves_the_old_file_and_no_other() {
    let folder = ready("outputs-failed");
    folder.write("out.jsonl", "old");
    let nowhere = folder.path("nowhere.jsonl");
    let run = replay(
        &folder,
        &[
            "--output",
            "out.jsonl",
            "--force",
            "--input",
            "nowhere.jsonl",
        ],
    );
    assert_eq!(run.code, Some(1), "{}: {}", nowhere.display(), run.stderr);
    assert_eq!(folder.read("out.jsonl"), "old");
    assert_eq!(leftovers(&folder.path("")), Vec::<String>::new());
}

#[test]
fn a_damaged_capture_leaves_a_file_that_the_error_calls_incomplete() {
    let folder = ready("outputs-damaged");
    let whole = folder.read("in.jsonl");
    let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, whole.as_bytes()).unwrap();
    let bytes = gzip.finish().unwrap();
    folder.write("in.jsonl", &bytes[..bytes.len() / 2]);
    folder.write("old.jsonl", "old");
    let run = replay(&folder, &["--output", "new.jsonl"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(
        run.stderr.contains("is kept, and incomplete") && run.stderr.contains("new.jsonl"),
        "{}",
        run.stderr
    );
    assert!(folder.read("new.jsonl").lines().count() > 0);
    let run = replay(&folder, &["--output", "old.jsonl", "--force"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(!run.stderr.contains("is kept"), "{}", run.stderr);
    assert_eq!(folder.read("old.jsonl"), "old");
}

fn leftovers(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).expect("the test's folder is there");
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| name.ends_with(".tmp")).collect()
}

#[test]
fn other_commands_keep_to_it_too() {
    let folder = ready("outputs-commands");
    folder.write("there.jsonl", "kept");
    folder.write("there.parquet", "kept");
    let path = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    let (pipeline, input) = (path("pipeline.toml"), path("in.jsonl"));
    let (lines, rows) = (path("there.jsonl"), path("there.parquet"));
    for args in [
        vec!["simulate", "--seconds", "1", "--output", &lines],
        vec!["record", &pipeline, "--output", &lines],
        vec!["run", &pipeline, "--output", &lines],
        vec!["run", &pipeline, "--capture", &lines],
        vec!["features", &pipeline, "--input", &input, "--output", &rows],
        vec!["features", &pipeline, "--input", &input, "--output", &input],
    ] {
        let run = given::foretick(&args);
        assert_eq!(run.code, Some(2), "{args:?}: {}", run.stderr);
    }
    assert_eq!(folder.read("there.jsonl"), "kept");
    assert_eq!(folder.read("there.parquet"), "kept");
}

#[test]
fn a_time_span_that_holds_nothing_is_refused() {
    let folder = ready("outputs-span");
    let run = replay(&folder, &["--from=2026-01-06", "--to=2026-01-05"]);
    refused(&run, &["--from", "--to"]);
    let run = replay(&folder, &["--from=2026-01-05", "--to=2026-01-06"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}
