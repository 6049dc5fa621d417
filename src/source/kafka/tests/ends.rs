//! Where a run up to the end of its topics ends, and how members of a group are told apart, on a real Kafka.

use super::assignments::{RealTopic, told};
use super::*;

#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn a_topic_that_was_emptied_ends() {
    let topic = RealTopic::new("emptied", 1);
    topic.fill(0, 10);
    let settings = KafkaSourceSettings {
        from_beginning: true,
        ..topic.settings()
    };
    let first = start(settings.clone(), 1024);
    wait_until(|| first.frames.len() == 10);
    let mut some = first.take_all();
    assert_eq!(some.len(), 10);
    first.end();
    topic.fill(0, 5);
    topic.delete_before(0, 15);
    let settings = KafkaSourceSettings {
        stop_at_end: true,
        ..settings
    };
    let second = start(settings, 1024);
    wait_until(|| second.thread.is_finished());
    some.clear();
    second.read(Duration::ZERO, |frame| some.push(frame.clone()));
    assert_eq!(
        told(&some),
        [r#"{"foretick":"gap","reason":"retention","missing":5}"#]
    );
}

#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn a_member_without_partitions_ends_when_the_others_are_at_the_end() {
    let topic = RealTopic::new("others", 1);
    topic.fill(0, 10);
    let settings = KafkaSourceSettings {
        from_beginning: true,
        commit_every: Duration::from_millis(50),
        drain_timeout: Duration::from_millis(200),
        ..topic.settings()
    };
    let first = start(settings.clone(), 1024);
    wait_until(|| first.frames.len() == 10);
    first.progress.done(Position {
        stream: 0,
        partition: 0,
        next: 5,
    });
    let mut ending = KafkaSourceSettings {
        stop_at_end: true,
        ..settings
    };
    // Partitions are given out in the order of the members' ids, which begin with this: the first keeps its.
    ending.properties.insert("client.id".into(), "zz".into());
    let second = start(ending, 1024);
    wait_until(|| second.status.connections.load(Relaxed) > 0);
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(
        !second.thread.is_finished(),
        "the other member is not at the end"
    );
    first.take_all();
    wait_until(|| second.thread.is_finished());
    second.read(Duration::ZERO, |frame| {
        panic!("it has no partition: {frame:?}")
    });
    first.end();
    assert_eq!(topic.committed(0), Offset::Offset(10));
}

#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn partitions_and_lag_are_told() {
    let topic = RealTopic::new("lag", 2);
    topic.fill(0, 30);
    let settings = KafkaSourceSettings {
        from_beginning: true,
        ..topic.settings()
    };
    let running = start(settings, 4);
    let figures = &running.status.partitions;
    assert_eq!(figures.partitions(), None);
    wait_until(|| running.status.is_healthy() && running.frames.len() == 4);
    assert_eq!(figures.partitions(), Some(2));
    wait_until(|| figures.lag().is_some_and(|lag| lag > 0));
    assert!(figures.lag() <= Some(26));
    let before = figures.last_answer().expect("they have answered");
    wait_until(|| {
        running.take_all();
        figures.lag() == Some(0)
    });
    assert!(figures.last_answer() > Some(before));
    running.end();
}

#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn the_broker_may_say_who_reads_what() {
    let topic = RealTopic::new("kip848", 2);
    topic.fill(0, 20);
    topic.fill(1, 20);
    let settings = KafkaSourceSettings {
        from_beginning: true,
        is_broker_led: true,
        commit_every: Duration::from_secs(3600),
        ..topic.settings()
    };
    let first = start(settings.clone(), 1024);
    wait_until(|| first.frames.len() == 40);
    first.take_all();
    let second = start(settings, 1024);
    wait_until(|| second.status.partitions.partitions() == Some(1));
    wait_until(|| first.status.partitions.partitions() == Some(1));
    topic.fill(0, 1);
    topic.fill(1, 1);
    wait_until(|| first.frames.len() + second.frames.len() >= 2);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(
        (first.frames.len(), second.frames.len()),
        (1, 1),
        "nothing is read twice"
    );
    first.take_all();
    second.take_all();
    first.end();
    second.end();
    assert_eq!(topic.committed(0), Offset::Offset(21));
    assert_eq!(topic.committed(1), Offset::Offset(21));
}

#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn two_processes_of_one_name_are_told_apart() {
    let topic = RealTopic::new("fenced", 1);
    let slot = crate::kafka::instance::instance_slot("", "", Some("blue")).unwrap();
    let settings = KafkaSourceSettings {
        instance: Some(slot),
        ..topic.settings()
    };
    let first = start(settings.clone(), 64);
    wait_until(|| first.status.connections.load(Relaxed) == 1);
    let second = start(settings, 64);
    wait_until(|| first.thread.is_finished());
    let error = first.thread.join().unwrap().unwrap_err();
    assert!(matches!(error, KafkaSourceError::Fenced { .. }), "{error}");
    second.end();
}
