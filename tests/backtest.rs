//! `foretick backtest`: the canonical case, slow twins in Python, the models' cards, and what is refused.

mod given;
mod needs;

#[path = "backtest/alerts.rs"]
mod alerts;
#[path = "backtest/bars.rs"]
mod bars;
#[path = "backtest/canonical.rs"]
mod canonical;
#[path = "backtest/cards.rs"]
mod cards;
#[path = "backtest/input.rs"]
mod input;
#[path = "backtest/page.rs"]
mod page;
#[path = "backtest/refused.rs"]
mod refused;
#[path = "backtest/simulated.rs"]
mod simulated;

/// The terms of the canonical backtest, as `--set` takes them.
const CANONICAL: [&str; 5] = [
    "backtest.enter=0.15",
    "backtest.hold_ms=2_000",
    "backtest.size=0.01",
    "backtest.latency_ms=50",
    "backtest.fee_bps=5.0",
];

/// The arguments of a backtest of a pipeline on these terms.
fn arguments(pipeline: &str, set: &[&str], more: &[&str]) -> Vec<String> {
    let pipeline = given::repository(pipeline);
    let mut args = vec!["backtest".to_owned(), pipeline.display().to_string()];
    for one in set {
        args.extend(["--set".to_owned(), (*one).to_owned()]);
    }
    args.extend(more.iter().map(|one| (*one).to_owned()));
    args
}

/// The report of a run that ended well.
fn report(run: &given::Run) -> serde_json::Value {
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("--json prints one JSON object")
}

/// A number of a report.
fn number(value: &serde_json::Value) -> f64 {
    value.as_f64().expect("a number")
}
