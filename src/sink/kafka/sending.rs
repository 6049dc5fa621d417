//! The way of a record into the producer's queue, and what holds it up: a full queue, or a slow broker.

use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::BaseRecord;

use super::error::KafkaSinkError;
use super::letters::kafka_headers;
use super::patience::LastWait;
use super::{FLUSH_STEP, KafkaSink};
use crate::clock;

impl KafkaSink {
    /// Queues a record, behind the letters that are sent again.
    ///
    /// # Errors
    /// [`KafkaSinkError`]; also for an earlier record that failed meanwhile.
    pub(super) fn queue(
        &mut self,
        topic: &str,
        key: &[u8],
        payload: &[u8],
        headers: &[(&str, &[u8])],
    ) -> Result<(), KafkaSinkError> {
        self.check()?;
        self.send_letters_again()?;
        self.queue_record(topic, key, payload, kafka_headers(headers))
    }

    /// Queues the next record, under the next number; waits while the brokers are slow to take those before
    /// it.
    pub(super) fn queue_record(
        &mut self,
        topic: &str,
        key: &[u8],
        payload: &[u8],
        headers: OwnedHeaders,
    ) -> Result<(), KafkaSinkError> {
        let mut now = clock::instant();
        if self.is_slow(now) {
            self.wait_while_slow()?;
            now = clock::instant();
        }
        if let Some(transactions) = &mut self.transactions {
            transactions.open(&self.producer)?;
        }
        self.account().take(now);
        let pushed = self.push(topic, self.sent, key, payload, headers);
        self.sent += u64::from(pushed.is_ok());
        pushed.inspect_err(|_| self.account().untake())
    }

    pub(super) fn push(
        &self,
        topic: &str,
        number: u64,
        key: &[u8],
        payload: &[u8],
        headers: OwnedHeaders,
    ) -> Result<(), KafkaSinkError> {
        let mut record = BaseRecord::with_opaque_to(topic, number as usize)
            .key(key)
            .payload(payload)
            .headers(headers);
        let begin = clock::instant();
        while let Err((error, back)) = self.producer.send(record) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(KafkaSinkError::refused(
                    topic,
                    error,
                    self.transactions.is_some(),
                ));
            }
            if clock::elapsed(begin) > self.settings.delivery_timeout {
                self.check()?;
                return Err(self.failed(KafkaSinkError::QueueFull {
                    topic: topic.to_owned(),
                    waited: self.settings.delivery_timeout,
                }));
            }
            record = back;
            clock::sleep(FLUSH_STEP);
        }
        Ok(())
    }

    /// Whether the oldest record on its way is old. The time in the queue counts for the delivery timeout: a
    /// full queue before a slow broker would fail, though the broker takes record after record.
    fn is_slow(&self, now: Instant) -> bool {
        let most = self.settings.delivery_timeout / QUEUED_PART;
        let oldest = self.account().oldest();
        oldest.is_some_and(|taken| now.saturating_duration_since(taken) >= most)
    }

    fn wait_while_slow(&self) -> Result<(), KafkaSinkError> {
        let timeout = self.settings.delivery_timeout;
        let mut wait = None;
        while self.is_slow(clock::instant()) {
            self.check()?;
            self.check_group()?;
            let left = self.sent - self.account().answered;
            let wait =
                wait.get_or_insert_with(|| LastWait::begin(&self.settings.patience, timeout));
            if wait.is_over(left) {
                return Err(self.unfinished(left, wait.waited()));
            }
            self.send_letters_again()?;
            clock::sleep(FLUSH_STEP);
        }
        Ok(())
    }

    /// Records that are on their way to partitions that were taken away will not be committed: they need not
    /// arrive.
    pub(super) fn check_group(&self) -> Result<(), KafkaSinkError> {
        match &self.transactions {
            Some(transactions) if transactions.is_lost() => Err(KafkaSinkError::Lost),
            _ => Ok(()),
        }
    }

    /// So many records have not arrived after so long.
    pub(super) fn unfinished(&self, left: u64, waited: Duration) -> KafkaSinkError {
        self.failed(KafkaSinkError::Unfinished {
            bootstrap: self.settings.bootstrap.clone(),
            left,
            waited,
        })
    }
}

/// The part of the delivery timeout that the oldest record on its way may be old when another is queued: so a
/// broker that suddenly takes a ninth of what it took does not run into the timeout.
const QUEUED_PART: u32 = 10;
