//! What a pipeline needs of the brokers.

use super::source;
use super::topics::sink_topics;
use crate::config::{DeliveryMode, PipelineFile, RowOn, SinkKind};
use crate::login::described::BrokerRight;
use crate::signal::lineage::Lineage;
use crate::sink::topic::{DeadLetterTopic, dead_letter_topic};

/// What a pipeline needs of the brokers.
#[derive(Clone, Debug, Default)]
pub struct BrokerNeeds {
    /// The topics, each once.
    pub topics: Vec<NeededTopic>,
    /// The consumer group; none where no topic is read.
    pub group: Option<String>,
    /// The transactional id; none where the pipeline has no transactions.
    pub transactional_id: Option<String>,
}

/// A topic that is read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeededTopic {
    /// Its name.
    pub name: String,
    /// What for.
    pub role: TopicRole,
}

/// What a topic is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicRole {
    /// It is read.
    Input,
    /// Signals are written to it.
    Signals,
    /// Frames that cannot be read are written to it.
    DeadLetters,
    /// Alerts are written to it.
    Alerts,
    /// Gaps of the market data are written to it.
    Gaps,
}

impl TopicRole {
    /// The right that it needs, and its name.
    #[must_use]
    pub fn right(self) -> (BrokerRight, &'static str) {
        match self {
            Self::Input => (BrokerRight::Read, "Read"),
            Self::Signals | Self::DeadLetters | Self::Alerts | Self::Gaps => {
                (BrokerRight::Write, "Write")
            }
        }
    }

    /// What it holds, in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Signals => "signals",
            Self::DeadLetters => "dead letters",
            Self::Alerts => "alerts",
            Self::Gaps => "gaps",
        }
    }
}

impl BrokerNeeds {
    /// What a pipeline needs; with `reads` also its input.
    #[must_use]
    pub fn of(file: &PipelineFile, lineage: &Lineage, reads: bool) -> Self {
        let mut needs = Self::default();
        let inputs: &[String] = if reads { &file.source.topics } else { &[] };
        for topic in inputs {
            needs.add(topic, TopicRole::Input);
        }
        needs.group = reads.then(|| source::group(file));
        if file.sink.kind != SinkKind::Kafka {
            return needs;
        }
        if file.sink.delivery == DeliveryMode::ExactlyOnce {
            let instance = file.kafka.instance.as_deref().unwrap_or("0");
            needs.transactional_id = Some(format!("{}-{instance}", source::group(file)));
        }
        let (signals, side) = sink_topics(file, lineage);
        needs.add(&signals, TopicRole::Signals);
        match side.dead_letters {
            DeadLetterTopic::One(topic) => needs.add(&topic, TopicRole::DeadLetters),
            DeadLetterTopic::OfSource => {
                for topic in inputs {
                    needs.add(&dead_letter_topic(topic), TopicRole::DeadLetters);
                }
            }
        }
        if !file.alerts.is_empty() {
            needs.add(&side.alerts, TopicRole::Alerts);
        }
        let of_market = match file.row.on {
            RowOn::Trade | RowOn::Quote | RowOn::Book | RowOn::Bar => true,
            RowOn::Application | RowOn::Statement | RowOn::News => false,
        };
        if let Some(gaps) = side.gaps.filter(|_| of_market) {
            needs.add(&gaps, TopicRole::Gaps);
        }
        needs
    }

    fn add(&mut self, name: &str, role: TopicRole) {
        let name = name.to_owned();
        if !self.topics.iter().any(|topic| topic.name == name) {
            self.topics.push(NeededTopic { name, role });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::scratch::Scratch;

    fn needs(text: &str, schema: &str) -> BrokerNeeds {
        let scratch = Scratch::new();
        let path = scratch.write("pipeline.toml", text);
        let (file, ..) = PipelineFile::load(&path, &[]).unwrap();
        let lineage = Lineage {
            schema: schema.into(),
            ..Lineage::default()
        };
        BrokerNeeds::of(&file, &lineage, true)
    }

    #[test]
    fn the_topics_are_those_that_a_run_uses() {
        let roles = |needs: &BrokerNeeds| -> Vec<(String, TopicRole)> {
            let topics = needs.topics.iter();
            topics.map(|one| (one.name.clone(), one.role)).collect()
        };
        let own = |name: &str, role| (name.to_owned(), role);
        let market = r#"
name = "small"
[source]
kind = "kafka"
topics = ["a", "b"]
[row]
on = "trade"
[[feature]]
name = "mid"
kind = "mid"
[model]
kind = "sum"
[sink]
kind = "kafka"
"#;
        let found = needs(market, "signals.direction.v1");
        assert_eq!(
            roles(&found),
            [
                own("a", TopicRole::Input),
                own("b", TopicRole::Input),
                own("signals.direction.v1", TopicRole::Signals),
                own("a.dlq.v1", TopicRole::DeadLetters),
                own("b.dlq.v1", TopicRole::DeadLetters),
                own("md.gaps.v1", TopicRole::Gaps),
            ]
        );
        assert_eq!(found.group.as_deref(), Some("small"));
        let letters = format!("{market}dead_letters = \"letters\"\ngaps = \"\"\n");
        let found = roles(&needs(&letters, "signals.direction.v1"));
        assert_eq!(found[3..], [own("letters", TopicRole::DeadLetters)]);
    }

    #[test]
    fn a_pipeline_of_statements_has_alerts_and_no_gaps() {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/default-alerts");
        let (file, ..) = PipelineFile::load(&path, &["sink.kind=kafka".into()]).unwrap();
        let needs = BrokerNeeds::of(&file, &Lineage::default(), true);
        let roles: Vec<_> = needs.topics.iter().map(|one| one.role).collect();
        let expected = [
            TopicRole::Input,
            TopicRole::Signals,
            TopicRole::DeadLetters,
            TopicRole::Alerts,
        ];
        assert_eq!(roles, expected);
    }
}
