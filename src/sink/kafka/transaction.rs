//! Exactly once from Kafka to Kafka: records and the offsets of their input in one transaction.
//!
//! The order of calls, and what follows an error, is that of KIP-98 and KIP-447 with the limits of this
//! client: nothing is in flight when offsets are sent (a commit would then wait in steps of 100 ms), the
//! group's metadata is fetched for each commit, and after an error the producer is not used again. A
//! transaction of which it is unknown whether it was committed is fenced by the next producer of the same id,
//! whose run begins at the offsets that the group has committed.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{debug, warn};

use super::error::KafkaSinkError;
use super::patience::ConnectPatience;
use super::producer::{CallError, CallResult, TransactionalProducer};
pub use super::producer::{GroupMember, GroupOffset};
use crate::clock;
use crate::frame::Position;

/// The consumer group in whose name offsets are committed.
pub trait CommittingGroup: Send + Sync {
    /// What identifies the member and the generation now; none before the consumer exists.
    fn member(&self) -> Option<GroupMember>;
    /// A position as the offset that is committed; none of a stream that is not read.
    fn offset(&self, position: Position) -> Option<GroupOffset>;
    /// Whether partitions were taken away whose records may be in the transaction: it must not be committed.
    fn is_lost(&self) -> bool;
}

/// The transactions of a producer, one after the other.
pub(crate) struct Transactions {
    id: String,
    every: Duration,
    patience: ConnectPatience,
    group: Option<Arc<dyn CommittingGroup>>,
    /// Whether a transaction is open.
    is_open: bool,
    /// Since when something waits for a commit: records, or positions without any.
    since: Option<Instant>,
    /// The input up to which records are in the open transaction.
    positions: Vec<Position>,
}

impl fmt::Debug for Transactions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transactions")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Transactions {
    /// Announces the producer: what another one of this id has left open is aborted, and it is fenced. Waits
    /// for the broker.
    ///
    /// # Errors
    /// [`KafkaSinkError::Transaction`].
    pub(crate) fn begin(
        producer: &impl TransactionalProducer,
        id: &str,
        every: Duration,
        patience: ConnectPatience,
    ) -> Result<Self, KafkaSinkError> {
        let mut left = INIT_TRIES;
        loop {
            match producer.announce(INIT_TIMEOUT) {
                Ok(()) => break,
                Err(CallError {
                    error,
                    is_retriable,
                    ..
                }) if is_retriable && left > 0 => {
                    left -= 1;
                    debug!(id, %error, "waiting for the transactions of this id");
                }
                Err(error) => return Err(failed(id, "announcing the producer", error)),
            }
        }
        Ok(Self {
            id: id.to_owned(),
            every,
            patience,
            group: None,
            is_open: false,
            since: None,
            positions: vec![],
        })
    }

    /// Commits offsets in the name of this group from now on.
    pub(crate) fn commit_for(&mut self, group: Arc<dyn CommittingGroup>) {
        self.group = Some(group);
    }

    /// Whether partitions were taken away whose records may be in the open transaction.
    pub(crate) fn is_lost(&self) -> bool {
        self.group.as_ref().is_some_and(|group| group.is_lost())
    }

    /// Opens a transaction, if none is open: a record is to be sent.
    ///
    /// # Errors
    /// [`KafkaSinkError::Transaction`].
    pub(crate) fn open(
        &mut self,
        producer: &impl TransactionalProducer,
    ) -> Result<(), KafkaSinkError> {
        if self.is_open {
            return Ok(());
        }
        let begun = producer.begin();
        begun.map_err(|error| failed(&self.id, "beginning a transaction", error))?;
        self.is_open = true;
        self.since.get_or_insert_with(clock::instant);
        Ok(())
    }

    /// Notes positions of the input: all records of the frames before them are in the transaction.
    pub(crate) fn mark(&mut self, positions: &[Position]) {
        if !positions.is_empty() {
            self.since.get_or_insert_with(clock::instant);
        }
        for position in positions {
            position.note(&mut self.positions);
        }
    }

    /// Whether it is time to commit.
    pub(crate) fn is_due(&self) -> bool {
        self.since
            .is_some_and(|since| clock::elapsed(since) >= self.every)
    }

    /// Commits the open transaction with the offsets of its input, and appends these. Nothing of it may be in
    /// flight any more.
    ///
    /// # Errors
    /// [`KafkaSinkError::Transaction`]; the run must begin again at the committed offsets.
    pub(crate) fn commit(
        &mut self,
        producer: &impl TransactionalProducer,
        done: &mut Vec<Position>,
    ) -> Result<(), KafkaSinkError> {
        if self.since.is_none() {
            return Ok(());
        }
        if self.group.as_ref().is_some_and(|group| group.is_lost()) {
            return Err(KafkaSinkError::Lost);
        }
        self.open(producer)?;
        if !self.positions.is_empty() {
            self.send_offsets(producer)?;
        }
        let committed = self.answered(|| producer.commit(COMMIT_TIMEOUT));
        committed.map_err(|error| failed(&self.id, "committing a transaction", error))?;
        self.is_open = false;
        self.since = None;
        done.append(&mut self.positions);
        Ok(())
    }

    fn send_offsets(
        &mut self,
        producer: &impl TransactionalProducer,
    ) -> Result<(), KafkaSinkError> {
        let lost = || KafkaSinkError::Lost;
        let group = self.group.clone().ok_or_else(lost)?;
        let member = group.member().ok_or_else(lost)?;
        // After the member: that of a generation that begins after a loss comes behind the note of it.
        if group.is_lost() {
            return Err(KafkaSinkError::Lost);
        }
        let positions = self.positions.iter();
        let offsets: Vec<_> = positions.filter_map(|&at| group.offset(at)).collect();
        // Not again: the broker may still read the first request, in the transaction after this one.
        let sent = producer.send_offsets(&offsets, &member, SEND_OFFSETS_TIMEOUT);
        sent.map_err(|error| failed(&self.id, "adding offsets to a transaction", error))
    }

    /// Calls again while the error says that this may help: also where the broker gave no answer in time. Not
    /// for ever, because a broker that is away for so long has aborted the transaction meanwhile, and not for
    /// long once the process is to end.
    fn answered(&self, mut call: impl FnMut() -> CallResult) -> CallResult {
        let began = clock::instant();
        let (mut asked_to_end, mut has_told) = (None, false);
        loop {
            let error = match call() {
                Err(error) if error.is_retriable => error,
                done => return done,
            };
            let why = &error.error;
            let now = clock::instant();
            if self.patience.is_over() {
                asked_to_end.get_or_insert(now);
            }
            let is_ending = asked_to_end.is_some_and(|asked| now - asked > CALLS_AT_END);
            if is_ending || now - began > CALLS_MAX {
                return Err(error);
            }
            if !has_told && now - began > TOLD_AFTER {
                has_told = true;
                warn!(id = self.id, %why, "a transaction waits for its broker");
            }
            clock::sleep(CALL_PAUSE);
        }
    }

    /// Aborts what is open, so that readers do not wait for it; the producer is not used any more.
    pub(crate) fn abort(&mut self, producer: &impl TransactionalProducer) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        if let Err(CallError { error, .. }) = producer.abort(ABORT_TIMEOUT) {
            // The next producer of this id aborts it.
            debug!(id = self.id, %error, "the transaction stays open for now");
        }
    }
}

fn failed(id: &str, doing: &'static str, why: CallError) -> KafkaSinkError {
    let CallError {
        error, is_fatal, ..
    } = why;
    if is_fatal {
        warn!(id, %error, doing, "the producer is not valid any more: the run begins again");
    }
    KafkaSinkError::Transaction {
        id: id.to_owned(),
        doing,
        error: Box::new(error),
    }
}

/// How long one call may wait for the coordinator of transactions at the start, and how often it is made.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
const INIT_TRIES: u32 = 6;
/// How long one call may wait for the end of a transaction: the next one goes on where it was.
const COMMIT_TIMEOUT: Duration = Duration::from_millis(500);
/// How long offsets may take; the client repeats what was refused for a moment. Without an answer the run
/// begins again with a new epoch, in which the broker refuses a request that comes late.
const SEND_OFFSETS_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause before a call is made again.
const CALL_PAUSE: Duration = Duration::from_millis(20);
/// How long a call is repeated; longer than a transaction may be open.
const CALLS_MAX: Duration = Duration::from_secs(60);
/// The same once the process is to end.
const CALLS_AT_END: Duration = Duration::from_secs(10);
/// When it is told that a commit waits.
const TOLD_AFTER: Duration = Duration::from_secs(3);
/// How long an abort may take at the end.
const ABORT_TIMEOUT: Duration = Duration::from_secs(3);
