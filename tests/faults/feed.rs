//! The one producer of a run's input: records at a steady rate, each in a stated partition, each once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use foretick::clock;
use foretick::kafka::{Properties, client_config};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};

use crate::given::PATIENCE;
use crate::records::Record;

/// Writes records, whatever happens to the broker.
pub(crate) struct Feed {
    producer: ThreadedProducer<DefaultProducerContext>,
    /// How many were taken so far.
    pub(crate) sent: AtomicUsize,
}

impl Feed {
    pub(crate) fn new(bootstrap: &str) -> Self {
        let settings = [
            ("linger.ms", "5"),
            // In order and once, over any restart of the broker.
            ("enable.idempotence", "true"),
            ("delivery.timeout.ms", "600000"),
            // Partitions that are added are found.
            ("topic.metadata.refresh.interval.ms", "1000"),
            ("queue.buffering.max.messages", "1000000"),
        ];
        let config = client_config(bootstrap, &settings, &Properties::new());
        let producer = config.expect("no property is refused").create();
        Self {
            producer: producer.expect("a producer can be made"),
            sent: AtomicUsize::new(0),
        }
    }

    /// Writes these records over so long.
    pub(crate) fn run(&self, topic: &str, records: &[Record], time: Duration) {
        let began = clock::instant();
        for (at, record) in records.iter().enumerate() {
            let due = time.mul_f64(at as f64 / records.len() as f64);
            let now = began.elapsed();
            if due > now {
                std::thread::sleep(due - now);
            }
            let mut next = BaseRecord::to(topic).partition(record.partition);
            next = next.key(&record.key).payload(&record.payload);
            // A partition that was added is not known at once.
            while let Err((error, back)) = self.producer.send(next) {
                assert!(began.elapsed() < time + PATIENCE, "{error}");
                next = back;
                std::thread::sleep(Duration::from_millis(20));
            }
            self.sent.fetch_add(1, Ordering::Relaxed);
        }
        self.producer
            .flush(PATIENCE * 2)
            .expect("the broker takes records");
        assert_eq!(self.producer.in_flight_count(), 0);
    }
}
