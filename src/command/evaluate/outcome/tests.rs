//! Labels by line, and what their outcomes mean to a model.

use super::*;

fn read(text: &str, split: Option<&str>) -> Result<Vec<Labelled>, LabelProblem> {
    lines(text.as_bytes(), split).map(|(judged, _)| judged)
}

fn outcome_of(outcome: &str, labels: &[&str], flags: bool) -> Result<Option<Outcome>, String> {
    let line = format!("{{\"key\":\"a\",\"outcome\":{outcome}}}");
    let labels: Vec<String> = labels.iter().map(|one| (*one).to_owned()).collect();
    let scale = Scale {
        labels: &labels,
        flags,
        numbers: false,
        persons: false,
    };
    read(&line, None).unwrap()[0].outcome.outcome(&scale)
}

#[test]
fn a_split_is_chosen() {
    let text = r#"{"key":"a","ts_event":5,"outcome":1,"split":"test","fold":0}

{"key":17,"outcome":"up","split":"train"}"#;
    let of_test = read(text, Some("test")).unwrap();
    let expected = Labelled {
        key: "a".into(),
        ts_event: Some(5),
        outcome: WrittenOutcome {
            text: "1".into(),
            quoted: false,
        },
        ts_failure: None,
        signal_id: None,
        weight: None,
        group: None,
        place: LabelPlace::Line(1),
    };
    assert_eq!(of_test, [expected]);
    let both = read(text, None).unwrap();
    assert_eq!(
        (both[1].key.as_str(), both[1].place),
        ("17", LabelPlace::Line(3))
    );
}

#[test]
fn a_bad_line_is_named_and_not_repeated() {
    let (place, what) = read("{\"key\":\"a\",\"outcome\":1}\n{\"key\":", None).unwrap_err();
    assert!(
        place == Some(LabelPlace::Line(2)) && what.contains("a line is"),
        "{what}"
    );
    let (_, what) = read("{\"key\":\"a\"}", None).unwrap_err();
    assert!(what.contains("missing field `outcome`"), "{what}");
    for key in ["8888881.5", "[\"8888881\"]", "88888818888881888888188888"] {
        let line = format!("{{\"key\":{key},\"outcome\":1}}");
        let (_, what) = read(&line, None).unwrap_err();
        assert!(what.contains("`key`") && !what.contains("888"), "{what}");
    }
    let line = "{\"key\":\"a\",\"ts_event\":\"8888881\",\"outcome\":1}";
    assert!(!read(line, None).unwrap_err().1.contains("888"));
}

#[test]
fn an_outcome_is_a_label_or_a_flag_or_an_error() {
    let two = ["alive", "failed"];
    for (written, expected) in [
        ("\"failed\"", Some(Outcome::Class(1))),
        ("\"failed \"", Some(Outcome::Class(1))),
        ("0", Some(Outcome::Flag(false))),
        ("1.0", Some(Outcome::Flag(true))),
        ("true", Some(Outcome::Flag(true))),
        ("\"False\"", Some(Outcome::Flag(false))),
        ("null", None),
        ("\"\"", None),
    ] {
        assert_eq!(outcome_of(written, &two, true), Ok(expected), "{written}");
    }
    for wrong in ["\"Failed\"", "2", "-1", "0.5", "\"NA\"", "[1]"] {
        let what = outcome_of(wrong, &two, true).unwrap_err();
        let shown = wrong.trim_matches('"');
        assert!(what.contains(&format!("`{shown}`")), "{what}");
        assert!(
            what.contains("`alive`, `failed`") && what.contains("0 or 1"),
            "{what}"
        );
    }
    let three = ["0", "1", "2"];
    assert_eq!(outcome_of("2", &three, false), Ok(Some(Outcome::Class(2))));
    assert_eq!(outcome_of("1", &three, false), Ok(Some(Outcome::Class(1))));
    let what = outcome_of("1", &["low", "medium", "high"], false).unwrap_err();
    assert!(
        what.contains("`high`;") && !what.contains("0 or 1"),
        "{what}"
    );
    assert_eq!(
        outcome_of("1", &["0", "1"], true),
        Ok(Some(Outcome::Flag(true)))
    );
    assert_eq!(
        outcome_of("1", &["1", "0"], true),
        Ok(Some(Outcome::Class(0)))
    );
}

#[test]
fn an_outcome_of_a_person_is_not_repeated() {
    let written = WrittenOutcome {
        text: "CANARY".into(),
        quoted: false,
    };
    let scale = Scale {
        labels: &["low".into()],
        flags: true,
        numbers: false,
        persons: true,
    };
    let what = written.outcome(&scale).unwrap_err();
    assert!(!what.contains("CANARY") && what.contains("`low`"), "{what}");
}

#[test]
fn labels_and_flags_of_one_file_mean_the_same_or_are_refused() {
    let text = "{\"key\":\"a\",\"outcome\":1}\n{\"key\":\"b\",\"outcome\":\"failed\"}\n\
                {\"key\":\"c\",\"outcome\":\"alive\"}\n{\"key\":\"d\",\"outcome\":null}";
    let outcomes = Outcomes::of_lines(text);
    let two = ["alive".to_owned(), "failed".to_owned()];
    let three = [&two[..], &["gone".to_owned()]].concat();
    let scale = |labels| Scale {
        labels,
        flags: true,
        numbers: false,
        persons: false,
    };
    let flags = [Some(true), Some(true), Some(false), None];
    let expected = flags.map(|flag| flag.map(Outcome::Flag));
    assert_eq!(outcomes.resolve(&scale(&two)).unwrap(), expected);
    let error = outcomes.resolve(&scale(&three)).unwrap_err().to_string();
    assert!(error.contains("labels.jsonl:2: "), "{error}");
}

#[test]
fn two_outcomes_of_one_signal_are_refused() {
    let line = |rest: &str| format!("{{\"key\":\"a\",{rest}}}");
    let labels = ["alive".to_owned(), "failed".to_owned()];
    let of = |lines: &[&str]| {
        let lines: Vec<String> = lines.iter().map(|rest| line(rest)).collect();
        let outcomes = Outcomes::of_lines(&lines.join("\n"));
        let scale = Scale {
            labels: &labels,
            flags: true,
            numbers: false,
            persons: false,
        };
        outcomes.resolve(&scale).map_err(|error| error.to_string())
    };
    let (one, zero) = ("\"outcome\":1", "\"outcome\":0");
    assert!(of(&[one, "\"outcome\":1.0", "\"outcome\":null"]).is_ok());
    let error = of(&[one, zero]).unwrap_err();
    assert!(error.contains("labels.jsonl:2: its key"), "{error}");
    assert!(of(&[one, "\"outcome\":0,\"ts_event\":7"]).is_ok());
}

#[test]
fn a_time_in_another_unit_is_named() {
    for field in ["ts_event", "ts_failure"] {
        let line = format!("{{\"key\":\"a\",\"outcome\":1,\"{field}\":1700000000000}}");
        let (place, what) = read(&line, None).unwrap_err();
        assert_eq!(place, Some(LabelPlace::Line(1)));
        assert!(what.contains("milliseconds"), "{what}");
    }
}

#[test]
fn zero_and_one_beside_other_numbers_are_numbers() {
    let scale = Scale {
        labels: &[],
        flags: true,
        numbers: true,
        persons: false,
    };
    let outcomes = |all: &[&str]| {
        let line = |outcome| format!("{{\"key\":\"a\",\"ts_event\":7,\"outcome\":{outcome}}}\n");
        let text: String = all.iter().map(line).collect();
        let outcomes = Outcomes::of_lines(&text);
        outcomes.resolve(&scale).map_err(|error| error.to_string())
    };
    let number = |value| Some(Outcome::Number(value));
    assert_eq!(
        outcomes(&["1", "-2.5", "null", "0"]).unwrap(),
        [number(1.0), number(-2.5), None, number(0.0)]
    );
    let flag = |value| Some(Outcome::Flag(value));
    assert_eq!(outcomes(&["1", "0.0"]).unwrap(), [flag(true), flag(false)]);
    for wrong in ["\"inf\"", "\"NaN\"", "\"up\""] {
        let error = outcomes(&["1", wrong]).unwrap_err();
        assert!(
            error.contains(":2: ") && error.contains("a finite number"),
            "{error}"
        );
    }
}

#[test]
fn a_weight_and_a_group_are_read_and_a_label_names_a_signal() {
    let text = r#"{"signal_id":"ab","outcome":1,"weight":0.5,"group":7}"#;
    let label = &read(text, None).unwrap()[0];
    assert_eq!(
        (label.weight, label.group.as_deref()),
        (Some(0.5), Some("7"))
    );
    assert_eq!(label.signal_id.as_deref(), Some("ab"));
    assert!(!label.is_of_last());
    let (place, what) = read(r#"{"outcome":1}"#, None).unwrap_err();
    assert_eq!(place, Some(LabelPlace::Line(1)));
    assert!(what.contains("`signal_id`"), "{what}");
    let error = read(r#"{"key":"a","outcome":1,"weight":-0.5}"#, None).unwrap_err();
    assert!(error.1.contains("below 0"), "{}", error.1);
}
