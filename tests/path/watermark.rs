//! The event time up to which all instruments have come.

use foretick::units::Nanos;

use super::feed::{Feed, START, trade};

const PIPELINE: &str = r#"
name = "watermark"
[source]
lateness_ms = 50
[row]
on = "trade"
[[feature]]
name = "price"
kind = "price"
[model]
kind = "sum"
"#;

#[test]
fn the_watermark_is_that_of_the_slowest_instrument_that_is_not_idle() {
    let mut feed = Feed::new(PIPELINE, 1);
    let mark = |feed: &Feed| {
        let mark = feed.engine.watermark(2_000_000_000);
        mark.map(|Nanos(ts)| ts / 1_000_000 - START)
    };
    assert_eq!(mark(&feed), None);
    feed.take(1_000, &trade("BTCUSDT", 900, 1));
    assert_eq!(mark(&feed), Some(850));
    feed.take(1_100, &trade("ETHUSDT", 400, 1));
    assert_eq!(mark(&feed), Some(350));
    feed.take(3_000, &trade("BTCUSDT", 2_900, 2));
    assert_eq!(
        mark(&feed),
        Some(350),
        "the other one was received 1.9 s before"
    );
    feed.take(3_101, &trade("BTCUSDT", 3_050, 3));
    assert_eq!(mark(&feed), Some(3_000), "the other one is idle");
    let tick = format!(
        r#"{{"foretick":"tick","ts":{}}}"#,
        (START + 9_000) * 1_000_000
    );
    feed.take(9_000, &tick);
    assert_eq!(mark(&feed), None, "all are idle");
}
