//! The topics of a test on a real Kafka, which are deleted at its end.

use std::collections::BTreeMap;
use std::time::Duration;

use foretick::clock;
use foretick::decode::route::SymbolFinder;
use foretick::frame::split_stamp;
use foretick::kafka::{Properties, client_config};
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message, OwnedMessage};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};

use crate::given::PATIENCE;

/// A broker, and the topics that a test created there.
pub(crate) struct Topics {
    pub(crate) bootstrap: String,
    prefix: String,
    made: Vec<String>,
}

impl Topics {
    pub(crate) fn new(bootstrap: String, test: &str) -> Self {
        // The time makes names unique: a broker may still have the topics of an earlier run.
        let prefix = format!("foretick-{test}-{}", clock::now().0);
        Self {
            bootstrap,
            prefix,
            made: vec![],
        }
    }

    /// A name that no other test uses.
    pub(crate) fn name(&self, suffix: &str) -> String {
        format!("{}.{suffix}", self.prefix)
    }

    /// The number of topics made so far.
    pub(crate) fn made(&self) -> usize {
        self.made.len()
    }

    /// Whether the broker has a topic.
    pub(crate) fn exists(&self, topic: &str) -> bool {
        let all = self.consumer().fetch_metadata(None, PATIENCE);
        let all = all.expect("the broker answers");
        all.topics().iter().any(|known| known.name() == topic)
    }

    /// Creates a topic and returns its name.
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

    /// Sets the size of the largest record that the broker accepts for a topic.
    pub(crate) fn limit(&self, topic: &str, bytes: usize) {
        let bytes = bytes.to_string();
        let config = AlterConfig::new(ResourceSpecifier::Topic(topic));
        let config = config.set("max.message.bytes", &bytes);
        let altered = wait(self.admin().alter_configs([&config], &options()));
        altered.expect("the broker answers")[0]
            .as_ref()
            .expect("a topic can be changed");
    }

    /// Adds partitions to a topic, until it has so many.
    pub(crate) fn grow(&self, topic: &str, partitions: i32) {
        let more = NewPartitions::new(topic, partitions as usize);
        let grown = wait(self.admin().create_partitions([&more], &options()));
        grown.expect("the broker answers")[0]
            .as_ref()
            .expect("a topic can be grown");
    }

    /// Deletes the records of a partition before an offset, as retention does.
    pub(crate) fn delete_before(&self, topic: &str, partition: i32, offset: i64) {
        let mut before = TopicPartitionList::new();
        before
            .add_partition_offset(topic, partition, Offset::Offset(offset))
            .expect("an offset is valid");
        wait(self.admin().delete_records(&before, &options())).expect("the broker answers");
    }

    /// Deletes a topic with its records.
    pub(crate) fn delete(&mut self, topic: &str) {
        self.made.retain(|made| made != topic);
        let deleted = wait(self.admin().delete_topics(&[topic], &options()));
        deleted.expect("the broker answers")[0]
            .as_ref()
            .expect("a topic can be deleted");
    }

    /// Writes frames, each with its symbol as key. A frame without a symbol gets the key of the one before.
    pub(crate) fn fill<'a>(&self, topic: &str, frames: impl Iterator<Item = &'a str>) {
        let settings = [("linger.ms", "5"), ("message.max.bytes", "10000000")];
        let config = client_config(&self.bootstrap, &settings, &Properties::new());
        let config = config.expect("no property is refused");
        let producer: ThreadedProducer<DefaultProducerContext> =
            config.create().expect("a producer can be made");
        let (mut key, mut symbols) = ("none".to_owned(), SymbolFinder::default());
        for frame in frames {
            let (_, message) = split_stamp(frame.as_bytes());
            if let Some(symbol) = symbols.symbol_of(0, message) {
                key = symbol.to_ascii_uppercase();
            }
            let mut record = BaseRecord::to(topic).key(&key).payload(frame);
            while let Err((_, back)) = producer.send(record) {
                producer.flush(PATIENCE).expect("the broker takes records");
                record = back;
            }
        }
        producer.flush(PATIENCE).expect("the broker takes records");
    }

    /// The number of records in a topic.
    pub(crate) fn count(&self, topic: &str) -> usize {
        let spans = spans(&self.consumer(), topic);
        let records: i64 = spans.iter().map(|(_, low, high)| high - low).sum();
        usize::try_from(records).expect("a topic ends behind its beginning")
    }

    /// All records of a topic, partition by partition.
    pub(crate) fn read(&self, topic: &str) -> Vec<OwnedMessage> {
        let consumer = self.consumer();
        let mut records = vec![];
        for (partition, low, high) in spans(&consumer, topic) {
            if low == high {
                continue;
            }
            let mut assignment = TopicPartitionList::new();
            assignment
                .add_partition_offset(topic, partition, Offset::Offset(low))
                .expect("an offset is valid");
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
                } else if let Some(Offset::Offset(position)) = position(&consumer, topic, partition)
                {
                    // Past the marks of transactions, and records of those that were aborted.
                    next = next.max(position);
                }
            }
        }
        records
    }

    fn consumer(&self) -> BaseConsumer {
        let settings = [
            ("group.id", "foretick-test-reader"),
            ("isolation.level", "read_committed"),
        ];
        let config = client_config(&self.bootstrap, &settings, &Properties::new());
        let client = config.expect("no property is refused").create();
        client.expect("a consumer can be made")
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

/// The offset that a consumer reads next.
fn position(consumer: &BaseConsumer, topic: &str, partition: i32) -> Option<Offset> {
    let positions = consumer.position().ok()?;
    Some(positions.find_partition(topic, partition)?.offset())
}

/// The partitions of a topic, each with its first offset and the one after its last.
fn spans(consumer: &BaseConsumer, topic: &str) -> Vec<(i32, i64, i64)> {
    let metadata = consumer
        .fetch_metadata(Some(topic), PATIENCE)
        .expect("the broker answers");
    let span = |partition: i32| {
        let (low, high) = consumer
            .fetch_watermarks(topic, partition, PATIENCE)
            .expect("the broker answers");
        (partition, low, high)
    };
    let partitions = metadata.topics()[0].partitions().iter();
    partitions.map(|partition| span(partition.id())).collect()
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
