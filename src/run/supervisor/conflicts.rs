//! Whether pipelines can run beside each other, and which settings are whose. Starts nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::config::{SinkKind, SourceKind};
use crate::pipeline::{Pipeline, PipelineError};

/// All that is wrong with the pipelines of a run.
#[derive(Debug, Default)]
pub struct Refusal {
    said: Vec<String>,
    wrong_use: bool,
}

impl Refusal {
    /// Whether it is how the command is used: a configuration, or pipelines that do not go together.
    #[must_use]
    pub fn is_wrong_use(&self) -> bool {
        self.wrong_use
    }

    pub(super) fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    pub(super) fn add(&mut self, error: PipelineError) {
        self.wrong_use |= matches!(error, PipelineError::Config(_));
        self.said.push(error.to_string());
    }

    pub(super) fn take(&mut self, other: Self) {
        self.wrong_use |= other.wrong_use;
        self.said.extend(other.said);
    }

    pub(super) fn say(&mut self, what: String) {
        self.wrong_use = true;
        self.said.push(what);
    }

    pub(super) fn or<T>(self, value: T) -> Result<T, Self> {
        match self.is_empty() {
            true => Ok(value),
            false => Err(self),
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said.join("\n"))
    }
}

/// The settings for the pipeline of this name: `NAME:KEY=VALUE` where the name is its own, and `KEY=VALUE`.
#[must_use]
pub fn overrides_of(name: &str, set: &[String]) -> Vec<String> {
    let own = |one: &String| match addressed(one) {
        Some((to, rest)) => (to == name).then(|| rest.to_owned()),
        None => Some(one.clone()),
    };
    set.iter().filter_map(own).collect()
}

/// The name and the rest of `NAME:KEY=VALUE`.
fn addressed(one: &str) -> Option<(&str, &str)> {
    let (name, rest) = one.split_once(':')?;
    (!name.contains('=')).then_some((name, rest))
}

/// Refuses settings for a pipeline that is not there.
///
/// # Errors
/// [`Refusal`] with the first, and those that there are.
pub fn check_names(set: &[String], known: &[&str]) -> Result<(), Refusal> {
    let lost = |one: &&String| addressed(one).is_some_and(|(name, _)| !known.contains(&name));
    let mut refusal = Refusal::default();
    if let Some(one) = set.iter().find(lost) {
        let known = known.join(", ");
        refusal.say(format!(
            "--set {one}: there is no such pipeline here; there is {known}"
        ));
    }
    refusal.or(())
}

/// What pipelines would take from each other.
pub(super) fn check_apart(pipelines: &[&Pipeline]) -> Vec<String> {
    let mut owners = BTreeMap::new();
    let mut said = vec![];
    for pipeline in pipelines {
        let name = &pipeline.file.name;
        for (thing, what_to_do) in belongings(pipeline) {
            if let Some(other) = owners.insert(thing.clone(), name) {
                said.push(format!(
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
        said.push(format!(
            "one server tells of all pipelines, but they want it at {}; choose one for all with --set \
             metrics.listen=",
            listens.join(", ")
        ));
    }
    said
}

/// What only one pipeline can have, and what to do where two want it.
fn belongings(pipeline: &Pipeline) -> Vec<(String, &'static str)> {
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

    fn pipeline(name: &str, more: &[&str]) -> Pipeline {
        let text = format!(
            "name = {name:?}\n[row]\non = \"trade\"\n[[feature]]\nname = \"p\"\nkind = \"price\"\n[model]\nkind \
             = \"sum\"\n"
        );
        let file = format!("foretick-apart-{}-{name}.toml", std::process::id());
        let path = std::env::temp_dir().join(file);
        std::fs::write(&path, text).unwrap();
        let more: Vec<String> = more.iter().map(|&one| one.to_owned()).collect();
        let pipeline = Pipeline::load(&path, &more).unwrap();
        std::fs::remove_file(path).unwrap();
        pipeline
    }

    #[test]
    fn settings_go_to_whom_they_name() {
        let set = ["a:x=1", "y=b:2", "b:x=2"].map(str::to_owned);
        assert_eq!(overrides_of("a", &set), ["x=1", "y=b:2"]);
        assert_eq!(overrides_of("b", &set), ["y=b:2", "x=2"]);
        assert!(check_names(&set, &["a", "b"]).is_ok());
        let refused = check_names(&set, &["a"]).unwrap_err().to_string();
        assert!(refused.contains("b:x=2") && refused.ends_with("there is a"));
    }

    #[test]
    fn what_two_pipelines_would_share_is_refused() {
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
            let said = check_apart(&[&a, &b]);
            assert_eq!(said.len(), 1, "{more:?}: {said:?}");
            assert!(said[0].contains(words), "{said:?}");
        }
    }
}
