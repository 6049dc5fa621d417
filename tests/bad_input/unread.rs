//! Inputs of which nothing, or too little, can be read: the exit code is 1, and the last line says what the
//! input looks like.

use crate::given::{self, Folder, Run};

fn replay(folder: &Folder, input: &[u8], more: &[&str]) -> Run {
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let input = folder.write("in", input);
    let mut args = vec!["replay".into(), pipeline, "--input".into(), input];
    args.extend(more.iter().map(Into::into));
    given::foretick(&args)
}

fn last_line(run: &Run) -> &str {
    run.stderr.lines().last().unwrap_or_default()
}

const TRADE: &str =
    r#"{"ts_event":1700000000000000000,"symbol":"A.X","price":"1","size":"1","side":"buy"}"#;

#[test]
fn an_input_that_gives_no_event_is_a_failure_that_says_what_it_looks_like() {
    let folder = Folder::new("unread-nothing");
    let list = format!("[{TRADE},\n{TRADE}]\n");
    let cases: [(&[u8], &str); 7] = [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"ts,price,size\n1,2,3\n", "commas"),
        (list.as_bytes(), "array"),
        (b"{\n  \"a\": 1\n}\n", "several lines"),
        (b"{\"id\":1,\"px\":2}\n", "keys id, px"),
        (b"\x01\x02\x03\x04\n", "binary"),
    ];
    for shards in ["engine.shards=1", "engine.shards=2"] {
        for (input, word) in &cases {
            let run = replay(&folder, input, &["--set", shards]);
            let shown = input.escape_ascii();
            assert_eq!(run.code, Some(1), "{shown}: {}{}", run.stdout, run.stderr);
            assert!(last_line(&run).contains(word), "{shown}: {}", run.stderr);
        }
    }
    let run = replay(&folder, b"ts,price\n", &["--max-unread", "100"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn an_input_of_answers_alone_says_what_it_is() {
    let folder = Folder::new("unread-answers");
    let answers: String = (0..100)
        .map(|id| format!("{{\"result\":null,\"id\":{id}}}\n"))
        .collect();
    for shards in ["engine.shards=1", "engine.shards=2"] {
        let run = replay(&folder, answers.as_bytes(), &["--set", shards]);
        assert_eq!(run.code, Some(1), "{}", run.stdout);
        let said = "gave an event; all are answers and notices of a venue";
        assert!(last_line(&run).contains(said), "{}", run.stderr);
    }
    let inspected = given::foretick(&["inspect".into(), folder.path("in")]);
    assert_eq!(inspected.code, Some(1), "{}", inspected.stderr);
    assert!(
        last_line(&inspected).contains("all are answers"),
        "{}",
        inspected.stderr
    );
}

#[test]
fn lines_of_blanks_are_passed_over_as_empty_ones_are() {
    let folder = Folder::new("unread-blanks");
    let lines = format!(" \n\n{TRADE}\n\t \t\r\n  \n {TRADE}\n   ");
    let letters = folder.path("letters.jsonl");
    let args = ["--json", "--dead-letters", letters.to_str().unwrap()];
    let run = replay(&folder, lines.as_bytes(), &args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(folder.read("letters.jsonl"), "");
    let summary: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&summary["frames"]["in"], &summary["frames"]["used"]),
        (&2.into(), &2.into()),
        "{summary}"
    );
    let run = replay(&folder, b" \n\t\n", &[]);
    assert!(last_line(&run).contains("empty"), "{}", run.stderr);
}

#[test]
fn more_than_one_percent_unread_is_a_failure() {
    let folder = Folder::new("unread-share");
    let of = |good: usize, bad: usize| {
        let lines = format!("{TRADE}\n").repeat(good) + &"{\"ts_event\": oh\n".repeat(bad);
        lines.into_bytes()
    };
    assert_eq!(replay(&folder, &of(99, 1), &[]).code, Some(0));
    let run = replay(&folder, &of(98, 2), &["--json"]);
    assert_eq!(run.code, Some(1));
    for word in ["2 of 100 frames", "--max-unread 1 %", "frame 98"] {
        assert!(last_line(&run).contains(word), "{}", run.stderr);
    }
    assert!(run.stdout.starts_with('{'), "the summary comes in any case");
    assert_eq!(
        replay(&folder, &of(98, 2), &["--max-unread", "2%"]).code,
        Some(0)
    );
    let letters = folder.path("letters.jsonl");
    let args = ["--dead-letters", letters.to_str().unwrap()];
    assert_eq!(
        replay(&folder, &of(98, 2), &args).code,
        Some(1),
        "dead letters too"
    );
}

#[test]
fn frames_of_an_instrument_too_many_are_unread() {
    let folder = Folder::new("unread-instruments");
    let other = TRADE.replace("A.X", "B.X");
    let lines = format!("{TRADE}\n").repeat(98) + &format!("{other}\n").repeat(2);
    let few = ["--set", "source.max_instruments=1"];
    let run = replay(&folder, lines.as_bytes(), &few);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    for words in [
        "2 of 100 frames",
        "raise `source.max_instruments`",
        "too_many_instruments 2",
        "frame 98",
    ] {
        assert!(last_line(&run).contains(words), "{}", run.stderr);
    }
    let args = ["--set", "source.max_instruments=1", "--max-unread", "2"];
    assert_eq!(replay(&folder, lines.as_bytes(), &args).code, Some(0));
    let listed = ["--set", "source.instruments=[\"A.X\"]"];
    let run = replay(&folder, lines.as_bytes(), &listed);
    assert_eq!(
        run.code,
        Some(0),
        "what is not listed was not asked for: {}",
        run.stderr
    );
}

#[test]
fn inspect_and_features_keep_to_it_too() {
    let folder = Folder::new("unread-commands");
    let pipeline = folder.write("pipeline.toml", given::SMALL.to_owned() + LABEL);
    let input = folder.write("in", "a,b\n1,2\n");
    let rows = folder.path("rows.parquet");
    let inspected = given::foretick(&["inspect".as_ref(), input.as_os_str()]);
    assert_eq!(inspected.code, Some(1), "{}", inspected.stderr);
    assert!(
        last_line(&inspected).contains("commas"),
        "{}",
        inspected.stderr
    );
    let args = [
        "features".into(),
        pipeline,
        "--input".into(),
        input,
        "--output".into(),
        rows,
    ];
    let exported = given::foretick(&args);
    assert_eq!(exported.code, Some(1), "{}", exported.stderr);
    assert!(
        last_line(&exported).contains("commas"),
        "{}",
        exported.stderr
    );
}

const LABEL: &str = "\n[label]\nhorizon_ms = 1000\nthreshold_bps = 1\n";

#[test]
fn formats_that_are_not_read_are_named() {
    let folder = Folder::new("unread-foreign");
    for (head, word) in [
        (&b"\xfd7zXZ\0\0\x04"[..], "xz"),
        (b"BZh91AY&SY", "bzip2"),
        (b"PAR1\x15\x04\x15", "Parquet"),
        (b"ARROW1\0\0", "Arrow"),
        (b"PK\x03\x04", "zip"),
        (b"SQLite format 3\0", "SQLite"),
        (b"\xd4\xc3\xb2\xa1\x02\0", "pcap"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\x7fELF\x02", "ELF"),
        (b"DBN\x02", "DBN"),
        (b"\xff\xfe{\0\"\0", "UTF-16"),
    ] {
        let run = replay(&folder, head, &[]);
        assert_eq!(run.code, Some(1), "{word}: {}", run.stderr);
        assert!(last_line(&run).contains(word), "{word}: {}", run.stderr);
    }
}

#[test]
fn receive_times_and_options_in_another_unit_are_refused() {
    let folder = Folder::new("unread-units");
    let stamped = format!("1700000000123 {TRADE}\n");
    let run = replay(&folder, stamped.as_bytes(), &[]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(last_line(&run).contains("milliseconds"), "{}", run.stderr);
    for (time, word) in [("1700000000", "seconds"), ("20150301", "2015-03-01")] {
        let run = replay(&folder, TRADE.as_bytes(), &["--from", time]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains(word), "{}", run.stderr);
    }
    let run = replay(
        &folder,
        TRADE.as_bytes(),
        &["--from", "2023-11-15T00:13:20+02:00"],
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}
