//! No output shows a secret: wrong configurations with a marker where a secret may stand, at the log's lowest
//! level.

use std::process::Command;

use crate::given::{self, Folder};

const MARKER: &str = "hunter2-canary";

/// A configuration that may be wrong: what is written in `[kafka]` and elsewhere, and what is set.
struct Case {
    written: &'static str,
    set: &'static [&'static str],
    /// What the message says, where there is one.
    said: &'static str,
}

fn written(written: &'static str, said: &'static str) -> Case {
    Case {
        written,
        set: &[],
        said,
    }
}

fn set(set: &'static [&'static str], said: &'static str) -> Case {
    Case {
        written: "",
        set,
        said,
    }
}

#[test]
fn no_output_shows_a_secret() {
    let cases = [
        // Accepted: the marker comes from the variable.
        set(&[r#"kafka.properties."sasl.password"=env:MARKER"#], ""),
        set(
            &[
                r#"kafka.properties."sasl.password"=env:MARKER"#,
                r#"kafka.properties."debug"=all"#,
            ],
            "",
        ),
        written(
            "[kafka.properties]\n\"sasl.password\" = \"env:MARKER\"\n",
            "",
        ),
        // Written in the clear.
        written(
            "[kafka.properties]\n\"sasl.password\" = \"hunter2-canary\"\n",
            "a secret must not stand here",
        ),
        set(
            &[r#"kafka.properties."sasl.password"=hunter2-canary"#],
            "a secret must not stand here",
        ),
        // No TOML.
        written(
            "[kafka.properties]\n\"sasl.password\" = hunter2-canary\n",
            "",
        ),
        written(
            "[kafka.properties]\n\"sasl.password\" = \"hunter2-canary\n",
            "",
        ),
        written(
            "[kafka.properties]\nsasl.password = \"hunter2-canary\"\n",
            "in quotes",
        ),
        written("[kafka]\nproperties = \"hunter2-canary\"\n", "invalid type"),
        written(
            "[kafka.properties]\n\"sasl.password\" = [\"hunter2-canary\"]\n",
            "neither text nor a number",
        ),
        written("[engine]\nbatch = \"hunter2-canary\"\n", "invalid type"),
        set(&["kafka.properties=hunter2-canary"], "invalid type"),
        set(&["engine.batch=hunter2-canary"], "invalid type"),
        set(
            &["kafka.properties.sasl.password=hunter2-canary"],
            "in quotes",
        ),
        set(&["kafka.password=hunter2-canary"], "unknown field"),
        set(&["kafka.password hunter2-canary"], "write key=value"),
        set(&["\"kafka=hunter2-canary"], "write key=value"),
        set(&["name.password=hunter2-canary"], "is no table"),
        // Refused by librdkafka, whose message shows the value.
        set(
            &[r#"kafka.properties."sasl.passwort"=env:MARKER"#],
            "no such property",
        ),
        set(
            &[r#"kafka.properties."security.protocol"=env:MARKER"#],
            "refuses its value",
        ),
        set(
            &[r#"kafka.properties."fetch.min.bytes"=env:MARKER"#],
            "refuses its value",
        ),
        set(&[r#"kafka.properties."sasl.mechanism"=env:MARKER"#], ""),
        set(&[r#"kafka.properties."ssl.key.pem"=env:MARKER"#], ""),
        set(
            &[
                r#"kafka.properties."security.protocol"=sasl_plaintext"#,
                r#"kafka.properties."sasl.mechanism"=PLAIN"#,
                r#"kafka.properties."sasl.username"=env:MARKER"#,
                r#"kafka.properties."sasl.password"=env:MARKER"#,
            ],
            "",
        ),
        // Elsewhere.
        set(
            &[
                "source.websocket.key=hunter2-canary",
                "source.websocket.secret=env:MARKER",
            ],
            "must not stand here",
        ),
        set(&["privacy.key=hunter2-canary", "privacy.key_id=a"], ""),
        set(&["privacy.key=env:MARKER", "privacy.key_id=a b"], ""),
    ];
    // Those that are accepted wait for a broker.
    std::thread::scope(|scope| {
        for (at, case) in cases.iter().enumerate() {
            scope.spawn(move || assert_hidden(case, &format!("secrets-{at}")));
        }
    });
}

fn assert_hidden(case: &Case, name: &str) {
    let Case { written, set, said } = case;
    let folder = Folder::new(name);
    let path = folder.write("pipeline.toml", format!("{}\n{written}", given::SMALL));
    // What is accepted would run until a broker comes.
    let commands: &[&str] = match said.is_empty() {
        true => &["check"],
        false => &["check", "run"],
    };
    for command in commands {
        let mut run = Command::new(env!("CARGO_BIN_EXE_foretick"));
        run.arg(command).arg(&path);
        // Nothing listens there.
        let own = [
            "kafka.bootstrap=127.0.0.1:1",
            "sink.kind=kafka",
            "metrics.listen=",
        ];
        for set in own.iter().chain(*set) {
            run.args(["--set", set]);
        }
        let run = given::run(run.env("FORETICK_LOG", "trace").env("MARKER", MARKER));
        let output = format!("{}{}", run.stdout, run.stderr);
        let what = format!("{command} {written}{set:?}: {output}");
        assert!(!output.contains(MARKER), "{what}");
        assert!(output.contains(said), "{what}");
        assert!(!output.contains("panicked"), "{what}");
        assert_ne!(run.code, Some(0), "{what}");
    }
}
