//! The schemas accept their own examples and refuse broken ones.
//!
//! Whether messages of the code follow them is tested where the code is.

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

fn load(name: &str) -> (Value, Validator) {
    let path = format!("{}/schemas/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the schema is in schemas/");
    let schema = serde_json::from_str(&text).expect("a schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema is a schema");
    (schema, validator)
}
