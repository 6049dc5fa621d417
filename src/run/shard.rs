//! One shard: frames in, signals out, every frame accounted for.
//!
//! The part of a run that live and replay share. It reads the clock around each stage, never within;
//! the engine sees none of it.

use std::borrow::Cow;
use std::time::Instant;

use super::account::Account;
use super::latency::Stages;
use crate::alert::command::Command;
use crate::clock;
use crate::decode::{DecodeError, Decoded, Decoder, Notice};
use crate::engine::Engine;
use crate::event::Batch;
use crate::frame::Origin;
use crate::frame::split_stamp;
use crate::instrument::Instruments;
use crate::model::ModelError;
use crate::signal::digest::Digest;
use crate::signal::lineage::Lineage;
use crate::signal::{Latency, Signal};
use crate::units::Nanos;

/// A decoder and an engine, with their books.
pub struct Shard {
    decoder: Decoder,
    engine: Engine,
    batch: Batch,
    began: Option<Instant>,
    account: Account,
    stages: Stages,
    digest: Digest,
    live: bool,
    from: Nanos,
    to: Nanos,
    venue_errors: u64,
    late_frames: u64,
    known_frames: u64,
}

impl Shard {
    /// A shard; `live` where `ts_recv` is of this run, so that its age means something.
    #[must_use]
    pub fn new(decoder: Decoder, engine: Engine, lineage: &Lineage, live: bool) -> Self {
        Self {
            decoder,
            engine,
            batch: Batch::default(),
            began: None,
            account: Account::default(),
            stages: Stages::default(),
            digest: Digest::new(lineage),
            live,
            from: Nanos(i64::MIN),
            to: Nanos(i64::MAX),
            venue_errors: 0,
            late_frames: 0,
            known_frames: 0,
        }
    }

    /// Gives only the signals of events from `from` on and before `to`.
    #[must_use]
    pub fn between(mut self, from: Option<Nanos>, to: Option<Nanos>) -> Self {
        self.from = from.unwrap_or(self.from);
        self.to = to.unwrap_or(self.to);
        self
    }

    /// Takes one frame; its events wait for the next [`Shard::step`].
    ///
    /// # Errors
    /// [`DecodeError`] for a frame without events. The caller says by [`Shard::dispose`] what it did
    /// with it.
    pub fn take(&mut self, origin: Origin, bytes: &[u8]) -> Result<(), DecodeError> {
        if self.began.is_none() {
            self.began = Some(clock::instant());
        }
        self.account.received += 1;
        self.late_frames += u64::from(origin.late);
        self.known_frames += u64::from(origin.known);
        match self.decoder.decode(origin, bytes, &mut self.batch)? {
            // The source answers pings, and connects again at a shutdown.
            Decoded::Events | Decoded::Notice(Notice::Ack | Notice::Shutdown | Notice::Ping) => {}
            Decoded::Notice(Notice::VenueError) => self.venue_errors += 1,
        }
        self.account.used += 1;
        Ok(())
    }

    /// The command about alerts that a frame is; nothing where it is none. Whoever gets one steps the shard
    /// first, so that the command comes between the same signals however frames are batched.
    pub fn command(
        &mut self,
        origin: Origin,
        bytes: &[u8],
    ) -> Option<Result<Command, DecodeError>> {
        if !self.decoder.reads_commands() {
            return None;
        }
        let (stamp, bytes) = split_stamp(bytes);
        let ts_recv = stamp.map_or(origin.ts_recv, |stamp| stamp.ts_recv);
        let command = Command::parse(bytes, ts_recv)?;
        self.account.received += 1;
        self.account.used += u64::from(command.is_ok());
        Some(command)
    }

    /// Notes what was done with a frame that [`Shard::take`] refused.
    pub fn dispose(&mut self, error: DecodeError, buried: bool) {
        if buried {
            self.account.bury(error.reason());
        } else {
            self.account.drop_frames(error.reason(), 1);
        }
    }

    /// Notes a frame that is passed over unread.
    pub fn pass_over(&mut self, reason: &'static str) {
        self.account.received += 1;
        self.account.drop_frames(reason, 1);
    }

    /// Works on what was taken since the last step, and appends the signals.
    ///
    /// # Errors
    /// [`ModelError`] when the model fails.
    pub fn step(&mut self, signals: &mut Vec<Signal>) -> Result<(), ModelError> {
        let Some(began) = self.began.take() else {
            return Ok(());
        };
        let first = signals.len();
        let decoded = clock::instant();
        self.engine.apply(&self.batch);
        let applied = clock::instant();
        self.engine.score(&self.batch, signals)?;
        let scored = clock::instant();
        let latency = Latency {
            queue: 0,
            decode: nanos(began, decoded),
            feature: nanos(decoded, applied),
            model: nanos(applied, scored),
        };
        if (self.from, self.to) != (Nanos(i64::MIN), Nanos(i64::MAX)) {
            let (mut at, from, to) = (0, self.from, self.to);
            signals.retain(|signal| {
                at += 1;
                at <= first || (signal.ts_event >= from && signal.ts_event < to)
            });
        }
        if self.known_frames > 0 {
            let mut at = 0;
            signals.retain(|signal| {
                at += 1;
                at <= first || !signal.origin.known
            });
        }
        let made = &mut signals[first..];
        self.stages.batch(&latency, made.len());
        let took = latency.decode + latency.feature + latency.model;
        self.finish(made, latency, took);
        self.batch.clear();
        Ok(())
    }

    /// Does work that no signal has waited for, until none is left or `wanted` says that there is other
    /// work. Returns whether all is done.
    pub fn settle(&mut self, wanted: impl FnMut() -> bool) -> bool {
        self.engine.settle(wanted)
    }

    /// Stamps the signals of a step and adds them to the digest.
    fn finish(&mut self, signals: &mut [Signal], latency: Latency, took: i64) {
        if signals.is_empty() {
            return;
        }
        let now = clock::now();
        if !self.live {
            self.stages.signals(0, took, signals.len() as u64);
        }
        for signal in signals {
            signal.ts_out = now;
            signal.latency = latency;
            if self.live {
                let total = now.since(signal.origin.ts_recv);
                signal.latency.queue = total - took;
                self.stages.signals(signal.latency.queue, total, 1);
            }
            self.digest
                .add(signal, self.decoder.instruments().name(signal.instrument));
        }
    }

    /// A frame as a dead letter may show it.
    #[must_use]
    pub fn redacted<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        self.decoder.redacted(bytes)
    }

    /// The instruments by name.
    #[must_use]
    pub fn instruments(&self) -> &Instruments {
        self.decoder.instruments()
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The engine, for taking what it wants.
    pub fn engine_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// What became of the frames.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// What each stage took.
    #[must_use]
    pub fn stages(&self) -> &Stages {
        &self.stages
    }

    /// Ends the shard: its account, stages, and digest.
    #[must_use]
    pub fn into_parts(self) -> (Account, Stages, Digest) {
        (self.account, self.stages, self.digest)
    }

    /// Frames that came while the shard had been behind for too long.
    #[must_use]
    pub fn late_frames(&self) -> u64 {
        self.late_frames
    }

    /// Frames that were read once more, and of which nothing was published.
    #[must_use]
    pub fn known_frames(&self) -> u64 {
        self.known_frames
    }

    /// Refusals and faults that the venue reported.
    #[must_use]
    pub fn venue_errors(&self) -> u64 {
        self.venue_errors
    }
}

/// The time of a frame for pacing a replay: when it was received.
#[must_use]
pub fn pace_of(origin: &Origin) -> Option<Nanos> {
    (origin.ts_recv != Nanos::UNDEFINED).then_some(origin.ts_recv)
}

fn nanos(from: Instant, to: Instant) -> i64 {
    i64::try_from(to.saturating_duration_since(from).as_nanos()).unwrap_or(i64::MAX)
}
