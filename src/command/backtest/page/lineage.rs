//! What a result was made of: model, features, data, signals and the command.

use super::table::{Table, push};
use super::text::{JsonFigures, escaped};
use crate::command::backtest::input_digest::InputFigures;

/// Files that are listed; all others are in the JSON.
const FILES_MAX: usize = 200;

/// The lineage, as HTML.
pub(crate) fn lineage(figures: JsonFigures<'_>, inputs: &[InputFigures], command: &str) -> String {
    let mut table = Table::of_texts("What it was made of", &["", "value"]);
    for (path, name) in [
        ("pipeline", "pipeline"),
        ("model_name", "model"),
        ("model_version", "version of the model"),
        ("model_sha256", "SHA-256 of the model's file"),
        ("features_sha256", "SHA-256 of the features' definitions"),
        ("digest", "digest of the signals"),
    ] {
        table.row(name, [figures.figure(path)]);
    }
    table.row(
        "foretick",
        [escaped(env!("CARGO_PKG_VERSION")).into_owned()],
    );
    let mut html = table.html();
    let mut table = Table::of_files("Input", &["file", "bytes", "SHA-256"]);
    for (at, input) in inputs.iter().take(FILES_MAX).enumerate() {
        let cells = ["bytes", "sha256"].map(|key| figures.figure(&format!("inputs/{at}/{key}")));
        table.row(&input.name, cells);
    }
    html.push_str(&table.html());
    push(
        &mut html,
        format_args!("<h3>Command</h3>\n<pre>{}</pre>\n", escaped(command)),
    );
    html
}
