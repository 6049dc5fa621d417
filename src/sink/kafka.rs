//! Signals to Kafka in order, through an idempotent producer: at least once, or in transactions.
//!
//! It does not decide what is sent. A record that cannot be delivered fails the run, but for a dead letter
//! that its topic refuses.

mod deliveries;
pub mod error;
pub mod letter_memory;
mod letters;
pub mod patience;
pub(crate) mod producer;
mod sending;
pub mod settings;
mod topic_search;
pub mod transaction;

use std::sync::{Arc, MutexGuard, mpsc};
use std::time::Duration;

use rdkafka::message::Message;
use rdkafka::producer::{Producer, ThreadedProducer};

use self::deliveries::{Deliveries, DeliveryAccount};
use self::error::KafkaSinkError;
use self::letter_memory::LetterFate;
use self::letters::{Letter, LetterSize, record_bytes_max, refusal_reason};
use self::patience::LastWait;
use self::settings::{DeliveryPromise, KafkaSinkSettings};
use self::topic_search::{PATIENCE_STEP, look_for_topic};
use self::transaction::{CommittingGroup, Transactions};
use crate::clock;
use crate::frame::Position;
use crate::sink::dead_letter::DeadLetter;
use crate::sink::status::SinkStatus;
use crate::sink::unacknowledged::UnacknowledgedPositions;

/// A producer that knows which of its records have arrived.
pub struct KafkaSink {
    producer: ThreadedProducer<Deliveries>,
    topic: Arc<str>,
    settings: KafkaSinkSettings,
    sent: u64,
    marks: UnacknowledgedPositions,
    /// Where records and offsets are written together.
    transactions: Option<Transactions>,
}

impl KafkaSink {
    /// Connects, and looks for the topic.
    ///
    /// # Errors
    /// [`KafkaSinkError`], within some seconds where no broker answers, and at once where the patience of the
    /// settings ends.
    ///
    /// # Panics
    /// Where no thread can be had.
    pub fn connect(settings: KafkaSinkSettings) -> Result<Self, KafkaSinkError> {
        let patience = settings.patience.clone();
        let (bootstrap, topic) = (settings.bootstrap.clone(), settings.topic.clone());
        let (connected, connecting) = mpsc::sync_channel(1);
        // librdkafka waits for its brokers without an ear for anything else.
        std::thread::Builder::new()
            .name("kafka-connect".into())
            .spawn(move || drop(connected.send(Self::connected(settings))))
            .expect("a thread can be had");
        loop {
            match connecting.recv_timeout(PATIENCE_STEP) {
                Ok(sink) => return sink,
                Err(mpsc::RecvTimeoutError::Timeout) if !patience.is_over() => {}
                Err(_) => return Err(KafkaSinkError::GivenUp { bootstrap, topic }),
            }
        }
    }

    fn connected(settings: KafkaSinkSettings) -> Result<Self, KafkaSinkError> {
        let producer = settings.producer()?;
        let mut sink = Self {
            producer,
            topic: settings.topic.as_str().into(),
            settings,
            sent: 0,
            marks: UnacknowledgedPositions::default(),
            transactions: None,
        };
        look_for_topic(&sink.producer, &sink.settings)?;
        if let DeliveryPromise::ExactlyOnce { id, every } = &sink.settings.mode {
            let letters = sink.settings.letters.clone();
            sink.account().remember_letters(letters);
            let patience = sink.settings.patience.clone();
            let begun = Transactions::begin(&sink.producer, id, *every, patience);
            sink.transactions = Some(begun?);
        }
        Ok(sink)
    }

    /// Queues a record for the sink's topic; waits while the queue is full.
    ///
    /// # Errors
    /// [`KafkaSinkError`]; also for an earlier record that failed meanwhile.
    pub fn send(
        &mut self,
        key: &[u8],
        payload: &[u8],
        headers: &[(&str, &[u8])],
    ) -> Result<(), KafkaSinkError> {
        let topic = Arc::clone(&self.topic);
        self.queue(&topic, key, payload, headers)
    }

    /// Sends a record to another topic.
    ///
    /// # Errors
    /// As [`KafkaSink::send`].
    pub fn send_to(
        &mut self,
        topic: &str,
        key: &[u8],
        payload: &[u8],
    ) -> Result<(), KafkaSinkError> {
        self.queue(topic, key, payload, &[])
    }

    /// Sends a record with headers to another topic.
    ///
    /// # Errors
    /// As [`KafkaSink::send`].
    pub fn send_with(
        &mut self,
        topic: &str,
        key: &[u8],
        payload: &[u8],
        headers: &[(&str, &[u8])],
    ) -> Result<(), KafkaSinkError> {
        self.queue(topic, key, payload, headers)
    }

    /// Queues a frame that could not be decoded, with the reason and its origin as headers. It is cut where
    /// it is larger than the topic takes. One that the topic does not take even so is counted and passed
    /// over.
    ///
    /// # Errors
    /// As [`KafkaSink::send`].
    pub fn send_dead_letter(
        &mut self,
        topic: &str,
        letter: &DeadLetter<'_>,
    ) -> Result<(), KafkaSinkError> {
        self.check()?;
        self.send_letters_again()?;
        if let Some(reason) = self.settings.letters.refusal_of(topic) {
            self.account().pass_over_letter(reason);
            return Ok(());
        }
        let most = record_bytes_max(&self.settings.properties);
        let mut size = match self.settings.letters.fate(letter) {
            Some(LetterFate::Refused) => return Ok(()),
            Some(LetterFate::At(size)) => size,
            None => LetterSize::Whole,
        };
        loop {
            let record = Letter::of(letter, size, most);
            self.account().letter(self.sent, size, record.newly_cut);
            let queued = self.queue_record(topic, &[], &record.payload, record.headers);
            let Err(KafkaSinkError::Refused { error, .. }) = &queued else {
                return queued;
            };
            let Some(reason) = refusal_reason(error) else {
                return queued;
            };
            match size.smaller().filter(|_| reason.may_be_smaller()) {
                Some(smaller) => size = smaller,
                None => {
                    let mut account = self.account();
                    account.refuse_letter(topic, reason, error);
                    account.forget_letter(self.sent);
                    return Ok(());
                }
            }
        }
    }

    /// Sends the letters again that were too large for their topic, smaller: one at a time, so that none is
    /// refused for the size of a batch.
    fn send_letters_again(&self) -> Result<(), KafkaSinkError> {
        let next = self.account().next_letter();
        let Some(refused) = next else {
            return Ok(());
        };
        let most = record_bytes_max(&self.settings.properties);
        let letter = Letter::again(&refused.record, refused.size, most);
        let (topic, number) = (refused.record.topic(), refused.number);
        self.account()
            .letter(number, refused.size, letter.newly_cut);
        let sent = self.push(topic, number, &[], &letter.payload, letter.headers);
        match &sent {
            Err(KafkaSinkError::Refused { error, .. }) => match refusal_reason(error) {
                Some(reason) => {
                    let mut account = self.account();
                    account.refuse_letter(topic, reason, error);
                    account.give_up_letter(number);
                    Ok(())
                }
                None => sent,
            },
            _ => sent,
        }
    }

    /// Records queued so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Notes positions of the input: all records of the frames before them have been
    /// queued.
    pub fn mark(&mut self, positions: &[Position]) {
        match &mut self.transactions {
            Some(transactions) => transactions.mark(positions),
            None => self.marks.add(self.sent, positions),
        }
    }

    /// Commits offsets in the name of this group from now on, where it writes in transactions.
    pub fn commit_for(&mut self, group: Arc<dyn CommittingGroup>) {
        if let Some(transactions) = &mut self.transactions {
            transactions.commit_for(group);
        }
    }

    /// Appends the marked positions before which all records have arrived, in the order of the marks.
    ///
    /// # Errors
    /// As [`KafkaSink::check`].
    pub fn acknowledged(&mut self, positions: &mut Vec<Position>) -> Result<(), KafkaSinkError> {
        self.check()?;
        if let Some(transactions) = &self.transactions {
            return match transactions.is_due() {
                true => self.commit(positions),
                false => Ok(()),
            };
        }
        self.send_letters_again()?;
        let delivered = self.delivered();
        self.marks.take(delivered, positions);
        Ok(())
    }

    /// Commits what was sent, with the offsets of its input, and appends these. Does nothing where records
    /// are not written in transactions.
    ///
    /// # Errors
    /// [`KafkaSinkError`]; the run must begin again at the committed offsets.
    pub fn commit(&mut self, positions: &mut Vec<Position>) -> Result<(), KafkaSinkError> {
        if self.transactions.is_some() {
            // A commit with records in flight waits in steps of 100 ms.
            self.flush(self.settings.delivery_timeout)?;
        }
        let (status, producer) = (self.status(), &self.producer);
        let Some(transactions) = &mut self.transactions else {
            return Ok(());
        };
        status.committing(|| transactions.commit(producer, positions))
    }

    /// How many of the records queued first have all arrived.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.account().through
    }

    /// What it shows of its delivery.
    #[must_use]
    pub fn status(&self) -> Arc<SinkStatus> {
        self.producer.client().context().status()
    }

    /// The first delivery that failed, if any.
    ///
    /// # Errors
    /// [`KafkaSinkError::Delivery`].
    pub fn check(&self) -> Result<(), KafkaSinkError> {
        let account = self.account();
        match &account.first_failure {
            None => Ok(()),
            Some((_, error)) if account.spoilt_by_letter => Err(KafkaSinkError::Spoilt {
                error: Box::new(error.clone()),
            }),
            Some((topic, error)) => Err(self.failed(KafkaSinkError::Delivery {
                topic: topic.clone(),
                error: Box::new(error.clone()),
                failed: account.failed,
            })),
        }
    }

    /// Records did not arrive: of a transaction, nothing has.
    fn failed(&self, why: KafkaSinkError) -> KafkaSinkError {
        match self.transactions {
            Some(_) => KafkaSinkError::Aborted(Box::new(why)),
            None => why,
        }
    }

    /// Waits until everything queued has arrived; not for long once the process is to end.
    ///
    /// # Errors
    /// [`KafkaSinkError::Delivery`], or [`KafkaSinkError::Unfinished`] after `patience`.
    pub fn flush(&self, patience: Duration) -> Result<(), KafkaSinkError> {
        let mut wait = LastWait::begin(&self.settings.patience, patience);
        // Not the producer's own `flush`: it sleeps in steps of 100 ms where one will do.
        while self.account().answered < self.sent {
            let left = self.sent - self.account().answered;
            if wait.is_over(left) {
                self.check()?;
                return Err(self.unfinished(left, wait.waited()));
            }
            self.check_group()?;
            self.send_letters_again()?;
            clock::sleep(FLUSH_STEP);
        }
        self.check()
    }

    fn account(&self) -> MutexGuard<'_, DeliveryAccount> {
        self.producer.client().context().account()
    }
}

impl Drop for KafkaSink {
    fn drop(&mut self) {
        if let Some(transactions) = &mut self.transactions {
            transactions.abort(&self.producer);
        }
    }
}

/// The pause before a look at what has arrived.
const FLUSH_STEP: Duration = Duration::from_micros(250);

#[cfg(test)]
mod tests;
