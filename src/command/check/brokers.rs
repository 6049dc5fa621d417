//! Asks the brokers for what a pipeline needs: its topics, its group, and the rights to use them.
//!
//! Writes nothing and creates nothing. Whatever is missing is named, not the first alone.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, Producer};

use crate::clock;
use crate::kafka::{Properties, client_config};
use crate::login::described;
use crate::login::described::{BrokerRight, Described, no_right};
use crate::login::{LoggedIn, log_in};
use crate::pipeline::broker_needs::{BrokerNeeds, NeededTopic, TopicRole};

/// What the brokers were found to have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Each would keep the pipeline from running.
    pub problems: Vec<String>,
    /// What would run, but is hardly meant.
    pub warnings: Vec<String>,
    /// What cannot be told, with the reason.
    pub untold: Vec<String>,
}

/// Asks the brokers for what is needed.
#[must_use]
pub fn ask(bootstrap: &str, properties: &Properties, needs: &BrokerNeeds) -> Findings {
    let mut findings = Findings::default();
    let client = match log_in(bootstrap, properties, PATIENCE, false, || false) {
        Ok(client) => client,
        Err(error) => {
            findings.problems.push(error.to_string());
            return findings;
        }
    };
    let admin = client_config(bootstrap, &[], properties)
        .ok()
        .and_then(|config| config.create::<AdminClient<DefaultClientContext>>().ok());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let (Some(admin), Ok(runtime)) = (admin, runtime) else {
        let what = format!("while setting up the checks of {bootstrap}: the system gave no thread");
        findings.problems.push(what);
        return findings;
    };
    let brokers = AskedBrokers {
        bootstrap,
        client,
        admin,
        runtime,
    };
    brokers.topics(&needs.topics, &mut findings);
    if let Some(group) = &needs.group {
        brokers.group(group, &mut findings);
    }
    if let Some(id) = &needs.transactional_id {
        transactions(bootstrap, properties, id, &mut findings);
    }
    findings
}

/// Brokers that have let a client in.
struct AskedBrokers<'a> {
    bootstrap: &'a str,
    client: LoggedIn,
    admin: AdminClient<DefaultClientContext>,
    runtime: tokio::runtime::Runtime,
}

impl AskedBrokers<'_> {
    fn topics(&self, needed: &[NeededTopic], findings: &mut Findings) {
        let names: Vec<String> = needed.iter().map(|topic| topic.name.clone()).collect();
        if names.is_empty() {
            return;
        }
        let found = match described::topics(self.client.client(), &names, PATIENCE) {
            Ok(found) => found,
            Err(error) => {
                let what = format!("while describing topics at {}: {error}", self.bootstrap);
                findings.problems.push(what);
                return;
            }
        };
        let mut present = vec![];
        for topic in needed {
            let described = found.iter().find(|found| found.name == topic.name);
            if let Some(described) = described
                && self.topic(topic, described, findings)
            {
                present.push((topic, described.partitions));
            }
        }
        findings.warnings.extend(unequal_partitions(&present));
        self.limits(&present, findings);
    }

    /// Whether the topic is there; what it lacks is added to the findings.
    fn topic(&self, topic: &NeededTopic, found: &Described, findings: &mut Findings) -> bool {
        let (name, role) = (&topic.name, topic.role.name());
        let (operation, word) = topic.role.right();
        match found.error {
            None if found.allows(operation) => return true,
            None => findings.problems.push(no_right(word, "topic", name)),
            Some(RDKafkaErrorCode::TopicAuthorizationFailed) => findings.problems.push(format!(
                "{}; without it the brokers do not say either whether the topic exists",
                no_right(word, "topic", name)
            )),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                if topic.role == TopicRole::Input {
                    let what = format!(
                        "topic `{name}` does not exist at {}; create it",
                        self.bootstrap
                    );
                    findings.problems.push(what);
                } else {
                    self.absent(topic, findings);
                }
            }
            Some(error) => findings.problems.push(format!(
                "while describing topic `{name}` ({role}) at {}: {error}",
                self.bootstrap
            )),
        }
        false
    }

    /// A topic that is written, and not there: would the brokers create it?
    fn absent(&self, topic: &NeededTopic, findings: &mut Findings) {
        let (name, role) = (&topic.name, topic.role.name());
        let absent = format!(
            "topic `{name}` ({role}) does not exist at {}",
            self.bootstrap
        );
        let new = NewTopic::new(name, -1, TopicReplication::Fixed(-1));
        let options = AdminOptions::new()
            .request_timeout(Some(PATIENCE))
            .validate_only(true);
        let tried = self
            .runtime
            .block_on(self.admin.create_topics([&new], &options));
        let refused = match tried.as_deref() {
            Ok([Ok(_)]) => None,
            Ok([Err((_, error))]) => Some(error.to_string()),
            Ok(_) => Some("no answer".into()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = refused {
            let what = format!("{absent}, and may not be created ({error}); create it");
            findings.problems.push(what);
            return;
        }
        match self.creates_topics() {
            Some(true) => findings.warnings.push(format!(
                "{absent}; the brokers create it at the first record, with their defaults for partitions and \
                 retention"
            )),
            Some(false) => findings.problems.push(format!(
                "{absent}, and the brokers create none by themselves (auto.create.topics.enable); create it"
            )),
            None => findings.warnings.push(format!(
                "{absent}; whether the brokers create it by themselves cannot be told without the right \
                 DescribeConfigs on the cluster: create it"
            )),
        }
    }

    /// Whether the brokers create topics by themselves; none where they do not say.
    fn creates_topics(&self) -> Option<bool> {
        let metadata = self.client.client().fetch_metadata(None, PATIENCE).ok()?;
        let broker = ResourceSpecifier::Broker(metadata.brokers().first()?.id());
        let [config] = self.configs(&[broker]).try_into().ok()?;
        Some(config?.get("auto.create.topics.enable")? == "true")
    }

    /// What limits the topics: a dead letter must fit, and a compacted topic forgets records.
    fn limits(&self, present: &[(&NeededTopic, usize)], findings: &mut Findings) {
        let specifiers: Vec<_> = present
            .iter()
            .map(|(topic, _)| ResourceSpecifier::Topic(&topic.name))
            .collect();
        if specifiers.is_empty() {
            return;
        }
        let configs = self.configs(&specifiers);
        let mut unknown = vec![];
        let mut largest = BTreeMap::new();
        for ((topic, _), config) in present.iter().zip(configs) {
            let Some(config) = config else {
                unknown.push(format!("`{}`", topic.name));
                continue;
            };
            let bytes = config.get("max.message.bytes");
            if let Some(bytes) = bytes.and_then(|bytes| bytes.parse::<u64>().ok()) {
                largest.insert(topic.name.as_str(), (topic.role, bytes));
            }
            let cleanup = config.get("cleanup.policy");
            if cleanup.is_some_and(|policy| policy.contains("compact")) {
                findings.warnings.push(format!(
                    "topic `{}` ({}) is compacted: Kafka keeps the last record of each key alone; set \
                     cleanup.policy=delete",
                    topic.name,
                    topic.role.name()
                ));
            }
        }
        findings.warnings.extend(small_dead_letters(&largest));
        if !unknown.is_empty() {
            findings.untold.push(format!(
                "the largest records and the compaction of {}: no right DescribeConfigs",
                unknown.join(", ")
            ));
        }
    }

    /// The configuration of topics or brokers, in their order; none of those that may not be asked.
    fn configs(&self, of: &[ResourceSpecifier<'_>]) -> Vec<Option<BTreeMap<String, String>>> {
        let options = AdminOptions::new().request_timeout(Some(PATIENCE));
        let found = self
            .runtime
            .block_on(self.admin.describe_configs(of, &options));
        let Ok(found) = found else {
            return vec![None; of.len()];
        };
        let mut all: Vec<_> = found
            .into_iter()
            .map(|config| {
                let entries = config.ok()?.entries.into_iter();
                let entries = entries.filter_map(|entry| Some((entry.name, entry.value?)));
                let entries: BTreeMap<_, _> = entries.collect();
                // rdkafka gives one that may not be asked without entries.
                (!entries.is_empty()).then_some(entries)
            })
            .collect();
        all.resize(of.len(), None);
        all
    }

    fn group(&self, name: &str, findings: &mut Findings) {
        let began = clock::instant();
        let error = loop {
            let found = described::group(self.client.client(), name, PATIENCE);
            let error = match found {
                Ok(found) if found.error.is_none() => {
                    if !found.allows(BrokerRight::Read) {
                        findings.problems.push(no_right("Read", "group", name));
                    }
                    return;
                }
                Ok(found) => found.error.unwrap_or(RDKafkaErrorCode::Unknown),
                Err(error) => error,
            };
            if !is_coordinator_away(error) || began.elapsed() > PATIENCE {
                break error;
            }
            std::thread::sleep(RETRY_PAUSE);
        };
        match error {
            RDKafkaErrorCode::GroupAuthorizationFailed => {
                findings.problems.push(no_right("Read", "group", name));
            }
            // One that nobody has joined yet.
            RDKafkaErrorCode::GroupIdNotFound => {}
            error => findings.untold.push(format!(
                "the rights on group `{name}`: while describing it at {}: {error}",
                self.bootstrap
            )),
        }
    }
}

/// Whether the broker that keeps a group is still on its way.
fn is_coordinator_away(error: RDKafkaErrorCode) -> bool {
    matches!(
        error,
        RDKafkaErrorCode::CoordinatorLoadInProgress
            | RDKafkaErrorCode::CoordinatorNotAvailable
            | RDKafkaErrorCode::NotCoordinator
    )
}

/// Whether transactions may be used under this id. Its own id would end those of an instance that runs: a
/// name that begins with it is asked for instead.
fn transactions(bootstrap: &str, properties: &Properties, id: &str, findings: &mut Findings) {
    let asked = format!("{id}-check");
    let producer = client_config(bootstrap, &[("transactional.id", &asked)], properties)
        .ok()
        .and_then(|config| config.create::<BaseProducer>().ok());
    let begun = producer.map(|producer| producer.init_transactions(PATIENCE));
    let Some(Err(error)) = begun else {
        return;
    };
    let is_refused =
        error.rdkafka_error_code() == Some(RDKafkaErrorCode::TransactionalIdAuthorizationFailed);
    if is_refused {
        findings.warnings.push(format!(
            "{}, unless it is given for exactly `{id}`: `{asked}` was asked for, because `{id}` itself would end \
             the transactions of an instance that runs",
            no_right("Write", "transactional-id", id)
        ));
    } else {
        findings.problems.push(format!(
            "while asking for transactions of `{asked}` at {bootstrap}: {error}"
        ));
    }
}

/// That topics which are read together are not partitioned alike.
fn unequal_partitions(present: &[(&NeededTopic, usize)]) -> Option<String> {
    let inputs = present
        .iter()
        .filter(|(topic, _)| topic.role == TopicRole::Input);
    let counts: Vec<_> = inputs.collect();
    let (_, first) = counts.first()?;
    if counts.iter().all(|(_, count)| count == first) {
        return None;
    }
    let counts = counts
        .iter()
        .map(|(topic, count)| format!("`{}` {count}", topic.name));
    Some(format!(
        "the topics that are read together have different numbers of partitions ({}): with more than one shard or \
         instance, records of one instrument come to different ones; give them the same number",
        counts.collect::<Vec<_>>().join(", ")
    ))
}

/// That a record of the input may be too large for the topic of dead letters.
fn small_dead_letters(largest: &BTreeMap<&str, (TopicRole, u64)>) -> Vec<String> {
    let of = |role| {
        let all = largest.iter();
        all.filter(move |(_, (of, _))| *of == role)
            .map(|(name, (_, bytes))| (*name, *bytes))
    };
    let Some((input, record)) = of(TopicRole::Input).max_by_key(|(_, bytes)| *bytes) else {
        return vec![];
    };
    of(TopicRole::DeadLetters)
        .filter(|(_, letter)| *letter < record)
        .map(|(letters, bytes)| {
            format!(
                "topic `{letters}` (dead letters) takes records of {bytes} bytes, and `{input}` has records of up to \
                 {record}: larger dead letters are cut; raise its max.message.bytes"
            )
        })
        .collect()
}

const PATIENCE: Duration = Duration::from_secs(5);
const RETRY_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str, role: TopicRole) -> NeededTopic {
        let name = name.to_owned();
        NeededTopic { name, role }
    }

    #[test]
    fn topics_that_are_read_together_are_partitioned_alike() {
        let (a, b) = (topic("a", TopicRole::Input), topic("b", TopicRole::Input));
        let out = topic("out", TopicRole::Signals);
        assert_eq!(unequal_partitions(&[(&a, 4), (&b, 4), (&out, 1)]), None);
        let warning = unequal_partitions(&[(&a, 4), (&b, 6)]).unwrap_or_default();
        assert!(warning.contains("(`a` 4, `b` 6)"), "{warning}");
        assert_eq!(unequal_partitions(&[]), None);
    }

    #[test]
    fn a_topic_of_dead_letters_takes_the_largest_record() {
        let mut largest = BTreeMap::from([
            ("in", (TopicRole::Input, 3_000)),
            ("dlq", (TopicRole::DeadLetters, 1_000)),
        ]);
        assert_eq!(small_dead_letters(&largest).len(), 1);
        largest.insert("dlq", (TopicRole::DeadLetters, 3_000));
        assert_eq!(small_dead_letters(&largest), Vec::<String>::new());
    }
}
