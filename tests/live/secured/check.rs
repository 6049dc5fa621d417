//! `foretick check` at brokers that ask for rights: what is missing is named, each right by itself.

use std::path::Path;

use foretick::command::check::brokers::ask;
use foretick::kafka::Properties;
use foretick::pipeline::broker_needs::BrokerNeeds;
use serde_json::Value;

use super::broker::SecuredBroker;
use super::rights::{Operation, Resource, grant};
use super::{AtListener, UNTIL_END};
use crate::given::{self, Folder, Run};
use crate::needs;
use crate::topics::Topics;

/// A pipeline, the topics and the group that it needs, and the broker.
struct Case<'a> {
    broker: &'a SecuredBroker,
    pipeline: &'a Path,
    input: String,
    output: String,
    letters: String,
    gaps: String,
    group: String,
}

impl Case<'_> {
    /// All rights that the pipeline needs, and the one to know the limits of topics.
    fn rights(&self) -> [(Resource<'_>, Operation); 6] {
        [
            (Resource::Topic(&self.input), Operation::Read),
            (Resource::Topic(&self.output), Operation::Write),
            (Resource::Topic(&self.letters), Operation::Write),
            (Resource::Topic(&self.gaps), Operation::Write),
            (Resource::Group(&self.group), Operation::Read),
            (
                Resource::Topics("foretick-rights"),
                Operation::DescribeConfigs,
            ),
        ]
    }

    /// Gives a user all rights but the one of this number.
    fn grant_all_but(&self, user: &str, missing: usize) {
        let rights = self.rights().into_iter().enumerate();
        let rights: Vec<_> = rights
            .filter(|(number, _)| *number != missing)
            .map(|(_, right)| right)
            .collect();
        grant(self.broker, user, &rights);
    }

    fn run_as(&self, user: &str, command: &[&str]) -> Run {
        AtListener {
            command,
            pipeline: self.pipeline,
            bootstrap: &self.broker.listener("sasl"),
            properties: &self.broker.login("SASL_PLAINTEXT", "SCRAM-SHA-256", user),
            input: &self.input,
            output: &self.output,
            group: &self.group,
        }
        .run()
    }

    /// The report of a check by a user.
    fn check(&self, user: &str) -> Value {
        let run = self.run_as(user, &["check", "--json"]);
        let report: Value = serde_json::from_str(&run.stdout)
            .unwrap_or_else(|_| panic!("{}{}", run.stdout, run.stderr));
        assert_eq!(run.code == Some(0), report["ok"] == true, "{report}");
        report
    }
}

fn texts<'a>(report: &'a Value, of: &str) -> Vec<&'a str> {
    let all = report[of].as_array().expect("a list").iter();
    all.map(|text| text.as_str().expect("a text")).collect()
}

#[test]
fn a_check_names_the_right_that_is_missing() {
    if !needs::secured_kafka("a_check_names_the_right_that_is_missing") {
        return;
    }
    let broker = SecuredBroker::shared();
    let folder = Folder::new("secured-check");
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let mut topics = Topics::new(broker.address().to_owned(), "rights");
    let (input, output) = (topics.make("in", 1), topics.make("out", 1));
    let frames = given::capture(92, 2, &["BTCUSDT"]);
    topics.fill(&input, frames.lines().chain(["not a frame"]));
    let letters = topics.make("in.dlq.v1", 1);
    let gaps = topics.make("out.gaps", 1);
    let case = Case {
        broker: &broker,
        pipeline: &pipeline,
        input,
        output,
        letters,
        gaps,
        group: topics.name("group"),
    };
    let none = usize::MAX;
    case.grant_all_but("whole", none);
    let whole = case.check("whole");
    assert_eq!(whole["ok"], true, "{whole}");
    for list in ["problems", "warnings", "skipped"] {
        assert_eq!(texts(&whole, list), Vec::<&str>::new(), "{list}: {whole}");
    }
    let run = case.run_as("whole", UNTIL_END);
    assert_eq!(
        run.code,
        Some(0),
        "what a check accepts runs: {}",
        run.stderr
    );
    assert_eq!(topics.count(&case.letters), 1, "a dead letter");
    let client = whole["kafka"].as_str().expect("a text");
    assert!(client.contains("with TLS"), "{client}");

    case.grant_all_but("unread", 0);
    let described = [(Resource::Topic(&case.input), Operation::Describe)];
    grant(&broker, "unread", &described);
    for (user, missing, said) in [
        (
            "unseen",
            0,
            format!("no right Read on topic `{}`", case.input),
        ),
        (
            "unread",
            0,
            format!("no right Read on topic `{}`", case.input),
        ),
        (
            "unwritten",
            1,
            format!("no right Write on topic `{}`", case.output),
        ),
        (
            "unlettered",
            2,
            format!("no right Write on topic `{}`", case.letters),
        ),
        (
            "ungapped",
            3,
            format!("no right Write on topic `{}`", case.gaps),
        ),
        (
            "ungrouped",
            4,
            format!("no right Read on group `{}`", case.group),
        ),
    ] {
        case.grant_all_but(user, missing);
        let report = case.check(user);
        let problems = texts(&report, "problems");
        assert_eq!(problems.len(), 1, "{user}: {report}");
        assert!(problems[0].starts_with(&said), "{user}: {report}");
        let run = case.run_as(user, UNTIL_END);
        assert_eq!(run.code, Some(1), "{user}: {}", run.stderr);
        assert!(run.stderr.contains(&said), "{user}: {}", run.stderr);
        assert!(!run.stderr.contains("running?"), "{user}: {}", run.stderr);
    }
    let nothing = case.check("desk");
    assert_eq!(texts(&nothing, "problems").len(), 5, "{nothing}");

    case.grant_all_but("blind", 5);
    let blind = case.check("blind");
    assert_eq!(blind["ok"], true, "{blind}");
    let untold = texts(&blind, "skipped").concat();
    assert!(untold.contains("no right DescribeConfigs"), "{blind}");
}

#[test]
fn a_check_says_what_becomes_of_topics_that_are_not_there() {
    if !needs::secured_kafka("a_check_says_what_becomes_of_topics_that_are_not_there") {
        return;
    }
    let broker = SecuredBroker::shared();
    let folder = Folder::new("secured-absent");
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let mut topics = Topics::new(broker.address().to_owned(), "absent");
    let (input, output) = (topics.make("in", 3), topics.make("out", 1));
    let letters = topics.make("in.dlq.v1", 1);
    topics.limit(&letters, 1_000);
    let case = Case {
        broker: &broker,
        pipeline: &pipeline,
        gaps: format!("{output}.gaps"),
        input,
        output,
        letters,
        group: topics.name("group"),
    };
    let own = topics.name("");
    let limits = (Resource::Topics(&own), Operation::DescribeConfigs);
    case.grant_all_but("uncreated", usize::MAX);
    grant(&broker, "uncreated", &[limits]);
    let report = case.check("uncreated");
    let problems = texts(&report, "problems");
    assert_eq!(problems.len(), 1, "{report}");
    assert!(problems[0].contains(&case.gaps), "{report}");
    assert!(problems[0].contains("may not be created"), "{report}");
    let warned = texts(&report, "warnings").concat();
    assert!(warned.contains("larger dead letters are cut"), "{report}");

    let create = (Resource::Topics(&own), Operation::Create);
    grant(&broker, "uncreated", &[create]);
    let warned = texts(&case.check("uncreated"), "warnings").concat();
    assert!(
        warned.contains("DescribeConfigs on the cluster"),
        "{warned}"
    );
    let cluster = (Resource::Cluster, Operation::DescribeConfigs);
    grant(&broker, "uncreated", &[cluster]);
    let report = case.check("uncreated");
    let warned = texts(&report, "warnings").concat();
    assert!(warned.contains("the brokers create it"), "{report}");
    let asked = topics.exists(&case.gaps);
    assert!(!asked, "a check creates no topic");
}

#[test]
fn a_check_asks_for_transactions_without_ending_those_of_others() {
    if !needs::secured_kafka("a_check_asks_for_transactions_without_ending_those_of_others") {
        return;
    }
    let broker = SecuredBroker::shared();
    let needs = BrokerNeeds {
        transactional_id: Some("desk-transactions-1".into()),
        ..BrokerNeeds::default()
    };
    let folder = Folder::new("secured-transactions");
    let password = folder.write("password", "desk-secret");
    let properties: Properties = [
        ("security.protocol", "SASL_PLAINTEXT".to_owned()),
        ("sasl.mechanism", "PLAIN".to_owned()),
        ("sasl.username", "desk".to_owned()),
        ("sasl.password", format!("file:{}", password.display())),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let listener = broker.listener("sasl");
    let found = ask(&listener, &properties, &needs);
    assert_eq!(found.problems, Vec::<String>::new());
    let warning = found.warnings.concat();
    assert!(
        warning.starts_with("no right Write on transactional id `desk-transactions-1`")
            && warning
                .contains("--transactional-id desk-transactions- --resource-pattern-type prefixed"),
        "{warning}"
    );
    let right = (
        Resource::Transactions("desk-transactions-"),
        Operation::Write,
    );
    grant(&broker, "desk", &[right]);
    let found = ask(&listener, &properties, &needs);
    assert_eq!(found, Default::default());
}
