//! The settings of a Kafka source.

use std::time::Duration;

use crate::decode::AHEAD_NS;
use crate::kafka::Properties;
use crate::kafka::instance::InstanceSlot;

/// Who commits the offsets of what is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CommitBy {
    /// The source, as far as [`Progress`](super::Progress) says.
    #[default]
    Source,
    /// The sink, in its transactions. The source commits nothing but the position where a partition begins
    /// that the group has committed nothing of.
    Sink,
}

/// Which topics to read, and how.
#[derive(Clone, Debug)]
pub struct KafkaSourceSettings {
    /// Brokers to ask first: `host:port`, comma-separated.
    pub bootstrap: String,
    /// Topics. The index in this list plus `first_stream` is the
    /// [`Origin::stream`](crate::frame::Origin::stream) of a topic's frames.
    pub topics: Vec<String>,
    /// The stream of the first topic.
    pub first_stream: u16,
    /// Consumer group; instances of one group share the partitions.
    pub group: String,
    /// The name of this instance in the group, which knows it as a static member: it has its partitions again
    /// at once after it was killed. None for a member that leaves the group when it ends.
    pub instance: Option<InstanceSlot>,
    /// Whether the broker decides who reads what (KIP-848). There are no static members then: one that was
    /// killed could not come back before its session has ended.
    pub is_broker_led: bool,
    /// Where a group without committed offsets begins: `true` at the oldest record, `false` at the next one.
    pub from_beginning: bool,
    /// How far back, by the records' timestamps, a partition is read again to rebuild state; signals of these
    /// records are not published again.
    pub rebuild: Option<Duration>,
    /// End once every assigned partition has been read up to where it ended at the assignment.
    pub stop_at_end: bool,
    /// The broker is [`crate::simulate::broker::EmbeddedBroker`], which does not answer a waiting fetch
    /// when a record arrives.
    pub embedded: bool,
    /// Who commits progress.
    pub commits: CommitBy,
    /// How often progress is committed. After a crash the records of about this time are read again.
    pub commit_every: Duration,
    /// How long brokers may answer that a topic does not exist before it counts as deleted: a broker that has
    /// just started may not know its topics yet.
    pub missing_timeout: Duration,
    /// How long a stopping source waits for frames in the rings to be done.
    pub drain_timeout: Duration,
    /// How far ahead of our clock the receive time in a record's header may be, in nanoseconds.
    pub max_ahead_ns: i64,
    /// Passed on to librdkafka, after a check.
    pub properties: Properties,
}

impl Default for KafkaSourceSettings {
    fn default() -> Self {
        Self {
            bootstrap: "127.0.0.1:9092".into(),
            topics: Vec::new(),
            first_stream: 0,
            group: "foretick".into(),
            instance: None,
            is_broker_led: false,
            from_beginning: false,
            rebuild: None,
            stop_at_end: false,
            embedded: false,
            commits: CommitBy::Source,
            commit_every: Duration::from_secs(1),
            missing_timeout: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(10),
            max_ahead_ns: AHEAD_NS,
            properties: Properties::new(),
        }
    }
}
