//! The producer of a simulated run, and the sink that writes with it: transactions and acknowledgements are
//! the real ones, only calls and records go to simulated brokers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::error::KafkaError;
use rustc_hash::FxHasher;

use super::brokers::{Answer, BrokerRefusal, BrokerRequest, Fate, OutputRecord, SimulatedBrokers};
use crate::clock;
use crate::frame::Position;
use crate::signal::Signal;
use crate::sink::kafka::error::KafkaSinkError;
use crate::sink::kafka::patience::ConnectPatience;
use crate::sink::kafka::producer::{
    CallError, CallResult, GroupMember, GroupMemberOf, GroupOffset, TransactionalProducer,
};
use crate::sink::kafka::transaction::{CommittingGroup, Transactions};
use crate::sink::unacknowledged::UnacknowledgedPositions;
use crate::sink::{DeadLetter, Sink, SinkError};
use crate::source::kafka::CommitNote;
use crate::source::kafka::take_over::OffsetToCommit;

/// A producer of one instance.
pub(super) struct SimulatedProducer {
    brokers: Arc<SimulatedBrokers>,
    /// Of the process: a request of a dead one is not sent.
    alive: Arc<AtomicBool>,
    /// The id of its transactions, where it writes in any.
    id: Option<String>,
    epoch: AtomicU64,
    inside: Mutex<Records>,
}

#[derive(Default)]
struct Records {
    queued: VecDeque<OutputRecord>,
    /// Records that the brokers have, and of which the producer does not know that yet.
    arrived: u64,
    acknowledged: u64,
    /// Why a record was refused.
    failure: Option<BrokerRefusal>,
    /// The answer to the call that was made last, once it comes.
    answer: Option<Answer>,
}

impl SimulatedProducer {
    pub(super) fn new(
        brokers: Arc<SimulatedBrokers>,
        alive: Arc<AtomicBool>,
        id: Option<String>,
    ) -> Self {
        Self {
            brokers,
            alive,
            id,
            epoch: AtomicU64::new(0),
            inside: Mutex::default(),
        }
    }

    /// Moves some records and some answers on. False where there are none.
    pub(super) fn move_on(&self) -> bool {
        let mut inside = self.lock();
        let (queued, arrived) = (inside.queued.len(), inside.arrived);
        if queued == 0 && arrived == 0 {
            return false;
        }
        if arrived > 0 && self.brokers.dice.one_in(2) {
            inside.arrived = 0;
            inside.acknowledged += arrived;
        }
        let epoch = self.epoch.load(Ordering::Relaxed);
        for _ in 0..self.brokers.dice.below(queued + 1) {
            let Some(record) = inside.queued.pop_front() else {
                break;
            };
            let id = self.id.as_deref().map(|id| (id, epoch));
            match self.brokers.lock().append(id, record) {
                Ok(()) => inside.arrived += 1,
                Err(refusal) => inside.failure = Some(refusal),
            }
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn id(&self) -> String {
        self.id.clone().expect("it writes in transactions")
    }

    /// Makes a call. The same one again goes on where it was, but offsets are sent anew: those of the first
    /// request may still arrive.
    fn call(&self, request: BrokerRequest, timeout: Duration) -> CallResult {
        if !self.alive.load(Ordering::Relaxed) {
            return Err(call_error(DEAD));
        }
        let before = self.lock().answer.take();
        if let Some(before) = before {
            let answered = *before.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(result) = answered {
                return result.map_err(call_error);
            }
            // The request is still on its way.
            self.lock().answer = Some(before);
            clock::sleep(timeout);
            return Err(timed_out());
        }
        match self.brokers.fate() {
            Fate::Answered => return self.brokers.lock().take(request).map_err(call_error),
            Fate::RequestLost => {}
            Fate::AnswerLost => {
                let sends_again = matches!(request, BrokerRequest::SendOffsets { .. });
                let result = self.brokers.lock().take(request);
                let answer = Arc::new(Mutex::new(Some(result)));
                self.lock().answer = (!sends_again).then_some(answer);
            }
            Fate::Late(by) => {
                let answer = Answer::default();
                if !matches!(request, BrokerRequest::SendOffsets { .. }) {
                    self.lock().answer = Some(Arc::clone(&answer));
                }
                self.brokers.lock().delay(by, request, answer);
            }
        }
        clock::sleep(timeout);
        Err(timed_out())
    }
}

impl TransactionalProducer for SimulatedProducer {
    fn announce(&self, timeout: Duration) -> CallResult {
        if !self.alive.load(Ordering::Relaxed) {
            return Err(call_error(DEAD));
        }
        let fate = self.brokers.fate();
        if fate != Fate::RequestLost {
            let epoch = self.brokers.lock().announce(&self.id());
            self.epoch.store(epoch, Ordering::Relaxed);
        }
        match fate {
            Fate::Answered => Ok(()),
            _ => {
                clock::sleep(timeout);
                Err(timed_out())
            }
        }
    }

    fn begin(&self) -> CallResult {
        Ok(())
    }

    fn send_offsets(
        &self,
        offsets: &[GroupOffset],
        member: &GroupMember,
        timeout: Duration,
    ) -> CallResult {
        let GroupMemberOf::Simulated(member) = member.0 else {
            unreachable!("the group is simulated");
        };
        let of = |GroupOffset { position, note, .. }: &GroupOffset| OffsetToCommit {
            key: (position.stream, position.partition),
            next: position.next,
            note: CommitNote::read(note),
        };
        let request = BrokerRequest::SendOffsets {
            id: self.id(),
            epoch: self.epoch.load(Ordering::Relaxed),
            member,
            offsets: offsets.iter().map(of).collect(),
        };
        self.call(request, timeout)
    }

    fn commit(&self, timeout: Duration) -> CallResult {
        let request = BrokerRequest::End {
            id: self.id(),
            epoch: self.epoch.load(Ordering::Relaxed),
            commits: true,
        };
        self.call(request, timeout)
    }

    fn abort(&self, timeout: Duration) -> CallResult {
        self.lock().queued.clear();
        let request = BrokerRequest::End {
            id: self.id(),
            epoch: self.epoch.load(Ordering::Relaxed),
            commits: false,
        };
        self.call(request, timeout)
    }
}

/// Writes signals.
pub(super) struct SimulatedSink {
    producer: Arc<SimulatedProducer>,
    sent: u64,
    marks: UnacknowledgedPositions,
    transactions: Option<Transactions>,
}

impl SimulatedSink {
    /// Announces the producer, where it writes in transactions.
    ///
    /// # Errors
    /// As the real one.
    pub(super) fn open(
        producer: Arc<SimulatedProducer>,
        every: Duration,
    ) -> Result<Self, KafkaSinkError> {
        let id = producer.id.clone();
        let begin =
            |id: &str| Transactions::begin(&*producer, id, every, ConnectPatience::default());
        let transactions = id.as_deref().map(begin).transpose()?;
        Ok(Self {
            producer,
            sent: 0,
            marks: UnacknowledgedPositions::default(),
            transactions,
        })
    }

    fn check(&self) -> Result<(), KafkaSinkError> {
        match self.producer.lock().failure {
            Some(_) => Err(KafkaSinkError::Lost),
            None => Ok(()),
        }
    }

    fn flushed(&self) -> Result<(), KafkaSinkError> {
        while self.producer.lock().acknowledged < self.sent {
            self.check()?;
            if self
                .transactions
                .as_ref()
                .is_some_and(Transactions::is_lost)
                || !self.producer.alive.load(Ordering::Relaxed)
            {
                return Err(KafkaSinkError::Lost);
            }
            clock::sleep(Duration::from_millis(1));
        }
        self.check()
    }

    fn commit(&mut self, positions: &mut Vec<Position>) -> Result<(), KafkaSinkError> {
        // A commit with records in flight is not made.
        self.flushed()?;
        match &mut self.transactions {
            Some(transactions) => transactions.commit(&*self.producer, positions),
            None => Ok(()),
        }
    }
}

impl Sink for SimulatedSink {
    fn signal(&mut self, signal: &Signal, instrument: &str) -> Result<(), SinkError> {
        self.check().map_err(sink_error)?;
        if let Some(transactions) = &mut self.transactions {
            transactions.open(&*self.producer).map_err(sink_error)?;
        }
        self.sent += 1;
        let record = output_record(signal, instrument);
        self.producer.lock().queued.push_back(record);
        Ok(())
    }

    fn dead_letter(&mut self, _letter: &DeadLetter<'_>) -> Result<(), SinkError> {
        Ok(())
    }

    fn mark(&mut self, positions: &[Position]) {
        match &mut self.transactions {
            Some(transactions) => transactions.mark(positions),
            None => self.marks.add(self.sent, positions),
        }
    }

    fn commit_for(&mut self, group: Arc<dyn CommittingGroup>) {
        if let Some(transactions) = &mut self.transactions {
            transactions.commit_for(group);
        }
    }

    fn acknowledged(&mut self, positions: &mut Vec<Position>) -> Result<(), SinkError> {
        self.check().map_err(sink_error)?;
        if let Some(transactions) = &self.transactions {
            return match transactions.is_due() {
                true => self.commit(positions).map_err(sink_error),
                false => Ok(()),
            };
        }
        let acknowledged = self.producer.lock().acknowledged;
        self.marks.take(acknowledged, positions);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.flushed().map_err(sink_error)
    }

    fn keeps_dead_letters(&self) -> bool {
        false
    }
}

impl Drop for SimulatedSink {
    fn drop(&mut self) {
        if let Some(transactions) = &mut self.transactions {
            transactions.abort(&*self.producer);
        }
    }
}

/// A signal as a record of the output.
pub(super) fn output_record(signal: &Signal, instrument: &str) -> OutputRecord {
    use std::hash::Hasher as _;
    let mut hasher = FxHasher::default();
    hasher.write_i64(signal.ts_event.0);
    hasher.write_u8(signal.quality as u8);
    hasher.write_u16(signal.part);
    hasher.write_i32(signal.origin.partition);
    for output in signal.outputs {
        hasher.write_u64(output.to_bits());
    }
    OutputRecord {
        key: instrument.into(),
        offset: signal.origin.offset,
        digest: hasher.finish(),
    }
}

fn sink_error(error: KafkaSinkError) -> SinkError {
    SinkError::Kafka(Box::new(error))
}

fn call_error(refusal: BrokerRefusal) -> CallError {
    let BrokerRefusal { why, is_fatal } = refusal;
    CallError {
        error: KafkaError::Seek(why.to_owned()),
        is_retriable: false,
        is_fatal,
    }
}

fn timed_out() -> CallError {
    CallError {
        error: KafkaError::Seek("timed out".to_owned()),
        is_retriable: true,
        is_fatal: false,
    }
}

const DEAD: BrokerRefusal = BrokerRefusal {
    why: "the process has ended",
    is_fatal: true,
};
