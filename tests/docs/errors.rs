//! The reference page of exit codes, and of the reasons for which a frame gives no events.

use std::collections::BTreeSet;
use std::fmt::Write;

use clap::CommandFactory;
use foretick::command::arguments::Cli;
use foretick::decode::DecodeError;
use foretick::time::LikelyUnit;

use crate::source::{find, items};
use crate::{given, heading, holds};

const ABOUT_SEVERAL: &str = "
With several pipelines (`foretick run A B`), 0 says that all ended as planned, 1 that at least one was \
down at the end, and 2 that nothing was started. An error is one line on standard error that begins with \
`foretick:` and says what was being done, what went wrong, and what to do.
";

const ABOUT_REASONS: &str = "
## Reasons for dead letters and drops

A frame that cannot be used has one reason. It is counted in `foretick_frames_total{fate, reason}` and in \
the summary of the run.

- **dead letter**: the frame cannot be read. Its bytes go to the dead letters (`<topic>.dlq.v1`, or the \
file of `--dead-letters`) with this reason, so that it can be mended and sent again. Of a record about a \
person only the token and the address go there. Without a place for dead letters the frame is dropped and \
counted.
- **drop**: the frame can be read, and this pipeline does not use it. Only the counter shows it.

| reason | fate | meaning |
| --- | --- | --- |
";

const ABOUT_LOSSES: &str = "
## Reasons for drops before decoding

These frames were dropped by the source, before anything read them.

| reason | meaning |
| --- | --- |
";

const OTHERS: &str = "\
| `read_before` | Kafka delivered a record again after a rebalance or a reconnect, and its signals have \
arrived already. Nothing is lost. |
| `run_ended` | It had no fate yet when the run failed or began again. Kafka delivers it once more. |
";

/// One of each kind of error.
const ALL: &[DecodeError] = &[
    DecodeError::Truncated,
    DecodeError::Malformed,
    DecodeError::NotUtf8,
    DecodeError::Oversized,
    DecodeError::WrongShape,
    DecodeError::WrongType("x"),
    DecodeError::RepeatedField("x"),
    DecodeError::BadNumber("x"),
    DecodeError::OutOfRange("x"),
    DecodeError::ImplausibleTime("x", Some(LikelyUnit::Seconds)),
    DecodeError::ImplausibleTime("x", Some(LikelyUnit::Milliseconds)),
    DecodeError::ImplausibleTime("x", Some(LikelyUnit::Microseconds)),
    DecodeError::ImplausibleTime("x", Some(LikelyUnit::Nanoseconds)),
    DecodeError::ImplausibleTime("x", None),
    DecodeError::TimeAhead("x"),
    DecodeError::TooPrecise("x"),
    DecodeError::MissingField("x"),
    DecodeError::UnknownProduct,
    DecodeError::Repeated,
    DecodeError::UnknownType,
    DecodeError::NotListed,
    DecodeError::TooManyInstruments,
    DecodeError::OtherFigure,
    DecodeError::OtherLanguage,
    DecodeError::NoInstrument,
    DecodeError::OldRevision,
    DecodeError::NearDuplicate,
    DecodeError::UnnamedSnapshot,
];

#[test]
fn the_error_page_lists_every_exit_code_and_reason() {
    let all = items("src");
    let mut text = heading(
        "Exit codes and reasons",
        "the command line, `DecodeError` and the source's counters",
    );
    text.push_str("## Exit codes\n\n| code | meaning |\n| --- | --- |\n");
    for (code, meaning) in exit_codes() {
        writeln!(text, "| {code} | {meaning} |").expect("text takes text");
    }
    text.push_str(ABOUT_SEVERAL);
    text.push_str(ABOUT_REASONS);
    let errors = find(&all, "DecodeError", "derive").expect("the decoder has an error type");
    let mut reasons = BTreeSet::new();
    for error in ALL {
        let debug = format!("{error:?}");
        let name = debug.split('(').next().unwrap_or_default();
        let variant = errors.members.iter().find(|one| one.name == name);
        let variant = variant.unwrap_or_else(|| panic!("src/ has no variant {name}"));
        assert!(!variant.doc.is_empty(), "{name} has no doc comment");
        // The fate has a column of its own.
        let meaning = variant
            .text()
            .replace(" Dead letter.", "")
            .replace(" Dropped.", "");
        let fate = if error.unreadable() {
            "dead letter"
        } else {
            "drop"
        };
        writeln!(text, "| `{}` | {fate} | {meaning} |", error.reason()).expect("text takes text");
        reasons.insert(error.reason());
    }
    let known: BTreeSet<&str> = DecodeError::REASONS.into_iter().collect();
    assert_eq!(
        reasons, known,
        "list every kind of error in tests/docs/errors.rs"
    );
    text.push_str(ABOUT_LOSSES);
    let dropped = find(&all, "Dropped", "derive").expect("the source counts drops");
    for reason in &dropped.members {
        writeln!(text, "| `{}` | {} |", reason.name, reason.text()).expect("text takes text");
    }
    text.push_str(OTHERS);
    holds("errors", &text);
}

/// The exit codes of the help: "Exit codes: 0 done, 1 a difference or a failure, …".
fn exit_codes() -> Vec<(String, String)> {
    let help = Cli::command().render_long_help().to_string();
    let (_, rest) = help
        .split_once("Exit codes:")
        .expect("the help lists the exit codes");
    let line = rest.trim().lines().collect::<Vec<_>>().join(" ");
    let mut codes = vec![];
    for part in line.split([',', ';']) {
        let part = part.trim().trim_end_matches('.');
        match part.split_once(' ') {
            Some((code, meaning)) if code.parse::<u8>().is_ok() => {
                codes.push((code.to_owned(), meaning.to_owned()))
            }
            _ => {
                if let Some((_, meaning)) = codes.last_mut() {
                    meaning.push_str(&format!(", {part}"));
                }
            }
        }
    }
    codes
}

#[test]
fn the_exit_codes_are_those_of_the_command() {
    let folder = given::Folder::new("docs-exit-codes");
    let (left, right) = (
        folder.write("a.jsonl", "{\"ts_event\":1,\"score\":1}\n"),
        folder.write("b.jsonl", "{\"ts_event\":1,\"score\":2}\n"),
    );
    let [left, right] = [left, right].map(|path| path.display().to_string());
    for (code, args) in [
        (0, vec!["diff", &left, &left]),
        (1, vec!["diff", &left, &right]),
        (1, vec!["inspect", "no-such-capture.gz"]),
        (2, vec!["check", "no-such-pipeline"]),
        (2, vec!["replay"]),
    ] {
        let run = given::foretick(&args);
        assert_eq!(
            run.code,
            Some(code),
            "{args:?}: {}{}",
            run.stdout,
            run.stderr
        );
    }
}
