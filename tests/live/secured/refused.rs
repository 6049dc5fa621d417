//! Brokers that do not let a pipeline in: the run ends soon and says why.

use std::time::Duration;

use foretick::clock;

use super::broker::SecuredBroker;
use super::{AtListener, UNTIL_END};
use crate::given::{self, Folder};
use crate::needs;

/// The listener, the properties, and what the error must say.
type Case<'a> = (&'a str, String, &'a [&'a str]);

#[test]
fn a_refused_login_ends_the_start_and_names_the_cause() {
    if !needs::secured_kafka("a_refused_login_ends_the_start_and_names_the_cause") {
        return;
    }
    let broker = SecuredBroker::shared();
    let folder = Folder::new("secured-refused");
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let password = folder.write("password", "not-this-secret");
    let wrong = |protocol: &str, mechanism: &str| {
        let right = broker.login(protocol, mechanism, "desk");
        let (before, _) = right.split_once("file:").expect("a file of the password");
        format!("{before}file:{}\"", password.display())
    };
    let stranger = format!(
        "\"security.protocol\"=\"SSL\",\"ssl.ca.location\"={:?}",
        broker.file("stranger.pem")
    );
    let login = ["they refuse the login", "`sasl.password`"];
    let cases: [Case<'_>; 8] = [
        ("sasl", wrong("SASL_PLAINTEXT", "PLAIN"), &login),
        ("sasltls", wrong("SASL_SSL", "SCRAM-SHA-256"), &login),
        ("sasltls", wrong("SASL_SSL", "SCRAM-SHA-512"), &login),
        (
            "tls",
            stranger,
            &["not signed by a known authority", "`ssl.ca.location`"],
        ),
        ("othername", broker.tls(), &["for another host name"]),
        (
            "othername",
            broker.login("SASL_SSL", "PLAIN", "desk"),
            &["for another host name"],
        ),
        (
            "mtls",
            broker.tls(),
            &["client certificate", "`ssl.certificate.location`"],
        ),
        (
            "sasl",
            broker.login("SASL_PLAINTEXT", "PLAIN", "nobody"),
            &login,
        ),
    ];
    for (listener, properties, said) in &cases {
        for command in [UNTIL_END, &["check"]] {
            let began = clock::instant();
            let run = AtListener {
                command,
                pipeline: &pipeline,
                bootstrap: &broker.listener(listener),
                properties,
                input: "in",
                output: "out",
                group: "group",
            }
            .run();
            let output = format!("{}{}", run.stdout, run.stderr);
            assert_eq!(run.code, Some(1), "{listener}: {output}");
            for said in *said {
                assert!(output.contains(said), "{listener}: {output}");
            }
            assert!(
                !output.contains("the broker running"),
                "{listener}: {output}"
            );
            assert!(!output.contains("not-this-secret"), "{listener}: {output}");
            assert!(began.elapsed() < Duration::from_secs(30), "{listener}");
        }
    }
}
