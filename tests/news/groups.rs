//! Headlines that are near-duplicates are on one side of a border of a training set.

use std::fmt::Write;
use std::fs::File;

use arrow_array::{Array, cast::AsArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::json;

use crate::given::{self, Folder};

const PIPELINE: &str = r#"
name = "news"

[source]
topics = ["news.items.v1"]

[row]
on = "news"

[news]
vocabulary = "vocab.txt"
half_life_ms = 3_600_000

[[feature]]
name = "token"
kind = "tokens"
max_tokens = 8

[model]
kind = "sum"
normalise = "none"

[split]
group_by = "text"
test_from = "2023-08-15T12:00:00Z"
"#;

const DAY_S: i64 = 24 * 3_600;
/// A noon of August 2023.
const NOON_S: i64 = 1_692_100_800;

#[test]
fn a_headline_like_one_of_the_training_is_not_tested() {
    let folder = Folder::new("news-groups");
    let vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n$\nup\ndown\na\n##a\n##aa\n";
    folder.write("vocab.txt", vocabulary);
    let pipeline = folder.write("pipeline.toml", PIPELINE);
    let mut lines = String::new();
    for (day, id, headline, instrument) in [
        (-3, "first", "up down a", "A.X"),
        (-3, "other", "up $", "B.X"),
        // Of three and four word pieces three are the same; and it is about another instrument.
        (1, "copy", "up down aaa", "B.X"),
        (1, "new", "down $", "B.X"),
    ] {
        let ts = (NOON_S + day * DAY_S) * 1_000_000_000;
        let item =
            json!({"ts_event": ts, "id": id, "headline": headline, "instruments": [instrument]});
        writeln!(lines, "{item}").expect("memory");
    }
    let (input, output) = (
        folder.write("items.jsonl", lines),
        folder.path("set.parquet"),
    );
    let run = given::foretick(&[
        "features".into(),
        pipeline,
        "--input".into(),
        input,
        "--output".into(),
        output.clone(),
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let file = File::open(output).expect("the set was written");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet");
    let mut rows = vec![];
    for batch in reader.build().expect("it is Parquet") {
        let batch = batch.expect("it is whole");
        let column = |name| batch.column_by_name(name).expect("the column");
        let splits = cast(column("split"), &DataType::Utf8).expect("words");
        let (splits, groups) = (
            splits.as_string::<i32>(),
            column("group").as_string::<i32>(),
        );
        for at in 0..batch.num_rows() {
            assert!(groups.is_valid(at));
            rows.push((splits.value(at).to_owned(), groups.value(at).to_owned()));
        }
    }
    let splits: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(splits, ["train", "train", "purge", "test"]);
    assert_eq!(rows[0].1, rows[2].1);
    assert_ne!(rows[0].1, rows[3].1);
}
