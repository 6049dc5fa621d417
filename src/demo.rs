//! Everything in one process on embedded defaults: a simulated exchange, the price-direction pipeline,
//! and an in-memory Kafka broker that others can read from.
//!
//! For trying out. Nothing is mocked between exchange and signal: websocket, REST, rings, model and
//! Kafka protocol are those of `run`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::broker::{BrokerError, EmbeddedBroker};
use crate::live::{self, Ended, Options, RunError, Stop};
use crate::pipeline::{Pipeline, PipelineError};
use crate::signal::{Lineage, Signal};
use crate::simulate::{self, Exchange, SimulateError};
use crate::sink::{self, DeadLetter, Sink, SinkError};
use crate::summary::micros;

/// What to show, and for how long.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Ends by itself after so long.
    pub duration: Option<Duration>,
    /// Seed of the simulated market.
    pub seed: u64,
    /// Changes to the pipeline's configuration.
    pub overrides: Vec<String>,
}

/// Why the demo cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The pipeline that comes with the binary could not be unpacked.
    #[error("while unpacking the pipeline to {}: {cause}", folder.display())]
    Unpack {
        /// Where to.
        folder: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The pipeline.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The broker.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The exchange.
    #[error(transparent)]
    Exchange(#[from] SimulateError),
    /// The run.
    #[error(transparent)]
    Run(#[from] RunError),
}

const CONFIG: &str = include_str!("../pipelines/price-direction/pipeline.toml");
const MODEL: &[u8] = include_bytes!("../pipelines/price-direction/model.onnx");

/// Runs the demo, printing to standard output.
///
/// # Errors
/// [`DemoError`] where a part cannot start.
pub fn demo(settings: &Settings, stop: &Stop) -> Result<Ended, DemoError> {
    let folder = Unpacked::create()?;
    let runtime = live::metrics_runtime()?;
    let market = simulate::Settings {
        seed: settings.seed,
        ..simulate::Settings::default()
    };
    let names: Vec<String> = market
        .instruments
        .iter()
        .map(|listing| format!("\"{}.BINANCE\"", listing.symbol))
        .collect();
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let exchange = runtime.block_on(Exchange::start(market, anywhere))?;
    let broker = EmbeddedBroker::start(&[])?;
    let mut overrides = vec![
        format!("source.instruments=[{}]", names.join(",")),
        format!("source.websocket.url=ws://{}", exchange.address),
        format!("source.websocket.rest=http://{}", exchange.address),
        format!("kafka.bootstrap={}", broker.bootstrap()),
        "metrics.listen=127.0.0.1:0".into(),
    ];
    overrides.extend(settings.overrides.iter().cloned());
    let pipeline = Pipeline::load(&folder.0, &overrides).map_err(PipelineError::from)?;
    let mut loaded = pipeline.load_model()?;
    loaded.lineage.streams = live::stream_names(&pipeline);
    let topic = loaded.lineage.schema.clone();
    broker.create_topic(&topic, 4)?;
    broker.create_topic(&format!("{topic}.dlq.v1"), 1)?;
    introduce(&exchange, &broker, &topic);
    let table = Table::default();
    let shown = Arc::new(Mutex::new(table));
    let inner = sink::open(&pipeline, &loaded.lineage).map_err(RunError::from)?;
    let tee = Tee {
        inner,
        lineage: loaded.lineage.clone(),
        table: Arc::clone(&shown),
    };
    let painter = Painter::start(shown, stop.clone());
    let options = Options {
        duration: settings.duration,
        ..Options::default()
    };
    let ended = live::run(&pipeline, &loaded, Box::new(tee), &options, stop);
    painter.finish();
    runtime.block_on(exchange.stop());
    Ok(ended?)
}

fn introduce(exchange: &Exchange, broker: &EmbeddedBroker, topic: &str) {
    let (address, bootstrap) = (exchange.address, broker.bootstrap());
    let text = format!(
        "simulated exchange   ws://{address}/stream  http://{address}/api/v3/depth\n\
         in-memory Kafka      {bootstrap}  (for trying out: keeps nothing)\n\
         read the signals     kcat -b {bootstrap} -t {topic} -C -q -o end\n\
         stop                 Ctrl-C\n\n"
    );
    if let Err(error) = io::stdout().write_all(text.as_bytes()) {
        tracing::warn!(%error, "standard output takes nothing");
    }
}

/// The pipeline of this binary, unpacked; removed when dropped.
struct Unpacked(PathBuf);

impl Unpacked {
    fn create() -> Result<Self, DemoError> {
        let folder = std::env::temp_dir().join(format!("foretick-demo-{}", std::process::id()));
        let unpacked = Self(folder.clone());
        let written = std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(folder.join("pipeline.toml"), CONFIG))
            .and_then(|()| std::fs::write(folder.join("model.onnx"), MODEL));
        written.map_err(|cause| DemoError::Unpack { folder, cause })?;
        Ok(unpacked)
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, "the demo's folder stays");
        }
    }
}

/// Hands signals on, and notes them for the table.
struct Tee {
    inner: Box<dyn Sink>,
    lineage: Lineage,
    table: Arc<Mutex<Table>>,
}

impl Sink for Tee {
    fn signal(&mut self, signal: &Signal, instrument: &str) -> Result<(), SinkError> {
        self.inner.signal(signal, instrument)?;
        self.table
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .note(signal, instrument, &self.lineage);
        Ok(())
    }

    fn dead_letter(&mut self, letter: &DeadLetter<'_>) -> Result<bool, SinkError> {
        self.inner.dead_letter(letter)
    }

    fn settle(&mut self) -> Result<u64, SinkError> {
        self.inner.settle()
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.inner.flush()
    }

    fn close(&mut self) -> Result<(), SinkError> {
        self.inner.close()
    }

    fn keeps_dead_letters(&self) -> bool {
        self.inner.keeps_dead_letters()
    }
}

/// The newest signal of each instrument, and how long signals took.
struct Table {
    lines: BTreeMap<String, String>,
    signals: u64,
    took: Histogram<u64>,
}

impl Default for Table {
    fn default() -> Self {
        let took = Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are valid");
        Self {
            lines: BTreeMap::new(),
            signals: 0,
            took,
        }
    }
}

impl Table {
    fn note(&mut self, signal: &Signal, instrument: &str, lineage: &Lineage) {
        self.signals += 1;
        let took = signal.ts_out.since(signal.origin.ts_recv).max(1) as u64;
        self.took.saturating_record(took);
        let (label, _) = lineage.label(signal).unwrap_or(("-", 0.0));
        let mut line = format!(
            "{instrument:<18}{:>14} {label:>6}  ",
            signal.last_price.to_string()
        );
        for (label, output) in lineage.labels.iter().zip(signal.outputs) {
            write!(line, "{label} {output:.3}  ").expect("writing to a string does not fail");
        }
        line.push_str(signal.quality.word());
        self.lines.insert(instrument.to_owned(), line);
    }

    fn text(&self) -> String {
        let header = format!(
            "{:<18}{:>14} {:>6}  probabilities",
            "instrument", "last price", "label"
        );
        let figures = format!(
            "{} signals, tick to signal p50 {} p99 {}",
            self.signals,
            micros(self.took.value_at_quantile(0.5)),
            micros(self.took.value_at_quantile(0.99))
        );
        let lines: Vec<&str> = self.lines.values().map(String::as_str).collect();
        format!("{header}\n{}\n{figures}\n", lines.join("\n"))
    }

    fn height(&self) -> usize {
        self.lines.len().max(1) + 2
    }
}

/// Paints the table every second on a terminal, every five elsewhere.
struct Painter {
    thread: Option<std::thread::JoinHandle<()>>,
    done: Stop,
}

impl Painter {
    fn start(table: Arc<Mutex<Table>>, stop: Stop) -> Self {
        let done = Stop::default();
        let over = done.clone();
        let thread = std::thread::spawn(move || {
            let terminal = io::stdout().is_terminal();
            let every = if terminal { 10 } else { 50 };
            let mut height = 0;
            for beat in 1_u64.. {
                std::thread::sleep(Duration::from_millis(100));
                if over.is_asked() || stop.is_asked() {
                    return;
                }
                if beat % every == 0 {
                    let table = table.lock().unwrap_or_else(PoisonError::into_inner);
                    let up = if terminal && height > 0 {
                        format!("\x1b[{height}A\x1b[J")
                    } else {
                        String::new()
                    };
                    height = table.height();
                    // A reader that has gone is no reason to stop.
                    if write!(io::stdout(), "{up}{}", table.text()).is_err() {
                        return;
                    }
                }
            }
        });
        Self {
            thread: Some(thread),
            done,
        }
    }

    fn finish(mut self) {
        self.done.ask();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("painting does not panic");
        }
    }
}
