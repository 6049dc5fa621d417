//! What `/readyz` and the metrics say of a sink whose broker stands still.

use foretick::simulate::{Exchange, MarketSettings};
use tokio::runtime::Runtime;

use super::broker_away::Broker;
use super::child::RunningProcess;
use super::metrics::figure;
use super::scraper::answer;
use super::topics::Topics;
use crate::given::{self, Folder};
use crate::needs;

#[test]
fn a_sink_whose_broker_stands_still_is_not_ready() {
    if needs::kafka("a_sink_whose_broker_stands_still_is_not_ready").is_none() {
        return;
    }
    let folder = Folder::new("live-sink-delivery");
    let (broker, bootstrap) = Broker::start(&folder);
    let runtime = Runtime::new().unwrap();
    let anywhere = ([127, 0, 0, 1], 0).into();
    let exchange = runtime
        .block_on(Exchange::start(MarketSettings::default(), anywhere))
        .unwrap();
    let mut topics = Topics::new(bootstrap.clone(), "sink-delivery");
    let output = topics.make("out", 1);
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let mut args = vec!["run".to_owned(), pipeline.display().to_string()];
    for set in [
        "source.kind=websocket".to_owned(),
        r#"source.instruments=["BTCUSDT.BINANCE"]"#.to_owned(),
        format!("source.websocket.url=ws://{}", exchange.address),
        format!("source.websocket.rest=http://{}", exchange.address),
        "sink.kind=kafka".to_owned(),
        format!("sink.topic={output:?}"),
        format!("kafka.bootstrap={bootstrap:?}"),
        "metrics.listen=127.0.0.1:0".to_owned(),
    ] {
        args.extend(["--set".to_owned(), set]);
    }
    let mut run = RunningProcess::start(&args);
    let address = run.wait_for("the address of the metrics", |run| {
        let log = run.stderr();
        let (_, rest) = log.split_once("address=")?;
        Some(rest.split_whitespace().next()?.to_owned())
    });
    let get = |path: &str| answer(&format!("http://{address}/{path}"));
    let shown = |name: &str| figure(&get("metrics").1, name).unwrap_or_default();
    run.wait_for("delivered signals", |_| {
        (shown("foretick_sink_delivered_total") > 0.0).then_some(())
    });
    run.wait_for("readiness", |_| (get("readyz").0 == 200).then_some(()));
    broker.signal("STOP");
    let stopped = foretick::clock::instant();
    run.wait_for("what is not delivered", |_| {
        let (code, said) = get("readyz");
        (code == 503 && said.contains("the sink delivers nothing")).then_some(())
    });
    let took = stopped.elapsed();
    assert!(took.as_secs_f64() > 4.0 && took.as_secs() < 15, "{took:?}");
    assert!(shown("foretick_sink_in_flight_records") > 0.0);
    assert!(shown("foretick_sink_oldest_record_age_seconds") > 4.0);
    assert_eq!(shown("foretick_pipeline_ready"), 0.0);
    assert_eq!(shown("foretick_pipeline_up"), 1.0);
    broker.signal("CONT");
    run.wait_for("readiness", |_| (get("readyz").0 == 200).then_some(()));
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
}
