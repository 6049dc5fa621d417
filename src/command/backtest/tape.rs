//! One replay of the engine, whose events and signals several threads trade at the same time, and one
//! studies.
//!
//! Each thread has some of the terms and markets of its own, so that no result depends on their number.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use super::study::{StudiedSignal, Study, StudyOutcome};
use crate::backtest::{Backtest, Decision, InputCounts, Keep, Terms, TradedSpan, TrialOutcome};
use crate::event::Batch;
use crate::instrument::{InstrumentId, Instruments};
use crate::pipeline::{BacktestSettings, Loaded, Pipeline};
use crate::run::observer::{ObservedStep, Observer};
use crate::run::replay::{ReplayError, ReplayOptions, replay_span_observed};
use crate::run::summary::Summary;
use crate::signal::Signal;
use crate::signal::lineage::Lineage;
use crate::sink::SinkError;

/// What a replay and its trades gave.
pub(super) struct Recorded {
    pub(super) summary: Summary,
    /// The names of the instruments, by their numbers.
    pub(super) names: Vec<String>,
    /// What came of the terms, in their order.
    pub(super) outcomes: Vec<TrialOutcome>,
    pub(super) counts: InputCounts,
    /// What the signals are worth beside their trades.
    pub(super) study: StudyOutcome,
}

/// One step of the engine, for all threads.
struct TapeStep {
    batch: Batch,
    signals: Vec<Decision>,
    studied: Vec<StudiedSignal>,
    /// The names of the instruments that are new.
    names: Vec<String>,
}

/// Steps that may wait for a thread.
const WAITING_MAX: usize = 8;

/// The most threads, and the fewest terms that are worth one: each follows the market for itself.
const THREADS_MAX: usize = 8;
const TERMS_MIN: usize = 4;

/// Replays the events, and trades the signals on each of the terms.
///
/// # Errors
/// [`ReplayError`].
pub(super) fn play(
    pipeline: &Pipeline,
    loaded: &Loaded,
    (span, traded): (&ReplayOptions, TradedSpan),
    settings: &BacktestSettings,
    terms: Vec<(Terms, Keep)>,
) -> Result<Recorded, ReplayError> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(THREADS_MAX).min(terms.len().div_ceil(TERMS_MIN));
    std::thread::scope(|scope| {
        let (mut senders, mut traders) = (vec![], vec![]);
        for part in dealt(terms, threads) {
            let (send, receive) = sync_channel::<Arc<TapeStep>>(WAITING_MAX);
            let thread = std::thread::Builder::new().name(format!("trader-{}", senders.len()));
            let trader = thread.spawn_scoped(scope, move || {
                let mut backtest = Backtest::new(settings.on, settings.step_ns, traded, part);
                for step in receive {
                    backtest.list(&step.names);
                    backtest.step(&step.batch, &step.signals);
                }
                backtest.finish()
            });
            senders.push(send);
            traders.push(trader.map_err(ReplayError::Thread)?);
        }
        let (send, receive) = sync_channel::<Arc<TapeStep>>(WAITING_MAX);
        let mut study = Study::new(pipeline, loaded, &settings.terms, traded);
        let thread = std::thread::Builder::new().name("study".into());
        let student = thread.spawn_scoped(scope, move || {
            for step in receive {
                study.step(&step.batch, &step.studied);
            }
            study.finish()
        });
        senders.push(send);
        let student = student.map_err(ReplayError::Thread)?;
        let mut tape = Tape {
            lineage: &loaded.lineage,
            senders,
            names: vec![],
        };
        let summary = replay_span_observed(pipeline, loaded, span, &mut tape)?;
        let Tape { senders, names, .. } = tape;
        drop(senders);
        let mut parts = vec![];
        let mut counts = InputCounts::default();
        for trader in traders {
            let (outcomes, counted) = trader.join().expect("a trader does not panic");
            parts.push(outcomes);
            counts = counted;
        }
        Ok(Recorded {
            summary,
            names,
            outcomes: gathered(parts),
            counts,
            study: student.join().expect("a study does not panic"),
        })
    })
}

/// Deals things to so many hands, one after the other.
fn dealt<T>(things: Vec<T>, hands: usize) -> Vec<Vec<T>> {
    let mut dealt: Vec<Vec<T>> = (0..hands).map(|_| vec![]).collect();
    for (at, thing) in things.into_iter().enumerate() {
        dealt[at % hands].push(thing);
    }
    dealt
}

/// The order from before things were dealt.
fn gathered<T>(hands: Vec<Vec<T>>) -> Vec<T> {
    let mut hands: Vec<_> = hands.into_iter().map(Vec::into_iter).collect();
    let mut gathered = vec![];
    loop {
        let before = gathered.len();
        gathered.extend(hands.iter_mut().filter_map(Iterator::next));
        if gathered.len() == before {
            return gathered;
        }
    }
}

/// Hands the steps of a replay to all threads.
struct Tape<'a> {
    lineage: &'a Lineage,
    senders: Vec<SyncSender<Arc<TapeStep>>>,
    names: Vec<String>,
}

impl Observer for Tape<'_> {
    fn step(&mut self, step: &ObservedStep<'_>) -> Result<(), SinkError> {
        let known = self.names.len();
        self.note_names(step.instruments);
        // A correction replaces a signal that was acted on already; a shadow is not acted on.
        let is_acted_on =
            |signal: &&Signal| signal.revision == 0 && !self.lineage.model(signal).shadow;
        let (mut signals, mut studied) = (vec![], vec![]);
        for signal in step.signals.iter().filter(is_acted_on) {
            let decision = Decision {
                instrument: signal.instrument,
                ts: signal.ts_event.0,
                score: self.lineage.score(signal),
                quality: signal.quality,
            };
            signals.push(decision);
            studied.push(StudiedSignal::new(decision, signal));
        }
        let step = Arc::new(TapeStep {
            signals,
            studied,
            names: self.names[known..].to_vec(),
            batch: step.batch.clone(),
        });
        for sender in &self.senders {
            let sent = sender.send(Arc::clone(&step));
            sent.expect("a trader takes steps until there are no more");
        }
        Ok(())
    }
}

impl Tape<'_> {
    fn note_names(&mut self, instruments: &Instruments) {
        for number in self.names.len()..instruments.len() {
            let name = instruments.name(InstrumentId(number as u32));
            self.names.push(name.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dealt_is_gathered_in_order() {
        for hands in 1..5 {
            let things: Vec<u32> = (0..11).collect();
            assert_eq!(gathered(dealt(things.clone(), hands)), things, "{hands}");
        }
    }
}
