//! The source against the embedded broker, which gives out partitions after 3 s.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::types::RDKafkaRespErr;

use rdkafka::{Offset, TopicPartitionList};
use rustc_hash::FxHashMap;

use super::*;

mod assignments;
mod ends;
mod topic_inputs;
mod whole_topic;

use crate::clock;
use crate::frame::{Frame, Position};
use crate::kafka::{Properties, client_config};
use crate::simulate::broker::EmbeddedBroker;
use crate::source::ring::{Receiver, ring};
use crate::source::status::FeedStatus;
use crate::units::Nanos;

/// Reached only where an event never comes: a busy machine is no failure.
const PATIENCE: Duration = Duration::from_secs(180);

fn settings(broker: &EmbeddedBroker, topics: &[&str]) -> KafkaSourceSettings {
    KafkaSourceSettings {
        bootstrap: broker.bootstrap(),
        topics: topics.iter().map(|&topic| topic.to_owned()).collect(),
        from_beginning: true,
        stop_at_end: true,
        embedded: true,
        commit_every: Duration::from_millis(50),
        // This broker lets a second member of a group wait for the session timeout.
        properties: [
            ("reconnect.backoff.max.ms", "100"),
            ("session.timeout.ms", "6000"),
            ("heartbeat.interval.ms", "500"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        ..KafkaSourceSettings::default()
    }
}

fn producer(broker: &EmbeddedBroker) -> ThreadedProducer<DefaultProducerContext> {
    client_config(
        &broker.bootstrap(),
        &[("linger.ms", "0")],
        &Properties::new(),
    )
    .unwrap()
    .create()
    .unwrap()
}

/// Writes `payload N` for each offset N.
fn fill(broker: &EmbeddedBroker, topic: &str, partition: i32, records: i64) {
    let producer = producer(broker);
    for offset in 0..records {
        let payload = format!("payload {offset}");
        let record: BaseRecord<'_, (), str> =
            BaseRecord::to(topic).partition(partition).payload(&payload);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

struct RunningSource {
    frames: Receiver,
    progress: Arc<Progress>,
    status: Arc<FeedStatus>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), KafkaSourceError>>,
}

fn start(settings: KafkaSourceSettings, capacity: usize) -> RunningSource {
    let links = KafkaLinks::new(&settings);
    start_with(settings, links, capacity)
}

fn start_with(settings: KafkaSourceSettings, links: KafkaLinks, capacity: usize) -> RunningSource {
    let (sender, frames) = ring(capacity);
    let (progress, status) = (Arc::clone(&links.progress), Arc::clone(&links.status));
    let stop = Arc::new(AtomicBool::new(false));
    let thread = spawn(settings, vec![sender], links, Arc::clone(&stop)).unwrap();
    RunningSource {
        frames,
        progress,
        status,
        stop,
        thread,
    }
}

impl RunningSource {
    /// Reads to the end, a few frames at a time; `each` sees them in order.
    fn read(self, pace: Duration, mut each: impl FnMut(&Frame)) -> Arc<FeedStatus> {
        let begin = clock::instant();
        let mut frames = Vec::new();
        while self.frames.drain(&mut frames, 3, Duration::from_millis(20)) {
            let late = begin.elapsed() > PATIENCE;
            assert!(!late, "the source did not end: {:?}", self.status);
            for frame in frames.drain(..) {
                each(&frame);
                let at = frame.origin;
                self.progress.done(at.after());
            }
            std::thread::sleep(pace);
        }
        self.thread.join().unwrap().unwrap();
        assert_eq!(self.status.unexplained(), 0);
        self.status
    }
}

fn committed(broker: &EmbeddedBroker, group: &str, topic: &str, partition: i32) -> Offset {
    let consumer: BaseConsumer = client_config(
        &broker.bootstrap(),
        &[("group.id", group)],
        &Properties::new(),
    )
    .unwrap()
    .create()
    .unwrap();
    let mut one = TopicPartitionList::new();
    one.add_partition(topic, partition);
    let offsets = consumer.committed_offsets(one, PATIENCE).unwrap();
    offsets.elements()[0].offset()
}

#[test]
fn a_full_ring_pauses_and_nothing_is_lost() {
    let broker = EmbeddedBroker::start(&[("trades", 2)]).unwrap();
    fill(&broker, "trades", 0, 60);
    fill(&broker, "trades", 1, 40);
    let settings = settings(&broker, &["trades"]);
    let mut next: FxHashMap<(u16, i32), i64> = FxHashMap::default();
    let running = start(settings, 4);
    let status = Arc::clone(&running.status);
    let mut was_paused = false;
    // So slow that the source does not wait for the next three.
    running.read(Duration::from_millis(100), |frame| {
        // Held: what was under way when the partition was paused, not all that there is.
        let held = status.held.load(Relaxed);
        assert!(held < 25, "not paused");
        was_paused |= held > 0;
        let at = frame.origin;
        let expected = next.entry((at.stream, at.partition)).or_default();
        assert_eq!(at.offset, *expected);
        assert_eq!(
            &frame.bytes[..],
            format!("payload {}", at.offset).as_bytes()
        );
        *expected += 1;
    });
    assert!(was_paused);
    assert_eq!(next, FxHashMap::from_iter([((0, 0), 60), ((0, 1), 40)]));
    assert_eq!(status.sent.load(Relaxed), 100);
    let committed = |partition| committed(&broker, "foretick", "trades", partition);
    assert_eq!(committed(0), Offset::Offset(60));
    assert_eq!(committed(1), Offset::Offset(40));
}

#[test]
fn several_topics_wait_for_each_other_and_nothing_is_lost() {
    let broker = EmbeddedBroker::start(&[("trades", 2), ("quotes", 1), ("none", 1)]).unwrap();
    fill(&broker, "trades", 0, 60);
    fill(&broker, "trades", 1, 40);
    fill(&broker, "quotes", 0, 30);
    let mut settings = settings(&broker, &["trades", "quotes", "none"]);
    settings.first_stream = 5;
    let mut next: FxHashMap<(u16, i32), i64> = FxHashMap::default();
    let running = start(settings, 4);
    let status = Arc::clone(&running.status);
    running.read(Duration::from_micros(200), |frame| {
        let at = frame.origin;
        let expected = next.entry((at.stream, at.partition)).or_default();
        assert_eq!(at.offset, *expected);
        *expected += 1;
    });
    let read = [((5, 0), 60), ((5, 1), 40), ((6, 0), 30)];
    assert_eq!(next, FxHashMap::from_iter(read));
    assert_eq!(status.sent.load(Relaxed), 130);
    let committed = |topic, partition| committed(&broker, "foretick", topic, partition);
    assert_eq!(committed("trades", 0), Offset::Offset(60));
    assert_eq!(committed("trades", 1), Offset::Offset(40));
    assert_eq!(committed("quotes", 0), Offset::Offset(30));
}

#[test]
fn what_is_not_done_is_not_committed() {
    let broker = EmbeddedBroker::start(&[("trades", 1)]).unwrap();
    fill(&broker, "trades", 0, 20);
    let mut settings = settings(&broker, &["trades"]);
    settings.drain_timeout = Duration::from_millis(300);
    let running = start(settings.clone(), 64);
    let mut frames = Vec::new();
    while running
        .frames
        .drain(&mut frames, 64, Duration::from_millis(20))
    {}
    assert_eq!(frames.len(), 20);
    running.progress.done(Position {
        stream: 0,
        partition: 0,
        next: 7,
    });
    running.thread.join().unwrap().unwrap();
    assert_eq!(
        committed(&broker, "foretick", "trades", 0),
        Offset::Offset(7)
    );

    // The next owner begins where this one was done.
    let mut first = None;
    start(settings, 64).read(Duration::ZERO, |frame| {
        first.get_or_insert(frame.origin.offset);
    });
    assert_eq!(first, Some(7));
    assert_eq!(
        committed(&broker, "foretick", "trades", 0),
        Offset::Offset(20)
    );
}

#[test]
fn tombstones_are_counted_and_headers_tell_the_time() {
    let broker = EmbeddedBroker::start(&[("trades", 1)]).unwrap();
    let producer = producer(&broker);
    let tombstone: BaseRecord<'_, str, str> = BaseRecord::to("trades").partition(0).key("k");
    producer
        .send(tombstone)
        .map_err(|(error, _)| error)
        .unwrap();
    let headers = OwnedHeaders::new().insert(Header {
        key: "ts_recv",
        value: Some("1700000000000000001"),
    });
    let stamped: BaseRecord<'_, str, str> = BaseRecord::to("trades")
        .partition(0)
        .payload("{}")
        .headers(headers);
    producer.send(stamped).map_err(|(error, _)| error).unwrap();
    producer.flush(PATIENCE).unwrap();
    let mut seen = Vec::new();
    let running = start(settings(&broker, &["trades"]), 8);
    let status = running.read(Duration::ZERO, |frame| seen.push(frame.origin));
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].ts_recv, Nanos(1_700_000_000_000_000_001));
    assert_eq!(status.dropped.tombstone.load(Relaxed), 1);
    assert_eq!(status.received.load(Relaxed), 2);
}

#[test]
fn a_lost_broker_is_waited_for() {
    let broker = EmbeddedBroker::start(&[("trades", 1)]).unwrap();
    let mut settings = settings(&broker, &["trades"]);
    settings.stop_at_end = false;
    let running = start(settings, 64);
    wait_until(|| running.status.is_healthy());
    broker.cluster().broker_down(-1).unwrap();
    wait_until(|| !running.status.is_healthy());
    broker.cluster().broker_up(-1).unwrap();
    fill(&broker, "trades", 0, 5);
    wait_until(|| running.frames.len() == 5);
    wait_until(|| running.status.is_healthy());
    running.stop.store(true, Relaxed);
    running.read(Duration::ZERO, |_| {});
}

#[test]
fn a_deleted_topic_is_noticed_behind_a_slow_broker() {
    let broker = EmbeddedBroker::start(&[("trades", 1)]).unwrap();
    let mut settings = settings(&broker, &["trades"]);
    settings.stop_at_end = false;
    settings.missing_timeout = Duration::from_secs(1);
    let running = start(settings, 64);
    wait_until(|| running.status.is_healthy());
    let cluster = broker.cluster();
    cluster.broker_down(-1).unwrap();
    wait_until(|| !running.status.is_healthy());
    let unknown = RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    cluster.topic_error("trades", unknown).unwrap();
    // Longer than a poll of the consumer takes.
    let delay = Duration::from_millis(300);
    cluster.broker_round_trip_time(-1, delay).unwrap();
    cluster.broker_up(-1).unwrap();
    wait_until(|| running.thread.is_finished());
    let error = running.thread.join().unwrap().unwrap_err();
    assert!(matches!(error, KafkaSourceError::Gone { .. }), "{error}");
}

#[test]
fn what_cannot_start_says_why() {
    let broker = EmbeddedBroker::start(&[("trades", 1)]).unwrap();
    let missing = start(settings(&broker, &["trades", "nowhere"]), 4);
    let error = missing.thread.join().unwrap().unwrap_err();
    assert!(matches!(error, KafkaSourceError::NoTopic { .. }), "{error}");
    assert!(error.to_string().contains("`nowhere`"));

    let mut denied = settings(&broker, &["trades"]);
    denied
        .properties
        .insert("plugin.library.paths".into(), "/tmp/x.so".into());
    let error = start(denied, 4).thread.join().unwrap().unwrap_err();
    assert!(matches!(error, KafkaSourceError::Property(_)), "{error}");
}

#[test]
fn a_broker_that_is_absent_is_waited_for_until_the_run_is_stopped() {
    let broker = EmbeddedBroker::start(&[("trades", 1)]).unwrap();
    let mut away = settings(&broker, &["trades"]);
    away.bootstrap = "127.0.0.1:1".into();
    let running = start(away, 4);
    wait_until(|| running.status.failures.load(Relaxed) > 2);
    assert!(!running.thread.is_finished() && !running.status.is_healthy());
    let stopped = clock::instant();
    running.stop.store(true, Relaxed);
    running.thread.join().unwrap().unwrap();
    assert!(
        stopped.elapsed() < Duration::from_secs(2),
        "{:?}",
        stopped.elapsed()
    );
}

fn wait_until(mut condition: impl FnMut() -> bool) {
    let begin = clock::instant();
    while !condition() {
        assert!(begin.elapsed() < PATIENCE, "waited in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A producer with transactions, by the name of its topic.
fn transactional(bootstrap: &str, topic: &str) -> ThreadedProducer<DefaultProducerContext> {
    let id = [("transactional.id", topic)];
    let config = client_config(bootstrap, &id, &Properties::new()).unwrap();
    let producer: ThreadedProducer<DefaultProducerContext> = config.create().unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer
}

/// Begins a transaction and writes `payload N` for each of so many numbers.
fn send_in_transaction(
    producer: &ThreadedProducer<DefaultProducerContext>,
    topic: &str,
    records: i64,
) {
    producer.begin_transaction().unwrap();
    for number in 0..records {
        let payload = format!("payload {number}");
        let record: BaseRecord<'_, (), str> = BaseRecord::to(topic).partition(0).payload(&payload);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

/// The embedded broker has no aborted transactions and no control records; run it with a Kafka at hand.
#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn the_end_is_found_behind_transactions() {
    let bootstrap = std::env::var("KAFKA_BOOTSTRAP").expect("KAFKA_BOOTSTRAP");
    let topic = format!("foretick-test-{}", clock::now().0);
    let producer = transactional(&bootstrap, &topic);
    for (records, commit) in [(10, true), (5, false)] {
        send_in_transaction(&producer, &topic, records);
        if commit {
            producer.commit_transaction(PATIENCE).unwrap();
        } else {
            producer.abort_transaction(PATIENCE).unwrap();
        }
    }
    let settings = KafkaSourceSettings {
        bootstrap,
        topics: vec![topic.clone()],
        group: topic,
        from_beginning: true,
        stop_at_end: true,
        ..KafkaSourceSettings::default()
    };
    let mut offsets = Vec::new();
    start(settings, 64).read(Duration::ZERO, |frame| offsets.push(frame.origin.offset));
    assert_eq!(offsets, (0..10).collect::<Vec<i64>>());
}

/// On the embedded broker the second member would wait for the session timeout.
#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn a_revoked_partition_goes_on_where_it_was_done() {
    let bootstrap = std::env::var("KAFKA_BOOTSTRAP").expect("KAFKA_BOOTSTRAP");
    let topic = format!("foretick-test-{}", clock::now().0);
    let producer: ThreadedProducer<DefaultProducerContext> =
        client_config(&bootstrap, &[], &Properties::new())
            .unwrap()
            .create()
            .unwrap();
    let write = || {
        for number in 0..100 {
            let key = number.to_string();
            let record = BaseRecord::to(&topic).key(&key).payload("{}");
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(PATIENCE).unwrap();
    };
    write();
    let settings = KafkaSourceSettings {
        bootstrap: bootstrap.clone(),
        topics: vec![topic.clone()],
        group: topic.clone(),
        from_beginning: true,
        // Nothing but the revocation commits.
        commit_every: Duration::from_secs(3600),
        ..KafkaSourceSettings::default()
    };
    let first = start(settings.clone(), 1024);
    wait_until(|| first.frames.len() == 100);
    let mut frames = Vec::new();
    first.frames.drain(&mut frames, 1024, Duration::ZERO);
    for at in frames.iter().map(|frame| frame.origin) {
        first.progress.done(at.after());
    }
    let second = start(settings, 1024);
    wait_until(|| second.status.connections.load(Relaxed) > 0);
    wait_until(|| first.status.connections.load(Relaxed) > 1);
    write();
    wait_until(|| first.frames.len() + second.frames.len() >= 100);
    std::thread::sleep(Duration::from_millis(200));
    let (mine, yours) = (first.frames.len(), second.frames.len());
    assert_eq!(mine + yours, 100, "nothing is read twice");
    assert!(
        mine > 0 && yours > 0,
        "{mine} and {yours}: the group shares"
    );
    for running in [first, second] {
        running.stop.store(true, Relaxed);
        running.read(Duration::ZERO, |_| {});
    }
}
