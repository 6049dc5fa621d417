//! The partitions of a topic, and where each begins and ends.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use crate::clock;
use crate::units::Nanos;

/// The partitions of a topic; none where it does not exist.
pub(super) fn partitions(consumer: &BaseConsumer, topic: &str) -> KafkaResult<Vec<i32>> {
    let unknown = RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    let began = clock::instant();
    loop {
        let metadata = consumer.fetch_metadata(Some(topic), ANSWER)?;
        let found = metadata.topics().first();
        match found.map(|found| (found.error(), found.partitions())) {
            Some((None, partitions)) if !partitions.is_empty() => {
                return Ok(partitions.iter().map(|partition| partition.id()).collect());
            }
            Some((Some(error), _)) if error != unknown => {
                return Err(KafkaError::MetadataFetch(error.into()));
            }
            // A broker that has just started may not know its topics yet.
            _ if began.elapsed() > MISSING => return Ok(vec![]),
            _ => clock::sleep(PAUSE),
        }
    }
}

/// Where each partition begins and ends, for readers of committed records; it begins at the first record that
/// was written at `since` or later, if there is one.
pub(super) fn spans(
    consumer: &BaseConsumer,
    topic: &str,
    partitions: &[i32],
    since: Option<Nanos>,
) -> KafkaResult<BTreeMap<i32, (i64, i64)>> {
    let ask = |at: Offset| {
        let mut list = TopicPartitionList::new();
        for &partition in partitions {
            list.add_partition_offset(topic, partition, at)?;
        }
        let answer = consumer.offsets_for_times(list, ANSWER)?;
        let mut offsets = BTreeMap::new();
        for element in answer.elements() {
            element.error()?;
            if let Offset::Offset(offset) = element.offset() {
                offsets.insert(element.partition(), offset);
            }
        }
        Ok::<_, KafkaError>(offsets)
    };
    let (lows, highs) = (ask(Offset::Beginning)?, ask(Offset::End)?);
    // A time stands in the place of an offset in this question.
    let since = since.map(|since| ask(Offset::Offset(since.0.div_euclid(NANOS_PER_MILLI).max(0))));
    let since = since.transpose()?;
    let span = |(&partition, &high): (&i32, &i64)| {
        let low = lows.get(&partition).copied().unwrap_or(0);
        let since = since.as_ref().and_then(|since| since.get(&partition));
        let begin = since.map_or(low, |&at| at.clamp(low, high.max(low)));
        (partition, (begin, high))
    };
    Ok(highs.iter().map(span).collect())
}

/// How long brokers may take to answer one question.
pub(super) const ANSWER: Duration = Duration::from_secs(10);
/// Between two questions for a topic that is not there yet, and how long it is asked for.
const PAUSE: Duration = Duration::from_millis(100);
const MISSING: Duration = Duration::from_secs(3);
const NANOS_PER_MILLI: i64 = 1_000_000;
