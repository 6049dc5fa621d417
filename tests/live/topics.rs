//! Topics of one test on a real Kafka: made, filled, read, and removed at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use foretick::clock;
use foretick::decode::route::SymbolFinder;
use foretick::kafka::{Properties, client_config};
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message, OwnedMessage};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A broker, and the topics that a test made there.
pub(crate) struct Topics {
    pub(crate) bootstrap: String,
    prefix: String,
    made: Vec<String>,
}

impl Topics {
    pub(crate) fn new(bootstrap: String, test: &str) -> Self {
        // A broker outlives a run: names of an earlier one may still be there.
        let prefix = format!("foretick-{test}-{}", clock::now().0);
        Self {
            bootstrap,
            prefix,
            made: vec![],
        }
    }

    /// A name that no other test has.
    pub(crate) fn name(&self, suffix: &str) -> String {
        format!("{}.{suffix}", self.prefix)
    }

    /// Makes a topic and gives its name.
    pub(crate) fn make(&mut self, suffix: &str, partitions: i32) -> String {
        let name = self.name(suffix);
        let topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1));
        let made = wait(self.admin().create_topics([&topic], &options()));
        made.expect("the broker answers")[0]
            .as_ref()
            .expect("a topic can be made");
        self.made.push(name.clone());
        name
    }

    /// Lets a topic take records of so many bytes at most.
    pub(crate) fn limit(&self, topic: &str, bytes: usize) {
        let bytes = bytes.to_string();
        let config = AlterConfig::new(ResourceSpecifier::Topic(topic));
        let config = config.set("max.message.bytes", &bytes);
        let altered = wait(self.admin().alter_configs([&config], &options()));
        altered.expect("the broker answers")[0]
            .as_ref()
            .expect("a topic can be changed");
    }

    /// Removes a topic, with all that is in it.
    pub(crate) fn delete(&mut self, topic: &str) {
        self.made.retain(|made| made != topic);
        let deleted = wait(self.admin().delete_topics(&[topic], &options()));
        deleted.expect("the broker answers")[0]
            .as_ref()
            .expect("a topic can be deleted");
    }

    /// Writes frames keyed by their symbols; those without one follow the last.
    pub(crate) fn fill<'a>(&self, topic: &str, frames: impl Iterator<Item = &'a str>) {
        let config = client_config(&self.bootstrap, &[("linger.ms", "5")], &Properties::new());
        let config = config.expect("no property is refused");
        let producer: ThreadedProducer<DefaultProducerContext> =
            config.create().expect("a producer can be made");
        let (mut key, mut symbols) = ("none".to_owned(), SymbolFinder::default());
        for frame in frames {
            if let Some(symbol) = symbols.symbol_of(0, frame.as_bytes()) {
                key = String::from_utf8_lossy(symbol).to_ascii_uppercase();
            }
            let mut record = BaseRecord::to(topic).key(&key).payload(frame);
            while let Err((_, back)) = producer.send(record) {
                producer.flush(PATIENCE).expect("the broker takes records");
                record = back;
            }
        }
        producer.flush(PATIENCE).expect("the broker takes records");
    }

    /// All records of a topic, partition by partition.
    pub(crate) fn read(&self, topic: &str) -> Vec<OwnedMessage> {
        let consumer: BaseConsumer = client_config(
            &self.bootstrap,
            &[
                ("group.id", "foretick-test-reader"),
                ("isolation.level", "read_committed"),
            ],
            &Properties::new(),
        )
        .expect("no property is refused")
        .create()
        .expect("a consumer can be made");
        let metadata = consumer
            .fetch_metadata(Some(topic), PATIENCE)
            .expect("the broker answers");
        let mut records = vec![];
        for partition in metadata.topics()[0].partitions() {
            let (low, high) = consumer
                .fetch_watermarks(topic, partition.id(), PATIENCE)
                .expect("the broker answers");
            if low == high {
                continue;
            }
            let mut assignment = TopicPartitionList::new();
            assignment
                .add_partition_offset(topic, partition.id(), Offset::Offset(low))
                .expect("an offset is one");
            consumer
                .assign(&assignment)
                .expect("the partition is there");
            let began = clock::instant();
            let mut next = low;
            while next < high {
                assert!(
                    began.elapsed() < PATIENCE,
                    "{topic} ends at {high}, read to {next}"
                );
                if let Some(record) = consumer.poll(Duration::from_millis(200)) {
                    let record = record.expect("a record can be read").detach();
                    next = record.offset() + 1;
                    records.push(record);
                }
            }
        }
        records
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        let config = client_config(&self.bootstrap, &[], &Properties::new());
        let client = config.expect("no property is refused").create();
        client.expect("a client can be made")
    }
}

impl Drop for Topics {
    fn drop(&mut self) {
        let names: Vec<&str> = self.made.iter().map(String::as_str).collect();
        drop(wait(self.admin().delete_topics(&names, &options())));
    }
}

/// The headers of a record as text.
pub(crate) fn headers(record: &OwnedMessage) -> BTreeMap<String, String> {
    let all = record
        .headers()
        .into_iter()
        .flat_map(|headers| headers.iter());
    let text =
        |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
    all.map(|header| (header.key.to_owned(), text(header.value)))
        .collect()
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(PATIENCE))
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime can be made").block_on(future)
}
