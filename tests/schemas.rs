//! The schemas accept their own examples and refuse broken ones.
//!
//! Whether messages of the code follow them is tested where the code is.

use foretick::frame::Origin;
use foretick::instrument::InstrumentId;
use foretick::signal::average::Average;
use foretick::signal::field::SignalField;
use foretick::signal::lineage::Lineage;
use foretick::signal::model::ModelIdentity;
use foretick::signal::quality::Quality;
use foretick::signal::{Latency, MAX_OUTPUTS, MAX_REASONS, Reason, Signal};
use foretick::sink::json::JsonWriter;
use foretick::units::{Nanos, Price};
use jsonschema::Validator;
use serde_json::{Value, json};

#[test]
fn a_schema_accepts_its_own_examples() {
    for name in [
        "md.trades.v1",
        "md.quotes.v1",
        "md.book.v1",
        "md.bars.v1",
        "md.gaps.v1",
        "md.binance.v1",
        "macro.figures.v1",
        "news.items.v1",
        "credit.applications.v1",
        "credit.statements.v1",
        "signals.direction.v1",
        "signals.default.v1",
        "signals.sentiment.v1",
        "grades.loan.v1",
        "alerts.control.v1",
        "alerts.default.v1",
        "dead_letter.v1",
    ] {
        let (schema, validator) = load(name);
        let examples = schema["examples"].as_array().expect("a list of examples");
        assert!(!examples.is_empty(), "{name} has no example");
        for example in examples {
            let errors: Vec<String> = validator
                .iter_errors(example)
                .map(|e| e.to_string())
                .collect();
            assert!(errors.is_empty(), "{name}: {example}: {errors:?}");
        }
    }
}

#[test]
fn a_schema_refuses_broken_messages() {
    let cases = [
        ("md.trades.v1", "/price", json!("0.0")),
        ("md.trades.v1", "/price", json!("NaN")),
        ("md.trades.v1", "/size", json!(0)),
        ("md.trades.v1", "/side", json!("hold")),
        ("md.trades.v1", "/ts_event", json!(1.5)),
        ("md.quotes.v1", "/bid_px", json!(-1)),
        ("md.book.v1", "/bids", json!([[1.5]])),
        ("md.book.v1", "/snapshot", json!("yes")),
        ("md.bars.v1", "/low", json!(0)),
        (
            "md.binance.v1",
            "/data",
            json!({"lastUpdateId": 7, "bids": []}),
        ),
        ("md.gaps.v1", "/reason", json!("silence")),
        ("md.gaps.v1", "/missing", json!(0)),
        ("md.gaps.v1", "/extra", json!(1)),
        ("macro.figures.v1", "/value", json!("high")),
        ("news.items.v1", "/headline", json!("")),
        ("news.items.v1", "/instruments", json!([""])),
        ("signals.sentiment.v1", "/label", json!("up")),
        (
            "signals.sentiment.v1",
            "/sentiment",
            json!({"average": 2, "weight": 1, "half_life_ms": 1}),
        ),
        ("signals.direction.v1", "/quality", json!("fine")),
        ("signals.direction.v1", "/quality", json!("late")),
        ("signals.sentiment.v1", "/quality", json!("degraded")),
        ("signals.sentiment.v1", "/label", json!(null)),
        ("signals.default.v1", "/quality", json!("gap")),
        ("grades.loan.v1", "/quality", json!("late")),
        ("signals.direction.v1", "/signal_id", json!("4711")),
        ("signals.direction.v1", "/horizon_events", json!(3)),
        ("signals.direction.v1", "/probabilities", json!({"up": 1.5})),
        ("signals.direction.v1", "/extra", json!(1)),
        ("credit.applications.v1", "/fields", json!([1])),
        ("credit.statements.v1", "/period", json!(-1)),
        ("grades.loan.v1", "/label", json!("fair")),
        (
            "grades.loan.v1",
            "/reasons",
            json!([{"code": "low income", "weight": 1}]),
        ),
        ("signals.default.v1", "/score", json!(1.5)),
        ("alerts.control.v1", "/action", json!("forget")),
        ("alerts.default.v1", "/state", json!("open")),
        ("dead_letter.v1", "/source_offset", json!("x")),
    ];
    for (name, field, value) in cases {
        let (schema, validator) = load(name);
        let mut example = schema["examples"][0].clone();
        example[&field[1..]] = value;
        assert!(!validator.is_valid(&example), "{name}: {example}");
    }
}

#[test]
fn a_schema_refuses_a_message_without_a_required_field() {
    for name in [
        "md.trades.v1",
        "md.quotes.v1",
        "md.book.v1",
        "md.bars.v1",
        "md.gaps.v1",
        "md.binance.v1",
        "macro.figures.v1",
        "news.items.v1",
        "credit.applications.v1",
        "credit.statements.v1",
        "signals.direction.v1",
        "signals.default.v1",
        "signals.sentiment.v1",
        "grades.loan.v1",
        "alerts.control.v1",
        "alerts.default.v1",
    ] {
        let (schema, validator) = load(name);
        for field in schema["required"].as_array().expect("a list of fields") {
            let mut example = schema["examples"][0].clone();
            let field = field.as_str().expect("a field's name");
            example.as_object_mut().expect("a record").remove(field);
            assert!(!validator.is_valid(&example), "{name} without {field}");
        }
    }
}

/// The lineage of each application, as its signals have it.
fn applications() -> Vec<Lineage> {
    let of = |schema: &str, key, labels: &[&str]| Lineage {
        schema: schema.into(),
        pipeline: "p".into(),
        key,
        streams: vec!["topic".into()],
        models: vec![ModelIdentity {
            name: "m".into(),
            version: "1".into(),
            sha256: "0".repeat(64),
            features_sha256: "1".repeat(64),
            labels: labels.iter().map(|&label| label.to_owned()).collect(),
            ..ModelIdentity::default()
        }],
        ..Lineage::default()
    };
    let mut sentiment = of(
        "signals.sentiment.v1",
        "",
        &["bearish", "neutral", "bullish"],
    );
    sentiment.half_life_ns = Some(3_600_000_000_000);
    let mut default = of("signals.default.v1", "obligor", &[]);
    default.models[0].grades = vec![("A".into(), 0.01), ("B".into(), 1.0)];
    default.models[0].reasons = vec!["LOW_CASH".into()];
    default.models[0].horizon_ns = 1_000;
    let mut grades = of("grades.loan.v1", "applicant", &["low", "medium", "high"]);
    grades.models[0].reasons = vec!["OPEN_ACCOUNTS".into()];
    grades.models[0].values = vec![0.02, 0.1, 0.3];
    let mut direction = of("signals.direction.v1", "", &["down", "flat", "up"]);
    direction.models[0].horizon_ns = 2_000_000_000;
    let corrected = Lineage {
        corrects: true,
        ..of("signals.direction.v1", "", &["down", "flat", "up"])
    };
    let plain = of("signals.direction.v1", "", &[]);
    vec![direction, corrected, plain, sentiment, default, grades]
}

#[test]
fn a_signal_of_every_kind_and_quality_is_valid_and_has_a_label_only_where_it_may_be_acted_on() {
    let all: Vec<SignalField> = SignalField::ALL.iter().map(|field| field.1).collect();
    let mut outputs = [0.0; MAX_OUTPUTS];
    outputs[..3].copy_from_slice(&[0.25, 0.25, 0.5]);
    let mut reasons = [None; MAX_REASONS];
    reasons[0] = Some(Reason {
        code: 0,
        weight: 0.5,
    });
    for lineage in applications() {
        let (schema, validator) = load(&lineage.schema);
        let words = schema["properties"]["quality"]["enum"].as_array();
        let words = words.expect("it lists the qualities").clone();
        let writer = JsonWriter::new(lineage.clone(), &all);
        let known = Quality::ALL.into_iter();
        let known: Vec<Quality> = known
            .filter(|quality| words.contains(&json!(quality.word())))
            .collect();
        assert_eq!(known.len(), words.len(), "{}: {words:?}", lineage.schema);
        assert!(known.contains(&Quality::Late), "{}", lineage.schema);
        let is_of_labels = !lineage.models[0].labels.is_empty();
        for quality in known {
            let signal = Signal {
                instrument: InstrumentId(0),
                ts_event: Nanos(1_790_000_000_000_000_000),
                ts_out: Nanos(1_790_000_000_000_000_009),
                model: 0,
                outputs,
                quality,
                reasons,
                average: lineage.half_life_ns.map(|_| Average {
                    value: 0.25,
                    weight: 1.0,
                }),
                item: lineage.half_life_ns.map(|_| 7),
                period: None,
                last_price: Price::UNDEFINED,
                origin: Origin {
                    ts_recv: Nanos(1_790_000_000_000_000_005),
                    offset: 9,
                    partition: 0,
                    stream: 0,
                    late: quality == Quality::Late,
                    reprocessed: false,
                },
                part: 0,
                revision: 0,
                latency: Latency::default(),
            };
            let mut line = vec![];
            writer.write(&signal, "X.Y", &mut line);
            let written: Value = serde_json::from_slice(&line).expect("JSON");
            let errors: Vec<String> = validator
                .iter_errors(&written)
                .map(|error| error.to_string())
                .collect();
            assert!(errors.is_empty(), "{written}: {errors:?}");
            let is_ok = quality == Quality::Ok;
            assert_eq!(
                written["label"].is_string(),
                is_ok && is_of_labels,
                "{written}"
            );
            assert_eq!(written["confidence"].is_null(), written["label"].is_null());
            if !lineage.models[0].grades.is_empty() {
                assert_eq!(written["grade"].is_string(), is_ok, "{written}");
            }
            assert!(written["score"].is_number() && written["quality"] == quality.word());
        }
    }
}

fn load(name: &str) -> (Value, Validator) {
    let path = format!("{}/schemas/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the schema is in schemas/");
    let schema = serde_json::from_str(&text).expect("a schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema is a schema");
    (schema, validator)
}
