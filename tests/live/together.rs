//! Several pipelines in one process on a real Kafka: each gives what it gives alone, and one that breaks
//! disturbs no other and comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foretick::pipeline::Pipeline;
use foretick::run::budget::Limits;
use foretick::run::live::{Options, Stop};
use foretick::run::supervisor;
use foretick::run::supervisor::Member;
use foretick::signal::Signal;
use foretick::signal::lineage::Lineage;
use foretick::sink;
use foretick::sink::{DeadLetter, Sink, SinkError};
use rdkafka::message::Message;
use serde_json::{Value, json};

use super::child::Running;
use super::metrics::{answer, figure};
use super::topics::{PATIENCE, Topics};
use crate::given::onnx::Graph;
use crate::given::{self, Folder};
use crate::needs;

/// Scores a statement by looking its one number up in the model's table.
const FRAGILE: &str = r#"
name = "fragile"
[row]
on = "statement"
[[feature]]
name = "place"
kind = "field"
[model]
kind = "onnx"
file = "model.onnx"
[signal]
schema = "signals.default.v1"
"#;

/// A pipeline of a test, with its topics.
struct Part {
    name: &'static str,
    path: PathBuf,
    input: String,
    output: String,
    set: Vec<String>,
}

impl Part {
    fn new(name: &'static str, path: PathBuf, topics: &mut Topics, input: &str) -> Self {
        let output = topics.make(&format!("out-{name}"), 1);
        Self {
            name,
            path,
            input: input.to_owned(),
            output,
            set: vec![],
        }
    }

    /// Its settings for a run of that group.
    fn settings(&self, topics: &Topics, group: &str) -> Vec<String> {
        let dead = topics.name(&format!("dlq-{}", self.name));
        let own = [
            format!("source.topics=[{:?}]", self.input),
            "source.start=earliest".to_owned(),
            "sink.kind=kafka".to_owned(),
            format!("sink.topic={:?}", self.output),
            format!("sink.dead_letters={dead:?}"),
            format!(
                "kafka.group={:?}",
                topics.name(&format!("{group}-{}", self.name))
            ),
        ];
        own.iter()
            .chain(&self.set)
            .map(|one| format!("{}:{one}", self.name))
            .collect()
    }
}

/// The words of a command that runs these.
fn command(parts: &[&Part], topics: &Topics, group: &str, more: &[&str]) -> Vec<String> {
    let mut args = vec!["run".to_owned()];
    args.extend(parts.iter().map(|part| part.path.display().to_string()));
    args.push("--json".to_owned());
    args.extend(more.iter().map(|&one| one.to_owned()));
    let all = format!("kafka.bootstrap={:?}", topics.bootstrap);
    let own = parts.iter().flat_map(|part| part.settings(topics, group));
    for set in own.chain([all]) {
        args.extend(["--set".to_owned(), set]);
    }
    args
}

/// Signals by their id, without what a clock told. Fails where one is there twice.
fn signals(topics: &Topics, topic: &str) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for record in topics.read(topic) {
        let mut signal: Value =
            serde_json::from_slice(record.payload().expect("a record")).expect("JSON");
        for read_from_a_clock in ["ts_recv", "ts_out", "latency_ns"] {
            signal[read_from_a_clock] = Value::Null;
        }
        let id = signal["signal_id"].as_str().expect("an id").to_owned();
        assert!(all.insert(id, signal).is_none(), "a signal is there twice");
    }
    all
}

fn applications(count: usize) -> Vec<String> {
    let path = given::repository("pipelines/loan-risk/golden.jsonl");
    let text = std::fs::read_to_string(path).expect("it is shipped");
    let vectors: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let record = |at: usize| {
        let mut fields = vectors[at % vectors.len()]["fields"].clone();
        fields["limit_bal"] = json!(10_000 + 1_000 * at);
        json!({"ts_event": at, "applicant": format!("a-{at}"), "product": "card", "fields": fields})
            .to_string()
    };
    (0..count).map(record).collect()
}

/// Headlines about two instruments each, the later ones also about one that the others are about.
fn headlines() -> Vec<String> {
    let path = given::repository("pipelines/news-sentiment/golden.jsonl");
    let text = std::fs::read_to_string(path).expect("it is shipped");
    let item = |(at, line): (usize, &str)| {
        let vector: Value = serde_json::from_str(line).expect("JSON");
        let instruments = [format!("A{}", at % 7), format!("B{at}")];
        json!({"ts_event": at * 1_000_000_000, "id": at.to_string(), "headline": vector["headline"],
            "language": "en", "instruments": instruments})
        .to_string()
    };
    text.lines().enumerate().map(item).collect()
}

#[test]
fn each_of_five_gives_what_it_gives_alone() {
    let test = "each_of_five_gives_what_it_gives_alone";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let folder = Folder::new("live-five");
    let mut topics = Topics::new(bootstrap, "five");
    let market = topics.make("market", 2);
    let text = given::capture(71, 6, &["BTCUSDT", "ETHUSDT", "SOLUSDT"]);
    topics.fill(&market, text.lines());
    let credit = |topics: &mut Topics, name, lines: Vec<String>| {
        let topic = topics.make(name, 2);
        topics.fill(&topic, lines.iter().map(String::as_str));
        topic
    };
    let loans = credit(&mut topics, "applications", applications(300));
    let firms = credit(&mut topics, "statements", given::companies::statements(40));
    let news = topics.make("news", 1);
    topics.fill(&news, headlines().iter().map(String::as_str));
    let small = folder.write("small.toml", given::SMALL);
    let shipped = |name: &str| given::repository("pipelines").join(name);
    let mut parts = [
        Part::new("small", small, &mut topics, &market),
        Part::new(
            "price-direction",
            shipped("price-direction"),
            &mut topics,
            &market,
        ),
        Part::new("loan-risk", shipped("loan-risk"), &mut topics, &loans),
        Part::new(
            "default-alerts",
            shipped("default-alerts"),
            &mut topics,
            &firms,
        ),
        Part::new(
            "news-sentiment",
            shipped("news-sentiment"),
            &mut topics,
            &news,
        ),
    ];
    parts[1].set = vec!["source.kind=kafka".into(), "engine.shards=2".into()];
    let key = folder.write("key", "of a test, sixteen bytes or more");
    parts[2].set = vec![format!("privacy.key=file:{}", key.display())];
    let none = ["--until-end", "--set", "metrics.listen="];
    let mut alone = vec![];
    for part in &mut parts {
        if part.name == "default-alerts" {
            let state = folder.path("alone.state");
            let alerts = topics.name("alerts-alone");
            part.set = vec![
                format!("sink.alerts_state={:?}", state.display().to_string()),
                format!("sink.alerts={alerts:?}"),
            ];
        }
        let run = given::foretick(&command(&[part], &topics, "alone", &none));
        assert_eq!(run.code, Some(0), "{}: {}", part.name, run.stderr);
        let summary: Value = serde_json::from_str(&run.stdout).expect("a summary");
        alone.push((summary, signals(&topics, &part.output)));
        part.output = topics.make(&format!("together-{}", part.name), 1);
    }
    let state = folder.path("together.state").display().to_string();
    parts[3].set[0] = format!("sink.alerts_state={state:?}");
    let all: Vec<&Part> = parts.iter().collect();
    let run = given::foretick(&command(&all, &topics, "together", &none));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(
        run.stderr.contains("in all: "),
        "the plan is told: {}",
        run.stderr
    );
    let outcomes: Value = serde_json::from_str(&run.stdout).expect("outcomes");
    for (at, (summary, said)) in alone.iter().enumerate() {
        let (part, together) = (&parts[at], &outcomes["pipelines"][at]);
        assert_eq!(together["pipeline"], part.name);
        for key in ["digest", "signals", "alerts", "frames"] {
            assert_eq!(together[key], summary[key], "{}: {key}", part.name);
        }
        assert!(summary["signals"].as_u64() > Some(5), "{summary}");
        assert_eq!(&signals(&topics, &part.output), said, "{}", part.name);
    }
}

/// A statement of one number.
fn statement(at: usize, place: usize) -> String {
    json!({"ts_event": at, "obligor": format!("C{at}"), "period": 2_000, "items": {"place": place}})
        .to_string()
}

/// A steady pipeline and one that breaks, on topics of their own.
struct Two {
    folder: Folder,
    topics: Topics,
    steady: Part,
    fragile: Part,
    /// What goes to the steady one, and the ids of what it says of that alone.
    lines: Vec<String>,
    expected: BTreeMap<String, Value>,
}

impl Two {
    fn new(bootstrap: String, test: &str) -> Self {
        let folder = Folder::new(&format!("live-{test}"));
        let mut topics = Topics::new(bootstrap, test);
        let text = given::capture(72, 8, &["BTCUSDT", "ETHUSDT"]);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let rehearsal = topics.make("rehearsal", 1);
        topics.fill(&rehearsal, lines.iter().map(String::as_str));
        let path = folder.write("small.toml", given::SMALL);
        let mut steady = Part::new("small", path, &mut topics, &rehearsal);
        let none = ["--until-end", "--set", "metrics.listen="];
        let alone = given::foretick(&command(&[&steady], &topics, "alone", &none));
        assert_eq!(alone.code, Some(0), "{}", alone.stderr);
        let expected = signals(&topics, &steady.output);
        steady.input = topics.make("in-small", 1);
        steady.output = topics.make("out-small-again", 1);
        let path = folder.write("pipeline.toml", FRAGILE);
        let input = topics.make("in-fragile", 1);
        let fragile = Part::new("fragile", path, &mut topics, &input);
        let two = Self {
            folder,
            topics,
            steady,
            fragile,
            lines,
            expected,
        };
        two.write_model(10);
        two
    }

    /// A model whose table has so many places.
    fn write_model(&self, table: i64) {
        let set = ["model.kind=sum"];
        let pipeline = given::load(&self.fragile.path, &set);
        let mut graph = Graph::of(pipeline.plan.names(), pipeline.plan.sha256(), 1);
        graph.table = table;
        // Whole or not at all: the pipeline may look at any time.
        let new = self.folder.write("model.new", graph.bytes());
        std::fs::rename(new, self.folder.path("model.onnx")).expect("it is beside it");
    }

    fn start(&self) -> (Running, String) {
        let parts = [&self.steady, &self.fragile];
        let listen = ["--set", "metrics.listen=127.0.0.1:0"];
        let mut run = Running::start(&command(&parts, &self.topics, "together", &listen));
        let address = run.wait_for("address of the metrics", |run| {
            let said = run.stderr();
            let (_, rest) =
                said.split_once("metrics at /metrics, health at /healthz and /readyz address=")?;
            Some(rest.split_whitespace().next()?.to_owned())
        });
        run.wait_for("readiness", |_| {
            (answer(&format!("http://{address}/readyz")).0 == 200).then_some(())
        });
        (run, address)
    }

    /// The next part of the steady one's input: eighths from one to another.
    fn feed(&self, from: usize, to: usize) {
        let at = |eighth: usize| self.lines.len() * eighth / 8;
        let lines = self.lines[at(from)..at(to)].iter().map(String::as_str);
        self.topics.fill(&self.steady.input, lines);
    }

    fn tell(&self, statements: &[(usize, usize)]) {
        let lines: Vec<String> = statements
            .iter()
            .map(|&(at, place)| statement(at, place))
            .collect();
        self.topics
            .fill(&self.fragile.input, lines.iter().map(String::as_str));
    }

    /// Waits until the steady one has said all, each once and as alone.
    fn all_is_said(&self, run: &mut Running) {
        let count = self.expected.len();
        run.wait_for("all signals of the steady one", |_| {
            (self.topics.read(&self.steady.output).len() >= count).then_some(())
        });
        let ids = |all: BTreeMap<String, Value>| -> Vec<(Value, Value, Value)> {
            let mut all: Vec<Value> = all.into_values().collect();
            all.sort_by_key(|signal| signal["source"]["offset"].as_i64());
            let what = |s: &Value| {
                (
                    s["source"]["offset"].clone(),
                    s["score"].clone(),
                    s["quality"].clone(),
                )
            };
            all.iter().map(what).collect()
        };
        let said = signals(&self.topics, &self.steady.output);
        assert_eq!(ids(said), ids(self.expected.clone()));
    }

    /// Statements by the times of their signals, each once.
    fn scored(&self) -> Vec<u64> {
        let all = signals(&self.topics, &self.fragile.output);
        let mut times: Vec<u64> = all
            .values()
            .map(|signal| signal["ts_event"].as_u64().expect("a time"))
            .collect();
        times.sort_unstable();
        times
    }
}

#[test]
fn a_model_that_breaks_disturbs_no_other_and_comes_back_mended() {
    let test = "a_model_that_breaks_disturbs_no_other_and_comes_back_mended";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let two = Two::new(bootstrap, "breaks");
    let (mut run, address) = two.start();
    let get = |path: &str| answer(&format!("http://{address}/{path}"));
    two.feed(0, 2);
    two.tell(&[(0, 3), (1, 4), (2, 5)]);
    run.wait_for("signals of the fragile one", |_| {
        (two.scored().len() == 3).then_some(())
    });
    if let Some(threads) = run.threads() {
        assert_eq!(threads, 25, "as planned for a cluster of one broker");
        assert!(
            run.stderr().contains("in all: 25 threads"),
            "{}",
            run.stderr()
        );
    }
    // Beyond the end of the model's table.
    two.tell(&[(3, 6), (4, 50), (5, 7)]);
    two.feed(2, 4);
    run.wait_for("its failure", |_| {
        let (code, text) = get("readyz");
        (code == 503 && text.starts_with("fragile: failed, to be started again")).then_some(())
    });
    assert_eq!(get("readyz").1.lines().count(), 1, "it alone");
    let (code, health) = get("healthz");
    assert!(
        code == 200 && health.starts_with("ok\nfragile: "),
        "{health}"
    );
    two.feed(4, 6);
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
    two.feed(6, 8);
    two.all_is_said(&mut run);
    two.write_model(100);
    run.wait_for("the mended one", |_| {
        (two.scored().len() >= 6).then_some(())
    });
    assert_eq!(two.scored(), [0, 1, 2, 3, 4, 5], "none lost, none twice");
    run.wait_for("readiness", |_| (get("readyz").0 == 200).then_some(()));
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
    let outcomes: Value = serde_json::from_str(run.stdout().trim()).expect("outcomes");
    let [steady, fragile] = [0, 1].map(|at| &outcomes["pipelines"][at]);
    assert_eq!(
        (&steady["restarts"], &steady["signals"]),
        (&json!(0), &json!(two.expected.len()))
    );
    assert!(
        fragile["restarts"].as_u64() >= Some(2) && fragile["failure"].is_null(),
        "{fragile}"
    );
    let frames = |fate: &str| fragile["frames"][fate].as_u64().expect("a count");
    let fates = ["used", "conflated", "dropped", "dead_lettered", "in_flight"];
    let known: u64 = fates.iter().map(|fate| frames(fate)).sum();
    assert_eq!(frames("in"), known, "all are accounted for: {fragile}");
    assert_eq!(steady["frames"]["in"], two.lines.len(), "{steady}");
    assert_eq!(steady["frames"]["in"], steady["frames"]["used"], "{steady}");
    assert!(
        run.stderr().contains("pipeline{name=\"fragile\"}"),
        "{}",
        run.stderr()
    );
}

#[test]
fn a_topic_made_anew_at_once_is_read_from_its_beginning() {
    let test = "a_topic_made_anew_at_once_is_read_from_its_beginning";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let mut two = Two::new(bootstrap, "anew");
    let (mut run, _) = two.start();
    two.tell(&[(0, 1), (1, 2), (2, 3)]);
    run.wait_for("signals", |_| (two.scored().len() == 3).then_some(()));
    two.topics.delete(&two.fragile.input);
    let says = |run: &Running, what: &[&str]| {
        let said = run.stderr();
        what.iter().any(|word| said.contains(word)).then_some(())
    };
    run.wait_for("word of the deletion", |run| {
        says(run, &["Kafka is in trouble"])
    });
    two.topics.make("in-fragile", 1);
    // Where this took long, it was missed before it came back, and that is told instead.
    run.wait_for("its return", |run| {
        says(run, &["Kafka is back", "the topic was deleted"])
    });
    two.tell(&[(7, 1), (8, 2)]);
    run.wait_for("signals of the new topic", |_| {
        (two.scored().len() == 5).then_some(())
    });
    assert_eq!(two.scored(), [0, 1, 2, 7, 8]);
    run.wait_for("the reason", |run| {
        says(run, &["made anew", "the topic was deleted"])
    });
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
}

#[test]
fn a_topic_that_is_deleted_disturbs_no_other_and_is_read_anew() {
    let test = "a_topic_that_is_deleted_disturbs_no_other_and_is_read_anew";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let mut two = Two::new(bootstrap, "deleted");
    let (mut run, address) = two.start();
    let get = |path: &str| answer(&format!("http://{address}/{path}"));
    two.feed(0, 3);
    two.tell(&[(0, 1), (1, 2)]);
    run.wait_for("signals of the fragile one", |_| {
        (two.scored().len() == 2).then_some(())
    });
    two.topics.delete(&two.fragile.input);
    two.feed(3, 6);
    run.wait_for("word of the topic", |_| {
        let (code, text) = get("readyz");
        (code == 503 && text.contains("the topic was deleted")).then_some(())
    });
    two.topics.make("in-fragile", 1);
    two.tell(&[(7, 1), (8, 2)]);
    two.feed(6, 8);
    run.wait_for("signals of the new topic", |_| {
        (two.scored().len() == 4).then_some(())
    });
    assert_eq!(two.scored(), [0, 1, 7, 8]);
    two.all_is_said(&mut run);
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
}

#[test]
fn a_sink_that_is_refused_disturbs_no_other_and_loses_nothing() {
    let test = "a_sink_that_is_refused_disturbs_no_other_and_loses_nothing";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let two = Two::new(bootstrap, "sink");
    // No signal is as short.
    two.topics.limit(&two.fragile.output, 100);
    let (mut run, address) = two.start();
    let get = |path: &str| answer(&format!("http://{address}/{path}"));
    two.tell(&[(0, 1), (1, 2), (2, 3)]);
    two.feed(0, 5);
    run.wait_for("its failure", |_| {
        let (code, text) = get("readyz");
        let why = "while delivering to topic";
        (code == 503 && text.starts_with("fragile: failed") && text.contains(why)).then_some(())
    });
    two.feed(5, 8);
    two.all_is_said(&mut run);
    two.topics.limit(&two.fragile.output, 1 << 20);
    run.wait_for("its signals", |_| (two.scored() == [0, 1, 2]).then_some(()));
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
}

#[test]
fn with_until_end_the_one_that_breaks_is_told_by_the_exit_code() {
    let test = "with_until_end_the_one_that_breaks_is_told_by_the_exit_code";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let two = Two::new(bootstrap, "until-end");
    two.feed(0, 8);
    two.tell(&[(0, 1), (1, 50)]);
    let none = ["--until-end", "--set", "metrics.listen="];
    let parts = [&two.steady, &two.fragile];
    let run = given::foretick(&command(&parts, &two.topics, "together", &none));
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let outcomes: Value = serde_json::from_str(&run.stdout).expect("outcomes");
    let [steady, fragile] = [0, 1].map(|at| &outcomes["pipelines"][at]);
    assert_eq!(steady["signals"], two.expected.len(), "{steady}");
    assert_eq!(
        (&steady["failure"], &fragile["restarts"]),
        (&Value::Null, &json!(0))
    );
    let why = fragile["failure"].as_str().expect("a reason");
    assert!(why.starts_with("while scoring a window: "), "{why}");
}

#[test]
fn nothing_starts_where_one_cannot_be_loaded_and_all_is_said() {
    let test = "nothing_starts_where_one_cannot_be_loaded_and_all_is_said";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let two = Two::new(bootstrap, "refused");
    two.feed(0, 8);
    let bad = two
        .folder
        .write("bad.toml", given::SMALL.replace("\"trade\"", "\"noon\""));
    std::fs::remove_file(two.folder.path("model.onnx")).expect("it was written");
    let none = ["--until-end", "--set", "metrics.listen="];
    let mut args = command(&[&two.steady, &two.fragile], &two.topics, "together", &none);
    args.insert(1, bad.display().to_string());
    let run = given::foretick(&args);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    for words in [
        "bad.toml:5: unknown variant `noon`",
        "while reading the model",
    ] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    assert!(
        two.topics.read(&two.steady.output).is_empty(),
        "nothing has run"
    );

    two.write_model(10);
    args.remove(1);
    for (limit, words) in [
        (["--max-threads", "5"], "but --max-threads allows 5; "),
        (
            ["--max-memory", "100MiB"],
            "but --max-memory allows 100.0 MiB; ",
        ),
    ] {
        let args = [&args[..], &limit.map(str::to_owned)].concat();
        let run = given::foretick(&args);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    assert!(
        two.topics.read(&two.steady.output).is_empty(),
        "nothing has run"
    );
}

/// Panics at the so-many-th signal of all, once.
struct Explosive {
    inner: Box<dyn Sink>,
    fuse: Arc<AtomicU64>,
}

impl Sink for Explosive {
    fn signal(&mut self, signal: &Signal, instrument: &str) -> Result<(), SinkError> {
        assert_ne!(
            self.fuse.fetch_sub(1, Ordering::Relaxed),
            1,
            "as the test wants"
        );
        self.inner.signal(signal, instrument)
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

    fn keeps_dead_letters(&self) -> bool {
        true
    }
}

#[test]
fn a_panic_ends_one_pipeline_and_it_goes_on_where_it_was() {
    let test = "a_panic_ends_one_pipeline_and_it_goes_on_where_it_was";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let two = Two::new(bootstrap, "panics");
    let fuse = Arc::new(AtomicU64::new(4));
    let members = [&two.steady, &two.fragile].map(|part| {
        let mut set = part.settings(&two.topics, "together");
        set.push(format!("kafka.bootstrap={:?}", two.topics.bootstrap));
        set.push("metrics.listen=".to_owned());
        let set = supervisor::overrides_of(part.name, &set);
        Member::load(&part.path, &set).expect("it is sound")
    });
    let [steady, fragile] = members;
    let open = move |pipeline: &Pipeline, lineage: &Lineage| -> Result<Box<dyn Sink>, SinkError> {
        Ok(Box::new(Explosive {
            inner: sink::open(pipeline, lineage)?,
            fuse: Arc::clone(&fuse),
        }))
    };
    let (members, stop) = (vec![steady, fragile.into_sink(open)], Stop::default());
    let asked = stop.clone();
    let run = std::thread::spawn(move || {
        supervisor::run(members, &Options::default(), &Limits::default(), &asked)
    });
    two.feed(0, 8);
    let places: Vec<(usize, usize)> = (0..8).map(|at| (at, at)).collect();
    two.tell(&places);
    let began = foretick::clock::instant();
    let told = || -> BTreeSet<u64> {
        let records = two.topics.read(&two.fragile.output);
        let signals = records
            .iter()
            .map(|record| record.payload().expect("a record"));
        let signals = signals.map(|bytes| serde_json::from_slice::<Value>(bytes).expect("JSON"));
        signals
            .map(|signal| signal["ts_event"].as_u64().expect("a time"))
            .collect()
    };
    let steady = || two.topics.read(&two.steady.output).len();
    while told().len() < 8 || steady() < two.expected.len() {
        assert!(began.elapsed() < PATIENCE, "{:?}, {}", told(), steady());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    stop.ask();
    let outcomes = run.join().expect("it does not panic").expect("it started");
    let restarts: Vec<u64> = outcomes.iter().map(|outcome| outcome.restarts).collect();
    assert_eq!(restarts, [0, 1]);
    let said = signals(&two.topics, &two.steady.output);
    assert_eq!(said.len(), two.expected.len());
}
