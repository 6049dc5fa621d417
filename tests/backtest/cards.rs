//! The committed models, traded by their rules, give what their cards say.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::canonical::is_near;
use crate::given::{Folder, foretick, repository, run};
use crate::{arguments, needs, number, report};

/// The line of the shipped model in a card's tables of trades.
const SHIPPED: &str = "| LSTM (shipped) |";

/// The fifth session of IBM, which chose nothing: as `sessions.py` bounds it. A twin in Python, which
/// reads the zip by itself, finds the same money.
#[test]
fn ibm_earns_what_its_card_says() {
    let test = "ibm_earns_what_its_card_says";
    let pipeline = "pipelines/price-direction/ibm";
    let inputs = ["20131011_quote.zip", "20131011_trade.zip"];
    let inputs = inputs.map(|name| format!("equities/ibm-ticks/{name}"));
    let span = ["2013-10-11T13:35:00Z", "2013-10-11T19:50:00Z"];
    let Some(case) = Case::of(test, pipeline, &inputs, span) else {
        return;
    };
    let found = case.earns("the fifth session");
    if needs::plain_python(test) {
        let theirs = case.twin();
        for key in ["trades", "pnl_gross", "fees", "pnl_net"] {
            is_near(&theirs[key], number(&found[key]));
        }
    }
}

/// The day that the model of BTCUSDT was not trained on, with the day before as its past.
#[test]
fn btcusdt_earns_what_its_card_says() {
    let pipeline = "pipelines/price-direction";
    let inputs = ["20240808", "20240809"];
    let inputs = inputs.map(|day| format!("captures/binance-spot/btcusdt_{day}.gz"));
    let span = ["2024-08-09T00:00:00Z", "2024-08-10T00:00:00Z"];
    let case = Case::of("btcusdt_earns_what_its_card_says", pipeline, &inputs, span);
    if let Some(case) = case {
        case.earns("2024-08-09, not seen");
    }
}

/// A pipeline that trades by the rule of its `pipeline.toml`.
struct Case<'a> {
    pipeline: &'a str,
    inputs: [String; 2],
    span: [&'a str; 2],
}

impl<'a> Case<'a> {
    /// None after reporting that `test` is skipped.
    fn of(test: &str, pipeline: &'a str, inputs: &[String; 2], span: [&'a str; 2]) -> Option<Self> {
        let data = needs::data(test)?;
        let model = repository(pipeline).join("model.onnx");
        let inputs = inputs
            .each_ref()
            .map(|name| data.join(name).display().to_string());
        (needs::onnx(test) && needs::file(test, &model)).then_some(Self {
            pipeline,
            inputs,
            span,
        })
    }

    /// What both commands are given.
    fn input(&self) -> [&str; 7] {
        let ([first, second], [from, to]) = (&self.inputs, self.span);
        ["--input", first, second, "--from", from, "--to", to]
    }

    /// Holds a backtest against the table of the card that begins with `head`.
    fn earns(&self, head: &str) -> Value {
        let more = [&self.input()[..], &["--json"]].concat();
        let found = report(&foretick(&arguments(self.pipeline, &[], &more)));
        let card = repository(self.pipeline).join("MODEL_CARD.md");
        let card = fs::read_to_string(card).expect("each pipeline has a card");
        let written = shipped(&card, head);
        let keys = ["trades", "pnl_gross", "fees", "pnl_net"];
        assert_eq!(written.len(), keys.len(), "{written:?}");
        for (written, key) in written.iter().zip(keys) {
            let now = number(&found[key]);
            assert!(
                (written - now).abs() < 0.0051,
                "{key}: {written}, now {now}"
            );
        }
        let digest = found["digest"].as_str().expect("a digest");
        assert!(card.contains(digest), "the card lacks digest {digest}");
        found
    }

    /// What the twin says of the signals of a replay.
    fn twin(&self) -> Value {
        let folder = Folder::new("backtest-cards");
        let signals = folder.path("signals.jsonl").display().to_string();
        let pipeline = repository(self.pipeline);
        let path = pipeline.display().to_string();
        let replayed = [&["replay", &path, "--output", &signals][..], &self.input()].concat();
        assert_eq!(foretick(&replayed).code, Some(0));
        let terms = fs::read_to_string(pipeline.join("pipeline.toml")).expect("it is there");
        let mut twin = Command::new("python3");
        twin.arg(repository("tests/backtest/lean_twin.py"));
        for key in ["enter", "hold_ms", "size", "latency_ms", "fee_bps"] {
            twin.args([format!("--{}", key.replace('_', "-")), term(&terms, key)]);
        }
        twin.args(["--day", &self.span[0][..10], "--signals", &signals]);
        let twin = run(twin.arg(&self.inputs[0]));
        assert_eq!(twin.code, Some(0), "{}", twin.stderr);
        serde_json::from_str(&twin.stdout).expect("the twin prints JSON")
    }
}

/// Trades, gross, fees and net of the shipped model in the table with this head.
fn shipped(card: &str, head: &str) -> Vec<f64> {
    let table = card.split_once(&format!("| {head} |"));
    let (_, table) = table.expect("the card has the table");
    let line = table.split_once(SHIPPED);
    let (_, line) = line.expect("the shipped model is in the table");
    let cells = line.split('|').take(4);
    let numbers = cells.map(|cell| cell.trim().replace('−', "-").parse());
    numbers.map(|cell| cell.expect("a number")).collect()
}

/// A number of `[backtest]`, as it is written.
fn term(text: &str, key: &str) -> String {
    let (_, terms) = text.split_once("[backtest]").expect("it has a rule");
    let start = format!("{key} = ");
    let line = terms.lines().find_map(|line| line.strip_prefix(&start));
    let value = line.expect("the rule has the key").split('#').next();
    value.unwrap_or_default().trim().replace('_', "")
}
