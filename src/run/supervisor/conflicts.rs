//! Finds resources that two pipelines of a process would share, but only one can use: names, consumer groups,
//! standard output, files. Starts nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::config::{SinkKind, SourceKind};
use crate::pipeline::Pipeline;

/// One message for each conflict, with the two pipelines and what to do.
pub(super) fn conflicts_between(pipelines: &[&Pipeline]) -> Vec<String> {
    let mut owners = BTreeMap::new();
    let mut messages = vec![];
    for pipeline in pipelines {
        let name = &pipeline.file.name;
        for (resource, advice) in exclusive_resources(pipeline) {
            if let Some(other) = owners.insert(resource.clone(), name) {
                messages.push(format!("{other} and {name} both use {resource}; {advice}"));
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
            "one server publishes the metrics of all pipelines, but `metrics.listen` is {}; choose one address \
             for all with --set metrics.listen=",
            listens.join(" and ")
        ));
    }
    messages
}

/// The resources that only one pipeline can use, each with what to do where two pipelines use it.
fn exclusive_resources(pipeline: &Pipeline) -> Vec<(String, &'static str)> {
    let (file, sink) = (&pipeline.file, &pipeline.file.sink);
    let mut all = vec![(
        format!("the name {}", file.name),
        "give one of them another `name`",
    )];
    if file.source.kind == SourceKind::Kafka {
        let group = file.kafka.group.as_ref().unwrap_or(&file.name);
        let group = format!("the consumer group {group} at {}", pipeline.bootstrap());
        all.push((
            group,
            "set another `kafka.group` for one of them, or each would read only a part of the records",
        ));
    }
    let mut files: Vec<PathBuf> = vec![];
    if sink.kind != SinkKind::Kafka {
        files.extend(sink.dead_letters.iter().map(PathBuf::from));
        files.extend(sink.alerts.iter().map(PathBuf::from));
        let gaps = sink.gaps.iter().filter(|gaps| !gaps.is_empty());
        files.extend(gaps.map(PathBuf::from));
    }
    match sink.kind {
        SinkKind::Kafka => {}
        SinkKind::Stdout => all.push((
            "standard output".into(),
            "change the sink of one of them with --set NAME:sink.kind=",
        )),
        SinkKind::File => {
            files.push(pipeline.sink_file().to_owned());
        }
    }
    let resource = |file: &PathBuf| {
        let advice = "set another file for one of them with --set NAME:sink.…";
        (format!("the file {}", file.display()), advice)
    };
    all.extend(files.iter().map(resource));
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
            ("b", &["sink.kind=kafka"], "the consumer group a at"),
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
            let more = match words.starts_with("the consumer group") {
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
