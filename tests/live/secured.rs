//! `foretick run` and `foretick check` with a real Kafka that asks for certificates, logins and rights.

#[path = "secured/broker.rs"]
mod broker;
#[path = "secured/check.rs"]
mod check;
#[path = "secured/refused.rs"]
mod refused;
#[path = "secured/rights.rs"]
mod rights;

use std::path::Path;

use rdkafka::message::Message;
use serde_json::Value;

use self::broker::SecuredBroker;
use self::rights::{Operation, Resource, grant};
use super::pipelines::replayed_signals;
use super::topics::Topics;
use crate::given::{self, Folder, Run};
use crate::needs;

/// A pipeline between these topics, run to their end or checked, at a listener and with these properties.
struct AtListener<'a> {
    command: &'a [&'a str],
    pipeline: &'a Path,
    bootstrap: &'a str,
    properties: &'a str,
    input: &'a str,
    output: &'a str,
    group: &'a str,
}

impl AtListener<'_> {
    fn run(&self) -> Run {
        let mut args = vec![
            self.command[0].to_owned(),
            self.pipeline.display().to_string(),
        ];
        args.extend(self.command[1..].iter().map(|&one| one.to_owned()));
        for set in [
            "source.kind=kafka".to_owned(),
            format!("source.topics=[{:?}]", self.input),
            "source.start=earliest".to_owned(),
            "sink.kind=kafka".to_owned(),
            format!("sink.topic={:?}", self.output),
            format!("sink.gaps={:?}", format!("{}.gaps", self.output)),
            format!("kafka.bootstrap={:?}", self.bootstrap),
            format!("kafka.properties={{{}}}", self.properties),
            format!("kafka.group={:?}", self.group),
            "metrics.listen=\"\"".to_owned(),
        ] {
            args.extend(["--set".into(), set]);
        }
        given::foretick(&args)
    }
}

const UNTIL_END: &[&str] = &["run", "--until-end", "--json"];

/// Through each listener the signals of a replay arrive.
#[test]
fn signals_go_through_every_kind_of_listener() {
    if !needs::secured_kafka("signals_go_through_every_kind_of_listener") {
        return;
    }
    let broker = SecuredBroker::shared();
    let folder = Folder::new("secured-listeners");
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let capture = given::capture(91, 3, &["BTCUSDT"]);
    let expected = replayed_signals(&folder, &pipeline, &capture);
    assert!(!expected.is_empty());
    let mut topics = Topics::new(broker.address().to_owned(), "secured");
    let input = topics.make("in", 1);
    topics.fill(&input, capture.lines());
    let own = topics.name("");
    grant(
        &broker,
        "desk",
        &[
            (Resource::Topics(&own), Operation::Read),
            (Resource::Topics(&own), Operation::Write),
            (Resource::Groups(&own), Operation::Read),
        ],
    );
    for (listener, properties) in [
        ("tls", broker.tls()),
        (
            "mtls",
            format!("{},{}", broker.tls(), broker.client_certificate()),
        ),
        ("sasl", broker.login("SASL_PLAINTEXT", "PLAIN", "desk")),
        (
            "sasl",
            broker.login("SASL_PLAINTEXT", "SCRAM-SHA-256", "desk"),
        ),
        (
            "sasl",
            broker.login("SASL_PLAINTEXT", "SCRAM-SHA-512", "desk"),
        ),
        ("sasltls", broker.login("SASL_SSL", "PLAIN", "desk")),
        ("sasltls", broker.login("SASL_SSL", "SCRAM-SHA-256", "desk")),
        ("sasltls", broker.login("SASL_SSL", "SCRAM-SHA-512", "desk")),
    ] {
        let number = topics.made();
        let output = topics.make(&format!("out-{number}"), 1);
        let run = AtListener {
            command: UNTIL_END,
            pipeline: &pipeline,
            bootstrap: &broker.listener(listener),
            properties: &properties,
            input: &input,
            output: &output,
            group: &topics.name(&format!("group-{number}")),
        }
        .run();
        assert_eq!(run.code, Some(0), "{listener}: {}", run.stderr);
        let written = topics.read(&output);
        let ids = written.iter().map(|record| {
            let signal: Value =
                serde_json::from_slice(record.payload().expect("a record")).expect("JSON");
            signal["score"].clone()
        });
        let scores = expected.iter().map(|signal| signal["score"].clone());
        assert!(ids.eq(scores), "{listener} with {properties}");
    }
}
