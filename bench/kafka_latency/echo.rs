//! The bare echo: one thread that copies each record of a topic to another, as it is.
//!
//! What Kafka and its client cost by themselves: the settings are those of our source and sink in the default
//! mode, so that only the work between them differs. It commits nothing.

use std::thread;
use std::time::Duration;

use foretick::kafka::{Properties, client_config};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::Message;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, ThreadedProducer};

/// A producer that counts nothing.
pub(crate) type BareProducer = ThreadedProducer<DefaultProducerContext>;

/// Echoes until it is killed.
pub(crate) fn run(bootstrap: &str, input: &str, output: &str) -> ! {
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
        send(&producer, record);
    }
}

/// Queues a record; waits while the queue is full, as our sink does.
pub(crate) fn send(producer: &BareProducer, mut record: BaseRecord<'_, [u8], [u8]>) {
    while let Err((error, back)) = producer.send(record) {
        let code = error.rdkafka_error_code();
        assert_eq!(code, Some(RDKafkaErrorCode::QueueFull), "{error}");
        record = back;
        thread::sleep(Duration::from_micros(250));
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
        ("queued.max.messages.kbytes", "16384"),
        ("isolation.level", "read_committed"),
    ];
    let made = config(bootstrap, &settings).create();
    made.expect("librdkafka takes the settings")
}

/// A producer as our sink has it.
pub(crate) fn producer(bootstrap: &str) -> BareProducer {
    producer_with(bootstrap, &[("linger.ms", "0")])
}

/// The same with settings of its own.
pub(crate) fn producer_with(bootstrap: &str, own: &[(&str, &str)]) -> BareProducer {
    let mut settings = vec![
        ("acks", "all"),
        ("enable.idempotence", "true"),
        ("sticky.partitioning.linger.ms", "0"),
        ("queue.buffering.max.messages", "100000"),
        ("queue.buffering.max.kbytes", "65536"),
    ];
    settings.extend(own);
    let made = config(bootstrap, &settings).create();
    made.expect("librdkafka takes the settings")
}

fn config(bootstrap: &str, settings: &[(&str, &str)]) -> ClientConfig {
    client_config(bootstrap, settings, &Properties::new()).expect("no property is passed on")
}
