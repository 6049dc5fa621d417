//! Tests of reading a whole `pipeline.toml`.

use std::path::Path;

use super::*;
use crate::tests::scratch::Scratch;

const GOOD: &str = "name = \"x\"\n[row]\non = \"trade\"\n[[feature]]\nname = \"p\"\nkind = \"price\"\n[model]\nkind = \"sum\"\n";

fn load(text: &str, overrides: &[&str]) -> Result<PipelineFile, String> {
    let scratch = Scratch::new();
    let path = scratch.write("pipeline.toml", text);
    let overrides: Vec<String> = overrides.iter().map(|o| (*o).to_owned()).collect();
    PipelineFile::load(&path, &overrides)
        .map(|loaded| loaded.0)
        .map_err(|e| e.to_string())
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let error = load(&GOOD.replace("on = ", "window_s = 3\non = "), &[]).unwrap_err();
    assert!(
        error.contains(".toml:3: unknown field `window_s`"),
        "{error}"
    );
    assert!(error.contains("window_ms"), "says what to do: {error}");
}

#[test]
fn a_wrong_value_is_refused_with_its_line() {
    let error = load(&GOOD.replace("\"trade\"", "\"noon\""), &[]).unwrap_err();
    assert!(error.contains(":3: unknown variant `noon`"), "{error}");
}

#[test]
fn overrides_reach_any_table() {
    let file = load(
        GOOD,
        &[
            "engine.batch=7",
            "kafka.bootstrap=127.0.0.1:1",
            "row.on=book",
        ],
    )
    .unwrap();
    assert_eq!((file.engine.batch, file.row.on), (7, RowOn::Book));
    assert_eq!(file.kafka.bootstrap.as_deref(), Some("127.0.0.1:1"));
    let error = load(GOOD, &["engine.bath=7"]).unwrap_err();
    assert!(
        error.contains("--set engine.bath:") && error.contains("unknown field"),
        "{error}"
    );
    assert!(load(GOOD, &["engine"]).unwrap_err().contains("key=value"));
}

#[test]
fn no_error_shows_the_value_of_an_override() {
    let secret = "source.websocket.secret=canary";
    for overrides in [
        &[secret, "engine.bath=7"][..],
        &[secret, "name.x=1"],
        &["name.secret=canary"],
    ] {
        let error = load(GOOD, overrides).unwrap_err();
        assert!(
            error.contains("--set") && !error.contains("canary"),
            "{error}"
        );
    }
}

#[test]
fn the_default_of_topics_follows_the_rows() {
    for (on, topic) in [
        ("trade", "md.trades.v1"),
        ("bar", "md.bars.v1"),
        ("news", "news.items.v1"),
        ("statement", "credit.statements.v1"),
        ("application", "credit.applications.v1"),
    ] {
        let file = load(GOOD, &[&format!("row.on={on}")]).unwrap();
        assert_eq!(file.source.topics, [topic]);
        assert!(!file.source.topics_written);
    }
    let file = load(GOOD, &["row.on=bar", "source.topics=[\"x\"]"]).unwrap();
    assert_eq!(
        (file.source.topics_written, &*file.source.topics[0]),
        (true, "x")
    );
}

#[test]
fn a_missing_file_says_what_to_name() {
    let error = PipelineFile::load(Path::new("/nowhere"), &[])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("/nowhere") && error.contains("folder"),
        "{error}"
    );
}
