//! An invalid pipeline file: the error names file, line and remedy, and the exit code is 2.

use crate::given::{self, Folder};

/// Runs `foretick check` on the small pipeline with a change; gives the message.
fn refused(name: &str, from: &str, to: &str) -> String {
    let folder = Folder::new(&format!("config-{name}"));
    assert!(given::SMALL.contains(from), "{from} is to be replaced");
    let path = folder.write("pipeline.toml", given::SMALL.replacen(from, to, 1));
    let run = given::foretick(&["check".into(), "--offline".into(), path.clone()]);
    assert_eq!(run.code, Some(2), "{}{}", run.stdout, run.stderr);
    assert!(
        run.stderr
            .contains(path.to_str().expect("a temporary path is text")),
        "names the file: {}",
        run.stderr
    );
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run.stderr
}

#[test]
fn an_unknown_key_is_refused() {
    let message = refused("unknown", "stale_after_ms = 1_000", "stale_after_s = 1");
    assert!(message.contains("pipeline.toml:6:"), "{message}");
    assert!(
        message.contains("unknown field `stale_after_s`"),
        "{message}"
    );
    assert!(message.contains("units stand in the names"), "{message}");
}

#[test]
fn a_wrong_unit_is_refused() {
    let message = refused("unit", "window = 5", "window = \"5s\"");
    assert!(message.contains("pipeline.toml:15:"), "{message}");
    assert!(message.contains("invalid type"), "{message}");
}

#[test]
fn invalid_toml_is_refused() {
    let message = refused("toml", "[row]", "[row");
    assert!(message.contains("pipeline.toml:4:"), "{message}");
}

#[test]
fn a_missing_key_is_refused() {
    let message = refused("missing", "on = \"trade\"\n", "");
    assert!(message.contains("missing field `on`"), "{message}");
    assert!(message.contains("add it"), "{message}");
}

#[test]
fn contradictory_keys_are_refused() {
    for (name, from, to, what) in [
        (
            "of",
            "kind = \"mid\"",
            "kind = \"mean\"\nof = \"nothing\"\nwindow = 3",
            "names no feature",
        ),
        (
            "span",
            "window = 5",
            "window = 5\nwindow_ms = 3",
            "needs one of",
        ),
        ("zero", "window = 5", "window = 0", "above zero"),
        ("twice", "name = \"flow\"", "name = \"mid\"", "named twice"),
        (
            "alien",
            "kind = \"mid\"",
            "kind = \"mid\"\nalpha = 0.5",
            "means nothing for this kind",
        ),
        (
            "periods",
            "kind = \"mid\"",
            "kind = \"log_return\"\nof = \"price\"\nperiods = 0",
            "`periods` must be above zero",
        ),
        (
            "ddof",
            "kind = \"mid\"",
            "kind = \"std\"\nof = \"price\"\nwindow = 2\nddof = 2",
            "`ddof` must be below `window`",
        ),
        (
            "estimator",
            "kind = \"mid\"",
            "kind = \"range_volatility\"\nwindow = 2",
            "needs `estimator`",
        ),
        (
            "slope",
            "kind = \"mid\"",
            "kind = \"depth_slope\"\nlevels = 1",
            "`levels` must lie in 2..=20",
        ),
        (
            "slope-of-what",
            "kind = \"mid\"",
            "kind = \"depth_slope\"",
            "needs `levels`",
        ),
        (
            "level",
            "kind = \"mid\"",
            "kind = \"order_flow_imbalance\"\nlevel = 2\nlevels = 3",
            "take `levels` out",
        ),
        (
            "source",
            "kind = \"mid\"",
            "kind = \"order_flow_imbalance\"\nsource = \"quotes\"\nlevels = 3",
            "`levels` means nothing with",
        ),
        (
            "bucket",
            "kind = \"mid\"",
            "kind = \"vpin\"\nwindow = 3",
            "needs `bucket`",
        ),
        (
            "no-bucket",
            "kind = \"mid\"",
            "kind = \"vpin\"\nwindow = 3\nbucket = 1e-10",
            "needs `bucket`",
        ),
        (
            "no-zone",
            "kind = \"mid\"",
            "kind = \"session_time\"",
            "needs `zone`",
        ),
        (
            "zone",
            "kind = \"mid\"",
            "kind = \"time_of_day\"\nzone = \"EST5\"",
            "`zone = \"EST5\"` is no time zone",
        ),
        (
            "open",
            "kind = \"mid\"",
            "kind = \"session_time\"\nzone = \"UTC\"\nopen = \"9.30\"",
            "`open = \"9.30\"` is no time of day",
        ),
        (
            "zone-of-nothing",
            "kind = \"mid\"",
            "kind = \"log_return\"\nof = \"price\"\nzone = \"UTC\"",
            "mean nothing without `overnight",
        ),
        (
            "threads",
            "[row]",
            "[engine]\nshards = 100_000\n[row]",
            "write at most 1024",
        ),
        (
            "stale",
            "stale_after_ms = 1_000",
            "stale_after_ms = -5",
            "`stale_after_ms` must be above zero",
        ),
        (
            "silence",
            "stale_after_ms = 1_000",
            "max_gap_ms = 0",
            "`max_gap_ms` must be above zero",
        ),
        (
            "alerts",
            "[row]",
            "[[alert]]\nname = \"a\"\non.level = { enter = 0.5, exit = 0.2 }\n\
             severity = { warning = 0.5, critical = 0.6 }\n[row]",
            "alerts are about probabilities of default",
        ),
        (
            "shards",
            "[row]",
            "[engine]\nshards = 0\n[row]",
            "above zero",
        ),
        (
            "fields",
            "[row]",
            "[sink]\nfields = [\"mood\"]\n[row]",
            "a signal has no field `mood`",
        ),
        (
            "file",
            "kind = \"sum\"",
            "kind = \"linear\"",
            "needs `file`",
        ),
    ] {
        let message = refused(name, from, to);
        assert!(message.contains(what), "{name}: {message}");
        let line = message
            .split("pipeline.toml:")
            .nth(1)
            .and_then(|rest| rest.split(':').next());
        assert!(
            line.is_some_and(|line| line.parse::<u32>().is_ok()),
            "{name}: {message}"
        );
    }
}

/// The rule at fault is the second one, whose table begins on line 24.
#[test]
fn the_error_names_the_line_of_an_alert() {
    let alert = |name: &str, exit: f64| {
        format!(
            "[[alert]]\nname = \"{name}\"\non.level = {{ enter = 0.2, exit = {exit} }}\n\
             severity = {{ warning = 0.2, critical = 0.3 }}\n"
        )
    };
    for (name, exit, what) in [
        (
            "other",
            0.3,
            "alert \"other\": `exit` must be below `enter`",
        ),
        ("level", 0.1, "two alerts have the `name` \"level\""),
    ] {
        let rules = format!("\n{}{}", alert("level", 0.1), alert(name, exit));
        let end = "normalise = \"none\"\n";
        let message = refused("alert", end, &format!("{end}{rules}"));
        assert!(message.contains("pipeline.toml:25: "), "{message}");
        assert!(message.contains(what), "{message}");
    }
}

#[test]
fn the_error_names_a_missing_file() {
    let run = given::foretick(&["replay", "no/such/pipeline", "--input", "x"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("no/such/pipeline"), "{}", run.stderr);
    assert!(
        run.stderr.contains("name its folder or its pipeline.toml"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_wrong_override_is_named() {
    let folder = Folder::new("config-set");
    let path = folder.write("pipeline.toml", given::SMALL);
    for (set, what) in [
        ("engine.bath=77", "unknown field"),
        ("engine", "write key=value"),
    ] {
        let run = given::foretick(&[
            "check".into(),
            "--offline".into(),
            path.clone(),
            "--set".into(),
            set.into(),
        ]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        // The value may be a secret.
        let (key, _) = set.split_once('=').unwrap_or((set, ""));
        assert!(
            run.stderr.contains(key) && !run.stderr.contains("=77") && run.stderr.contains(what),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn wrong_arguments_are_usage_errors() {
    for args in [
        &["replay"][..],
        &["sing"],
        &["replay", "x", "--input", "y", "--speed", "0x"],
    ] {
        let run = given::foretick(args);
        assert_eq!(run.code, Some(2), "{args:?}: {}", run.stderr);
    }
    let help = given::foretick(&["--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.stdout.contains(
        "Exit codes: 0 done, 1 a difference, a failure, or an input that could not be read, 2 a usage or"
    ));
}

/// Whatever this binary was built with: what it lacks is named, before any broker is asked.
#[test]
fn a_property_that_needs_more_than_is_built_in_is_refused() {
    let folder = Folder::new("config-built-in");
    let kafka = "[source]\nkind = \"kafka\"\n\n[row]";
    let path = folder.write("pipeline.toml", given::SMALL.replacen("[row]", kafka, 1));
    let path = path.to_str().expect("a temporary path is text");
    let run = |command: &[&str], properties: &str| {
        let set = format!("kafka.properties={{{properties}}}");
        let nowhere = "kafka.bootstrap=127.0.0.1:1";
        let common = [path, "--set", &set, "--set", nowhere];
        let args: Vec<&str> = command[..1]
            .iter()
            .chain(&common)
            .chain(&command[1..])
            .copied()
            .collect();
        let run = given::foretick(&args);
        (run.code, format!("{}{}", run.stdout, run.stderr))
    };
    let check = ["check", "--offline"];
    let live = ["run", "--until-end", "--set", "metrics.listen=\"\""];
    let kerberos = r#""security.protocol"="SASL_PLAINTEXT","sasl.mechanism"="GSSAPI""#;
    for command in [&check[..], &live] {
        let (code, said) = run(command, kerberos);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("`sasl.mechanism`: Kerberos is not"), "{said}");
    }
    let has = foretick::kafka::built_in();
    for (properties, built_in, lacks) in [
        (r#""security.protocol"="SSL""#, has.tls, "without TLS"),
        (
            r#""security.protocol"="SASL_PLAINTEXT","sasl.mechanism"="SCRAM-SHA-512""#,
            has.scram,
            "without SCRAM",
        ),
    ] {
        let (code, said) = run(&check, properties);
        assert_eq!(code, Some(i32::from(!built_in)), "{said}");
        assert_eq!(said.contains(lacks), !built_in, "{said}");
        if !built_in {
            let (code, said) = run(&live, properties);
            assert_eq!(code, Some(1), "{said}");
            assert!(said.contains("--features kafka-tls"), "{said}");
        }
    }
    let (code, said) = run(&check, r#""security.protocol"="PLAINTEXT""#);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("kafka     librdkafka "), "{said}");
}

#[test]
fn check_warns_that_several_topics_have_no_order_for_exactly_once() {
    let folder = Folder::new("bad-no-order");
    let path = folder.write("pipeline.toml", given::SMALL);
    for (delivery, topics, warns) in [
        ("exactly_once", r#"["a","b"]"#, true),
        ("exactly_once", r#"["a"]"#, false),
        ("at_least_once", r#"["a","b"]"#, false),
    ] {
        let mut args = vec!["check".to_owned(), "--offline".to_owned()];
        args.push(path.display().to_string());
        for set in [
            "source.kind=kafka".to_owned(),
            format!("source.topics={topics}"),
            "sink.kind=kafka".to_owned(),
            format!("sink.delivery={delivery}"),
        ] {
            args.extend(["--set".to_owned(), set]);
        }
        let run = given::foretick(&args);
        assert_eq!(
            run.stdout.contains("have no order between them"),
            warns,
            "{delivery}, {topics}: {}{}",
            run.stdout,
            run.stderr
        );
    }
}

#[test]
fn names_and_times_that_brokers_refuse_later_are_refused_at_once() {
    let folder = Folder::new("bad-names");
    let path = folder.write("pipeline.toml", given::SMALL);
    for (set, key) in [
        (r#"source.topics=["a b"]"#, "source.topics"),
        (r#"source.topics=["x","x"]"#, "source.topics"),
        (r#"sink.topic="a/b""#, "sink.topic"),
        (r#"sink.topic="md.trades.v1""#, "sink.topic"),
        (r#"sink.gaps="..""#, "sink.gaps"),
        (r#"kafka.group="""#, "kafka.group"),
        ("sink.commit_interval_ms=60000", "sink.commit_interval_ms"),
    ] {
        let own = [
            "source.kind=kafka",
            r#"source.topics=["md.trades.v1"]"#,
            "sink.kind=kafka",
            "sink.delivery=exactly_once",
        ];
        let mut args = vec!["check".to_owned(), "--offline".to_owned()];
        args.push(path.display().to_string());
        for set in own.into_iter().chain([set]) {
            args.extend(["--set".to_owned(), set.to_owned()]);
        }
        let run = given::foretick(&args);
        assert_eq!(run.code, Some(2), "{set}: {}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(key), "{set}: {}", run.stderr);
    }
}
