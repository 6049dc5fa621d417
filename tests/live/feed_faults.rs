//! Faults of a live feed: no signal that says `ok` rests on what is not so any more.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foretick::simulate::{Exchange, Listing, MarketSettings, SnapshotFault};
use foretick::units::Price;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::Message;

use super::child::RunningProcess;
use super::metrics::figure;
use super::scraper::answer;
use crate::given::Folder;

/// The middle of bid and ask, and the price of the trade that makes the row: their sum.
const MID_AND_PRICE: &str = r#"
name = "faults"
[source]
kind = "websocket"
instruments = ["BTCUSDT.BINANCE"]
[source.websocket]
tick_ms = 100
[row]
on = "trade"
stale_after_ms = 700
[[feature]]
name = "price"
kind = "price"
[[feature]]
name = "FEATURE"
kind = "FEATURE"
LEVELS
[model]
kind = "sum"
[sink]
kind = "file"
"#;

struct LiveFeed {
    folder: Folder,
    runtime: Runtime,
    run: RunningProcess,
}

fn market(seed: u64, price: i64) -> MarketSettings {
    let usual = MarketSettings::default();
    let listing = Listing {
        price: Price::from_scaled(price, 0).expect("a whole number"),
        ..usual.instruments[0].clone()
    };
    MarketSettings {
        seed,
        instruments: vec![listing],
        ..usual
    }
}

impl LiveFeed {
    fn start(name: &str, feature: &str, exchange: SocketAddr, runtime: Runtime) -> Self {
        let folder = Folder::new(name);
        let levels = match feature {
            "queue_imbalance" => "levels = 3",
            _ => "",
        };
        let text = MID_AND_PRICE
            .replace("FEATURE", feature)
            .replace("LEVELS", levels);
        let pipeline = folder.write("pipeline.toml", text);
        let output = folder.path("signals.jsonl").display().to_string();
        let mut args = vec!["run".to_owned(), pipeline.display().to_string()];
        for set in [
            format!("source.websocket.url=ws://{exchange}"),
            format!("source.websocket.rest=http://{exchange}"),
            format!("sink.file={output:?}"),
            "metrics.listen=127.0.0.1:0".to_owned(),
            "metrics.waiting_ms=300".to_owned(),
        ] {
            args.extend(["--set".to_owned(), set]);
        }
        Self {
            run: RunningProcess::start(&args),
            folder,
            runtime,
        }
    }

    fn wait(&mut self, what: &str, happened: impl Fn(&[(f64, String)]) -> bool) {
        let folder = &self.folder;
        self.run
            .wait_for(what, |_| happened(&read(folder)).then_some(()));
    }

    fn metrics_address(&mut self) -> String {
        self.run.wait_for("the address of the metrics", |run| {
            let log = run.stderr();
            let (_, rest) = log.split_once("address=")?;
            Some(rest.split_whitespace().next()?.to_owned())
        })
    }
}

/// Price and quality of each signal so far.
fn read(folder: &Folder) -> Vec<(f64, String)> {
    let text = std::fs::read_to_string(folder.path("signals.jsonl")).unwrap_or_default();
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let signal = |line: Value| {
        let score = line["score"].as_f64()?;
        Some((score, line["quality"].as_str()?.to_owned()))
    };
    lines.filter_map(signal).collect()
}

#[test]
fn no_ok_signal_stands_on_the_prices_of_a_connection_that_ended() {
    let runtime = Runtime::new().expect("a runtime can be made");
    let anywhere = ([127, 0, 0, 1], 0).into();
    let first = runtime.block_on(Exchange::start(market(1, 50_000), anywhere));
    let first = first.expect("the exchange opens");
    let address = first.address;
    let mut feed = LiveFeed::start("faults-restart", "mid", address, runtime);
    let is_ok = |quality: &str| quality == "ok";
    feed.wait("signals of the first exchange", |signals| {
        signals.iter().filter(|one| is_ok(&one.1)).count() > 20
    });
    // The same venue again, with other numbers, at twice the price.
    feed.runtime.block_on(first.stop());
    let second = feed.runtime.block_on(async {
        loop {
            match Exchange::start(market(2, 100_000), address).await {
                Ok(exchange) => return exchange,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    });
    // Price and mid: twice 50,000 before, twice 100,000 after.
    feed.wait("signals of the second exchange", |signals| {
        let new = signals
            .iter()
            .filter(|one| one.0 > 175_000.0 && is_ok(&one.1));
        new.count() > 100
    });
    assert_eq!(feed.run.terminate(), Some(0), "{}", feed.run.stderr());
    feed.runtime.block_on(second.stop());
    let signals = read(&feed.folder);
    let mixed = signals
        .iter()
        .filter(|one| (125_000.0..175_000.0).contains(&one.0));
    let ok: Vec<_> = mixed.filter(|one| is_ok(&one.1)).collect();
    assert_eq!(ok.len(), 0, "new prices on an old mid: {ok:?}");
    assert!(signals.iter().any(|one| one.1 == "gap"), "the gap is told");
}

#[test]
fn a_dead_book_beside_live_trades_and_quotes_is_stale() {
    let runtime = Runtime::new().expect("a runtime can be made");
    let anywhere = ([127, 0, 0, 1], 0).into();
    let exchange = runtime.block_on(Exchange::start(market(3, 50_000), anywhere));
    let exchange = exchange.expect("the exchange opens");
    let address = exchange.address;
    let mut feed = LiveFeed::start("faults-dead-book", "queue_imbalance", address, runtime);
    feed.wait("ok signals", |signals| {
        signals.iter().any(|one| one.1 == "ok")
    });
    assert!(exchange.skip_depth("BTCUSDT", u32::MAX));
    feed.wait("stale signals", |signals| {
        signals.iter().filter(|one| one.1 == "stale").count() > 20
    });
    // Once stale, it stays so: trades and quotes go on, and are no life of the book.
    let signals = read(&feed.folder);
    let since = signals.iter().position(|one| one.1 == "stale");
    let later = &signals[since.expect("there are some")..];
    assert!(later.iter().all(|one| one.1 != "ok"), "{later:?}");
    assert_eq!(feed.run.terminate(), Some(0), "{}", feed.run.stderr());
    feed.runtime.block_on(exchange.stop());
}

#[test]
fn an_instrument_without_its_book_is_counted_and_not_ready() {
    let runtime = Runtime::new().expect("a runtime can be made");
    let anywhere = ([127, 0, 0, 1], 0).into();
    let exchange = runtime.block_on(Exchange::start(market(4, 50_000), anywhere));
    let exchange = exchange.expect("the exchange opens");
    assert!(exchange.spoil_snapshots("BTCUSDT", &[SnapshotFault::Forbidden; 3]));
    let address = exchange.address;
    let mut feed = LiveFeed::start("faults-waiting", "queue_imbalance", address, runtime);
    let metrics = feed.metrics_address();
    let get = |path: &str| answer(&format!("http://{metrics}/{path}"));
    let said = feed.run.wait_for("status 503", |_| {
        let (status, text) = get("readyz");
        (status == 503 && text.contains("waited")).then_some(text)
    });
    assert!(said.contains("1 instruments have waited"), "{said}");
    let waiting = |text: &str| figure(text, "foretick_instruments_waiting");
    assert!(waiting(&get("metrics").1).is_some_and(|count| count == 1.0));
    feed.run
        .wait_for("readiness, once the snapshot has come", |_| {
            (get("readyz").0 == 200).then_some(())
        });
    feed.run.wait_for("no instrument that waits", |_| {
        (waiting(&get("metrics").1)? == 0.0).then_some(())
    });
    let spliced = r#"foretick_source_events_total{kind="snapshot""#;
    let failed = r#"foretick_source_events_total{kind="snapshot_failure""#;
    let text = get("metrics").1;
    assert_eq!(figure(&text, spliced), Some(1.0), "{text}");
    assert_eq!(figure(&text, failed), Some(3.0), "{text}");
    assert_eq!(feed.run.terminate(), Some(0), "{}", feed.run.stderr());
    feed.runtime.block_on(exchange.stop());
}

#[test]
fn a_venue_that_refuses_the_keys_is_asked_once() {
    let runtime = Runtime::new().expect("a runtime can be made");
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let connections = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&connections);
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            let mut socket = tokio_tungstenite::accept_async(stream)
                .await
                .expect("the client opens a websocket");
            let words = r#"[{"T":"error","code":402,"msg":"auth failed"}]"#;
            drop(socket.send(Message::text(words)).await);
            while let Some(Ok(_)) = socket.next().await {}
        }
    });
    let folder = Folder::new("faults-keys");
    let text = MID_AND_PRICE
        .replace("FEATURE", "mid")
        .replace("LEVELS", "")
        .replace("BTCUSDT.BINANCE", "FAKEPACA.ALPACA");
    // Two, so that they are supervised: the other one would go on.
    let mut args = vec!["run".to_owned()];
    for name in ["one", "two"] {
        let text = text.replace(r#"name = "faults""#, &format!("name = \"{name}\""));
        args.push(
            folder
                .write(&format!("{name}.toml"), text)
                .display()
                .to_string(),
        );
    }
    for set in [
        format!("source.websocket.url=ws://{address}/v2/test"),
        "metrics.listen=".to_owned(),
        "one:sink.kind=stdout".to_owned(),
        format!(
            "two:sink.file={:?}",
            folder.path("two.jsonl").display().to_string()
        ),
    ] {
        args.extend(["--set".to_owned(), set]);
    }
    let mut run = RunningProcess::start(&args);
    assert_eq!(run.join(), Some(1), "{}", run.stderr());
    assert!(run.stderr().contains("auth failed"), "{}", run.stderr());
    assert_eq!(connections.load(Ordering::Relaxed), 2, "one each");
}

/// Whether each line of a file follows a schema.
fn follows(path: &std::path::Path, schema: &str) -> Vec<Value> {
    let schema = format!("{}/schemas/{schema}.json", env!("CARGO_MANIFEST_DIR"));
    let schema = std::fs::read_to_string(schema).expect("the schema is in schemas/");
    let schema = serde_json::from_str(&schema).expect("a schema is JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("a schema is a schema");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let lines: Vec<Value> = whole.collect();
    for line in &lines {
        let errors: Vec<String> = schema.iter_errors(line).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
    }
    lines
}

#[test]
fn a_lost_connection_is_told_before_there_is_another_one() {
    let runtime = Runtime::new().expect("a runtime can be made");
    let anywhere = ([127, 0, 0, 1], 0).into();
    let exchange = runtime.block_on(Exchange::start(market(5, 50_000), anywhere));
    let exchange = exchange.expect("the exchange opens");
    let address = exchange.address;
    let folder = Folder::new("faults-lost");
    let (output, gaps) = (folder.path("signals.jsonl"), folder.path("gaps.jsonl"));
    let mut args = vec!["run".to_owned(), "pipelines/price-direction".to_owned()];
    for set in [
        r#"source.instruments=["BTCUSDT.BINANCE"]"#.to_owned(),
        format!("source.websocket.url=ws://{address}"),
        format!("source.websocket.rest=http://{address}"),
        "source.websocket.tick_ms=100".to_owned(),
        "metrics.listen=".to_owned(),
    ] {
        args.extend(["--set".to_owned(), set]);
    }
    for (option, path) in [("--output", &output), ("--gaps", &gaps)] {
        args.extend([option.to_owned(), path.display().to_string()]);
    }
    let mut run = RunningProcess::start(&args);
    run.wait_for("signals", |_| (read(&folder).len() > 20).then_some(()));
    runtime.block_on(exchange.stop());
    let gaps = run.wait_for("the gap", |_| {
        let lines = follows(&gaps, "md.gaps.v1");
        (!lines.is_empty()).then_some(lines)
    });
    assert_eq!(gaps[0]["state"], "open", "{gaps:?}");
    assert_eq!(gaps[0]["reason"], "reconnect", "{gaps:?}");
    let at_tick = run.wait_for("a signal of the clock", |_| {
        let signals = follows(&output, "signals.direction.v1");
        let ticks = |signal: &Value| signal["source"]["partition"] == -1;
        signals.into_iter().find(ticks)
    });
    assert_eq!(at_tick["quality"], "gap", "{at_tick}");
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
}
