//! What an operator observes of a run: health, readiness and metrics; and that SIGTERM ends it.

use foretick::simulate::{Exchange, MarketSettings};
use tokio::runtime::Runtime;

use super::child::RunningProcess;
use super::exposition::{assert_rises, checked};
use super::scraper::answer;
use crate::given::{self, Folder};

#[test]
fn a_run_serves_its_health_and_its_metrics() {
    let folder = Folder::new("live-metrics");
    let runtime = Runtime::new().unwrap();
    let anywhere = ([127, 0, 0, 1], 0).into();
    let exchange = runtime
        .block_on(Exchange::start(MarketSettings::default(), anywhere))
        .unwrap();
    let output = folder.path("signals.jsonl");
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let mut args = vec![
        "run".to_owned(),
        pipeline.display().to_string(),
        "--json".to_owned(),
    ];
    for set in [
        "source.kind=websocket".to_owned(),
        r#"source.instruments=["BTCUSDT.BINANCE"]"#.to_owned(),
        format!("source.websocket.url=ws://{}", exchange.address),
        format!("source.websocket.rest=http://{}", exchange.address),
        "sink.kind=file".to_owned(),
        format!("sink.file={:?}", output.display().to_string()),
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
    assert_eq!(get("healthz"), (200, "ok\n".to_owned()));
    let first = checked(&get("metrics").1);
    // Before the first event of its kind.
    for series in [
        r#"foretick_frames_total{fate="dropped",reason="overflow""#,
        r#"foretick_frames_total{fate="dead_lettered",reason="truncated""#,
        r#"foretick_signals_total{quality="crossed""#,
        r#"foretick_connection_ends_total{reason="tls""#,
        r#"foretick_dead_letters_refused_total{reason="too_large""#,
        r#"foretick_stage_duration_seconds_count{stage="model""#,
    ] {
        assert!(first.keys().any(|key| key.starts_with(series)), "{series}");
    }
    run.wait_for("readiness", |_| (get("readyz").0 == 200).then_some(()));
    let metrics = run.wait_for("signals of quality ok", |_| {
        let (_, text) = get("metrics");
        (figure(&text, r#"foretick_signals_total{quality="ok"#)? > 0.0).then_some(text)
    });
    assert!(figure(&metrics, r#"foretick_frames_total{fate="used"#).is_some_and(|n| n > 0.0));
    assert!(figure(&metrics, "foretick_source_healthy").is_some_and(|n| n == 1.0));
    assert!(figure(&metrics, "foretick_instruments").is_some_and(|n| n == 1.0));
    assert!(figure(&metrics, "foretick_watermark_timestamp_seconds").is_some_and(|n| n > 1e9));
    let skew = r#"foretick_source_skew_seconds_count{venue="BINANCE""#;
    assert!(figure(&metrics, skew).is_some_and(|n| n > 0.0), "{metrics}");
    assert!(metrics.contains(r#"provider="cpu""#), "{metrics}");
    assert!(metrics.contains(r#"stage="total""#), "{metrics}");
    let second = checked(&metrics);
    assert_rises(&first, &second);
    run.wait_for("delivered signals", |_| {
        let delivered = figure(&get("metrics").1, "foretick_sink_delivered_total")?;
        (delivered > 0.0).then_some(())
    });

    runtime.block_on(exchange.stop());
    run.wait_for("status 503", |_| (get("readyz").0 == 503).then_some(()));
    assert_eq!(get("healthz").0, 200, "not ready, but alive");
    let (_, last) = get("metrics");
    assert_rises(&second, &checked(&last));
    assert_eq!(figure(&last, "foretick_pipeline_ready"), Some(0.0));
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
    let summary: serde_json::Value = serde_json::from_str(run.stdout().trim()).unwrap();
    let lines = folder.read("signals.jsonl").lines().count();
    assert_eq!(
        summary["signals"], lines,
        "each counted signal is in the file"
    );
    assert!(lines > 0);
}

/// The value of the first metric whose name and labels begin with `start`.
pub(crate) fn figure(text: &str, start: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(start))?;
    line.rsplit(' ').next()?.parse().ok()
}
