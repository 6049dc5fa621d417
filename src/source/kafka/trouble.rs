//! Trouble with the brokers: when to log it again, and when to ask whether they are back.

use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

/// Trouble that the client mends by itself.
pub(super) struct Trouble {
    since: Instant,
    next_log: Instant,
    log_pause: Duration,
    next_probe: Instant,
    /// The number of probes that the brokers answered by "the topic does not exist".
    missing: u32,
}

impl Trouble {
    /// Trouble that begins now.
    pub(super) fn begin(now: Instant) -> Self {
        Self {
            since: now,
            next_log: now,
            log_pause: FIRST_LOG_PAUSE,
            next_probe: now + PROBE_EVERY,
            missing: 0,
        }
    }

    /// How long it has lasted.
    pub(super) fn lasted(&self, now: Instant) -> Duration {
        now - self.since
    }

    /// Whether to log it now: at first, and then less and less often.
    pub(super) fn log_is_due(&mut self, now: Instant) -> bool {
        let is_due = now >= self.next_log;
        if is_due {
            self.next_log = now + self.log_pause;
            self.log_pause = (self.log_pause * 2).min(LAST_LOG_PAUSE);
        }
        is_due
    }

    /// Whether to ask the brokers now whether they are back.
    pub(super) fn probe_is_due(&mut self, now: Instant) -> bool {
        let is_due = now >= self.next_probe;
        if is_due {
            self.next_probe = now + PROBE_EVERY;
        }
        is_due
    }

    /// The brokers answer that a topic does not exist. Returns for how long they have answered so: a probe
    /// without an answer says nothing about the topic, and does not count.
    pub(super) fn topic_missing(&mut self) -> Duration {
        self.missing += 1;
        PROBE_EVERY * self.missing
    }
}

/// Whether the client cannot mend an error by itself.
pub(super) fn is_lasting(error: &KafkaError) -> bool {
    let is_refusal = matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::SaslAuthenticationFailed
                | RDKafkaErrorCode::Authentication
        )
    );
    is_refusal || matches!(error, KafkaError::MessageConsumptionFatal(_))
}

const PROBE_EVERY: Duration = Duration::from_secs(1);
/// Pauses between two log lines about the same trouble: from the first, doubling, to the last.
const FIRST_LOG_PAUSE: Duration = Duration::from_secs(1);
const LAST_LOG_PAUSE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn trouble_is_logged_less_and_less_often() {
        let begin = clock::instant();
        let mut trouble = Trouble::begin(begin);
        let logged = (0..=200).filter(|&s| trouble.log_is_due(begin + Duration::from_secs(s)));
        assert_eq!(
            logged.collect::<Vec<_>>(),
            [0, 1, 3, 7, 15, 31, 63, 123, 183]
        );
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
