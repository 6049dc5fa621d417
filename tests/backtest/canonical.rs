//! The canonical backtest on the recorded BTCUSDT book, against figures and a twin that are not ours.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::given::{Folder, foretick, repository, run};
use crate::{CANONICAL, arguments, needs, number, report};

const PIPELINE: &str = "pipelines/price-direction";

/// The digest of the signals, as `replay` gives it.
const DIGEST: &str = "c3ebeacebeb7dfa838513a8e889bc2188f5a220e79387e573a96ce7c857cb0fe";

/// The two captures, in a row; none after reporting that `test` is skipped.
fn captures(test: &str) -> Option<[String; 2]> {
    let spot = needs::data(test)?.join("captures/binance-spot");
    let model = repository(PIPELINE).join("model.onnx");
    let day = |day: &str| spot.join(format!("btcusdt_{day}.gz")).display().to_string();
    (needs::onnx(test) && needs::file(test, &model)).then(|| [day("20240808"), day("20240809")])
}

/// The figures were computed by an independent loop in Python. The twin, which shares nothing with the
/// command, finds the same trades one by one.
#[test]
fn the_canonical_case_and_its_twin_agree() {
    let Some([first, second]) = captures("the_canonical_case_and_its_twin_agree") else {
        return;
    };
    let folder = Folder::new("backtest-canonical");
    let output = folder.path("out").display().to_string();
    let inputs = ["--input", &first, &second];
    let more = [
        "--json",
        "--output",
        &output,
        "--sweep",
        "backtest.enter=0.15,0.2",
        "--sweep",
        "backtest.size=0.01,1",
    ];
    let found = foretick(&arguments(
        PIPELINE,
        &CANONICAL,
        &[&inputs[..], &more].concat(),
    ));
    let found = report(&found);
    assert_eq!(found["digest"], DIGEST);
    assert_eq!(found["trades"], 161);
    for (key, expected) in [
        ("pnl_gross", 5.995_519_5),
        ("fees", 99.327_656_598),
        ("pnl_net", -93.332_137_098),
    ] {
        assert!(
            (number(&found[key]) - expected).abs() < 1e-9,
            "{key}: {}",
            found[key]
        );
    }
    // The trade that the end of the input cuts off is told apart.
    assert_eq!(found["open_positions"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["sweep"][0]["pnl_net"], found["pnl_net"]);
    let at_50_ms = &found["by_latency"][3];
    assert_eq!(at_50_ms["latency_ms"], 50);
    assert_eq!(at_50_ms["pnl_net"], found["pnl_net"]);
    let trades = table(&folder.path("out/trades.parquet"));
    assert_eq!(trades.len(), 161);
    is_equal_to_the_twin(&folder, [&first, &second], &found, &trades);
}

/// Entry, exit, their notionals.
type Trade = (i64, i64, f64, f64);

/// The trades of a Parquet file.
fn table(path: &PathBuf) -> Vec<Trade> {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Float64Type, TimestampNanosecondType};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let file = std::fs::File::open(path).expect("the command has written it");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|builder| builder.build());
    let mut trades = vec![];
    for batch in reader.expect("it is Parquet") {
        let batch = batch.expect("it is whole");
        let column = |name| batch.column_by_name(name).expect("a column of trades");
        let time = |name, row: usize| {
            column(name)
                .as_primitive::<TimestampNanosecondType>()
                .value(row)
        };
        let money = |name, row: usize| column(name).as_primitive::<Float64Type>().value(row);
        trades.extend((0..batch.num_rows()).map(|row| {
            let times = (time("ts_entry", row), time("ts_exit", row));
            (
                times.0,
                times.1,
                money("entry_notional", row),
                money("exit_notional", row),
            )
        }));
    }
    trades
}

fn is_equal_to_the_twin(folder: &Folder, captures: [&str; 2], found: &Value, trades: &[Trade]) {
    let test = "the_canonical_case_and_its_twin_agree";
    if !needs::plain_python(test) {
        return;
    }
    let signals = folder.path("signals.jsonl").display().to_string();
    let pipeline = repository(PIPELINE).display().to_string();
    let replayed = ["replay", &pipeline, "--output", &signals, "--input"];
    assert_eq!(foretick(&[&replayed[..], &captures].concat()).code, Some(0));
    let theirs = twin(&signals, captures, &[]);
    let theirs = theirs["trades"].as_array().expect("a list of trades");
    assert_eq!(theirs.len(), trades.len());
    for (theirs, (entry, exit, paid, got)) in theirs.iter().zip(trades) {
        let times = (theirs[0].as_i64(), theirs[1].as_i64());
        assert_eq!(times, (Some(*entry), Some(*exit)));
        is_near(&theirs[3], *paid);
        is_near(&theirs[4], *got);
    }
    // Orders of 1 walk many levels.
    let deep = twin(&signals, captures, &["--enter", "0.2", "--size", "1"]);
    let row = &found["sweep"][3];
    assert_eq!(row["trades"], deep["trades"].as_array().map_or(0, Vec::len));
    for key in ["pnl_gross", "fees", "pnl_net"] {
        is_near(&deep[key], number(&row[key]));
    }
}

/// What the twin says.
fn twin(signals: &str, captures: [&str; 2], more: &[&str]) -> Value {
    let mut twin = Command::new("python3");
    twin.arg(repository("tests/backtest/twin.py")).args(more);
    twin.args(["--signals", signals, "--instrument", "BTCUSDT.BINANCE"]);
    let twin = run(twin.args(captures));
    assert_eq!(twin.code, Some(0), "{}", twin.stderr);
    serde_json::from_str(&twin.stdout).expect("the twin prints JSON")
}

pub(crate) fn is_near(theirs: &Value, ours: f64) {
    let theirs = number(theirs);
    assert!((theirs - ours).abs() < 1e-9, "{theirs} {ours}");
}
