//! Partitions that are taken over and given back, on a real Kafka: the embedded broker knows no times, no
//! retention, and lets a second member wait for the session timeout.

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

use rdkafka::error::KafkaResult;

use super::*;
use crate::source::kafka::starts::{Assigned, Begin, OffsetsSince, Starts};

/// A topic of its own on the real Kafka.
pub(super) struct RealTopic {
    pub(super) bootstrap: String,
    pub(super) name: String,
}

impl RealTopic {
    pub(super) fn new(test: &str, partitions: i32) -> Self {
        let bootstrap = std::env::var("KAFKA_BOOTSTRAP").expect("KAFKA_BOOTSTRAP");
        let topic = Self {
            name: format!("foretick-{test}-{}", clock::now().0),
            bootstrap,
        };
        let replication = TopicReplication::Fixed(1);
        let new = NewTopic::new(&topic.name, partitions, replication);
        block_on(topic.admin().create_topics([&new], &AdminOptions::new())).unwrap();
        topic
    }

    pub(super) fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.client(&[]).create().unwrap()
    }

    fn client(&self, more: &[(&str, &str)]) -> rdkafka::ClientConfig {
        client_config(&self.bootstrap, more, &Properties::new()).unwrap()
    }

    /// Writes so many records to a partition.
    pub(super) fn fill(&self, partition: i32, records: usize) {
        let producer: ThreadedProducer<DefaultProducerContext> =
            self.client(&[("linger.ms", "0")]).create().unwrap();
        for _ in 0..records {
            let record: BaseRecord<'_, (), str> = BaseRecord::to(&self.name)
                .partition(partition)
                .payload("{}");
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(PATIENCE).unwrap();
    }

    /// Deletes the records before an offset, as retention does.
    pub(super) fn delete_before(&self, partition: i32, offset: i64) {
        let mut before = TopicPartitionList::new();
        before
            .add_partition_offset(&self.name, partition, Offset::Offset(offset))
            .unwrap();
        block_on(self.admin().delete_records(&before, &AdminOptions::new())).unwrap();
    }

    pub(super) fn add_partitions(&self, count: usize) {
        let new = NewPartitions::new(&self.name, count);
        block_on(self.admin().create_partitions([&new], &AdminOptions::new())).unwrap();
    }

    pub(super) fn settings(&self) -> KafkaSourceSettings {
        KafkaSourceSettings {
            bootstrap: self.bootstrap.clone(),
            topics: vec![self.name.clone()],
            group: self.name.clone(),
            ..KafkaSourceSettings::default()
        }
    }

    pub(super) fn committed(&self, partition: i32) -> Offset {
        let group: BaseConsumer = self.client(&[("group.id", &self.name)]).create().unwrap();
        let mut one = TopicPartitionList::new();
        one.add_partition(&self.name, partition);
        let offsets = group.committed_offsets(one, PATIENCE).unwrap();
        offsets.elements()[0].offset()
    }
}

pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

impl RunningSource {
    /// Takes what is in the ring, and says of it that it is done.
    pub(super) fn take_all(&self) -> Vec<Frame> {
        let mut frames = Vec::new();
        self.frames.drain(&mut frames, 4096, Duration::ZERO);
        for at in frames.iter().map(|frame| frame.origin) {
            self.progress.done(at.after());
        }
        frames
    }

    pub(super) fn end(self) {
        self.stop.store(true, Relaxed);
        self.read(Duration::ZERO, |_| {});
    }
}

#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn a_revocation_waits_for_what_is_on_its_way() {
    let topic = RealTopic::new("wait", 2);
    topic.fill(0, 50);
    topic.fill(1, 50);
    let settings = KafkaSourceSettings {
        from_beginning: true,
        commit_every: Duration::from_secs(3600),
        ..topic.settings()
    };
    let first = start(settings.clone(), 1024);
    wait_until(|| first.frames.len() == 100);
    let second = start(settings, 1024);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(second.status.connections.load(Relaxed), 0);
    assert_eq!(first.take_all().len(), 100);
    wait_until(|| second.status.connections.load(Relaxed) > 0);
    topic.fill(0, 1);
    topic.fill(1, 1);
    wait_until(|| first.frames.len() + second.frames.len() >= 2);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(first.frames.len() + second.frames.len(), 2, "nothing twice");
    assert!(!first.progress.is_lost());
    first.end();
    second.end();
}

#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn a_revocation_that_runs_out_of_time_is_a_loss() {
    let topic = RealTopic::new("lost", 2);
    topic.fill(0, 50);
    topic.fill(1, 50);
    let settings = KafkaSourceSettings {
        from_beginning: true,
        commits: CommitBy::Sink,
        drain_timeout: Duration::from_millis(500),
        ..topic.settings()
    };
    let first = start(settings.clone(), 1024);
    wait_until(|| first.frames.len() == 100);
    let second = start(settings, 1024);
    wait_until(|| second.frames.len() == 50);
    assert!(first.progress.is_lost() && !second.progress.is_lost());
    // All is left to the sink, where a partition begins as well: each of the one that has it now.
    for source in [&first, &second] {
        let begun = source.progress.take_begun();
        assert!(begun.len() == 1 && begun[0].next == 0);
    }
    first.take_all();
    second.take_all();
    first.end();
    second.end();
    assert_eq!(topic.committed(0), Offset::Invalid);
    assert_eq!(topic.committed(1), Offset::Invalid);
}

/// Reads five records again.
struct FiveAgain(std::sync::Mutex<Vec<(u16, i32)>>);

impl Starts for FiveAgain {
    fn begin(&self, assigned: &[Assigned], since: &OffsetsSince<'_>) -> KafkaResult<Vec<Begin>> {
        let keys: Vec<_> = assigned
            .iter()
            .map(|at| (at.stream, at.partition))
            .collect();
        assert_eq!(
            since(&keys, 0).unwrap().len(),
            keys.len(),
            "all have records"
        );
        let again = assigned.iter().map(|at| Begin {
            stream: at.stream,
            partition: at.partition,
            offset: at.next - 5,
            new_from: at.next,
        });
        Ok(again.collect())
    }

    fn revoked(&self, partitions: &[(u16, i32)]) {
        self.0.lock().unwrap().extend(partitions);
    }
}

#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn partitions_begin_where_the_seam_says() {
    let topic = RealTopic::new("again", 1);
    topic.fill(0, 20);
    let starts = Arc::new(FiveAgain(std::sync::Mutex::default()));
    let settings = topic.settings();
    let links = KafkaLinks {
        starts: Arc::clone(&starts) as Arc<dyn Starts>,
        ..KafkaLinks::new(&settings)
    };
    let group = Arc::clone(&links.group);
    assert!(group.metadata().is_none(), "there is no consumer yet");
    assert_eq!(group.topic_of(0).as_ref(), Some(&topic.name));
    assert_eq!(group.topic_of(1), None);
    let running = start_with(settings, links, 1024);
    wait_until(|| running.frames.len() == 5);
    assert!(group.metadata().is_some());
    topic.fill(0, 1);
    wait_until(|| running.frames.len() == 6);
    let seen: Vec<_> = running.take_all();
    let seen = seen
        .iter()
        .map(|frame| (frame.origin.offset, frame.origin.reprocessed));
    let again = (15..20).map(|offset| (offset, true));
    assert_eq!(
        seen.collect::<Vec<_>>(),
        again.chain([(20, false)]).collect::<Vec<_>>()
    );
    running.end();
    assert!(group.metadata().is_none(), "there is no consumer any more");
    assert_eq!(*starts.0.lock().unwrap(), [(0, 0)]);
    assert_eq!(topic.committed(0), Offset::Offset(21));
}

/// The frames of a source, each as its offset; a gap frame as its text.
pub(super) fn told(frames: &[Frame]) -> Vec<String> {
    let text = |frame: &Frame| match frame.bytes.starts_with(b"{\"foretick\"") {
        true => String::from_utf8_lossy(&frame.bytes).into_owned(),
        false => frame.origin.offset.to_string(),
    };
    frames.iter().map(text).collect()
}

#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn retention_that_overtakes_a_group_skips_nothing_but_what_is_gone() {
    for from_beginning in [true, false] {
        let topic = RealTopic::new("overtaken", 1);
        topic.fill(0, 10);
        let settings = KafkaSourceSettings {
            from_beginning: true,
            ..topic.settings()
        };
        let first = start(settings.clone(), 1024);
        wait_until(|| first.frames.len() == 10);
        first.take_all();
        first.end();
        topic.fill(0, 10);
        topic.delete_before(0, 15);
        let settings = KafkaSourceSettings {
            from_beginning,
            ..settings
        };
        let second = start(settings, 1024);
        wait_until(|| second.frames.len() == 6);
        let gap = r#"{"foretick":"gap","reason":"retention","missing":5}"#;
        let expected = [gap, "15", "16", "17", "18", "19"];
        assert_eq!(told(&second.take_all()), expected);
        assert_eq!(second.status.partitions.lost_records.load(Relaxed), 5);
        assert_eq!(second.status.gaps.load(Relaxed), 1);
        second.end();
        assert_eq!(topic.committed(0), Offset::Offset(20));
    }
}

#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn retention_that_overtakes_a_running_source_skips_nothing_but_what_is_gone() {
    let topic = RealTopic::new("running", 2);
    topic.fill(0, 40);
    topic.fill(1, 3);
    let settings = KafkaSourceSettings {
        from_beginning: true,
        ..topic.settings()
    };
    // A ring without room pauses the partition; what was fetched ahead of it is fetched again later.
    let running = start(settings, 8);
    wait_until(|| running.status.held.load(Relaxed) > 0 && running.frames.len() == 8);
    topic.delete_before(0, 35);
    let mut seen = vec![];
    wait_until(|| {
        seen.extend(running.take_all());
        seen.last().is_some_and(|frame| frame.origin.offset == 39)
    });
    let other: Vec<_> = seen
        .extract_if(.., |frame| frame.origin.partition == 1)
        .collect();
    assert!(other.len() <= 3);
    let told = told(&seen);
    let at = told
        .iter()
        .position(|text| text.contains("gap"))
        .expect("a gap");
    let missing = 35 - at;
    let gap = format!(r#"{{"foretick":"gap","reason":"retention","missing":{missing}}}"#);
    let offset = |offset: usize| offset.to_string();
    let expected: Vec<_> = (0..at)
        .map(offset)
        .chain([gap])
        .chain((35..40).map(offset))
        .collect();
    assert_eq!(told, expected);
    assert_eq!(
        running.status.partitions.lost_records.load(Relaxed),
        missing as u64
    );
    // Both partitions are read on.
    topic.fill(0, 1);
    topic.fill(1, 1);
    let mut more = other.len();
    wait_until(|| {
        more += running.take_all().len();
        more == 5
    });
    running.end();
    assert_eq!(topic.committed(0), Offset::Offset(41));
    assert_eq!(topic.committed(1), Offset::Offset(4));
}

#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn the_next_record_is_the_start_of_a_new_group_alone() {
    let topic = RealTopic::new("latest", 1);
    topic.fill(0, 10);
    let settings = topic.settings();
    let first = start(settings.clone(), 1024);
    wait_until(|| first.status.connections.load(Relaxed) == 1);
    assert_eq!(topic.committed(0), Offset::Offset(10), "at the assignment");
    first.end();
    // What comes while the group is away is not skipped, nor are partitions that are added meanwhile.
    topic.fill(0, 2);
    topic.add_partitions(2);
    topic.fill(1, 3);
    let second = start(settings, 1024);
    wait_until(|| second.frames.len() >= 5);
    let mut seen: Vec<_> = second.take_all().iter().map(|frame| frame.origin).collect();
    seen.sort_by_key(|at| (at.partition, at.offset));
    let seen = seen.iter().map(|at| (at.partition, at.offset));
    let expected = [(0, 10), (0, 11), (1, 0), (1, 1), (1, 2)];
    assert_eq!(seen.collect::<Vec<_>>(), expected);
    second.end();
}

#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn a_partition_that_is_added_while_running_is_read_from_its_beginning() {
    let topic = RealTopic::new("added", 1);
    let mut settings = topic.settings();
    let refresh = ("topic.metadata.refresh.interval.ms", "3000");
    settings
        .properties
        .insert(refresh.0.into(), refresh.1.into());
    let running = start(settings, 1024);
    wait_until(|| running.status.connections.load(Relaxed) == 1);
    topic.add_partitions(2);
    topic.fill(1, 4);
    wait_until(|| running.frames.len() == 4);
    let seen: Vec<_> = running
        .take_all()
        .iter()
        .map(|frame| frame.origin.offset)
        .collect();
    assert_eq!(seen, [0, 1, 2, 3]);
    running.end();
}

#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn partitions_of_one_number_go_to_one_member_where_the_broker_assigns() {
    let topics = [RealTopic::new("pair-a", 4), RealTopic::new("pair-b", 4)];
    let settings = KafkaSourceSettings {
        topics: topics.iter().map(|topic| topic.name.clone()).collect(),
        from_beginning: true,
        is_broker_led: true,
        ..topics[0].settings()
    };
    let members = [start(settings.clone(), 1024), start(settings, 1024)];
    let held = |member: &RunningSource| member.status.partitions.partitions();
    wait_until(|| {
        drop(members.each_ref().map(RunningSource::take_all));
        members.each_ref().map(held) == [Some(4), Some(4)]
    });
    for topic in &topics {
        (0..4).for_each(|partition| topic.fill(partition, 1));
    }
    let mut seen = [vec![], vec![]];
    wait_until(|| {
        for (seen, member) in seen.iter_mut().zip(&members) {
            let frames = member.take_all();
            seen.extend(
                frames
                    .iter()
                    .map(|frame| (frame.origin.stream, frame.origin.partition)),
            );
        }
        seen.iter().map(Vec::len).sum::<usize>() >= 8
    });
    for seen in &seen {
        let of = |stream| {
            let mut numbers: Vec<i32> = seen
                .iter()
                .filter(|at| at.0 == stream)
                .map(|at| at.1)
                .collect();
            numbers.sort_unstable();
            numbers
        };
        assert_eq!(of(0), of(1));
        assert_eq!(of(0).len(), 2);
    }
    members.into_iter().for_each(RunningSource::end);
}
