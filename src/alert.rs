//! Alerts: a probability of default (PD) goes up, an episode opens, fires, and is resolved.
//!
//! The words and their meaning are those of Prometheus: a rule's condition must hold for a while before
//! an alert fires, and be clear for a while before it is resolved. A state machine without a clock, a
//! socket or a file: time is that of the observations and of the [`Alerts::tick`]s.
//!
//! A PD holds until the next one of its obligor. What becomes due in between carries the time at which it
//! was due, not the time at which that was noticed: ticks make alerts sooner, never other ones.
//!
//! An observation older than the last one of its obligor is ignored and counted: it was judged without
//! it then, and the newer one knows more. One that is the newest, but behind the ticks, is judged at
//! the later time: what was published stands. The last observation given once more changes nothing.

pub mod command;
mod episode;
pub mod journal;
pub mod rule;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::units::Nanos;

use episode::{Key, Outbox};
use rule::Rule;

/// One change of an episode, to be published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Whom it is about.
    pub obligor: String,
    /// The rule's name.
    pub rule: String,
    /// The so-many-th episode of this obligor and rule, from 1.
    pub episode: u64,
    /// The so-many-th event of this obligor and rule, from 1, over all episodes.
    pub sequence: u64,
    /// What the episode is now.
    pub state: State,
    /// The worst that the episode has been since it fired; it never falls within an episode.
    pub severity: Severity,
    /// The PD known last.
    pub pd: f64,
    /// When it became so, in event time.
    pub ts_event: Nanos,
    /// When the condition began to hold.
    pub since: Nanos,
    /// When the episode fired; none where it is pending, or was resolved before it could.
    pub fired: Option<Nanos>,
    /// Whether someone has said that they know of it.
    pub acknowledged: bool,
}

/// Where an episode stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The condition holds, not yet for long enough.
    Pending,
    /// It has held for long enough, and has not been clear for long enough since.
    Firing,
    /// Over.
    Resolved,
}

/// How bad a PD is, from the least on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Below both borders.
    Info,
    /// At or above the lower border.
    Warning,
    /// At or above the upper border.
    Critical,
}

/// Which alert a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// One episode, by its [`Alert::dedup_key`].
    Episode(&'a str),
    /// What an obligor has of a rule.
    Rule {
        /// The obligor.
        obligor: &'a str,
        /// The rule's name.
        rule: &'a str,
    },
}

/// All rules over all obligors.
#[derive(Debug)]
pub struct Alerts {
    rules: Vec<Rule>,
    snapshot: Snapshot,
    /// Nothing is due before: a tick that comes sooner has nothing to look at.
    next_due: Nanos,
}

/// All that [`Alerts`] must find again after a restart: with it, no episode is told twice or forgotten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// By obligor and rule.
    keys: BTreeMap<String, BTreeMap<String, Key>>,
    /// The latest tick.
    ticked: Nanos,
    counts: Counts,
}

/// What was passed over, since the first start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Observations older than the last one of their obligor.
    pub late: u64,
    /// Observations that are no probability.
    pub refused: u64,
    /// Events that a silence kept back.
    pub silenced: u64,
}

const LONG_AGO: Nanos = Nanos(i64::MIN);

impl Alert {
    /// The same for all events of an episode: `OBLIGOR/RULE/EPISODE`. Rules have no `/` in their names, so
    /// it is read from the right.
    #[must_use]
    pub fn dedup_key(&self) -> String {
        format!("{}/{}/{}", self.obligor, self.rule, self.episode)
    }
}

impl Alerts {
    /// Begins without a past.
    ///
    /// # Errors
    /// A sentence that names the key at fault.
    pub fn new(rules: Vec<Rule>) -> Result<Self, String> {
        Self::restore(rules, Snapshot::default())
    }

    /// Goes on where the snapshot was taken. Changed rules judge what comes; episodes of a rule that is no
    /// longer there are resolved by the next tick.
    ///
    /// # Errors
    /// A sentence that names the key at fault.
    pub fn restore(rules: Vec<Rule>, snapshot: Snapshot) -> Result<Self, String> {
        for (at, rule) in rules.iter().enumerate() {
            rule.check()?;
            if rules[..at].iter().any(|other| other.name == rule.name) {
                let name = &rule.name;
                return Err(format!(
                    "two alerts have the `name` \"{name}\": their episodes would mix"
                ));
            }
        }
        Ok(Self {
            rules,
            snapshot,
            next_due: LONG_AGO,
        })
    }

    /// What [`Self::restore`] needs.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// What was passed over.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.snapshot.counts
    }

    /// Takes an obligor's PD, and gives what is to be published: first what became due before.
    pub fn observe(&mut self, obligor: &str, ts: Nanos, pd: f64) -> Vec<Alert> {
        let mut alerts = vec![];
        let counts = &mut self.snapshot.counts;
        if !(0.0..=1.0).contains(&pd) {
            counts.refused += 1;
            return alerts;
        }
        let keys = entry(&mut self.snapshot.keys, obligor);
        let now = ts.max(self.snapshot.ticked);
        let mut late = false;
        for rule in &self.rules {
            let key = entry(keys, &rule.name);
            let mut outbox = Outbox {
                obligor,
                rule: &rule.name,
                alerts: &mut alerts,
                silenced: &mut counts.silenced,
            };
            late |= !key.observe(rule, ts, pd, now, &mut outbox);
            self.next_due = self.next_due.min(key.next_due(rule));
        }
        counts.late += u64::from(late);
        alerts
    }

    /// Lets event time pass for all obligors, and gives what became due, in the order in which it did.
    pub fn tick(&mut self, ts: Nanos) -> Vec<Alert> {
        let mut alerts = vec![];
        self.snapshot.ticked = self.snapshot.ticked.max(ts);
        if ts < self.next_due {
            return alerts;
        }
        self.next_due = Nanos::UNDEFINED;
        for (obligor, keys) in &mut self.snapshot.keys {
            for (name, key) in keys {
                let mut outbox = Outbox {
                    obligor,
                    rule: name,
                    alerts: &mut alerts,
                    silenced: &mut self.snapshot.counts.silenced,
                };
                match self.rules.iter().find(|rule| rule.name == *name) {
                    Some(rule) => {
                        key.advance(rule, ts, &mut outbox);
                        self.next_due = self.next_due.min(key.next_due(rule));
                    }
                    None => key.withdraw(ts, &mut outbox),
                }
            }
        }
        alerts.sort_by_key(|alert| alert.ts_event);
        alerts
    }

    /// Someone knows of the open episode: until it is resolved, only its rise to critical is news. False
    /// where no such episode is open.
    pub fn acknowledge(&mut self, target: Target<'_>) -> bool {
        self.key(target).is_some_and(Key::acknowledge)
    }

    /// Keeps back all events of an obligor's rule while event time is before `until`, those of later
    /// episodes included. What still stands then is published then, and so is the end of an episode whose
    /// beginning was published. A time that has passed ends a silence. False where the episode is not
    /// open, or there is no such rule.
    pub fn silence(&mut self, target: Target<'_>, until: Nanos) -> bool {
        if let Target::Rule { obligor, rule } = target
            && self.rules.iter().any(|known| known.name == rule)
        {
            entry(entry(&mut self.snapshot.keys, obligor), rule);
        }
        let until = until.max(self.snapshot.ticked);
        let Some(key) = self.key(target) else {
            return false;
        };
        key.silence(until);
        self.next_due = self.next_due.min(until);
        true
    }

    fn key(&mut self, target: Target<'_>) -> Option<&mut Key> {
        let (obligor, rule, episode) = match target {
            Target::Rule { obligor, rule } => (obligor, rule, None),
            Target::Episode(dedup_key) => {
                let (rest, episode) = dedup_key.rsplit_once('/')?;
                let (obligor, rule) = rest.rsplit_once('/')?;
                (obligor, rule, Some(episode.parse::<u64>().ok()?))
            }
        };
        let key = self.snapshot.keys.get_mut(obligor)?.get_mut(rule)?;
        (episode.is_none() || episode == key.open_episode()).then_some(key)
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            keys: BTreeMap::new(),
            ticked: LONG_AGO,
            counts: Counts::default(),
        }
    }
}

/// The value of this name, which is copied only where it is new.
fn entry<'a, T: Default>(map: &'a mut BTreeMap<String, T>, name: &str) -> &'a mut T {
    if !map.contains_key(name) {
        map.insert(name.to_owned(), T::default());
    }
    map.get_mut(name).expect("it is there or was put there")
}
