//! The state of one rule for one obligor: its open episode, and which of its events were published.
//!
//! Between two observations time passes only in [`RuleState::advance`], from one due time to the next, so
//! that the result does not depend on how often it is called.

use serde::{Deserialize, Serialize};

use super::observation::Observation;
use super::past::Past;
use super::rule::{AlertRule, Judgement};
use super::{Alert, AlertState, LONG_AGO, Severity};
use crate::units::Nanos;

/// The state of one rule for one obligor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RuleState {
    /// The event time up to which it has been advanced.
    clock: Nanos,
    /// The newest observation.
    last: Option<Observation>,
    /// Its reporting period.
    #[serde(default)]
    period: Option<i64>,
    /// The last observation of the period before, for a rule that does not look back by time.
    #[serde(default)]
    before: Option<Observation>,
    /// Observations to compare with, oldest first; a rule that does not look back by time keeps none.
    past: Past,
    /// The number of episodes begun.
    episodes: u64,
    /// The number of events published.
    sequence: u64,
    /// The open episode.
    open: Option<OpenEpisode>,
    /// The end of a silence: no event is published before.
    silent_until: Option<Nanos>,
    /// An episode whose beginning was published and that was resolved during the silence. At most one:
    /// during a silence no beginning is published.
    #[serde(rename = "owed")]
    unpublished_end: Option<UnpublishedEnd>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct OpenEpisode {
    number: u64,
    since: Nanos,
    fired: Option<Nanos>,
    /// Since when the PD has been below the lower threshold.
    clear_since: Option<Nanos>,
    severity: Severity,
    acknowledged: bool,
    /// State and severity of the last event, published or held back by a silence.
    #[serde(rename = "told")]
    announced: Option<(AlertState, Severity)>,
    /// State and severity of the last event that was published.
    #[serde(rename = "heard")]
    published: Option<(AlertState, Severity)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct UnpublishedEnd {
    episode: OpenEpisode,
    resolved: Observation,
}

/// Collects the events of one rule of one obligor.
pub(super) struct Outbox<'a> {
    pub(super) obligor: &'a str,
    pub(super) rule: &'a str,
    pub(super) alerts: &'a mut Vec<Alert>,
    /// The number of events held back by a silence.
    pub(super) silenced: &'a mut u64,
}

/// What becomes due as time passes, in the order of steps due at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum DueStep {
    EndSilence,
    /// The PD to compare with becomes another one.
    Judge,
    Fire,
    Resolve,
}

impl RuleState {
    /// Takes a PD and judges it at `now`, which is not before its time. False where the observation is older
    /// than the newest one, and so is not judged.
    pub(super) fn observe(
        &mut self,
        rule: &AlertRule,
        observation: Observation,
        period: Option<i64>,
        now: Nanos,
        outbox: &mut Outbox<'_>,
    ) -> bool {
        let Observation { ts, pd } = observation;
        if self.last.is_some_and(|last| ts < last.ts) {
            return false;
        }
        // What is due at `now` itself waits: whether its condition still holds is what the observation says.
        self.pass(rule, outbox, |due, step| {
            (due, step) <= (now, DueStep::EndSilence)
        });
        self.clock = self.clock.max(now);
        let is_next = match (self.last, period, self.period) {
            (None, ..) => false,
            // Two periods may be published at one time.
            (_, Some(period), Some(before)) => period != before,
            (Some(last), ..) => last.ts < ts,
        };
        if is_next {
            self.before = self.last;
        }
        (self.last, self.period) = (Some(observation), period);
        self.keep(rule, observation);
        self.judge(rule, outbox);
        // An episode that is about to end gets no worse by this observation.
        let worse =
            |episode: &&mut OpenEpisode| episode.fired.is_some() && episode.clear_since.is_none();
        if let Some(episode) = self.open.as_mut().filter(worse) {
            episode.severity = episode.severity.max(rule.severity(pd));
            self.announce(outbox);
        }
        // Steps that are due after no time, where `for_ms` or `keep_firing_for_ms` is 0.
        self.advance(rule, self.clock, outbox);
        true
    }

    /// Lets time pass, up to what is due at `now`.
    pub(super) fn advance(&mut self, rule: &AlertRule, now: Nanos, outbox: &mut Outbox<'_>) {
        self.pass(rule, outbox, |due, _| due <= now);
        self.clock = self.clock.max(now);
    }

    /// Does what is due, one step after the other, as long as it is to be done.
    fn pass(
        &mut self,
        rule: &AlertRule,
        outbox: &mut Outbox<'_>,
        is_to_be_done: impl Fn(Nanos, DueStep) -> bool,
    ) {
        while let Some((due, step)) = self
            .due(rule)
            .filter(|(due, step)| is_to_be_done(*due, *step))
        {
            self.clock = self.clock.max(due);
            match step {
                DueStep::EndSilence => self.end_silence(outbox),
                DueStep::Judge => self.judge(rule, outbox),
                DueStep::Fire => self.fire(rule, outbox),
                DueStep::Resolve => self.resolve(outbox),
            }
        }
    }

    /// Judges the newest PD at the time of the clock.
    fn judge(&mut self, rule: &AlertRule, outbox: &mut Outbox<'_>) {
        match rule.judge(self.pd(), self.earlier_pd(rule)) {
            Judgement::Holds => self.holds(rule, outbox),
            Judgement::Between => self.does_not_hold(false, outbox),
            Judgement::Clear => self.does_not_hold(true, outbox),
        }
    }

    /// When the next step is due; [`Nanos::UNDEFINED`] where none is.
    pub(super) fn next_due(&self, rule: &AlertRule) -> Nanos {
        self.due(rule).map_or(Nanos::UNDEFINED, |(due, _)| due)
    }

    /// Resolves the open episode of a rule that no longer exists; published if its beginning was published.
    pub(super) fn withdraw(&mut self, now: Nanos, outbox: &mut Outbox<'_>) {
        self.clock = self.clock.max(now);
        let open = self.open.take();
        self.end_silence(outbox);
        self.open = open.filter(|episode| episode.published.is_some());
        let published = outbox.alerts.len();
        self.resolve(outbox);
        for alert in &mut outbox.alerts[published..] {
            alert.rule_removed = true;
        }
    }

    pub(super) fn acknowledge(&mut self) -> bool {
        if let Some(episode) = &mut self.open {
            episode.acknowledged = true;
        }
        self.open.is_some()
    }

    pub(super) fn silence(&mut self, until: Nanos) {
        self.silent_until = Some(until);
    }

    pub(super) fn open_episode(&self) -> Option<u64> {
        self.open.map(|episode| episode.number)
    }

    fn due(&self, rule: &AlertRule) -> Option<(Nanos, DueStep)> {
        let after = |ts: Nanos, ns: i64| Nanos(ts.0.saturating_add(ns));
        let end_silence = self.silent_until.map(|until| (until, DueStep::EndSilence));
        let change = self.open.and_then(|episode| match episode.fired {
            None => Some((after(episode.since, rule.for_ns()), DueStep::Fire)),
            Some(_) => {
                let clear = episode.clear_since?;
                Some((after(clear, rule.keep_firing_for_ns()), DueStep::Resolve))
            }
        });
        let judge = rule
            .lookback_ns()
            .and_then(|lookback| self.past.next_change(self.clock, lookback));
        let judge = judge.map(|due| (due, DueStep::Judge));
        end_silence.into_iter().chain(change).chain(judge).min()
    }

    /// The PD to compare with at the time of the clock.
    fn earlier_pd(&self, rule: &AlertRule) -> Option<f64> {
        match rule.lookback_ns() {
            Some(lookback) => self
                .past
                .pd_at(Nanos(self.clock.0.saturating_sub(lookback))),
            None => self.before.map(|before| before.pd),
        }
    }

    /// Keeps an observation for later comparisons.
    fn keep(&mut self, rule: &AlertRule, observation: Observation) {
        match rule.lookback_ns() {
            Some(lookback) => self.past.keep(observation, self.clock, lookback),
            None => self.past.clear(),
        }
    }

    /// Whether it can be gone on from: what is open, and what is to be judged, has a PD.
    pub(super) fn is_sound(&self) -> bool {
        let has_begun = self.open.is_some() || !self.past.is_empty();
        self.last.is_some() || !has_begun
    }

    fn holds(&mut self, rule: &AlertRule, outbox: &mut Outbox<'_>) {
        if let Some(episode) = &mut self.open {
            episode.clear_since = None;
            return;
        }
        self.episodes += 1;
        self.open = Some(OpenEpisode {
            number: self.episodes,
            since: self.clock,
            fired: None,
            clear_since: None,
            severity: rule.severity(self.pd()),
            acknowledged: false,
            announced: None,
            published: None,
        });
        if rule.for_ns() > 0 {
            self.announce(outbox);
        }
    }

    fn does_not_hold(&mut self, clear: bool, outbox: &mut Outbox<'_>) {
        match &mut self.open {
            None => {}
            Some(episode) if episode.fired.is_none() => self.resolve(outbox),
            Some(episode) if clear => {
                episode.clear_since.get_or_insert(self.clock);
            }
            Some(episode) => episode.clear_since = None,
        }
    }

    fn fire(&mut self, rule: &AlertRule, outbox: &mut Outbox<'_>) {
        let severity = rule.severity(self.pd());
        if let Some(episode) = &mut self.open {
            episode.fired = Some(self.clock);
            episode.severity = severity;
        }
        self.announce(outbox);
    }

    /// Publishes the state of the open episode, if it differs from the last event.
    fn announce(&mut self, outbox: &mut Outbox<'_>) {
        let silent = self.silent_until.is_some();
        let Some(episode) = self.open.as_mut().filter(|episode| episode.has_changed()) else {
            return;
        };
        let state = episode.state();
        episode.announced = Some((state, episode.severity));
        if silent {
            *outbox.silenced += 1;
            return;
        }
        episode.published = episode.announced;
        let (episode, now) = (*episode, self.now());
        self.publish(&episode, state, now, outbox);
    }

    fn resolve(&mut self, outbox: &mut Outbox<'_>) {
        let Some(episode) = self.open.take() else {
            return;
        };
        let resolved = self.now();
        if self.silent_until.is_none() {
            return self.publish(&episode, AlertState::Resolved, resolved, outbox);
        }
        *outbox.silenced += 1;
        if episode.published.is_some() {
            self.unpublished_end = Some(UnpublishedEnd { episode, resolved });
        }
    }

    /// Ends a silence: publishes an end that was held back, and the open episode if it has changed.
    fn end_silence(&mut self, outbox: &mut Outbox<'_>) {
        self.silent_until = None;
        if let Some(UnpublishedEnd { episode, resolved }) = self.unpublished_end.take() {
            self.publish(&episode, AlertState::Resolved, resolved, outbox);
        }
        if let Some(episode) = &mut self.open {
            episode.announced = episode.published;
        }
        self.announce(outbox);
    }

    fn publish(
        &mut self,
        episode: &OpenEpisode,
        state: AlertState,
        at: Observation,
        outbox: &mut Outbox<'_>,
    ) {
        self.sequence += 1;
        outbox.alerts.push(Alert {
            obligor: outbox.obligor.to_owned(),
            rule: outbox.rule.to_owned(),
            episode: episode.number,
            sequence: self.sequence,
            state,
            severity: episode.severity,
            pd: at.pd,
            ts_event: at.ts,
            since: episode.since,
            fired: episode.fired,
            acknowledged: episode.acknowledged,
            rule_removed: false,
        });
    }

    /// The newest PD, at the time of the clock.
    fn now(&self) -> Observation {
        Observation {
            ts: self.clock,
            pd: self.pd(),
        }
    }

    fn pd(&self) -> f64 {
        let last = self.last.expect("an episode begins with an observation");
        last.pd
    }
}

impl Default for RuleState {
    fn default() -> Self {
        Self {
            clock: LONG_AGO,
            last: None,
            period: None,
            before: None,
            past: Past::default(),
            episodes: 0,
            sequence: 0,
            open: None,
            silent_until: None,
            unpublished_end: None,
        }
    }
}

impl OpenEpisode {
    fn state(&self) -> AlertState {
        match self.fired {
            None => AlertState::Pending,
            Some(_) => AlertState::Firing,
        }
    }

    /// Whether it has a new state or a worse severity than the last event. Of an acknowledged episode only a
    /// rise to critical counts.
    fn has_changed(&self) -> bool {
        let Some((state, severity)) = self.announced else {
            return true;
        };
        let known = self.acknowledged && self.severity < Severity::Critical;
        state != self.state() || (severity < self.severity && !known)
    }
}
