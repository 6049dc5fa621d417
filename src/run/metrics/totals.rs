//! What a pipeline has counted, over all its starts: what is shown never falls, and is there with 0 from the
//! start.

use std::sync::atomic::{AtomicU64, Ordering};

use super::frame_counts::{FrameCounts, KINDS, STAGES};
use super::frames::frame_counts;
use super::running::RunningPipeline;
use crate::decode::DecodeError;
use crate::run::fates::DROPPED;
use crate::run::latency::StageReport;
use crate::run::skew::SkewReport;
use crate::run::state_counts::StateCounts;
use crate::run::status::WorkerFigures;
use crate::signal::quality::Quality;
use crate::sink::status::{RefusalReason, SinkFigures};
use crate::source::status::{Dropped, EndReason, FeedStatus};

/// Counters and histograms.
#[derive(Clone, Debug)]
pub(super) struct Totals {
    counters: Vec<Counter>,
    pub(super) stages: Vec<StageReport>,
    pub(super) skews: Vec<SkewReport>,
    /// Frames without a fate, in the order of [`STAGES`].
    pub(super) in_flight: [u64; STAGES.len()],
}

/// One series: its family, the values of its labels, and its value.
#[derive(Clone, Debug)]
struct Counter {
    family: &'static str,
    labels: [&'static str; 2],
    value: u64,
}

impl Default for Totals {
    /// All series that are known before anything has happened, with 0.
    fn default() -> Self {
        let mut zero = Self {
            counters: vec![],
            stages: StageReport::all_empty(),
            skews: vec![],
            in_flight: [0; STAGES.len()],
        };
        for (fate, reason) in reasons() {
            zero.count("frames", [fate, reason], 0);
        }
        zero.count_frames(&FrameCounts::default());
        zero.count_workers(&[]);
        zero.count_feed(&FeedStatus::default());
        zero.count_sink(&SinkFigures::default());
        zero.count_states(&StateCounts::default());
        zero
    }
}

/// Every reason for which a frame may be dropped or become a dead letter.
fn reasons() -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_source = Dropped::default().by_reason().map(|(reason, _)| reason);
    let dropped = DROPPED.into_iter().chain(of_source).chain([RUN_ENDED]);
    let dead_lettered = DecodeError::REASONS.into_iter();
    let dropped = dropped.map(|reason| ("dropped", reason));
    dropped.chain(dead_lettered.map(|reason| ("dead_lettered", reason)))
}

impl Totals {
    /// What a run shows at this moment.
    pub(super) fn of(running: &RunningPipeline) -> Self {
        let workers: Vec<WorkerFigures> = running.workers.iter().map(|w| w.figures()).collect();
        let mut totals = Self::default();
        totals.count_frames(&frame_counts(running));
        totals.count_workers(&workers);
        totals.count_feed(&running.feed);
        totals.count_sink(&running.sink.figures());
        totals.count_states(&running.states);
        for venue in &running.venues {
            totals.add_skew(&SkewReport::of_venue(venue));
        }
        for figures in &workers {
            figures.skews.iter().for_each(|skew| totals.add_skew(skew));
            figures
                .stages
                .iter()
                .for_each(|stage| totals.add_stage(stage));
        }
        totals
    }

    /// Adds what another run has counted.
    pub(super) fn add(&mut self, other: Self) {
        for Counter {
            family,
            labels,
            value,
        } in other.counters
        {
            self.count(family, labels, value);
        }
        for (sum, count) in self.in_flight.iter_mut().zip(other.in_flight) {
            *sum += count;
        }
        other.stages.iter().for_each(|stage| self.add_stage(stage));
        other.skews.iter().for_each(|skew| self.add_skew(skew));
    }

    /// Those of a run that has ended. What was in flight then has its fate: a source that can reads it again.
    #[must_use]
    pub(super) fn ended(mut self) -> Self {
        let in_flight = std::mem::take(&mut self.in_flight);
        self.count("frames", ["dropped", RUN_ENDED], in_flight.iter().sum());
        self
    }

    /// The series of a family, in the order in which they came up.
    pub(super) fn of_family(&self, family: &str) -> impl Iterator<Item = ([&'static str; 2], u64)> {
        let of = self
            .counters
            .iter()
            .filter(move |counter| counter.family == family);
        of.map(|counter| (counter.labels, counter.value))
    }

    fn count(&mut self, family: &'static str, labels: [&'static str; 2], value: u64) {
        let mut known = self.counters.iter_mut();
        match known.find(|one| (one.family, one.labels) == (family, labels)) {
            Some(known) => known.value += value,
            None => self.counters.push(Counter {
                family,
                labels,
                value,
            }),
        }
    }

    fn count_frames(&mut self, frames: &FrameCounts) {
        for (kind, count) in KINDS.into_iter().zip(frames.received) {
            self.count("frames_received", [kind, ""], count);
        }
        let fates = &frames.fates;
        self.count("frames", ["used", ""], fates.used);
        self.count("frames", ["conflated", ""], fates.conflated);
        for (reason, count) in &fates.dropped_by_reason {
            self.count("frames", ["dropped", reason], *count);
        }
        for (reason, count) in &fates.dead_lettered_by_reason {
            self.count("frames", ["dead_lettered", reason], *count);
        }
        self.in_flight = frames.in_flight;
    }

    fn count_workers(&mut self, workers: &[WorkerFigures]) {
        let sum = |of: Count| workers.iter().map(of).sum();
        for (kind, of) in EVENTS {
            self.count("events", [kind, ""], sum(of));
        }
        for quality in Quality::ALL {
            let of = workers
                .iter()
                .map(|worker| worker.qualities[quality as usize]);
            self.count("signals", [quality.word(), ""], of.sum());
        }
    }

    fn count_feed(&mut self, feed: &FeedStatus) {
        for (kind, count) in [
            ("connection", &feed.connections),
            ("failure", &feed.failures),
            ("snapshot", &feed.snapshots),
            ("snapshot_failure", &feed.snapshot_failures),
            ("rejection", &feed.rejections),
            ("notice", &feed.notices),
        ] {
            self.count("source_events", [kind, ""], read(count));
        }
        self.count(
            "source_lost_records",
            ["", ""],
            read(&feed.partitions.lost_records),
        );
        for reason in EndReason::ALL {
            self.count("connection_ends", [reason.word(), ""], feed.ends.of(reason));
        }
    }

    fn count_sink(&mut self, sink: &SinkFigures) {
        self.count("sink_delivered", ["", ""], sink.delivered);
        self.count("dead_letters_cut", ["", ""], sink.cut_letters);
        for reason in RefusalReason::ALL {
            let count = sink.refused_letters[reason as usize];
            self.count("dead_letters_refused", [reason.word(), ""], count);
        }
    }

    fn count_states(&mut self, states: &StateCounts) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        self.count("states_saved", ["", ""], read(&states.saved));
        self.count("states_saved_bytes", ["", ""], read(&states.bytes));
        self.count("states_not_saved", ["", ""], read(&states.failures));
    }

    fn add_stage(&mut self, report: &StageReport) {
        let mut stages = self.stages.iter_mut();
        if let Some(stage) = stages.find(|stage| stage.name == report.name) {
            stage.merge(report);
        }
    }

    fn add_skew(&mut self, report: &SkewReport) {
        let mut skews = self.skews.iter_mut();
        match skews.find(|skew| skew.venue == report.venue) {
            Some(skew) => skew.merge(report),
            None => {
                let mut skew = SkewReport::of_venue(&report.venue);
                skew.merge(report);
                self.skews.push(skew);
            }
        }
    }
}

/// The reason of frames that were in flight when their run ended, because it failed or began again.
const RUN_ENDED: &str = "run_ended";

fn read(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

type Count = fn(&WorkerFigures) -> u64;

const EVENTS: [(&str, Count); 38] = [
    ("trade", |r| r.counts.engine.trades),
    ("quote", |r| r.counts.engine.quotes),
    ("depth", |r| r.counts.engine.depths),
    ("bar", |r| r.counts.engine.bars),
    ("figure", |r| r.counts.engine.figures),
    ("sentiment", |r| r.counts.engine.sentiments),
    ("row", |r| r.counts.engine.rows),
    ("incomplete_row", |r| r.counts.engine.incomplete_rows),
    ("gap", |r| r.counts.engine.gaps),
    ("renumbered", |r| r.counts.engine.renumbered),
    ("silence", |r| r.counts.engine.silences),
    ("old_snapshot", |r| r.counts.engine.old_snapshots),
    ("crowded_out", |r| r.counts.engine.crowded_out),
    ("missing_message", |r| r.counts.engine.missing),
    ("unreported_gap", |r| r.counts.engine.unreported_gaps),
    ("duplicate", |r| r.counts.engine.duplicates),
    ("stale", |r| r.counts.engine.stale),
    ("correction", |r| r.counts.engine.corrections),
    ("cancel", |r| r.counts.engine.cancels),
    ("halt", |r| r.counts.engine.halts),
    ("backwards", |r| r.counts.engine.backwards),
    ("ahead", |r| r.counts.engine.ahead),
    ("late_update", |r| r.counts.engine.late_updates),
    ("late_drop", |r| r.counts.engine.late_drops),
    ("late_correct", |r| r.counts.engine.late_corrections),
    ("late_unplaced", |r| r.counts.engine.late_unplaced),
    ("corrected_signal", |r| r.counts.engine.corrected_signals),
    ("crossed_book", |r| r.counts.engine.crossed),
    ("record", |r| r.counts.engine.records),
    ("missing_field", |r| r.counts.engine.missing_fields),
    ("unknown_field", |r| r.counts.engine.unknown_fields),
    ("restated", |r| r.counts.engine.restated),
    ("undefined_score", |r| r.counts.undefined_scores),
    ("invalid_probability", |r| r.counts.invalid_probabilities),
    ("venue_error", |r| r.counts.venue_errors),
    ("late_frame", |r| r.counts.late_frames),
    ("reprocessed_frame", |r| r.counts.reprocessed_frames),
    ("deferred_block", |r| r.counts.deferred_blocks),
];
