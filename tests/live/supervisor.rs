//! The shipped pipelines in one process on a real Kafka: each writes the signals that it writes alone.

use serde_json::{Value, json};

use super::pipelines::{LivePipeline, run_command, signals};
use super::topics::Topics;
use crate::given::{self, Folder};
use crate::needs;

#[test]
fn five_pipelines_in_one_process_give_the_signals_of_five_processes() {
    let test = "five_pipelines_in_one_process_give_the_signals_of_five_processes";
    let Some(bootstrap) = needs::kafka(test).filter(|_| needs::onnx(test)) else {
        return;
    };
    let folder = Folder::new("live-five");
    let mut topics = Topics::new(bootstrap, "five");
    let mut pipelines = five_pipelines(&folder, &mut topics);
    let until_end = ["--until-end", "--set", "metrics.listen="];
    let mut alone = vec![];
    for pipeline in &mut pipelines {
        if pipeline.name == "default-alerts" {
            pipeline.set = alerts_to(&folder, &topics, "alone");
        }
        let run = given::foretick(&run_command(&[pipeline], &topics, "alone", &until_end));
        assert_eq!(run.code, Some(0), "{}: {}", pipeline.name, run.stderr);
        let summary: Value = serde_json::from_str(&run.stdout).expect("a summary");
        assert!(summary["signals"].as_u64() > Some(5), "{summary}");
        alone.push((summary, signals(&topics, &pipeline.output)));
        pipeline.output = topics.make(&format!("together-{}", pipeline.name), 1);
        if pipeline.name == "default-alerts" {
            pipeline.set = alerts_to(&folder, &topics, "together");
        }
    }
    let all: Vec<&LivePipeline> = pipelines.iter().collect();
    let run = given::foretick(&run_command(&all, &topics, "together", &until_end));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(
        run.stderr.contains("in all: "),
        "the log has the plan of threads and memory: {}",
        run.stderr
    );
    let outcomes: Value = serde_json::from_str(&run.stdout).expect("outcomes");
    for (at, (summary, expected)) in alone.iter().enumerate() {
        let (pipeline, together) = (&pipelines[at], &outcomes["pipelines"][at]);
        assert_eq!(together["pipeline"], pipeline.name);
        for key in ["digest", "signals", "alerts", "frames"] {
            assert_eq!(together[key], summary[key], "{}: {key}", pipeline.name);
        }
        let written = signals(&topics, &pipeline.output);
        assert_eq!(&written, expected, "{}", pipeline.name);
    }
}

/// The small pipeline and the shipped ones that read Kafka, with filled input topics.
fn five_pipelines(folder: &Folder, topics: &mut Topics) -> [LivePipeline; 5] {
    let capture = given::capture(71, 6, &["BTCUSDT", "ETHUSDT", "SOLUSDT"]);
    let trades: Vec<String> = capture.lines().map(str::to_owned).collect();
    let mut filled = |name: &str, partitions, lines: Vec<String>| {
        let topic = topics.make(name, partitions);
        topics.fill(&topic, lines.iter().map(String::as_str));
        topic
    };
    let market = filled("market", 2, trades);
    let loans = filled("applications", 2, applications(300));
    let firms = filled("statements", 2, given::companies::statements(40));
    let news = filled("news", 1, headlines());
    let shipped = |name: &str| given::repository("pipelines").join(name);
    let small = folder.write("small.toml", given::SMALL);
    let mut pipeline = |name, path, input: &str| LivePipeline::new(name, path, topics, input);
    let mut all = [
        pipeline("small", small, &market),
        pipeline("price-direction", shipped("price-direction"), &market),
        pipeline("loan-risk", shipped("loan-risk"), &loans),
        pipeline("default-alerts", shipped("default-alerts"), &firms),
        pipeline("news-sentiment", shipped("news-sentiment"), &news),
    ];
    all[1].set = vec!["source.kind=kafka".into(), "engine.shards=2".into()];
    let key = folder.write("key", "of a test, sixteen bytes or more");
    all[2].set = vec![format!("privacy.key=file:{}", key.display())];
    all
}

fn alerts_to(folder: &Folder, topics: &Topics, name: &str) -> Vec<String> {
    let state = folder.path("state").display().to_string();
    let alerts = topics.name(&format!("alerts-{name}"));
    vec![
        format!("state.dir={state:?}"),
        format!("sink.alerts={alerts:?}"),
    ]
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

/// Headlines about two instruments each; every seventh headline is about the same first instrument.
fn headlines() -> Vec<String> {
    let path = given::repository("pipelines/news-sentiment/golden.jsonl");
    let text = std::fs::read_to_string(path).expect("it is shipped");
    let item = |(at, line): (usize, &str)| {
        let vector: Value = serde_json::from_str(line).expect("JSON");
        let instruments = [format!("A{}", at % 7), format!("B{at}")];
        json!({"ts_event": (1_700_000_000 + at) * 1_000_000_000, "id": at.to_string(), "headline": vector["headline"],
            "language": "en", "instruments": instruments})
        .to_string()
    };
    text.lines().enumerate().map(item).collect()
}
