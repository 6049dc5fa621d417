//! A replay reads what it is given and asks nobody: the system sees no socket of it.
//!
//! That no wall clock gets into its results is shown where the clock can be set: `src/run/replay/tests.rs`.

use std::process::Command;

use crate::given::{self, Folder};

#[test]
fn a_replay_opens_no_socket() {
    let folder = Folder::new("sealed");
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let capture = folder.write("capture", given::capture(31, 3, &["BTCUSDT", "ETHUSDT"]));
    let (trace, output) = (folder.path("trace"), folder.path("out.jsonl"));
    // The calls of a command that strace sees.
    let traced = |program: &str| {
        let mut command = Command::new("strace");
        command
            .args(["-f", "-e", "trace=network", "-o"])
            .arg(&trace);
        command.arg(program);
        command
    };
    let can_trace = traced("true")
        .output()
        .is_ok_and(|run| run.status.success());
    if !can_trace {
        eprintln!("skipped: there is no strace, or it may not trace");
        return;
    }
    let mut command = traced(env!("CARGO_BIN_EXE_foretick"));
    command
        .arg("replay")
        .arg(&pipeline)
        .arg("--input")
        .arg(&capture);
    command
        .arg("--output")
        .arg(&output)
        .args(["--set", "engine.shards=2"]);
    let run = given::run(&mut command);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(folder.read("out.jsonl").lines().count() > 20);
    let calls = folder.read("trace");
    let network: Vec<&str> = calls
        .lines()
        .filter(|line| line.contains("socket(") || line.contains("connect("))
        .collect();
    assert!(network.is_empty(), "{network:?}");
}
