//! Which records have arrived, as the producer reports it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{NoCustomPartitioner, ProducerContext};
use tracing::warn;

use crate::clock;
use crate::kafka::log_pause::LogPause;
use crate::kafka::refusal::is_refusal;

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
    /// Records up to here have all arrived.
    pub(super) through: u64,
    /// Records that arrived before an earlier one: partitions answer in any order.
    early: BinaryHeap<Reverse<u64>>,
    /// Arrived or failed.
    pub(super) answered: u64,
    pub(super) failed: u64,
    pub(super) first_failure: Option<(String, KafkaError)>,
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
}

impl DeliveryAccount {
    pub(super) fn arrived(&mut self, number: u64) {
        self.answered += 1;
        self.early.push(Reverse(number));
        while self.early.peek() == Some(&Reverse(self.through)) {
            self.early.pop();
            self.through += 1;
        }
    }

    fn failed(&mut self, topic: &str, error: &KafkaError) {
        self.answered += 1;
        self.failed += 1;
        self.first_failure
            .get_or_insert_with(|| (topic.to_owned(), error.clone()));
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
        let mut account = self.account();
        match result {
            Ok(_) => account.arrived(number as u64),
            Err((error, record)) => account.failed(record.topic(), error),
        }
    }
}
