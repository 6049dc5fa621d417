//! The messages that subscribe, to be sent again where the venue refuses for the moment.

use std::time::{Duration, Instant};

use super::backoff::doubled;
use super::settings::WebsocketSettings;
use crate::decode::venue::Subscription;

/// The messages of a subscription, and when they are sent again.
pub(super) struct SubscriptionTexts {
    texts: Vec<String>,
    due: Option<Instant>,
    /// How often they were sent again.
    repeats: u32,
    backoff: (Duration, Duration),
}

impl SubscriptionTexts {
    pub(super) fn of(subscription: &Subscription, settings: &WebsocketSettings) -> Self {
        Self {
            texts: subscription.messages.clone(),
            due: None,
            repeats: 0,
            backoff: (settings.backoff_min, settings.backoff_max),
        }
    }

    /// To be sent again after a while, unless that is so already.
    pub(super) fn repeat_later(&mut self, now: Instant) {
        if self.due.is_none() {
            let wait = doubled(self.backoff.0, self.repeats, self.backoff.1);
            self.due = Some(now + wait);
            self.repeats = self.repeats.saturating_add(1);
        }
    }

    /// Whether they are to be sent now; true once.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.due.is_some_and(|due| now >= due);
        if is_due {
            self.due = None;
        }
        is_due
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = String> {
        self.texts.iter().cloned()
    }
}
