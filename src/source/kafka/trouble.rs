//! Trouble with the brokers: when to log it again, and when to ask whether they are back.
//!
//! An error can wait in the client's queue until the brokers are back. Trouble that begins soon after other
//! trouble is therefore only suspected at first: the next probe tells.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use tracing::{debug, info, warn};

use crate::kafka::log_pause::LogPause;
use crate::kafka::refusal::is_refusal;
use crate::source::status::{FeedStatus, count};

/// The brokers, and whether there is trouble with them.
pub(super) struct Brokers {
    bootstrap: String,
    status: Arc<FeedStatus>,
    trouble: Option<Trouble>,
    /// When the last trouble ended.
    recovered: Option<Instant>,
}

impl Brokers {
    /// Brokers that are well.
    pub(super) fn new(bootstrap: String, status: Arc<FeedStatus>) -> Self {
        Self {
            bootstrap,
            status,
            trouble: None,
            recovered: None,
        }
    }

    /// No broker answers at the start: it is waited for.
    pub(super) fn absent(&mut self, now: Instant, error: &KafkaError) {
        count(&self.status.failures);
        let trouble = self.trouble.get_or_insert_with(|| Trouble::told(now, None));
        if trouble.log_is_due(now) {
            let bootstrap = &self.bootstrap;
            warn!(bootstrap, %error, "no broker answers: waiting for one; is the address right?");
        }
    }

    /// The brokers answered at the start.
    pub(super) fn found(&mut self, now: Instant) {
        if let Some(trouble) = self.trouble.take() {
            let waited = trouble.lasted(now);
            info!(bootstrap = self.bootstrap, ?waited, "a broker answers");
        }
    }

    /// The client tells of an error that it mends by itself.
    pub(super) fn failed(&mut self, now: Instant, error: &KafkaError) {
        count(&self.status.failures);
        self.trouble
            .get_or_insert_with(|| Trouble::told(now, self.recovered));
        self.log_if_due(now, error);
    }

    /// Whether to ask the brokers now whether they are back; never where there is no trouble.
    pub(super) fn probe_is_due(&mut self, now: Instant) -> bool {
        let trouble = self.trouble.as_mut();
        trouble.is_some_and(|trouble| trouble.probe_is_due(now))
    }

    /// They did not answer the probe.
    pub(super) fn gave_no_answer(&mut self, now: Instant, error: &KafkaError) {
        debug!(%error, "no answer from the brokers");
        if self
            .trouble
            .as_ref()
            .is_some_and(|trouble| !trouble.is_certain)
        {
            self.log_if_due(now, error);
        }
    }

    /// They answered the probe: the trouble is over.
    pub(super) fn answered(&mut self, now: Instant) {
        if let Some(trouble) = self.trouble.take().filter(|trouble| trouble.is_certain) {
            let away = trouble.lasted(now);
            info!(bootstrap = self.bootstrap, ?away, "Kafka is back");
        }
        self.recovered = Some(now);
        self.status.set_healthy(true);
    }

    /// They answer that a topic does not exist. Returns for how long they have answered so.
    pub(super) fn topic_missing(&mut self) -> Duration {
        let trouble = self.trouble.as_mut();
        trouble.map_or(Duration::ZERO, Trouble::topic_missing)
    }

    /// Logs the trouble where that is due; from the first time on the source is not healthy.
    fn log_if_due(&mut self, now: Instant, error: &KafkaError) {
        let Some(trouble) = self.trouble.as_mut() else {
            return;
        };
        if trouble.log_is_due(now) {
            warn!(bootstrap = self.bootstrap, %error, "Kafka is in trouble: trying again");
        }
        if trouble.is_certain {
            self.status.set_healthy(false);
        }
    }
}

/// Trouble that the client mends by itself.
struct Trouble {
    since: Instant,
    log: LogPause,
    next_probe: Instant,
    /// Whether it is more than suspected, and was logged.
    is_certain: bool,
    /// The number of probes that the brokers answered by "the topic does not exist".
    missing: u32,
}

impl Trouble {
    /// Trouble that begins now.
    fn begin(now: Instant) -> Self {
        Self {
            since: now,
            log: LogPause::from(now),
            next_probe: now + PROBE_EVERY,
            is_certain: false,
            missing: 0,
        }
    }

    /// Trouble that an error of now tells of; `ended` is when the trouble before it ended.
    fn told(now: Instant, ended: Option<Instant>) -> Self {
        let begun = Self::begin(now);
        let suspected = ended.is_some_and(|ended| now - ended < QUEUED_ERRORS_AGE_MAX);
        Self {
            log: LogPause::from(if suspected { begun.next_probe } else { now }),
            ..begun
        }
    }

    /// How long it has lasted.
    fn lasted(&self, now: Instant) -> Duration {
        now - self.since
    }

    /// Whether to log it now: at first, and then less and less often.
    fn log_is_due(&mut self, now: Instant) -> bool {
        let is_due = self.log.is_due(now);
        self.is_certain |= is_due;
        is_due
    }

    /// Whether to ask the brokers now whether they are back.
    fn probe_is_due(&mut self, now: Instant) -> bool {
        let is_due = now >= self.next_probe;
        if is_due {
            self.next_probe = now + PROBE_EVERY;
        }
        is_due
    }

    /// The brokers answer that a topic does not exist. Returns for how long they have answered so: a probe
    /// without an answer says nothing about the topic, and does not count.
    fn topic_missing(&mut self) -> Duration {
        self.missing += 1;
        PROBE_EVERY * self.missing
    }
}

/// Whether the client cannot mend an error by itself.
pub(super) fn is_lasting(error: &KafkaError) -> bool {
    is_refusal(error) || matches!(error, KafkaError::MessageConsumptionFatal(_))
}

const PROBE_EVERY: Duration = Duration::from_secs(1);
/// An error this soon after the end of trouble may be of that trouble.
const QUEUED_ERRORS_AGE_MAX: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use rdkafka::types::RDKafkaErrorCode;

    use super::*;
    use crate::clock;

    #[test]
    fn an_error_after_the_end_of_trouble_is_logged_only_where_a_probe_is_not_answered() {
        let ended = clock::instant();
        let at = |ms| ended + Duration::from_millis(ms);
        let mut queued = Trouble::told(at(10), Some(ended));
        assert!(!queued.log_is_due(at(10)) && !queued.is_certain);
        assert!(queued.probe_is_due(at(1_010)));
        assert!(queued.log_is_due(at(1_010)) && queued.is_certain);
        let mut later = Trouble::told(at(5_000), Some(ended));
        assert!(later.log_is_due(at(5_000)) && later.is_certain);
        assert!(Trouble::told(at(0), None).log_is_due(at(0)));
    }

    /// A queued error does not make a source unhealthy that has just recovered.
    #[test]
    fn an_error_of_trouble_that_is_over_changes_nothing() {
        let status = Arc::new(FeedStatus::default());
        let mut brokers = Brokers::new("nowhere:1".into(), Arc::clone(&status));
        let begin = clock::instant();
        let at = |ms| begin + Duration::from_millis(ms);
        let error = KafkaError::MessageConsumption(RDKafkaErrorCode::AllBrokersDown);
        brokers.failed(at(0), &error);
        assert!(!status.is_healthy(), "trouble");
        assert!(brokers.probe_is_due(at(1_000)));
        brokers.answered(at(1_000));
        brokers.failed(at(1_010), &error);
        assert!(status.is_healthy(), "an error that was queued");
        assert!(brokers.probe_is_due(at(2_010)));
        brokers.gave_no_answer(at(2_010), &error);
        assert!(!status.is_healthy(), "trouble again");
    }

    #[test]
    fn a_topic_counts_as_missing_while_the_brokers_answer() {
        let begin = clock::instant();
        let at = |s| begin + Duration::from_secs(s);
        let mut trouble = Trouble::begin(begin);
        assert!(!trouble.probe_is_due(at(0)) && trouble.probe_is_due(at(1)));
        assert_eq!(trouble.topic_missing(), Duration::from_secs(1));
        assert_eq!(trouble.topic_missing(), Duration::from_secs(2));
    }
}
