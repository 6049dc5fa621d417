//! A decoder and an engine, fed frame by frame, and the frames of one instrument.
//!
//! Checks nothing itself.

use std::sync::Arc;

use foretick::decode::Decoder;
use foretick::engine::{Engine, EngineSettings};
use foretick::event::Batch;
use foretick::frame::Origin;
use foretick::instrument::InstrumentId;
use foretick::model::normalise::Normalise;
use foretick::model::score_form::ScoreForm;
use foretick::model::{Model, ModelError};
use foretick::signal::Signal;
use foretick::units::Nanos;

use crate::given::Folder;

/// Early 2026, in milliseconds.
pub(crate) const START: i64 = 1_767_571_200_000;

/// A decoder and an engine, frame by frame.
pub(crate) struct Feed {
    decoder: Decoder,
    pub(crate) engine: Engine,
    batch: Batch,
    number: i64,
}

/// The sum of a window's newest row.
struct NewestRow {
    window: usize,
    columns: usize,
}

impl Model for NewestRow {
    fn score(&mut self, windows: &[f64], scores: &mut Vec<f64>) -> Result<(), ModelError> {
        for window in windows.chunks_exact(self.window) {
            scores.push(window[self.window - self.columns..].iter().sum());
        }
        Ok(())
    }
}

impl Feed {
    /// The engine of a pipeline of this text, whose model takes windows of `steps` rows.
    pub(crate) fn new(text: &str, steps: usize) -> Self {
        let folder = Folder::new(&format!("feed-{:?}", std::thread::current().id()));
        let pipeline = folder.pipeline(text, &[]);
        let columns = pipeline.plan.len();
        let model = NewestRow {
            window: steps * columns,
            columns,
        };
        let settings = EngineSettings {
            rules: pipeline.rules,
            steps,
            every: 1,
            while_warming: pipeline.file.row.while_warming,
            normalise: Normalise::None,
            form: ScoreForm::SCORE,
            reasons: 0,
            values: vec![],
            model: 0,
            half_life: None,
        };
        Self {
            decoder: pipeline.decoder(),
            engine: Engine::new(Arc::clone(&pipeline.plan), settings, Box::new(model)),
            batch: Batch::default(),
            number: 0,
        }
    }

    /// Takes one frame that came at `ms` after the start.
    pub(crate) fn take(&mut self, ms: i64, frame: &str) -> Vec<Signal> {
        let origin = Origin {
            ts_recv: Nanos((START + ms) * 1_000_000),
            offset: self.number,
            partition: 0,
            stream: 0,
            late: false,
            reprocessed: false,
        };
        self.number += 1;
        self.batch.clear();
        let decoded = self
            .decoder
            .decode(origin, frame.as_bytes(), &mut self.batch);
        decoded.expect("these frames can be read");
        let mut signals = vec![];
        self.engine
            .step(&self.batch, &mut signals)
            .expect("this model never fails");
        signals
    }

    /// The qualities of a frame's signals.
    pub(crate) fn words(&mut self, ms: i64, frame: &str) -> Vec<&'static str> {
        let signals = self.take(ms, frame);
        signals.iter().map(|signal| signal.quality.word()).collect()
    }

    /// The instruments whose book needs a new snapshot.
    pub(crate) fn snapshot_requests(&mut self) -> Vec<String> {
        let mut ids: Vec<InstrumentId> = vec![];
        self.engine.take_snapshot_requests(&mut ids);
        let name = |id| self.decoder.instruments().name(id).to_owned();
        ids.into_iter().map(name).collect()
    }
}

pub(crate) fn depth(symbol: &str, ms: i64, ids: (u64, u64), bids: &str, asks: &str) -> String {
    let (first, last, time) = (ids.0, ids.1, START + ms);
    format!(
        r#"{{"e":"depthUpdate","E":{time},"s":"{symbol}","U":{first},"u":{last},"b":{bids},"a":{asks}}}"#
    )
}

pub(crate) fn snapshot(symbol: &str, last: u64) -> String {
    let stream = symbol.to_ascii_lowercase();
    format!(
        r#"{{"stream":"{stream}@depth_snapshot","data":{{"lastUpdateId":{last},"bids":[["10","1"],["9","2"]],"asks":[["11","1"],["12","5"]]}}}}"#
    )
}

pub(crate) fn trade(symbol: &str, ms: i64, id: i64) -> String {
    let time = START + ms;
    format!(
        r#"{{"e":"trade","E":{time},"s":"{symbol}","t":{id},"p":"10.5","q":"0.1","T":{time},"m":false,"M":true}}"#
    )
}
