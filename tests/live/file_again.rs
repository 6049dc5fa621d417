//! A run into files that is started again by the same command: it goes on with them.

use std::fs;

use foretick::simulate::{Exchange, MarketSettings};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::child::RunningProcess;
use crate::given::{self, Folder};

#[test]
fn a_run_that_is_started_again_goes_on_with_its_files() {
    let folder = Folder::new("live-file-again");
    let runtime = Runtime::new().unwrap();
    let anywhere = ([127, 0, 0, 1], 0).into();
    let exchange = runtime
        .block_on(Exchange::start(MarketSettings::default(), anywhere))
        .unwrap();
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let command = |output: &str, more: &[&str]| {
        let mut args = vec!["run".to_owned(), pipeline.display().to_string()];
        args.extend(more.iter().map(|&more| more.to_owned()));
        for set in [
            "source.kind=websocket".to_owned(),
            r#"source.instruments=["BTCUSDT.BINANCE"]"#.to_owned(),
            format!("source.websocket.url=ws://{}", exchange.address),
            format!("source.websocket.rest=http://{}", exchange.address),
            "sink.kind=file".to_owned(),
            format!("sink.file={:?}", folder.path(output).display().to_string()),
            format!(
                "sink.gaps={:?}",
                folder.path("gaps.jsonl").display().to_string()
            ),
            "metrics.listen=".to_owned(),
        ] {
            args.extend(["--set".to_owned(), set]);
        }
        args
    };
    let run_for_a_while = |args: &[String], output: &str, above: u64| {
        let mut run = RunningProcess::start(args);
        run.wait_for("signals in the file", |run| {
            let begun = run.stderr().contains("connected");
            let there = fs::metadata(folder.path(output));
            (begun && there.is_ok_and(|there| there.len() > above)).then_some(())
        });
        assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
        run.stderr()
    };
    let output = "signals.jsonl";
    run_for_a_while(&command(output, &[]), output, 0);
    let first = folder.read(output);
    folder.write(output, format!("{first}{{\"id\":\"torn"));
    let said = run_for_a_while(&command(output, &[]), output, first.len() as u64 + 100);
    assert!(said.contains("cut off the last line"), "{said}");
    let both = folder.read(output);
    assert!(both.starts_with(&first) && both.len() > first.len());
    for line in both.lines() {
        serde_json::from_str::<Value>(line).expect("each line is a signal");
    }
    // Replaced only where that is asked for.
    run_for_a_while(&command(output, &["--force"]), output, 0);
    assert!(!folder.read(output).starts_with(&first));

    let packed = "signals.jsonl.zst";
    for _ in 0..2 {
        let mut run = RunningProcess::start(&command(packed, &[]));
        run.wait_for("a connection", |run| {
            run.stderr().contains("connected").then_some(())
        });
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
    }
    for name in [packed, "signals.1.jsonl.zst"] {
        let bytes = fs::read(folder.path(name)).expect("it is there");
        let text = zstd::decode_all(&bytes[..]).expect("it is whole");
        assert!(text.starts_with(b"{"), "{name}");
    }
    // A file that holds something else is no output.
    folder.write("notes.jsonl", "do not lose this\n");
    let refused = given::foretick(&command("notes.jsonl", &[]));
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("does not hold JSON lines"),
        "{}",
        refused.stderr
    );
    assert_eq!(folder.read("notes.jsonl"), "do not lose this\n");
    runtime.block_on(exchange.stop());
}
