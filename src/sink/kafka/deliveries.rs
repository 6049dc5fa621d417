//! Which records have arrived, as the producer reports it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rdkafka::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, DeliveryResult, Message, OwnedMessage};
use rdkafka::producer::{NoCustomPartitioner, ProducerContext};
use tracing::warn;

use super::letter_memory::{LetterFate, LetterMemory};
use super::letters::{LetterSize, refusal_reason};
use crate::clock;
use crate::kafka::log_pause::LogPause;
use crate::kafka::refusal::is_refusal;
use crate::sink::status::{RefusalReason, SinkStatus};

/// Counts deliveries, on the producer's own thread.
#[derive(Default)]
pub(super) struct Deliveries {
    account: Mutex<DeliveryAccount>,
    refusal: Mutex<Option<KafkaError>>,
    log: Mutex<Option<LogPause>>,
}

/// Which records have arrived, by their number from 0.
#[derive(Default)]
pub(super) struct DeliveryAccount {
    /// Records up to here have all been answered for good.
    pub(super) through: u64,
    /// Records that arrived before an earlier one: partitions answer in any order.
    early: BinaryHeap<Reverse<u64>>,
    /// Arrived, failed, or given up.
    pub(super) answered: u64,
    pub(super) failed: u64,
    pub(super) first_failure: Option<(String, KafkaError)>,
    /// When each record from `through` on was taken.
    taken: VecDeque<Instant>,
    /// Letters that were taken and given up.
    given_up: u64,
    /// The dead letters among the records in flight, with the size that was tried last.
    letters: BTreeMap<u64, LetterSize>,
    /// Letters that were too large, to be sent again.
    too_large: VecDeque<RefusedLetter>,
    /// The letter that is sent again now.
    again: Option<u64>,
    /// What remembers refused letters over a rewind: in transactions.
    memory: Option<LetterMemory>,
    /// Whether a letter that was refused has spoilt the transaction.
    pub(super) spoilt_by_letter: bool,
    status: Arc<SinkStatus>,
}

/// A dead letter that was too large for its topic.
pub(super) struct RefusedLetter {
    pub(super) number: u64,
    /// As it was sent.
    pub(super) record: OwnedMessage,
    /// What is tried next.
    pub(super) size: LetterSize,
}

impl Deliveries {
    pub(super) fn account(&self) -> MutexGuard<'_, DeliveryAccount> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The error by which the brokers refused the client, if they did.
    pub(super) fn refusal(&self) -> Option<KafkaError> {
        let refusal = self.refusal.lock();
        refusal.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn status(&self) -> Arc<SinkStatus> {
        Arc::clone(&self.account().status)
    }
}

impl DeliveryAccount {
    /// Notes the next record, before the producer gets it.
    pub(super) fn take(&mut self, now: Instant) {
        self.taken.push_back(now);
        self.show();
    }

    /// Takes the note back: the producer has not taken the record.
    pub(super) fn untake(&mut self) {
        self.taken.pop_back();
        self.show();
    }

    /// When the oldest record on its way was taken.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.taken.front().copied()
    }

    pub(super) fn arrived(&mut self, number: u64) {
        self.answered += 1;
        self.early.push(Reverse(number));
        while self.early.peek() == Some(&Reverse(self.through)) {
            self.early.pop();
            self.taken.pop_front();
            self.through += 1;
        }
        self.show();
    }

    /// Records are written in transactions: a refused letter fails them all, and is remembered.
    pub(super) fn remember_letters(&mut self, memory: LetterMemory) {
        self.memory = Some(memory);
    }

    fn failed(&mut self, topic: &str, error: &KafkaError) {
        self.answered += 1;
        self.failed += 1;
        self.first_failure
            .get_or_insert_with(|| (topic.to_owned(), error.clone()));
    }

    /// Notes that the record of this number is a dead letter of this size.
    pub(super) fn letter(&mut self, number: u64, size: LetterSize, newly_cut: bool) {
        self.letters.insert(number, size);
        if newly_cut {
            self.status.update(|figures| figures.cut_letters += 1);
        }
    }

    /// The record of this number is no dead letter: the producer has not taken it.
    pub(super) fn forget_letter(&mut self, number: u64) {
        self.letters.remove(&number);
    }

    /// A letter that is to be sent again; none while another is on its way.
    pub(super) fn next_letter(&mut self) -> Option<RefusedLetter> {
        if self.again.is_some() {
            return None;
        }
        let next = self.too_large.pop_front()?;
        self.again = Some(next.number);
        Some(next)
    }

    /// Counts a letter that its topic does not take. The first is told, and then ever fewer.
    pub(super) fn refuse_letter(&mut self, topic: &str, reason: RefusalReason, error: &KafkaError) {
        let mut refused = 0;
        self.status.update(|figures| {
            figures.refused_letters[reason as usize] += 1;
            refused = figures.refused();
        });
        if refused.ilog10() != (refused - 1).checked_ilog10().unwrap_or(u32::MAX) {
            let reason = reason.word();
            warn!(
                topic,
                reason, refused, %error, "a dead letter was refused and is lost; the records behind it go on"
            );
        }
    }

    /// Counts a letter that is not sent, because its topic takes none.
    pub(super) fn pass_over_letter(&self, reason: RefusalReason) {
        self.status
            .update(|figures| figures.refused_letters[reason as usize] += 1);
    }

    /// A letter counts as answered without having arrived.
    pub(super) fn give_up_letter(&mut self, number: u64) {
        self.given_up += 1;
        self.letter_arrived(number);
    }

    fn letter_arrived(&mut self, number: u64) {
        self.letters.remove(&number);
        self.again = self.again.filter(|again| *again != number);
        self.arrived(number);
    }

    /// A letter that did not arrive: sent again where it was too large, given up where its topic refuses it.
    fn letter_failed(&mut self, number: u64, error: &KafkaError, record: &BorrowedMessage<'_>) {
        let tried = self.letters.remove(&number);
        self.again = self.again.filter(|again| *again != number);
        let Some(reason) = refusal_reason(error) else {
            return self.failed(record.topic(), error);
        };
        let smaller = tried.and_then(LetterSize::smaller);
        if let Some(memory) = &self.memory {
            let smaller = smaller.filter(|_| reason.may_be_smaller());
            let fate = smaller.map_or(LetterFate::Refused, LetterFate::At);
            memory.note(record.headers().map(BorrowedHeaders::detach).as_ref(), fate);
            if matches!(
                reason,
                RefusalReason::NoTopic | RefusalReason::NotAuthorised
            ) {
                memory.note_topic(record.topic(), reason);
            }
            self.spoilt_by_letter = true;
            self.failed(record.topic(), error);
            if fate == LetterFate::Refused {
                self.refuse_letter(record.topic(), reason, error);
            }
            return;
        }
        match smaller.filter(|_| reason.may_be_smaller()) {
            Some(size) => self.too_large.push_back(RefusedLetter {
                number,
                record: record.detach(),
                size,
            }),
            None => {
                self.refuse_letter(record.topic(), reason, error);
                self.give_up_letter(number);
            }
        }
    }

    /// Shows what is in flight.
    fn show(&self) {
        let early = self.early.len() as u64;
        let in_flight = self.taken.len() as u64 - early;
        let delivered = self.through + early - self.given_up;
        let oldest = self.taken.front().copied();
        self.status.update(|figures| {
            (figures.in_flight, figures.oldest) = (in_flight, oldest);
            figures.delivered = delivered;
        });
    }
}

impl ClientContext for Deliveries {
    fn error(&self, error: KafkaError, reason: &str) {
        let now = clock::instant();
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        // An absent broker is an error at each attempt to connect.
        if log.get_or_insert_with(|| LogPause::from(now)).is_due(now) {
            warn!(%error, reason, "producer");
        }
        if is_refusal(&error) {
            let mut refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
            *refusal = Some(error);
        }
    }
}

impl ProducerContext<NoCustomPartitioner> for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let (mut account, number) = (self.account(), number as u64);
        let is_letter = account.letters.contains_key(&number);
        match result {
            Ok(_) if is_letter => account.letter_arrived(number),
            Ok(_) => account.arrived(number),
            Err((error, record)) if is_letter => account.letter_failed(number, error, record),
            Err((error, record)) => account.failed(record.topic(), error),
        }
    }
}
