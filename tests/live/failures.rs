//! Two pipelines in one process on a real Kafka, of which one fails: the other writes all its signals, and
//! the failed one restarts and loses none.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foretick::clock;
use foretick::frame::Position;
use foretick::pipeline::Pipeline;
use foretick::run::budget::ResourceLimits;
use foretick::run::live::RunOptions;
use foretick::run::stop::StopFlag;
use foretick::run::supervisor;
use foretick::run::supervisor::LoadedPipeline;
use foretick::signal::Signal;
use foretick::signal::lineage::Lineage;
use foretick::sink::{DeadLetter, Sink, SinkError};
use rdkafka::message::{Message, OwnedMessage};
use serde_json::{Value, json};

use super::child::RunningProcess;
use super::metrics::figure;
use super::pipelines::{LivePipeline, replayed_signals, run_command, signals};
use super::scraper::answer;
use super::topics::Topics;
use crate::given::onnx::Graph;
use crate::given::{self, Folder, PATIENCE};
use crate::needs;

/// A time of November 2023.
const START: usize = 1_700_000_000_000_000_000;

/// A pipeline that scores a statement by looking up its only item in the model's table. An index beyond the
/// table makes ONNX Runtime fail.
const FRAGILE: &str = r#"
name = "fragile"
[row]
on = "statement"
[[feature]]
name = "index"
kind = "field"
[model]
kind = "onnx"
file = "model.onnx"
[signal]
schema = "signals.default.v1"
"#;

const UNTIL_END: [&str; 3] = ["--until-end", "--set", "metrics.listen="];

/// A pipeline that does not fail and one that does, on topics of their own.
struct SteadyAndFragile {
    folder: Folder,
    topics: Topics,
    steady: LivePipeline,
    fragile: LivePipeline,
    /// The input of the steady pipeline, and the signals of a replay of it.
    lines: Vec<String>,
    expected: Vec<Value>,
}

impl SteadyAndFragile {
    fn new(bootstrap: String, test: &str) -> Self {
        let folder = Folder::new(&format!("live-{test}"));
        let mut topics = Topics::new(bootstrap, test);
        let capture = given::capture(72, 8, &["BTCUSDT", "ETHUSDT"]);
        let lines = capture.lines().map(str::to_owned).collect();
        let path = folder.write("small.toml", given::SMALL);
        let expected = replayed_signals(&folder, &path, &capture);
        let input = topics.make("in-small", 1);
        let steady = LivePipeline::new("small", path, &mut topics, &input);
        let path = folder.write("pipeline.toml", FRAGILE);
        let input = topics.make("in-fragile", 1);
        let fragile = LivePipeline::new("fragile", path, &mut topics, &input);
        let both = Self {
            folder,
            topics,
            steady,
            fragile,
            lines,
            expected,
        };
        both.write_model(10);
        both
    }

    /// Writes the model of the fragile pipeline, with a table of so many entries.
    fn write_model(&self, entries: i64) {
        let pipeline = given::load(&self.fragile.path, &["model.kind=sum"]);
        let mut graph = Graph::of(pipeline.plan.names(), pipeline.plan.sha256(), 1);
        graph.table = entries;
        // Replaced in one step, because the pipeline may read it at any time.
        let new = self.folder.write("model.new", graph.bytes());
        std::fs::rename(new, self.model()).expect("the files are in one folder");
    }

    fn model(&self) -> PathBuf {
        self.folder.path("model.onnx")
    }

    fn command(&self, more: &[&str]) -> Vec<String> {
        let pipelines = [&self.steady, &self.fragile];
        run_command(&pipelines, &self.topics, "together", more)
    }

    /// Starts both and waits until they are ready; returns the run and its URL.
    fn start(&self) -> (RunningProcess, String) {
        let mut run =
            RunningProcess::start(&self.command(&["--set", "metrics.listen=127.0.0.1:0"]));
        let address = run.wait_for("the address of the metrics", |run| {
            let log = run.stderr();
            let (_, rest) =
                log.split_once("metrics at /metrics, health at /healthz and /readyz address=")?;
            Some(rest.split_whitespace().next()?.to_owned())
        });
        let url = format!("http://{address}");
        run.wait_for("readiness", |_| {
            (answer(&format!("{url}/readyz")).0 == 200).then_some(())
        });
        (run, url)
    }

    /// Sends the steady pipeline a part of its input, in eighths.
    fn send_lines(&self, from: usize, to: usize) {
        let at = |eighth: usize| self.lines.len() * eighth / 8;
        let lines = self.lines[at(from)..at(to)].iter().map(String::as_str);
        self.topics.fill(&self.steady.input, lines);
    }

    /// Sends the fragile pipeline statements of a time and an index each.
    fn send_statements(&self, statements: &[(usize, usize)]) {
        let statement = |&(ts, index): &(usize, usize)| {
            let items = json!({"index": index});
            json!({"ts_event": START + ts, "obligor": format!("C{ts}"), "period": 2_000, "items": items})
                .to_string()
        };
        let lines: Vec<String> = statements.iter().map(statement).collect();
        let lines = lines.iter().map(String::as_str);
        self.topics.fill(&self.fragile.input, lines);
    }

    fn wait_for_steady(&self, run: &mut RunningProcess) {
        run.wait_for("all signals of the steady pipeline", |_| {
            let written = self.topics.count(&self.steady.output);
            (written >= self.expected.len()).then_some(())
        });
        self.assert_steady_is_complete();
    }

    /// The steady pipeline has written each signal of the replay once.
    fn assert_steady_is_complete(&self) {
        // In a topic of one partition, a record has the offset that its line has in a file.
        let scores = |signals: &[Value]| -> Vec<(Option<i64>, String, String)> {
            let score = |signal: &Value| {
                let offset = signal["source"]["offset"].as_i64();
                let (score, quality) = (signal["score"].to_string(), signal["quality"].to_string());
                (offset, score, quality)
            };
            let mut all: Vec<_> = signals.iter().map(score).collect();
            all.sort();
            all
        };
        let written = signals(&self.topics, &self.steady.output);
        let written: Vec<Value> = written.into_values().collect();
        assert_eq!(scores(&written), scores(&self.expected));
    }

    /// Waits for so many signals of the fragile pipeline; returns the times of their statements.
    fn wait_for_fragile(&self, run: &mut RunningProcess, count: usize) -> Vec<u64> {
        run.wait_for("the signals of the fragile pipeline", |_| {
            (self.topics.count(&self.fragile.output) >= count).then_some(())
        });
        self.fragile_times()
    }

    /// The times of the statements whose signals the fragile pipeline has written.
    fn fragile_times(&self) -> Vec<u64> {
        let all = signals(&self.topics, &self.fragile.output);
        let mut times: Vec<u64> = all
            .values()
            .map(|signal| signal["ts_event"].as_u64().expect("a time") - START as u64)
            .collect();
        times.sort_unstable();
        times
    }
}

/// Waits until the log contains one of these texts.
fn wait_for_log(run: &mut RunningProcess, texts: &[&str]) {
    run.wait_for(&format!("{texts:?} in the log"), |run| {
        let log = run.stderr();
        texts.iter().any(|text| log.contains(text)).then_some(())
    });
}

#[test]
fn a_pipeline_whose_model_fails_restarts_with_the_corrected_model() {
    let test = "a_pipeline_whose_model_fails_restarts_with_the_corrected_model";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let both = SteadyAndFragile::new(bootstrap, "model");
    let (mut run, url) = both.start();
    let get = |path: &str| answer(&format!("{url}/{path}"));
    both.send_lines(0, 2);
    both.send_statements(&[(0, 3), (1, 4), (2, 5)]);
    assert_eq!(both.wait_for_fragile(&mut run, 3), [0, 1, 2]);
    if run.threads().is_some() {
        // As planned for a cluster of one broker.
        run.wait_for("28 threads", |run| {
            (run.threads() == Some(28)).then_some(())
        });
        wait_for_log(&mut run, &["in all: 28 threads"]);
    }
    both.send_statements(&[(3, 6), (4, 50), (5, 7)]);
    both.send_lines(2, 4);
    run.wait_for("the failure", |_| {
        let (code, text) = get("readyz");
        let is_only_fragile = text.lines().count() == 1;
        let failed = text.starts_with("fragile: failed, retry in");
        (code == 503 && failed && is_only_fragile).then_some(())
    });
    let (code, health) = get("healthz");
    assert!(
        code == 200 && health.starts_with("ok\nfragile: "),
        "{health}"
    );
    both.send_lines(4, 6);
    let metrics = run.wait_for("a second failure", |_| {
        let (_, text) = get("metrics");
        let restarts = figure(
            &text,
            r#"foretick_pipeline_restarts_total{pipeline="fragile""#,
        )?;
        (restarts >= 2.0).then_some(text)
    });
    let of_small = |name: &str| figure(&metrics, &format!("{name}{{pipeline=\"small\""));
    assert_eq!(of_small("foretick_pipeline_restarts_total"), Some(0.0));
    assert_eq!(of_small("foretick_pipeline_up"), Some(1.0));
    assert_eq!(of_small("foretick_source_healthy"), Some(1.0));
    both.send_lines(6, 8);
    both.wait_for_steady(&mut run);
    both.write_model(100);
    let times = both.wait_for_fragile(&mut run, 6);
    assert_eq!(times, [0, 1, 2, 3, 4, 5]);
    run.wait_for("readiness", |_| (get("readyz").0 == 200).then_some(()));
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
    let outcomes: Value = serde_json::from_str(run.stdout().trim()).expect("outcomes");
    let [steady, fragile] = [0, 1].map(|at| &outcomes["pipelines"][at]);
    assert_eq!(steady["restarts"], 0);
    assert_eq!(steady["signals"], both.expected.len());
    assert!(
        fragile["restarts"].as_u64() >= Some(2) && fragile["failure"].is_null(),
        "{fragile}"
    );
    let frames = |fate: &str| fragile["frames"][fate].as_u64().expect("a count");
    let fates = ["used", "conflated", "dropped", "dead_lettered", "in_flight"];
    let accounted: u64 = fates.iter().map(|fate| frames(fate)).sum();
    assert_eq!(frames("in"), accounted, "{fragile}");
    assert_eq!(steady["frames"]["in"], both.lines.len(), "{steady}");
    assert_eq!(steady["frames"]["in"], steady["frames"]["used"], "{steady}");
    assert!(
        run.stderr().contains("pipeline{name=\"fragile\"}"),
        "{}",
        run.stderr()
    );
}

#[test]
fn a_topic_that_is_replaced_is_read_from_its_beginning() {
    let test = "a_topic_that_is_replaced_is_read_from_its_beginning";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let mut both = SteadyAndFragile::new(bootstrap, "replaced");
    let (mut run, _) = both.start();
    both.send_statements(&[(0, 1), (1, 2), (2, 3)]);
    both.wait_for_fragile(&mut run, 3);
    both.topics.delete(&both.fragile.input);
    wait_for_log(&mut run, &["Kafka is in trouble"]);
    both.topics.make("in-fragile", 1);
    // If this took long, the source has already given the topic up, and logs that instead.
    wait_for_log(
        &mut run,
        &[
            "Kafka is back",
            "the topic was deleted",
            "deleted and created again",
        ],
    );
    both.send_statements(&[(7, 1), (8, 2)]);
    assert_eq!(both.wait_for_fragile(&mut run, 5), [0, 1, 2, 7, 8]);
    wait_for_log(
        &mut run,
        &["deleted and created again", "the topic was deleted"],
    );
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
}

#[test]
fn a_deleted_topic_fails_one_pipeline_until_it_exists_again() {
    let test = "a_deleted_topic_fails_one_pipeline_until_it_exists_again";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let mut both = SteadyAndFragile::new(bootstrap, "deleted");
    let (mut run, url) = both.start();
    both.send_lines(0, 3);
    both.send_statements(&[(0, 1), (1, 2)]);
    both.wait_for_fragile(&mut run, 2);
    both.topics.delete(&both.fragile.input);
    both.send_lines(3, 6);
    // The log keeps the reason; /readyz has it only until the pipeline tries to restart.
    wait_for_log(&mut run, &["the topic was deleted"]);
    run.wait_for("status 503", |_| {
        (answer(&format!("{url}/readyz")).0 == 503).then_some(())
    });
    both.topics.make("in-fragile", 1);
    both.send_statements(&[(7, 1), (8, 2)]);
    both.send_lines(6, 8);
    assert_eq!(both.wait_for_fragile(&mut run, 4), [0, 1, 7, 8]);
    both.wait_for_steady(&mut run);
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
}

#[test]
fn a_refused_delivery_fails_one_pipeline_and_loses_no_signal() {
    let test = "a_refused_delivery_fails_one_pipeline_and_loses_no_signal";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let both = SteadyAndFragile::new(bootstrap, "refused");
    // Fewer bytes than a signal has.
    both.topics.limit(&both.fragile.output, 100);
    let (mut run, _) = both.start();
    both.send_statements(&[(0, 1), (1, 2), (2, 3)]);
    both.send_lines(0, 5);
    wait_for_log(&mut run, &["while delivering to topic"]);
    both.send_lines(5, 8);
    both.wait_for_steady(&mut run);
    both.topics.limit(&both.fragile.output, 1 << 20);
    assert_eq!(both.wait_for_fragile(&mut run, 3), [0, 1, 2]);
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
}

#[test]
fn with_until_end_a_failed_pipeline_sets_the_exit_code() {
    let test = "with_until_end_a_failed_pipeline_sets_the_exit_code";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let both = SteadyAndFragile::new(bootstrap, "until-end");
    both.send_lines(0, 8);
    both.send_statements(&[(0, 1), (1, 50)]);
    let run = given::foretick(&both.command(&UNTIL_END));
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let outcomes: Value = serde_json::from_str(&run.stdout).expect("outcomes");
    let [steady, fragile] = [0, 1].map(|at| &outcomes["pipelines"][at]);
    assert_eq!(steady["signals"], both.expected.len(), "{steady}");
    assert_eq!(steady["failure"], Value::Null);
    assert_eq!(fragile["restarts"], 0);
    let reason = fragile["failure"].as_str().expect("a reason");
    assert!(reason.starts_with("while scoring a window: "), "{reason}");
}

#[test]
fn no_pipeline_starts_if_one_cannot_be_loaded() {
    let test = "no_pipeline_starts_if_one_cannot_be_loaded";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let both = SteadyAndFragile::new(bootstrap, "not-loaded");
    both.send_lines(0, 8);
    let invalid = given::SMALL.replace("\"trade\"", "\"noon\"");
    let invalid = both.folder.write("invalid.toml", invalid);
    std::fs::remove_file(both.model()).expect("it was written");
    let mut args = both.command(&UNTIL_END);
    args.insert(1, invalid.display().to_string());
    assert_refused(
        &args,
        &[
            "invalid.toml:5: unknown variant `noon`",
            "while reading the model",
        ],
    );
    both.write_model(10);
    args.remove(1);
    for (option, limit, text) in [
        ("--max-threads", "5", "but --max-threads allows 5; "),
        (
            "--max-memory",
            "100MiB",
            "but --max-memory allows 100.0 MiB; ",
        ),
    ] {
        let limit = [option.to_owned(), limit.to_owned()];
        assert_refused(&[&args[..], &limit].concat(), &[text]);
    }
    assert_eq!(both.topics.count(&both.steady.output), 0, "nothing has run");
}

/// The command ends with a usage error that contains these texts.
fn assert_refused(args: &[String], texts: &[&str]) {
    let run = given::foretick(args);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    for text in texts {
        assert!(run.stderr.contains(text), "{}", run.stderr);
    }
}

/// A sink that panics once: at the signal at which `left` reaches 0.
struct PanickingSink {
    inner: Box<dyn Sink>,
    left: Arc<AtomicU64>,
}

impl Sink for PanickingSink {
    fn signal(&mut self, signal: &Signal, instrument: &str) -> Result<(), SinkError> {
        let before = self.left.fetch_sub(1, Ordering::Relaxed);
        assert_ne!(before, 1, "as the test arranges");
        self.inner.signal(signal, instrument)
    }

    fn dead_letter(&mut self, letter: &DeadLetter<'_>) -> Result<(), SinkError> {
        self.inner.dead_letter(letter)
    }

    fn mark(&mut self, positions: &[Position]) {
        self.inner.mark(positions);
    }

    fn acknowledged(&mut self, positions: &mut Vec<Position>) -> Result<(), SinkError> {
        self.inner.acknowledged(positions)
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.inner.flush()
    }

    fn keeps_dead_letters(&self) -> bool {
        true
    }
}

#[test]
fn a_panic_restarts_one_pipeline_from_its_committed_offsets() {
    let test = "a_panic_restarts_one_pipeline_from_its_committed_offsets";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let both = SteadyAndFragile::new(bootstrap, "panics");
    let [steady, fragile] = [&both.steady, &both.fragile].map(|pipeline| {
        let mut set = pipeline.settings(&both.topics, "together");
        set.push(format!("kafka.bootstrap={:?}", both.topics.bootstrap));
        set.push("metrics.listen=".to_owned());
        let set = supervisor::overrides_of(pipeline.name, &set);
        LoadedPipeline::load(&pipeline.path, &set).expect("the pipeline is valid")
    });
    let left = Arc::new(AtomicU64::new(4));
    let open = move |pipeline: &Pipeline, lineage: &Lineage| -> Result<Box<dyn Sink>, SinkError> {
        let (inner, left) = (pipeline.open_sink(lineage)?, Arc::clone(&left));
        Ok(Box::new(PanickingSink { inner, left }))
    };
    let (members, stop) = (vec![steady, fragile.into_sink(open)], StopFlag::default());
    let stopped = stop.clone();
    let run = std::thread::spawn(move || {
        supervisor::run(
            members,
            &RunOptions::default(),
            &ResourceLimits::default(),
            &stopped,
        )
    });
    both.send_lines(0, 8);
    let statements: Vec<(usize, usize)> = (0..8).map(|at| (at, at)).collect();
    both.send_statements(&statements);
    let began = clock::instant();
    // Signals that were delivered but not committed before the panic are delivered again.
    let times = || -> BTreeSet<u64> {
        let records = both.topics.read(&both.fragile.output);
        let time = |record: &OwnedMessage| {
            let signal: Value =
                serde_json::from_slice(record.payload().expect("a record")).expect("JSON");
            signal["ts_event"].as_u64().expect("a time") - START as u64
        };
        records.iter().map(time).collect()
    };
    let steady = || both.topics.count(&both.steady.output);
    while times().len() < 8 || steady() < both.expected.len() {
        assert!(began.elapsed() < PATIENCE, "{:?}, {}", times(), steady());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    stop.set();
    let outcomes = run.join().expect("it does not panic").expect("it started");
    let restarts: Vec<u64> = outcomes.iter().map(|outcome| outcome.restarts).collect();
    assert_eq!(restarts, [0, 1]);
    both.assert_steady_is_complete();
}
