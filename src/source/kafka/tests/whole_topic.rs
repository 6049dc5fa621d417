//! A whole topic: each record once, in the order of its partition, up to the end at the opening.

use super::*;
use crate::source::kafka::whole_topic::{TopicAddress, TopicError, WholeTopic};

fn open(broker: &EmbeddedBroker, topic: &str) -> Result<WholeTopic, TopicError> {
    let address = TopicAddress {
        bootstrap: broker.bootstrap(),
        topic: topic.into(),
    };
    WholeTopic::open(address, &Properties::new())
}

/// The offsets of each partition, in the order in which they came.
fn offsets(topic: &mut WholeTopic) -> FxHashMap<i32, Vec<i64>> {
    let mut offsets: FxHashMap<i32, Vec<i64>> = FxHashMap::default();
    while let Some(record) = topic.next_record().unwrap() {
        let payload = format!("payload {}", record.offset);
        assert_eq!(record.value.as_deref(), Some(payload.as_bytes()));
        offsets
            .entry(record.partition)
            .or_default()
            .push(record.offset);
    }
    offsets
}

#[test]
fn a_topic_is_read_to_where_it_ended_and_again() {
    let broker = EmbeddedBroker::start(&[("signals", 3)]).unwrap();
    fill(&broker, "signals", 0, 500);
    fill(&broker, "signals", 2, 7);
    let mut topic = open(&broker, "signals").unwrap();
    assert_eq!(topic.progress(), (0, 507));
    // What comes later is not read.
    let later = producer(&broker);
    let record: BaseRecord<'_, (), str> = BaseRecord::to("signals").partition(2).payload("later");
    later.send(record).map_err(|(error, _)| error).unwrap();
    later.flush(PATIENCE).unwrap();
    for _ in 0..2 {
        let read = offsets(&mut topic);
        assert_eq!(read[&0], (0..500).collect::<Vec<_>>());
        assert_eq!(read[&2], (0..7).collect::<Vec<_>>());
        assert_eq!(topic.progress(), (507, 507));
        topic.rewind().unwrap();
    }
}

#[test]
fn a_topic_may_be_closed_at_once_when_it_has_begun_anew() {
    let broker = EmbeddedBroker::start(&[("signals", 8)]).unwrap();
    for partition in 0..8 {
        fill(&broker, "signals", partition, 100);
    }
    for _ in 0..20 {
        let mut topic = open(&broker, "signals").unwrap();
        assert!(topic.next_record().unwrap().is_some());
        topic.rewind().unwrap();
    }
}

#[test]
fn an_empty_topic_ends_at_once_and_an_absent_one_is_an_error() {
    let broker = EmbeddedBroker::start(&[("signals", 2)]).unwrap();
    let mut topic = open(&broker, "signals").unwrap();
    assert_eq!(topic.next_record().unwrap(), None);
    let absent = TopicAddress {
        bootstrap: "127.0.0.1:1".into(),
        topic: "signals".into(),
    };
    let error = WholeTopic::open(absent, &Properties::new()).err().unwrap();
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
}

/// Aborted records and marks of transactions lie before the end, and an open transaction behind it.
#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn only_committed_records_are_read_and_an_open_transaction_is_not_waited_for() {
    let bootstrap = std::env::var("KAFKA_BOOTSTRAP").expect("KAFKA_BOOTSTRAP");
    let topic = format!("foretick-test-{}", clock::now().0);
    let producer = transactional(&bootstrap, &topic);
    let send = |records: i64| send_in_transaction(&producer, &topic, records);
    send(10);
    producer.commit_transaction(PATIENCE).unwrap();
    send(5);
    producer.abort_transaction(PATIENCE).unwrap();
    send(3);
    let address = TopicAddress {
        bootstrap,
        topic: topic.clone(),
    };
    let mut whole = WholeTopic::open(address, &Properties::new()).unwrap();
    for _ in 0..2 {
        assert_eq!(offsets(&mut whole)[&0], (0..10).collect::<Vec<_>>());
        whole.rewind().unwrap();
    }
}
