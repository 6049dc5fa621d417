//! The bare echo: each record of one topic to another, as it is.
//!
//! What Kafka and its client cost by themselves: the settings are those of our source and sink, so that only
//! the work between them differs.

use std::time::Duration;

use foretick::kafka::{Properties, client_config};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, ThreadedProducer};

/// Echoes until it is killed.
pub(crate) fn run(bootstrap: &str, input: &str, output: &str) {
    let consumer = consumer(bootstrap, input);
    consumer
        .subscribe(&[input])
        .expect("the topic's name is valid");
    let producer = producer(bootstrap);
    loop {
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) else {
            continue;
        };
        let record = BaseRecord::to(output)
            .key(message.key().unwrap_or_default())
            .payload(message.payload().unwrap_or_default());
        let sent = producer.send(record).map_err(|(error, _)| error);
        sent.expect("the queue has room for all records of a run");
    }
}

/// A consumer as our source has it.
pub(crate) fn consumer(bootstrap: &str, group: &str) -> BaseConsumer {
    let settings = [
        ("group.id", group),
        ("enable.auto.commit", "false"),
        ("auto.offset.reset", "earliest"),
        ("fetch.min.bytes", "1"),
        ("fetch.wait.max.ms", "100"),
        ("fetch.queue.backoff.ms", "1"),
        ("fetch.error.backoff.ms", "10"),
    ];
    let made = config(bootstrap, &settings).create();
    made.expect("librdkafka takes the settings")
}

/// A producer as our sink has it.
pub(crate) fn producer(bootstrap: &str) -> ThreadedProducer<DefaultProducerContext> {
    let settings = [
        ("acks", "all"),
        ("enable.idempotence", "true"),
        ("linger.ms", "0"),
        ("sticky.partitioning.linger.ms", "0"),
    ];
    let made = config(bootstrap, &settings).create();
    made.expect("librdkafka takes the settings")
}

fn config(bootstrap: &str, settings: &[(&str, &str)]) -> ClientConfig {
    client_config(bootstrap, settings, &Properties::new()).expect("no property is passed on")
}
