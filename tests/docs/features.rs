//! The reference page of features: each kind with formula, unit, warm-up and keys.

use std::fmt::Write;

use crate::source::{Member, find, items, labelled, paragraph, snake};
use crate::{heading, holds};

const LABELS: [&str; 4] = ["Formula", "Unit", "Warm-up", "Needs"];

const INTRODUCTION: &str = "\
Each `[[feature]]` table of a pipeline is one column of the row, in the order in which the tables stand. \
The keys of a table and their defaults are in [Configuration](configuration.md#feature); this page lists \
the kinds.
";

#[test]
fn the_feature_page_lists_every_kind() {
    let all = items("src/engine");
    let table = find(&all, "FeatureSpec", "Deserialize").expect("a feature is a table");
    let kind = table.members.iter().find(|member| member.name == "kind");
    let kind = kind.map_or("Kind", |member| member.holds.as_str());
    let kinds = find(&all, kind, "Deserialize").expect("features have kinds");
    let mut text = heading(
        "Feature kinds",
        "the enum `FeatureKind` of src/engine/feature",
    );
    text.push_str(INTRODUCTION);
    let (prose, _) = labelled(&kinds.doc, &LABELS);
    writeln!(text, "\n{}\n", paragraph(&prose)).expect("text takes text");
    let bare: Vec<&str> = kinds
        .members
        .iter()
        .filter(|kind| kind.doc.is_empty())
        .map(|kind| kind.name.as_str())
        .collect();
    assert!(bare.is_empty(), "these kinds have no doc comment: {bare:?}");
    for kind in &kinds.members {
        describe(kind, &mut text);
    }
    holds("features", &text);
}

fn describe(kind: &Member, text: &mut String) {
    let (prose, labels) = labelled(&kind.doc, &LABELS);
    write!(
        text,
        "\n## `{}`\n\n{}\n",
        snake(&kind.name),
        paragraph(&prose)
    )
    .expect("text takes text");
    if labels.is_empty() {
        return;
    }
    text.push('\n');
    for (label, value) in labels {
        let value = paragraph(&[value]);
        writeln!(text, "- {label}: {value}").expect("text takes text");
    }
}
