//! What a run did, for people (a table) and for programs (one JSON object).

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::account::Account;
use super::counts::RunCounts;
use super::latency::{Quantiles, Stages};
use super::readability::Readability;
use super::replay_span::ReplaySpan;
use super::shard::Shard;
use super::skew::{SkewSummary, Skews};
use crate::engine::row::EventCounts;
use crate::signal::digest::{Digest, Digests};
use crate::signal::lineage::Lineage;

/// The summary of `run`, `replay` and `demo`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// The pipeline's name.
    pub pipeline: String,
    /// Signals written.
    pub signals: u64,
    /// Alerts made, whether or not the sink keeps such.
    pub alerts: u64,
    /// Hash over the signals: see [`crate::signal::digest::Digest`].
    pub digest: String,
    /// The same over the signals of each instrument and of each day; none of a live run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digests: Option<Digests>,
    /// What became of the frames.
    pub frames: Account,
    /// What became of the events.
    pub events: RunCounts,
    /// Nanoseconds by stage, of a batch; `total` of a signal.
    pub latency_ns: Latencies,
    /// Receive time less event time by venue, in nanoseconds, signed.
    pub skew_ns: BTreeMap<String, SkewSummary>,
    /// Instruments seen.
    pub instruments: u64,
    /// How long the run took, in seconds of the wall clock.
    pub seconds: f64,
    /// Why the capture ended before the run, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture_failure: Option<String>,
    /// Whether the frames were readable.
    #[serde(skip)]
    pub readability: Readability,
    /// What was read of the span of time that was asked for.
    #[serde(skip)]
    pub span: ReplaySpan,
}

/// Figures by stage.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[expect(
    missing_docs,
    reason = "the fields are those of `latency::Stages`, described there"
)]
pub struct Latencies {
    pub queue: Quantiles,
    pub decode: Quantiles,
    pub feature: Quantiles,
    pub model: Quantiles,
    pub total: Quantiles,
}

/// How one pipeline of several ended.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PipelineOutcome {
    /// What it did over all its starts; digest, instruments and latencies are those of the last.
    #[serde(flatten)]
    pub summary: Summary,
    /// Restarts after a failure.
    pub restarts: u64,
    /// Why it does not run at the end, where that is not as planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// How all pipelines of a run ended.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PipelineOutcomes {
    /// Signals of all pipelines.
    pub signals: u64,
    /// Each.
    pub pipelines: Vec<PipelineOutcome>,
}

impl PipelineOutcomes {
    /// Whether a pipeline had failed at the end.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.pipelines
            .iter()
            .any(|outcome| outcome.failure.is_some())
    }
}

impl From<Vec<PipelineOutcome>> for PipelineOutcomes {
    fn from(pipelines: Vec<PipelineOutcome>) -> Self {
        Self {
            signals: pipelines
                .iter()
                .map(|outcome| outcome.summary.signals)
                .sum(),
            pipelines,
        }
    }
}

impl Summary {
    /// Why there is no signal: books that wait for a snapshot, or which frame gave nothing first, and what it
    /// looks like.
    #[must_use]
    pub fn lack_of_signals(&self) -> Option<String> {
        let EventCounts { waited, depths, .. } = self.events.engine;
        if self.signals == 0 && waited > 0 && depths == 0 {
            return Some(format!(
                "no signal was made; {waited} book changes waited for a snapshot, which the input does not hold: \
                 begin with a capture that has one"
            ));
        }
        let first = self.readability.first.as_ref()?;
        let is_unread = first.unreadable || first.reason == "unknown_type";
        (self.signals == 0 && is_unread).then(|| {
            format!(
                "no signal was made; the first frame that was not read is {} (from 0; {}); it looks like {}",
                first.offset, first.reason, first.looks
            )
        })
    }

    /// Adds a later run of the same pipeline; digest, instruments and latencies become those of that run.
    pub(crate) fn add_run(&mut self, next: Self) {
        let before = std::mem::replace(self, next);
        self.signals += before.signals;
        self.alerts += before.alerts;
        self.frames += &before.frames;
        self.events += before.events;
        self.seconds += before.seconds;
    }
}

/// The summary of what some shards did; what the writer did is left to add.
pub(crate) fn summarise(lineage: &Lineage, shards: impl IntoIterator<Item = Shard>) -> Summary {
    let mut summary = Summary::default();
    let mut digest: Option<Digest> = None;
    let mut all_stages = Stages::default();
    let mut skews = Skews::default();
    for shard in shards {
        summary.events.add_shard(&shard);
        summary.readability.add(shard.readability());
        summary.span.merge(shard.span());
        summary.instruments += shard.instruments().len() as u64;
        let (account, stages, own_skews, part) = shard.into_parts();
        skews.merge(own_skews);
        summary.frames += &account;
        all_stages.merge(&stages);
        match &mut digest {
            Some(digest) => digest.merge(part),
            None => digest = Some(part),
        }
    }
    summary.skew_ns = skews.summaries();
    summary.latency_ns = (&all_stages).into();
    let digest = digest.unwrap_or_else(|| Digest::new(lineage));
    summary.digest = digest.finish();
    summary.digests = digest.keeps_days().then(|| digest.parts());
    summary
}

impl From<&Stages> for Latencies {
    fn from(stages: &Stages) -> Self {
        Self {
            queue: Quantiles::of(&stages.queue),
            decode: Quantiles::of(&stages.decode),
            feature: Quantiles::of(&stages.feature),
            model: Quantiles::of(&stages.model),
            total: Quantiles::of(&stages.total),
        }
    }
}

impl Summary {
    /// Warnings; usually none.
    fn write_warnings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EventCounts {
            waited,
            crowded_out,
            depths,
            missing_fields,
            corrections,
            cancels,
            halts,
            ..
        } = self.events.engine;
        if corrections + cancels > 0 {
            writeln!(
                f,
                "amended trades {corrections} corrected, {cancels} cancelled after they were reported"
            )?;
        }
        if halts > 0 {
            writeln!(f, "halts          {halts} of trading")?;
        }
        if waited > 0 {
            let never = if depths == 0 {
                ", which never came"
            } else {
                ""
            };
            writeln!(
                f,
                "waited         {waited} book changes for a snapshot{never}"
            )?;
        }
        if crowded_out > 0 {
            writeln!(
                f,
                "crowded out    {crowded_out} of them, the oldest, because too many waited"
            )?;
        }
        if missing_fields > 0 {
            writeln!(
                f,
                "missing fields {missing_fields}: a model's graph may impute them, a linear model then gives no score"
            )?;
        }
        let EventCounts {
            rows,
            incomplete_rows,
            backwards,
            trades,
            quotes,
            bars,
            ..
        } = self.events.engine;
        if rows == 0 && incomplete_rows > 0 {
            writeln!(
                f,
                "no row         none of {incomplete_rows} events had all features: does the input have what they are \
                 computed of (quotes, books, bars, fields)?"
            )?;
        }
        if backwards > (trades + quotes + bars + depths) / SHARE_OF_BACKWARDS {
            writeln!(
                f,
                "backwards      {backwards} events lie before the one before them and took its time: is the input \
                 sorted by time?"
            )?;
        }
        let undefined = self.events.undefined_scores;
        if undefined > 0 {
            writeln!(
                f,
                "undefined      {undefined} scores, of which no signal came"
            )?;
        }
        let invalid = self.events.invalid_probabilities;
        if invalid > 0 {
            writeln!(
                f,
                "no probability {invalid} scores outside of 0..1 or with another sum than 1, of which no signal \
                 came"
            )?;
        }
        Ok(())
    }
}

/// One of so many events that lie before the one before them is worth a word.
const SHARE_OF_BACKWARDS: u64 = 100;

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frames = &self.frames;
        writeln!(
            f,
            "{}: {} signals in {:.2} s",
            self.pipeline, self.signals, self.seconds
        )?;
        if self.alerts > 0 {
            writeln!(f, "alerts         {}", self.alerts)?;
        }
        writeln!(f, "digest         {}", self.digest)?;
        writeln!(
            f,
            "frames         {} in = {} used + {} conflated + {} dropped + {} dead-lettered + {} in flight",
            frames.received,
            frames.used,
            frames.conflated,
            frames.dropped,
            frames.dead_lettered,
            frames.in_flight
        )?;
        for (word, reasons) in [
            ("dropped", &frames.dropped_by_reason),
            ("dead letter", &frames.dead_lettered_by_reason),
        ] {
            for (reason, count) in reasons {
                writeln!(f, "  {word:<12} {count:>10}  {reason}")?;
            }
        }
        let events = &self.events.engine;
        writeln!(
            f,
            "events         {} trades, {} quotes, {} book changes; {} rows ({} incomplete)",
            events.trades, events.quotes, events.depths, events.rows, events.incomplete_rows
        )?;
        writeln!(
            f,
            "trouble        {} gaps ({} messages missing), {} renumbered, {} silences, {} crossed, \
             {} duplicates, {} stale, {} old snapshots, {} backwards, {} late frames",
            events.gaps,
            events.missing,
            events.renumbered,
            events.silences,
            events.crossed,
            events.duplicates,
            events.stale,
            events.old_snapshots,
            events.backwards,
            self.events.late_frames
        )?;
        if events.late_drops + events.ahead > 0 {
            let (late, ahead) = (events.late_drops, events.ahead);
            writeln!(
                f,
                "times          {late} late events not used, {ahead} from the future used at the latest time known"
            )?;
        }
        if events.late_corrections > 0 {
            let (late, signals) = (events.late_corrections, events.corrected_signals);
            writeln!(f, "corrections    {signals} signals, by {late} late events")?;
        }
        if let Some(failure) = &self.capture_failure {
            writeln!(f, "no capture     {failure}")?;
        }
        self.write_warnings(f)?;
        write!(f, "tick to signal ")?;
        let total = &self.latency_ns.total;
        writeln!(
            f,
            "p50 {} p99 {} max {}",
            micros(total.p50),
            micros(total.p99),
            micros(total.max)
        )
    }
}

impl fmt::Display for PipelineOutcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for outcome in &self.pipelines {
            write!(f, "{}", outcome.summary)?;
            if outcome.restarts > 0 {
                writeln!(f, "restarts       {}", outcome.restarts)?;
            }
            if let Some(failure) = &outcome.failure {
                writeln!(f, "failed         {failure}")?;
            }
        }
        Ok(())
    }
}

/// Nanoseconds for people.
#[must_use]
pub fn micros(nanos: u64) -> String {
    match nanos {
        0..=9_999 => format!("{:.1} µs", nanos as f64 / 1e3),
        10_000..=9_999_999 => format!("{:.0} µs", nanos as f64 / 1e3),
        _ => format!("{:.0} ms", nanos as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_written_only_where_there_are_any() {
        let mut summary = Summary::default();
        let text = summary.to_string();
        assert!(
            !text.contains("waited") && !text.contains("undefined"),
            "{text}"
        );
        assert!(!text.contains("missing fields"), "{text}");
        summary.events.undefined_scores = 3;
        summary.events.engine.missing_fields = 7;
        summary.events.engine.waited = 5;
        let text = summary.to_string();
        for line in [
            "waited         5 book changes for a snapshot, which never came\n",
            "missing fields 7: ",
            "undefined      3 scores",
        ] {
            assert!(text.contains(line), "{text}");
        }
        summary.events.engine.depths = 1;
        assert!(summary.to_string().contains("for a snapshot\n"));
    }
}
