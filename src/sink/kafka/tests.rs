//! The sink against the embedded broker.

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{Offset, TopicPartitionList};

use super::patience::ConnectPatience;
use super::topic_search::CONNECT_PATIENCE;
use super::*;
use crate::clock;
use crate::frame::Origin;
use crate::kafka::{Properties, client_config};
use crate::simulate::broker::EmbeddedBroker;
use crate::units::Nanos;

/// Reached only where an event never comes: a busy machine is no failure.
const PATIENCE: Duration = Duration::from_secs(180);

fn settings(broker: &EmbeddedBroker) -> KafkaSinkSettings {
    KafkaSinkSettings {
        bootstrap: broker.bootstrap(),
        topic: "signals".into(),
        ..KafkaSinkSettings::default()
    }
}

fn read_one(broker: &EmbeddedBroker, topic: &str) -> rdkafka::message::OwnedMessage {
    let consumer: BaseConsumer = client_config(
        &broker.bootstrap(),
        &[("group.id", "reader"), ("fetch.wait.max.ms", "0")],
        &Properties::new(),
    )
    .unwrap()
    .create()
    .unwrap();
    let mut partitions = TopicPartitionList::new();
    partitions
        .add_partition_offset(topic, 0, Offset::Beginning)
        .unwrap();
    consumer.assign(&partitions).unwrap();
    consumer.poll(PATIENCE).expect("a record").unwrap().detach()
}

#[test]
fn connecting_is_given_up_when_the_process_is_to_end() {
    // Nothing listens at port 1.
    let begin = clock::instant();
    let absent = KafkaSinkSettings {
        bootstrap: "127.0.0.1:1".into(),
        patience: ConnectPatience::until(move || begin.elapsed() > Duration::from_millis(200)),
        ..KafkaSinkSettings::default()
    };
    let error = KafkaSink::connect(absent)
        .err()
        .map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("asked to end")));
    assert!(
        begin.elapsed() < CONNECT_PATIENCE / 2,
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn every_record_arrives_and_is_counted() {
    let broker = EmbeddedBroker::start(&[("signals", 3)]).unwrap();
    let mut sink = KafkaSink::connect(settings(&broker)).unwrap();
    for number in 0..500 {
        let key = format!("K{}", number % 7);
        sink.send(key.as_bytes(), b"{}", &[("schema", b"1")])
            .unwrap();
    }
    sink.flush(PATIENCE).unwrap();
    assert_eq!((sink.sent(), sink.delivered()), (500, 500));
}

#[test]
fn positions_are_acknowledged_once_the_records_before_them_have_arrived() {
    let broker = EmbeddedBroker::start(&[("signals", 1)]).unwrap();
    let mut sink = KafkaSink::connect(KafkaSinkSettings {
        // Longer than the test takes: nothing is sent before `flush`.
        linger_ms: 20_000,
        ..settings(&broker)
    })
    .unwrap();
    let at = |next| Position {
        stream: 0,
        partition: 0,
        next,
    };
    let mut positions = vec![];
    sink.mark(&[at(1)]);
    sink.acknowledged(&mut positions).unwrap();
    assert_eq!(positions, [at(1)], "no record comes before it");
    positions.clear();
    sink.send(b"k", b"{}", &[]).unwrap();
    sink.mark(&[at(2)]);
    sink.acknowledged(&mut positions).unwrap();
    assert_eq!(positions, []);
    sink.producer.flush(PATIENCE).unwrap();
    sink.flush(PATIENCE).unwrap();
    sink.acknowledged(&mut positions).unwrap();
    assert_eq!(positions, [at(2)]);
}

#[test]
fn a_full_queue_makes_the_caller_wait() {
    let broker = EmbeddedBroker::start(&[("signals", 1)]).unwrap();
    let mut sink = KafkaSink::connect(KafkaSinkSettings {
        queue_records_max: 10,
        linger_ms: 5,
        ..settings(&broker)
    })
    .unwrap();
    for _ in 0..200 {
        sink.send(b"k", b"payload", &[]).unwrap();
    }
    sink.flush(PATIENCE).unwrap();
    assert_eq!(sink.delivered(), 200);
}

#[test]
fn a_failed_delivery_fails_the_run() {
    let broker = EmbeddedBroker::start(&[("signals", 1)]).unwrap();
    let mut sink = KafkaSink::connect(settings(&broker)).unwrap();
    sink.send(b"k", b"fine", &[]).unwrap();
    sink.flush(PATIENCE).unwrap();
    broker.cluster().request_errors(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE],
    );
    sink.send(b"k", b"refused", &[]).unwrap();
    let error = sink.flush(PATIENCE).unwrap_err().to_string();
    assert!(
        error.contains("`signals`") && error.contains("1 records"),
        "{error}"
    );
    assert!(sink.send(b"k", b"after", &[]).is_err());
    assert_eq!((sink.sent(), sink.delivered()), (2, 1));
}

/// A group that has lost its partitions.
struct LostGroup;

impl CommittingGroup for LostGroup {
    fn member(&self) -> Option<super::transaction::GroupMember> {
        None
    }

    fn offset(&self, _position: Position) -> Option<super::transaction::GroupOffset> {
        None
    }

    fn is_lost(&self) -> bool {
        true
    }
}

#[test]
fn a_transaction_that_must_not_be_committed_does_not_wait_for_its_records() {
    let broker = EmbeddedBroker::start(&[("signals", 1)]).unwrap();
    let mut sink = KafkaSink::connect(KafkaSinkSettings {
        mode: DeliveryPromise::ExactlyOnce {
            id: "a".into(),
            every: Duration::from_millis(1),
        },
        ..settings(&broker)
    })
    .unwrap();
    sink.commit_for(Arc::new(LostGroup));
    broker.cluster().broker_down(-1).unwrap();
    sink.send(b"k", b"payload", &[]).unwrap();
    let began = clock::instant();
    let error = sink.commit(&mut vec![]).unwrap_err();
    assert!(matches!(error, KafkaSinkError::Lost), "{error}");
    assert!(began.elapsed() < sink.settings.delivery_timeout / 2);
}

#[test]
fn a_dead_letter_names_its_origin() {
    let broker = EmbeddedBroker::start(&[("signals", 1), ("trades.dlq", 1)]).unwrap();
    let mut sink = KafkaSink::connect(settings(&broker)).unwrap();
    let letter = DeadLetter {
        reason: "truncated",
        field: Some("price"),
        stream: "trades",
        bytes: b"not json",
        origin: Origin {
            ts_recv: Nanos(1),
            offset: 42,
            partition: 3,
            stream: 0,
            late: false,
            reprocessed: false,
        },
    };
    sink.send_dead_letter("trades.dlq", &letter).unwrap();
    sink.flush(PATIENCE).unwrap();
    let record = read_one(&broker, "trades.dlq");
    assert_eq!(record.payload(), Some(&b"not json"[..]));
    let headers: Vec<_> = record
        .headers()
        .unwrap()
        .iter()
        .map(|h| {
            (
                h.key.to_owned(),
                String::from_utf8(h.value.unwrap().to_vec()).unwrap(),
            )
        })
        .collect();
    let wanted = [
        ("error", "truncated"),
        ("source_topic", "trades"),
        ("source_partition", "3"),
        ("source_offset", "42"),
        ("field", "price"),
    ];
    assert_eq!(headers, wanted.map(|(k, v)| (k.to_owned(), v.to_owned())));
}

#[test]
fn a_dead_letter_that_its_topic_refuses_is_cut_and_at_last_given_up() {
    let broker = EmbeddedBroker::start(&[("signals", 1), ("dlq", 1)]).unwrap();
    let mut sink = KafkaSink::connect(settings(&broker)).unwrap();
    let letter = DeadLetter {
        reason: "truncated",
        field: None,
        stream: "trades",
        bytes: &[b'x'; 3_000_000],
        origin: Origin::of_test(),
    };
    let too_large = RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    let at = |next| Position {
        stream: 0,
        partition: 0,
        next,
    };
    // Refused once: it arrives smaller.
    for (times, delivered, refused) in [(1, 2, 0), (2, 4, 0), (3, 5, 1)] {
        let errors = vec![too_large; times];
        broker
            .cluster()
            .request_errors(RDKafkaApiKey::Produce, &errors);
        sink.send_dead_letter("dlq", &letter).unwrap();
        sink.mark(&[at(times as i64)]);
        sink.flush(PATIENCE).unwrap();
        sink.send(b"k", b"signal", &[]).unwrap();
        sink.flush(PATIENCE).unwrap();
        let mut positions = vec![];
        sink.acknowledged(&mut positions).unwrap();
        assert_eq!(positions, [at(times as i64)], "the partition goes on");
        let figures = sink.status().figures();
        assert_eq!((figures.delivered, figures.refused()), (delivered, refused));
        assert_eq!((figures.in_flight, figures.oldest), (0, None));
        assert_eq!(figures.cut_letters, times as u64);
    }
    let record = read_one(&broker, "dlq");
    assert_eq!(record.payload().map(<[u8]>::len), Some(64 << 10));
}

#[test]
fn a_dead_letter_fails_the_run_where_it_is_not_the_letters_fault() {
    let broker = EmbeddedBroker::start(&[("signals", 1), ("dlq", 1)]).unwrap();
    let mut sink = KafkaSink::connect(settings(&broker)).unwrap();
    let letter = DeadLetter {
        reason: "truncated",
        field: None,
        stream: "trades",
        bytes: b"{",
        origin: Origin::of_test(),
    };
    let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    broker
        .cluster()
        .request_errors(RDKafkaApiKey::Produce, &[error]);
    sink.send_dead_letter("dlq", &letter).unwrap();
    assert!(sink.flush(PATIENCE).is_err());
}

#[test]
fn a_required_topic_that_does_not_exist_is_an_error() {
    let broker = EmbeddedBroker::start(&[("other", 1)]).unwrap();
    let refused = KafkaSink::connect(KafkaSinkSettings {
        require_topic: true,
        ..settings(&broker)
    });
    assert!(matches!(refused, Err(KafkaSinkError::NoTopic { .. })));
    assert!(KafkaSink::connect(settings(&broker)).is_ok());
}

#[test]
fn records_count_as_delivered_only_up_to_the_first_gap() {
    let mut account = DeliveryAccount::default();
    for _ in 0..5 {
        account.take(clock::instant());
    }
    for number in [2, 1, 4] {
        account.arrived(number);
    }
    assert_eq!(account.through, 0);
    account.arrived(0);
    assert_eq!((account.through, account.answered), (3, 4));
}
