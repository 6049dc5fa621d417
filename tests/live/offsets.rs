//! Where a run with Kafka begins, and what it tells while its broker is absent or does not answer.

use std::time::Duration;

use foretick::clock;
use rdkafka::message::Message;
use serde_json::Value;

use super::broker_away::Broker;
use super::child::RunningProcess;
use super::kafka::between;
use super::metrics::figure;
use super::scraper::answer;
use super::topics::Topics;
use crate::given::{self, Folder};
use crate::needs;

/// The arguments of a run from `input` to `output`.
fn arguments(folder: &Folder, topics: &Topics, input: &str, output: &str) -> Vec<String> {
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let mut args = vec!["run".to_owned(), pipeline.display().to_string()];
    let listen = ["metrics.listen=127.0.0.1:0".to_owned()];
    for set in between(topics, input, output).into_iter().chain(listen) {
        args.extend(["--set".to_owned(), set]);
    }
    args
}

/// The address of the metrics.
fn metrics_of(run: &mut RunningProcess) -> String {
    run.wait_for("the address of the metrics", |run| {
        let log = run.stderr();
        let (_, rest) = log.split_once("address=")?;
        Some(rest.split_whitespace().next()?.to_owned())
    })
}

#[test]
fn a_stop_while_no_broker_answers_ends_at_once() {
    let folder = Folder::new("live-no-broker");
    // No server listens on port 1.
    let topics = Topics::new("127.0.0.1:1".into(), "no-broker");
    let mut run = RunningProcess::start(&arguments(&folder, &topics, "in", "out"));
    std::mem::forget(topics);
    run.wait_for("the log to say that it waits", |run| {
        let log = run.stderr();
        (log.contains("waiting for one") && log.contains("127.0.0.1:1")).then_some(())
    });
    std::thread::sleep(Duration::from_secs(3));
    let lines = run.stderr().lines().count();
    assert!(lines < 12, "{lines} lines in 3 s");
    let began = clock::instant();
    run.terminate();
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
}

/// Absent at the start, then there, then stopped, then going on, then stopped for good.
#[test]
fn a_broker_is_waited_for_and_its_silence_is_told() {
    if needs::kafka("a_broker_is_waited_for_and_its_silence_is_told").is_none() {
        return;
    }
    let folder = Folder::new("live-silence");
    let (broker, bootstrap) = Broker::start(&folder);
    let mut topics = Topics::new(bootstrap.clone(), "silence");
    let (input, output) = (topics.make("in", 2), topics.make("out", 1));
    let text = given::capture(17, 4, &["BTCUSDT", "ETHUSDT"]);
    topics.fill(&input, text.lines());
    broker.command("kill");

    let mut run = RunningProcess::start(&arguments(&folder, &topics, &input, &output));
    run.wait_for("the log to say that it waits", |run| {
        run.stderr().contains("waiting for one").then_some(())
    });
    assert_eq!(broker.command("start"), bootstrap);
    let address = metrics_of(&mut run);
    let get = |path: &str| answer(&format!("http://{address}/{path}"));
    let healthy = || figure(&get("metrics").1, "foretick_source_healthy");
    run.wait_for("a healthy source without lag", |_| {
        let text = get("metrics").1;
        let lag = figure(&text, "foretick_source_lag_records")?;
        (healthy()? == 1.0 && lag == 0.0).then_some(())
    });
    assert_eq!(
        figure(&get("metrics").1, "foretick_source_partitions"),
        Some(2.0)
    );

    broker.signal("STOP");
    let began = clock::instant();
    run.wait_for("a source that is not healthy", |_| {
        (healthy()? == 0.0).then_some(())
    });
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(get("readyz").0, 503);
    broker.signal("CONT");
    let began = clock::instant();
    run.wait_for("a healthy source", |_| (healthy()? == 1.0).then_some(()));
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "{:?}",
        began.elapsed()
    );

    broker.signal("STOP");
    run.wait_for("a source that is not healthy", |_| {
        (healthy()? == 0.0).then_some(())
    });
    let began = clock::instant();
    run.terminate();
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
    broker.signal("CONT");
    std::mem::forget(topics);
}

#[test]
fn what_retention_removed_shows_as_a_gap() {
    let Some(bootstrap) = needs::kafka("what_retention_removed_shows_as_a_gap") else {
        return;
    };
    let folder = Folder::new("live-retention");
    let mut topics = Topics::new(bootstrap, "retention");
    let (input, output) = (topics.make("in", 1), topics.make("out", 1));
    let text = given::capture(23, 6, &["BTCUSDT"]);
    let lines: Vec<&str> = text.lines().collect();
    let (before, after) = lines.split_at(lines.len() / 2);
    topics.fill(&input, before.iter().copied());
    let args = arguments(&folder, &topics, &input, &output);
    let mut first = RunningProcess::start(&args);
    let address = metrics_of(&mut first);
    first.wait_for("all records", |_| {
        let text = answer(&format!("http://{address}/metrics")).1;
        let lag = figure(&text, "foretick_source_lag_records")?;
        (lag == 0.0 && !topics.read(&output).is_empty()).then_some(())
    });
    assert_eq!(first.terminate(), Some(0), "{}", first.stderr());

    let gone = 10;
    topics.fill(&input, after.iter().copied());
    topics.delete_before(&input, 0, (before.len() + gone) as i64);
    let mut second = RunningProcess::start(&args);
    let address = metrics_of(&mut second);
    second.wait_for("the count of lost records", |_| {
        let text = answer(&format!("http://{address}/metrics")).1;
        let lost = figure(&text, "foretick_source_lost_records_total")?;
        (lost == gone as f64).then_some(())
    });
    second.wait_for("a signal of the last record", |_| {
        let records = topics.read(&output);
        let last = records.iter().filter_map(|record| {
            let signal: Value = serde_json::from_slice(record.payload()?).ok()?;
            signal["source"]["offset"].as_i64()
        });
        (last.max()? >= (lines.len() - 50) as i64).then_some(())
    });
    assert!(second.stderr().contains("retention removed records"));
    assert_eq!(second.terminate(), Some(0), "{}", second.stderr());
}

/// The group would wait for the session of a member that was killed; this one has its name again.
#[test]
fn an_instance_that_was_killed_has_its_partitions_again_at_once() {
    let Some(bootstrap) =
        needs::kafka("an_instance_that_was_killed_has_its_partitions_again_at_once")
    else {
        return;
    };
    let folder = Folder::new("live-killed");
    let mut topics = Topics::new(bootstrap, "killed");
    let (input, output) = (topics.make("in", 2), topics.make("out", 1));
    let args = arguments(&folder, &topics, &input, &output);
    let assigned = |run: &mut RunningProcess| {
        run.wait_for("partitions", |run| {
            run.stderr()
                .contains("partitions were assigned count=2")
                .then_some(clock::instant())
        })
    };
    let mut first = RunningProcess::start(&args);
    assigned(&mut first);
    // It is killed.
    drop(first);
    let began = clock::instant();
    let mut second = RunningProcess::start(&args);
    let after = assigned(&mut second) - began;
    assert!(
        after < Duration::from_secs(8),
        "{after:?}; its session ends after 10 s"
    );
    assert_eq!(second.terminate(), Some(0), "{}", second.stderr());
}
