//! Which signals leave too late to act on.
//!
//! Decided by the wall clock in a live run, once for a frame: where one of its first signals is late, all of
//! them are, and a capture marks the frame, so that a replay gives the same signals and needs no clock. A
//! correction is not judged: it says what a signal should have been, whenever that is known.

use std::time::Duration;

use rustc_hash::FxHashSet;

use crate::event::Batch;
use crate::frame::Origin;
use crate::signal::Signal;
use crate::signal::lineage::Lineage;
use crate::signal::quality::Quality;
use crate::units::Nanos;

/// When a signal of a live run is late.
#[derive(Clone, Copy, Debug, Default)]
pub struct LateRule {
    /// The largest age of its input, by the time when that was received; none: any.
    pub age_max: Option<Duration>,
}

/// The address of a frame: stream, partition, offset.
pub(super) type FrameAddress = (u16, i32, i64);

/// Marks the signals of a shard that are late.
#[derive(Debug)]
pub(super) struct Lateness {
    /// None where the clock says nothing: in a replay, or where the pipeline wants no marks.
    rule: Option<LateRule>,
    /// How far ahead the signals of each model look, in nanoseconds; 0 where that is not known.
    horizons: Vec<i64>,
    /// The frames found late in this step.
    found: FxHashSet<FrameAddress>,
    /// How many frames were found late so far.
    frames: u64,
    /// Those since they were taken.
    untold: Vec<FrameAddress>,
}

impl Lateness {
    /// Marks what is marked in a capture, for signals of this lineage.
    pub(super) fn new(lineage: &Lineage) -> Self {
        let horizons = lineage.models.iter().map(|model| model.horizon_ns);
        Self {
            rule: None,
            horizons: horizons.collect(),
            found: FxHashSet::default(),
            frames: 0,
            untold: vec![],
        }
    }

    /// The same, and what is late by the wall clock.
    pub(super) fn by_clock(self, rule: Option<LateRule>) -> Self {
        Self { rule, ..self }
    }

    /// Marks the signals of a step that leave `now`.
    pub(super) fn mark(&mut self, signals: &mut [Signal], batch: &Batch, now: Nanos) {
        if let Some(rule) = self.rule {
            self.find(rule, signals, batch, now);
        }
        for signal in signals.iter_mut().filter(|signal| signal.revision == 0) {
            let is_found = !self.found.is_empty() && self.found.contains(&address(&signal.origin));
            signal.origin.late |= is_found;
            if signal.origin.late {
                signal.quality = signal.quality.max(Quality::Late);
            }
        }
        self.found.clear();
    }

    fn find(&mut self, rule: LateRule, signals: &[Signal], batch: &Batch, now: Nanos) {
        // What is read again was judged when it was published.
        let is_judged = |signal: &&Signal| {
            signal.revision == 0 && !signal.origin.late && !signal.origin.reprocessed
        };
        for signal in signals.iter().filter(is_judged) {
            if self.is_late(rule, signal, now) {
                self.found.insert(address(&signal.origin));
            }
        }
        if self.found.is_empty() {
            return;
        }
        // A signal of an earlier frame, which a late event has made, is a correction too.
        let frames: FxHashSet<FrameAddress> = batch.origins.iter().map(address).collect();
        self.found.retain(|found| frames.contains(found));
        self.frames += self.found.len() as u64;
        self.untold.extend(&self.found);
    }

    fn is_late(&self, rule: LateRule, signal: &Signal, now: Nanos) -> bool {
        let horizon = self.horizons[usize::from(signal.model)];
        let is_over = horizon > 0 && now.0 > signal.ts_event.0.saturating_add(horizon);
        let age = now.since(signal.origin.ts_recv);
        let is_old = |most: Duration| i128::from(age) > most.as_nanos().cast_signed();
        is_over || rule.age_max.is_some_and(is_old)
    }

    /// How many frames were found late by the clock.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// The frames found late since the last call.
    pub(super) fn take(&mut self) -> Vec<FrameAddress> {
        std::mem::take(&mut self.untold)
    }
}

/// The address of a frame.
pub(super) fn address(origin: &Origin) -> FrameAddress {
    (origin.stream, origin.partition, origin.offset)
}
