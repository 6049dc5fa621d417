//! Engine threads and the writer behind them, for all drivers that use rings.
//!
//! A worker drains its ring at its own pace, works on what was there as one batch, and hands the
//! signals on. The writer is one thread: it owns the sink, and tells the source how far everything has
//! been written.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use crossbeam::channel::{Receiver as Deliveries, Sender as Deliver};

use crate::decode::DecodeError;
use crate::model::ModelError;
use crate::ring::Receiver;
use crate::shard::Shard;
use crate::signal::{Lineage, Signal};
use crate::sink::{DeadLetter, Sink, SinkError};
use crate::source::{Frame, Origin};

/// What a worker hands to the writer after a batch.
#[derive(Debug, Default)]
pub struct Delivery {
    /// Which worker.
    pub shard: usize,
    /// Names of the instruments that are new since its last delivery, in the order of their numbers.
    pub new_names: Vec<String>,
    /// The signals.
    pub signals: Vec<Signal>,
    /// Frames that could not be read.
    pub letters: Vec<Letter>,
    /// Up to where each stream and partition has been worked on.
    pub done: Vec<Done>,
    /// Instruments whose book needs a new snapshot.
    pub wanted: Vec<String>,
}

/// A dead letter on its way.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Why.
    pub error: DecodeError,
    /// From where.
    pub origin: Origin,
    /// The frame.
    pub bytes: Bytes,
}

/// All frames of a partition before `next` have been worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The stream.
    pub stream: u16,
    /// Its partition.
    pub partition: i32,
    /// The offset after the last frame.
    pub next: i64,
}

/// Works until every source has gone and the ring is empty, or `stop` is set. Gives the shard back,
/// with the frames that still waited in its account.
///
/// # Errors
/// [`ModelError`] when the model fails.
pub fn work(
    mut shard: Shard,
    number: usize,
    ring: &Receiver,
    batch: usize,
    keeps_letters: bool,
    deliver: &Deliver<Delivery>,
    stop: &AtomicBool,
) -> Result<Shard, ModelError> {
    let (mut frames, mut named) = (Vec::with_capacity(batch), 0);
    while !stop.load(Ordering::Acquire) && ring.drain(&mut frames, batch, PATIENCE) {
        if frames.is_empty() {
            continue;
        }
        let mut delivery = Delivery {
            shard: number,
            ..Delivery::default()
        };
        for frame in frames.drain(..) {
            note(&mut delivery.done, frame.origin);
            take(&mut shard, frame, keeps_letters, &mut delivery.letters);
        }
        shard.step(&mut delivery.signals)?;
        let instruments = shard.instruments();
        let known = |id| {
            instruments
                .name(crate::instrument::InstrumentId(id))
                .to_owned()
        };
        delivery.new_names = (named as u32..instruments.len() as u32)
            .map(known)
            .collect();
        named = instruments.len();
        let mut wanted = vec![];
        shard.engine_mut().take_wanted(&mut wanted);
        let name = |id| shard.instruments().name(id).to_owned();
        delivery.wanted = wanted.into_iter().map(name).collect();
        // The writer has gone only when it failed; then there is nobody to work for.
        if deliver.send(delivery).is_err() {
            break;
        }
    }
    Ok(shard)
}

/// How long a worker sleeps when nothing comes, before it looks at `stop` again.
const PATIENCE: Duration = Duration::from_millis(50);

fn take(shard: &mut Shard, frame: Frame, keeps_letters: bool, letters: &mut Vec<Letter>) {
    if let Err(error) = shard.take(frame.origin, &frame.bytes) {
        let bury = keeps_letters && error.unreadable();
        shard.dispose(error, bury);
        if bury {
            letters.push(Letter {
                error,
                origin: frame.origin,
                bytes: frame.bytes,
            });
        }
    }
}

fn note(done: &mut Vec<Done>, origin: Origin) {
    let Origin {
        stream,
        partition,
        offset,
        ..
    } = origin;
    match done
        .iter_mut()
        .find(|done| done.stream == stream && done.partition == partition)
    {
        Some(done) => done.next = offset + 1,
        None => done.push(Done {
            stream,
            partition,
            next: offset + 1,
        }),
    }
}

/// Owns the sink.
pub struct Writer {
    sink: Box<dyn Sink>,
    names: Vec<Vec<String>>,
    streams: Vec<String>,
    written: u64,
}

impl Writer {
    /// A writer for signals of this lineage.
    #[must_use]
    pub fn new(sink: Box<dyn Sink>, lineage: &Lineage) -> Self {
        Self {
            sink,
            names: vec![],
            streams: lineage.streams.clone(),
            written: 0,
        }
    }

    /// Whether dead letters are kept.
    #[must_use]
    pub fn keeps_dead_letters(&self) -> bool {
        self.sink.keeps_dead_letters()
    }

    /// Signals taken so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Takes one signal of the instrument with that name.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn signal(&mut self, signal: &Signal, name: &str) -> Result<(), SinkError> {
        self.sink.signal(signal, name)?;
        self.written += 1;
        Ok(())
    }

    /// Takes a dead letter.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn letter(
        &mut self,
        error: DecodeError,
        origin: Origin,
        bytes: &[u8],
    ) -> Result<(), SinkError> {
        let stream = self
            .streams
            .get(usize::from(origin.stream))
            .map_or("", |name| name);
        let (reason, field) = (error.reason(), error.field());
        self.sink
            .dead_letter(&DeadLetter {
                reason,
                field,
                origin,
                stream,
                bytes,
            })
            .map(drop)
    }

    /// Takes a delivery.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn deliver(&mut self, delivery: &mut Delivery) -> Result<(), SinkError> {
        if delivery.shard >= self.names.len() {
            self.names.resize_with(delivery.shard + 1, Vec::new);
        }
        self.names[delivery.shard].append(&mut delivery.new_names);
        for signal in &delivery.signals {
            self.sink.signal(
                signal,
                &self.names[delivery.shard][signal.instrument.index()],
            )?;
            self.written += 1;
        }
        for letter in delivery.letters.drain(..) {
            self.letter(letter.error, letter.origin, &letter.bytes)?;
        }
        Ok(())
    }

    /// Makes sure that all was written.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn flush(&mut self) -> Result<(), SinkError> {
        self.sink.flush()
    }

    /// Takes deliveries until all workers have gone, then ends the output.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn write_all(&mut self, deliveries: &Deliveries<Delivery>) -> Result<(), SinkError> {
        for mut delivery in deliveries {
            self.deliver(&mut delivery)?;
        }
        self.close()
    }

    /// Ends the output.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn close(&mut self) -> Result<(), SinkError> {
        self.sink.close()
    }
}
