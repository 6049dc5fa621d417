//! What only one pipeline of a process can have: names, consumer groups, files. Starts nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::{SinkKind, SourceKind};
use crate::pipeline::Pipeline;

/// What pipelines would take from each other.
pub(super) fn conflicts_between(pipelines: &[&Pipeline]) -> Vec<String> {
    let mut owners = BTreeMap::new();
    let mut messages = vec![];
    for pipeline in pipelines {
        let name = &pipeline.file.name;
        for (thing, what_to_do) in exclusive_resources(pipeline) {
            if let Some(other) = owners.insert(thing.clone(), name) {
                messages.push(format!(
                    "{other} and {name} both have {thing}; {what_to_do}"
                ));
            }
        }
    }
    let listen = |pipeline: &&Pipeline| match pipeline.file.metrics.listen.as_str() {
        "" => "none".to_owned(),
        address => address.to_owned(),
    };
    let mut listens: Vec<String> = pipelines.iter().map(listen).collect();
    listens.sort_unstable();
    listens.dedup();
    if listens.len() > 1 {
        messages.push(format!(
            "one server tells of all pipelines, but they want it at {}; choose one for all with --set \
             metrics.listen=",
            listens.join(", ")
        ));
    }
    messages
}

/// What only one pipeline can have, and what to do where two want it.
fn exclusive_resources(pipeline: &Pipeline) -> Vec<(String, &'static str)> {
    let (file, sink) = (&pipeline.file, &pipeline.file.sink);
    let mut all = vec![(format!("the name {}", file.name), "give one another `name`")];
    if file.source.kind == SourceKind::Kafka {
        let group = file.kafka.group.as_ref().unwrap_or(&file.name);
        let group = format!("the group {group} at {}", pipeline.bootstrap());
        all.push((
            group,
            "each needs its own, or they share the records: set `kafka.group`",
        ));
    }
    let mut files: Vec<PathBuf> = sink.alerts_state.iter().cloned().collect();
    if sink.kind != SinkKind::Kafka {
        files.extend(sink.dead_letters.iter().map(PathBuf::from));
        files.extend(sink.alerts.iter().map(PathBuf::from));
    }
    match sink.kind {
        SinkKind::Kafka => {}
        SinkKind::Stdout => all.push((
            "standard output".into(),
            "set the sink of one with --set NAME:sink.kind=",
        )),
        SinkKind::File => {
            let file = sink.file.as_deref();
            files.push(file.unwrap_or(Path::new("signals.jsonl")).to_owned());
        }
    }
    let named = |file: &PathBuf| {
        let what_to_do = "name another with --set NAME:sink.…";
        (format!("the file {}", file.display()), what_to_do)
    };
    all.extend(files.iter().map(named));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::scratch::Scratch;

    fn pipeline(name: &str, more: &[&str]) -> Pipeline {
        let text = format!(
            "name = {name:?}\n[row]\non = \"trade\"\n[[feature]]\nname = \"p\"\nkind = \"price\"\n[model]\nkind \
             = \"sum\"\n"
        );
        let scratch = Scratch::new();
        let path = scratch.write("pipeline.toml", text);
        let more: Vec<String> = more.iter().map(|&one| one.to_owned()).collect();
        Pipeline::load(&path, &more).unwrap()
    }

    #[test]
    fn a_resource_of_two_pipelines_is_a_conflict() {
        let cases: &[(&str, &[&str], &str)] = &[
            ("a", &["sink.kind=kafka", "kafka.group=g"], "the name a"),
            (
                "b",
                &["sink.kind=stdout", "kafka.group=g"],
                "standard output",
            ),
            ("b", &["sink.kind=kafka"], "the group a at"),
            (
                "b",
                &["sink.kind=file", "sink.dead_letters=l"],
                "the file l",
            ),
            (
                "b",
                &["sink.kind=kafka", "metrics.listen="],
                "metrics.listen",
            ),
        ];
        for (name, more, words) in cases {
            let a = ["sink.kind=stdout", "sink.dead_letters=l", "kafka.group=a"];
            let more = [*more, &["kafka.bootstrap=h:1"]].concat();
            let more = match words.starts_with("the group") {
                true => [more, vec!["kafka.group=a"]].concat(),
                false => more,
            };
            let (a, b) = (
                pipeline("a", &[&a[..], &["kafka.bootstrap=h:1"]].concat()),
                pipeline(name, &more),
            );
            let messages = conflicts_between(&[&a, &b]);
            assert_eq!(messages.len(), 1, "{more:?}: {messages:?}");
            assert!(messages[0].contains(words), "{messages:?}");
        }
    }
}
