//! One shard: frames in, signals out, every frame accounted for.
//!
//! The part of a run that live and replay share. It reads the clock around each stage, never within;
//! the engine sees none of it.

use std::borrow::Cow;
use std::time::Instant;

use super::account::Account;
use super::homes::Homes;
use super::intake::{FrameOutcome, Intake, IntakeCounts};
use super::latency::Stages;
use super::lateness::{FrameAddress, LateRule, Lateness};
use super::readability::Readability;
use super::replay_span::ReplaySpan;
use super::skew::Skews;
use crate::clock;
use crate::decode::Decoder;
use crate::engine::Engine;
use crate::engine::row::GapRecord;
use crate::event::Batch;
use crate::frame::Origin;
use crate::instrument::{InstrumentId, Instruments};
use crate::model::ModelError;
use crate::signal::digest::Digest;
use crate::signal::lineage::Lineage;
use crate::signal::{Latency, Signal};
use crate::source::snapshot_requests::SnapshotRequests;
use crate::units::Nanos;

/// An intake and an engine, with the figures of both.
pub struct Shard {
    pub(super) intake: Intake,
    pub(super) engine: Engine,
    /// When the first frame since the last step was taken.
    began: Option<Instant>,
    /// Whether the events of the batch have been worked on: the next frame begins another batch.
    stepped: bool,
    stages: Stages,
    skews: Skews,
    digest: Digest,
    lateness: Lateness,
    live: bool,
    /// The span of event times of which signals and gaps are given.
    span: ReplaySpan,
    /// Where requests for book snapshots go; none where no feed can answer them.
    snapshot_requests: Option<SnapshotRequests>,
    needs_snapshot: Vec<InstrumentId>,
    whole_books: Vec<InstrumentId>,
    /// Gaps of the steps since [`Shard::take_gaps`].
    gaps: Vec<GapRecord>,
    /// Where instruments come from, if states are kept by partition.
    pub(super) homes: Option<Homes>,
    /// Whether signals of reprocessed frames are given, too.
    gives_reprocessed: bool,
}

impl Shard {
    /// A shard; `live` where `ts_recv` is of this run, so that its age means something.
    #[must_use]
    pub fn new(decoder: Decoder, engine: Engine, lineage: &Lineage, live: bool) -> Self {
        let digest = match decoder.instruments().are_per_batch() {
            true => Digest::without_order(lineage),
            false => Digest::new(lineage),
        };
        // A live run has no end, and so no end of days.
        let digest = if live { digest } else { digest.by_day() };
        Self {
            intake: Intake::new(decoder),
            engine,
            began: None,
            stepped: false,
            stages: Stages::default(),
            skews: Skews::default(),
            digest,
            lateness: Lateness::new(lineage),
            live,
            span: ReplaySpan::default(),
            snapshot_requests: None,
            needs_snapshot: vec![],
            whole_books: vec![],
            gaps: vec![],
            homes: None,
            gives_reprocessed: false,
        }
    }

    /// Keeps states by the partition of the input that they belong to.
    #[must_use]
    pub fn keeping_states(self) -> Self {
        Self {
            homes: Some(Homes::default()),
            ..self
        }
    }

    /// Gives signals of frames that are read again, too, where `gives` is true: for the alerts that depend on
    /// them.
    #[must_use]
    pub fn giving_reprocessed(self, gives: bool) -> Self {
        Self {
            gives_reprocessed: gives,
            ..self
        }
    }

    /// The same; where `keeps` is true, frames that cannot be decoded are given back as dead letters.
    #[must_use]
    pub fn keeping_dead_letters(mut self, keeps: bool) -> Self {
        self.intake = self.intake.keeping_dead_letters(keeps);
        self
    }

    /// Gives only the signals and the gaps of events from `from` on and before `to`.
    #[must_use]
    pub fn between(mut self, from: Option<Nanos>, to: Option<Nanos>) -> Self {
        self.span = ReplaySpan::new(from, to);
        self
    }

    /// Marks the signals that leave too late, by the wall clock; none marks those alone that a capture has
    /// marked.
    #[must_use]
    pub fn marking_late(mut self, rule: Option<LateRule>) -> Self {
        self.lateness = self.lateness.by_clock(rule);
        self
    }

    /// Requests the snapshots that its books need from a feed.
    #[must_use]
    pub fn requesting_snapshots(mut self, requests: SnapshotRequests) -> Self {
        self.snapshot_requests = Some(requests);
        self
    }

    /// The messages of which a frame is made: see [`Intake::split`].
    #[must_use]
    pub fn split(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.intake.split(bytes)
    }

    /// Takes one frame; its events wait for the next [`Shard::step`]. See [`FrameOutcome`] for what the
    /// caller then does.
    pub fn frame(&mut self, origin: Origin, bytes: &[u8]) -> FrameOutcome {
        if std::mem::take(&mut self.stepped) {
            self.intake.clear();
        }
        let began = self.began.unwrap_or_else(clock::instant);
        let outcome = self.intake.frame(origin, bytes);
        let is_command = matches!(
            outcome,
            FrameOutcome::Command(_) | FrameOutcome::ReprocessedCommand(_)
        );
        if !is_command {
            self.began = Some(began);
        }
        outcome
    }

    /// Counts a frame that is dropped without a look at its bytes.
    pub fn drop_unread(&mut self, reason: &'static str) {
        self.intake.drop_unread(reason);
    }

    /// Works on the frames taken since the last step, and appends the signals.
    ///
    /// # Errors
    /// [`ModelError`] when the model fails.
    pub fn step(&mut self, signals: &mut Vec<Signal>) -> Result<(), ModelError> {
        if std::mem::replace(&mut self.stepped, true) {
            self.intake.clear();
        }
        let Some(began) = self.began.take() else {
            return Ok(());
        };
        let first = signals.len();
        let decoded = clock::instant();
        self.engine.apply(self.intake.batch());
        if let Some(homes) = &mut self.homes {
            homes.note(self.intake.batch(), self.intake.instruments());
        }
        let applied = clock::instant();
        self.collect_gaps();
        self.skews
            .take(self.intake.batch(), self.intake.instruments());
        self.engine.score(self.intake.batch(), signals)?;
        let scored = clock::instant();
        self.request_snapshots();
        let latency = Latency {
            queue: 0,
            decode: nanos(began, decoded),
            feature: nanos(decoded, applied),
            model: nanos(applied, scored),
        };
        self.span.note(self.intake.batch());
        if !self.span.is_unbounded() {
            let mut at = 0;
            signals.retain(|signal| {
                at += 1;
                at <= first || self.span.contains(signal.ts_event)
            });
        }
        if self.intake.counts().reprocessed_frames > 0 && !self.gives_reprocessed {
            let mut at = 0;
            signals.retain(|signal| {
                at += 1;
                at <= first || !signal.origin.reprocessed
            });
        }
        let made = &mut signals[first..];
        self.stages.batch(&latency, made.len());
        let took = latency.decode + latency.feature + latency.model;
        self.finish(made, latency, took);
        Ok(())
    }

    /// Takes the gaps that the engine has found. Those of reprocessed frames were written when the frames
    /// were first read.
    fn collect_gaps(&mut self) {
        let first = self.gaps.len();
        self.engine.take_gaps(&mut self.gaps);
        if self.gaps.len() == first {
            return;
        }
        let (span, mut at) = (&self.span, 0);
        self.gaps.retain(|gap| {
            at += 1;
            at <= first || span.contains(gap.ts_event) && !gap.origin.reprocessed
        });
    }

    /// Appends the gaps that were found, and those that have ended, in the steps since the last call. Their
    /// instruments have names until [`Shard::end_batch`].
    pub fn take_gaps(&mut self, gaps: &mut Vec<GapRecord>) {
        gaps.append(&mut self.gaps);
    }

    /// The frames whose signals were found late since the last call, by stream, partition and offset.
    pub(super) fn take_late_frames(&mut self) -> Vec<FrameAddress> {
        self.lateness.take()
    }

    /// The events of the last step, until the next frame is taken; none where there were no frames.
    #[must_use]
    pub fn batch(&self) -> &Batch {
        self.intake.batch()
    }

    /// Ends a batch after its last step, once its signals carry their names: records that stand alone, and
    /// the names in them, are held no longer.
    pub fn end_batch(&mut self) {
        if std::mem::take(&mut self.stepped) {
            self.intake.release();
        }
    }

    /// Does the work that no signal waited for, until none is left or `interrupted` returns true. Returns
    /// whether all is done.
    pub fn run_deferred_work(&mut self, interrupted: impl FnMut() -> bool) -> bool {
        self.engine.run_deferred_work(interrupted)
    }

    /// Hands the books' requests to the feed, which must not wait for the signals to be written.
    fn request_snapshots(&mut self) {
        self.engine.take_snapshot_requests(&mut self.needs_snapshot);
        self.engine.take_whole_books(&mut self.whole_books);
        let instruments = self.intake.instruments();
        if let (Some(requests), false) = (&self.snapshot_requests, self.needs_snapshot.is_empty()) {
            let origins = self.intake.batch().origins.iter();
            let received = origins.map(|origin| origin.ts_recv).max();
            if received.is_some_and(|received| !requests.are_of_use(received, clock::now())) {
                // At a tick the books ask again.
                self.needs_snapshot.clear();
            }
        }
        // What a batch has lost and got again is whole.
        for instrument in self.needs_snapshot.drain(..) {
            if let Some(requests) = &self.snapshot_requests {
                requests.request(instruments.name(instrument));
            }
        }
        for instrument in self.whole_books.drain(..) {
            if let Some(requests) = &self.snapshot_requests {
                requests.spliced(instruments.name(instrument));
            }
        }
    }

    /// Stamps the signals of a step and adds them to the digest.
    fn finish(&mut self, signals: &mut [Signal], latency: Latency, took: i64) {
        if signals.is_empty() {
            return;
        }
        let now = clock::now();
        self.lateness.mark(signals, self.intake.batch(), now);
        // The event of a correction was received long ago, which is no latency.
        let is_first = |signal: &Signal| signal.revision == 0 && !signal.origin.reprocessed;
        if !self.live {
            let count = signals.iter().filter(|signal| is_first(signal)).count();
            self.stages.signals(0, took, count as u64);
        }
        for signal in signals {
            signal.ts_out = now;
            signal.latency = latency;
            if self.live {
                let total = now.since(signal.origin.ts_recv);
                signal.latency.queue = total - took;
                if is_first(signal) {
                    self.stages.signals(signal.latency.queue, total, 1);
                }
            }
            if signal.origin.reprocessed {
                continue;
            }
            self.digest
                .add(signal, self.intake.instruments().name(signal.instrument));
        }
    }

    /// The bytes of a frame as a dead letter may show them: without personal data.
    #[must_use]
    pub fn dead_letter<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        self.intake.dead_letter(bytes)
    }

    /// The instruments by name.
    #[must_use]
    pub fn instruments(&self) -> &Instruments {
        self.intake.instruments()
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What became of the frames.
    #[must_use]
    pub fn account(&self) -> &Account {
        self.intake.account()
    }

    /// The span that signals are asked of, and what was read of it.
    #[must_use]
    pub fn span(&self) -> &ReplaySpan {
        &self.span
    }

    /// What each stage took.
    #[must_use]
    pub fn stages(&self) -> &Stages {
        &self.stages
    }

    /// How far behind their venues' clocks its events were received.
    #[must_use]
    pub fn skews(&self) -> &Skews {
        &self.skews
    }

    /// Ends the shard: its account, stages, skews, and digest.
    #[must_use]
    pub fn into_parts(self) -> (Account, Stages, Skews, Digest) {
        let account = self.intake.into_account();
        (account, self.stages, self.skews, self.digest)
    }

    /// Whether the frames were readable.
    #[must_use]
    pub fn readability(&self) -> &Readability {
        self.intake.readability()
    }

    /// What is counted beside the account.
    #[must_use]
    pub fn counts(&self) -> IntakeCounts {
        let mut counts = self.intake.counts();
        counts.late_frames += self.lateness.frames();
        counts
    }
}

fn nanos(from: Instant, to: Instant) -> i64 {
    i64::try_from(to.saturating_duration_since(from).as_nanos()).unwrap_or(i64::MAX)
}
