//! One rule of one obligor: its episode, and what of it has been told.
//!
//! Between two observations time passes in [`Key::advance`] alone, from one moment at which something is
//! due to the next, so that nothing depends on how often one looks.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::rule::{Condition, Rule};
use super::{Alert, LONG_AGO, Severity, State};
use crate::units::Nanos;

/// One rule of one obligor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Key {
    /// How far its time has come.
    clock: Nanos,
    /// The observation known last.
    last: Option<Reading>,
    /// Observations to compare with, oldest first; a rule on the level keeps none.
    past: VecDeque<Reading>,
    /// Episodes begun.
    episodes: u64,
    /// Events published.
    sequence: u64,
    /// The episode that is not over.
    open: Option<Episode>,
    /// Nothing is published before.
    silent_until: Option<Nanos>,
    /// The end, in silence, of an episode whose beginning was published: one at most, as nothing begins
    /// aloud in a silence.
    owed: Option<Owed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Reading {
    ts: Nanos,
    #[serde(with = "exact")]
    pd: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Episode {
    number: u64,
    since: Nanos,
    fired: Option<Nanos>,
    /// From when on the PD has been below the lower threshold.
    clear_since: Option<Nanos>,
    severity: Severity,
    acknowledged: bool,
    /// What was published last, or would have been but for a silence.
    told: Option<(State, Severity)>,
    /// What was published last.
    heard: Option<(State, Severity)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Owed {
    episode: Episode,
    resolved: Reading,
}

/// Where events go, and whose they are.
pub(super) struct Outbox<'a> {
    pub(super) obligor: &'a str,
    pub(super) rule: &'a str,
    pub(super) alerts: &'a mut Vec<Alert>,
    /// Events kept back.
    pub(super) silenced: &'a mut u64,
}

/// What time brings. Of things due at once, the end of a silence comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Speak,
    Fire,
    Resolve,
}

/// Observations are kept at this many moments of the time that a rule looks back, at most. What it compares
/// with may thus be older than asked by one part in so many: a day and a half in a year.
const MOMENTS: i64 = 256;

impl Key {
    /// Takes a PD observed at `ts` and judged at `now`, which is not before it; false where it comes too
    /// late to be judged.
    pub(super) fn observe(
        &mut self,
        rule: &Rule,
        ts: Nanos,
        pd: f64,
        now: Nanos,
        outbox: &mut Outbox<'_>,
    ) -> bool {
        if self.last.is_some_and(|last| ts < last.ts) {
            return false;
        }
        self.advance(rule, now, outbox);
        let reading = Reading { ts, pd };
        self.last = Some(reading);
        let earlier = rule
            .reach_ns()
            .and_then(|reach| self.compare(reading, reach));
        match rule.condition(pd, earlier) {
            Condition::Holds => self.holds(rule, outbox),
            Condition::Between => self.does_not_hold(false, outbox),
            Condition::Clear => self.does_not_hold(true, outbox),
        }
        // What is about to be over is no worse for what it was measured by.
        let worse =
            |episode: &&mut Episode| episode.fired.is_some() && episode.clear_since.is_none();
        if let Some(episode) = self.open.as_mut().filter(worse) {
            episode.severity = episode.severity.max(rule.severity(pd));
            self.announce(outbox);
        }
        // What is due after no time at all.
        self.advance(rule, self.clock, outbox);
        true
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, rule: &Rule, now: Nanos, outbox: &mut Outbox<'_>) {
        while let Some((due, what)) = self.due(rule).filter(|(due, _)| *due <= now) {
            self.clock = self.clock.max(due);
            match what {
                Due::Speak => self.speak(outbox),
                Due::Fire => self.fire(rule, outbox),
                Due::Resolve => self.resolve(outbox),
            }
        }
        self.clock = self.clock.max(now);
    }

    /// When the next thing is due; [`Nanos::UNDEFINED`] where nothing is.
    pub(super) fn next_due(&self, rule: &Rule) -> Nanos {
        self.due(rule).map_or(Nanos::UNDEFINED, |(due, _)| due)
    }

    /// Ends what a rule that is gone has left open, aloud where its beginning was heard.
    pub(super) fn withdraw(&mut self, now: Nanos, outbox: &mut Outbox<'_>) {
        self.clock = self.clock.max(now);
        self.open = self.open.filter(|episode| episode.heard.is_some());
        self.speak(outbox);
        self.resolve(outbox);
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

    fn due(&self, rule: &Rule) -> Option<(Nanos, Due)> {
        let after = |ts: Nanos, ns: i64| Nanos(ts.0.saturating_add(ns));
        let speak = self.silent_until.map(|until| (until, Due::Speak));
        let change = self.open.and_then(|episode| match episode.fired {
            None => Some((after(episode.since, rule.for_ns()), Due::Fire)),
            Some(_) => {
                let clear = episode.clear_since?;
                Some((after(clear, rule.keep_firing_for_ns()), Due::Resolve))
            }
        });
        speak.into_iter().chain(change).min()
    }

    /// The PD known so long before this reading, which is kept for later ones.
    fn compare(&mut self, reading: Reading, reach_ns: i64) -> Option<f64> {
        let oldest = Nanos(reading.ts.0.saturating_sub(reach_ns));
        while self.past.get(1).is_some_and(|second| second.ts <= oldest) {
            self.past.pop_front();
        }
        let earlier = self.past.front().filter(|first| first.ts <= oldest);
        let earlier = earlier.map(|first| first.pd);
        match self.past.back_mut() {
            Some(newest) if newest.ts == reading.ts => *newest = reading,
            Some(newest) if reading.ts.since(newest.ts) < reach_ns / MOMENTS => {}
            _ => self.past.push_back(reading),
        }
        earlier
    }

    fn holds(&mut self, rule: &Rule, outbox: &mut Outbox<'_>) {
        if let Some(episode) = &mut self.open {
            episode.clear_since = None;
            return;
        }
        self.episodes += 1;
        self.open = Some(Episode {
            number: self.episodes,
            since: self.clock,
            fired: None,
            clear_since: None,
            severity: rule.severity(self.pd()),
            acknowledged: false,
            told: None,
            heard: None,
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

    fn fire(&mut self, rule: &Rule, outbox: &mut Outbox<'_>) {
        let severity = rule.severity(self.pd());
        if let Some(episode) = &mut self.open {
            episode.fired = Some(self.clock);
            episode.severity = severity;
        }
        self.announce(outbox);
    }

    /// Publishes where the open episode stands, if that is news.
    fn announce(&mut self, outbox: &mut Outbox<'_>) {
        let silent = self.silent_until.is_some();
        let Some(episode) = self.open.as_mut().filter(|episode| episode.is_news()) else {
            return;
        };
        let state = episode.state();
        episode.told = Some((state, episode.severity));
        if silent {
            *outbox.silenced += 1;
            return;
        }
        episode.heard = episode.told;
        let (episode, now) = (*episode, self.now());
        self.publish(&episode, state, now, outbox);
    }

    fn resolve(&mut self, outbox: &mut Outbox<'_>) {
        let Some(episode) = self.open.take() else {
            return;
        };
        let resolved = self.now();
        if self.silent_until.is_none() {
            return self.publish(&episode, State::Resolved, resolved, outbox);
        }
        *outbox.silenced += 1;
        if episode.heard.is_some() {
            self.owed = Some(Owed { episode, resolved });
        }
    }

    /// A silence is over: says what came to be in it and still stands.
    fn speak(&mut self, outbox: &mut Outbox<'_>) {
        self.silent_until = None;
        if let Some(Owed { episode, resolved }) = self.owed.take() {
            self.publish(&episode, State::Resolved, resolved, outbox);
        }
        if let Some(episode) = &mut self.open {
            episode.told = episode.heard;
        }
        self.announce(outbox);
    }

    fn publish(&mut self, episode: &Episode, state: State, at: Reading, outbox: &mut Outbox<'_>) {
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
        });
    }

    /// The PD known last, at the time that has been reached.
    fn now(&self) -> Reading {
        Reading {
            ts: self.clock,
            pd: self.pd(),
        }
    }

    fn pd(&self) -> f64 {
        let last = self.last.expect("an episode begins with an observation");
        last.pd
    }
}

impl Default for Key {
    fn default() -> Self {
        Self {
            clock: LONG_AGO,
            last: None,
            past: VecDeque::new(),
            episodes: 0,
            sequence: 0,
            open: None,
            silent_until: None,
            owed: None,
        }
    }
}

impl Episode {
    fn state(&self) -> State {
        match self.fired {
            None => State::Pending,
            Some(_) => State::Firing,
        }
    }

    /// A new state, or a worse severity; to who has acknowledged it, only the worst one.
    fn is_news(&self) -> bool {
        let Some((state, severity)) = self.told else {
            return true;
        };
        let known = self.acknowledged && self.severity < Severity::Critical;
        state != self.state() || (severity < self.severity && !known)
    }
}

/// Numbers as text, which every format gives back to the last bit.
mod exact {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &f64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<f64, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}
