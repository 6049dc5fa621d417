//! M: features and labels of series with undefined values, equal times and pauses, against pandas and polars
//! (`tests/given/features/vectors.py`), to 1e-9.

use serde_json::Value;

use crate::replayed::{START, exported_rows, one_feature, replay, replay_with};

const VECTORS: &str = include_str!("../given/features/vectors.json");
const TOLERANCE: f64 = 1e-9;
const MILLISECOND: i64 = 1_000_000;

#[test]
fn features_equal_those_of_pandas_and_polars_where_values_are_undefined() {
    let series: Vec<Value> = serde_json::from_str(VECTORS).expect("the vectors are JSON");
    let (mut compared, mut undefined) = (0, 0);
    for series in &series {
        let events = series["events"].as_array().expect("events");
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        for case in series["cases"].as_array().into_iter().flatten() {
            let text = |key: &str| case[key].as_str().expect("a text").to_owned();
            let (name, hidden) = (text("name"), text("hidden"));
            let pipeline =
                one_feature(&text("feature"), series["on"].as_str().expect("a kind"), "");
            // A feature that others are computed from stands above them.
            let hidden = if hidden.is_empty() {
                hidden
            } else {
                format!("[[feature]]\n{hidden}")
            };
            let pipeline = pipeline.replacen("[[feature]]", &format!("{hidden}[[feature]]"), 1);
            let run = replay_with(&pipeline, &lines, &[]);
            assert_eq!(run.code, Some(0), "{name}: {}", run.stderr);
            for (at, expected) in case["expected"]
                .as_array()
                .expect("numbers")
                .iter()
                .enumerate()
            {
                let of_row = |signal: &&Value| signal["source"]["offset"] == at;
                let signal = run.signals.iter().find(of_row);
                match expected.as_f64() {
                    Some(expected) => {
                        let signal = signal.unwrap_or_else(|| panic!("{name}: no row {at}"));
                        let score = signal["score"].as_f64().expect("a score");
                        let room = TOLERANCE * expected.abs().max(1.0);
                        assert!(
                            (score - expected).abs() <= room,
                            "{name}, row {at}: {score}, not {expected}"
                        );
                        compared += 1;
                    }
                    None => {
                        let warming = signal.is_some_and(|signal| signal["quality"] == "warming");
                        assert!(signal.is_none() || warming, "{name}, row {at}: {signal:?}");
                        undefined += usize::from(signal.is_none());
                    }
                }
            }
        }
    }
    assert!(
        compared > 1_100 && undefined > 190,
        "{compared} numbers, {undefined} undefined ones"
    );
}

#[test]
fn labels_equal_those_of_pandas_across_silences_crosses_and_withdrawn_sides() {
    let series: Vec<Value> = serde_json::from_str(VECTORS).expect("the vectors are JSON");
    let labelled = series.iter().filter(|series| series["labels"].is_array());
    for series in labelled {
        let events = series["events"].as_array().expect("events");
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        let row = format!("max_gap_ms = {}", series["max_gap_ms"]);
        let pipeline = one_feature("kind = \"mid\"", "quote", &row)
            + &format!(
                "[label]\nhorizon_ms = {}\nthreshold_bps = {}\n",
                series["horizon_ms"], series["threshold_bps"]
            );
        let mut rows = exported_rows(&pipeline, &lines);
        rows.sort_by_key(|row| row.ts_event);
        let expected = series["labels"].as_array().expect("labels");
        assert_eq!(rows.len(), expected.len());
        let mut labels = 0;
        for (row, expected) in rows.iter().zip(expected) {
            assert_eq!(row.ts_event, expected["ts_event"]);
            assert_eq!(row.label.as_deref(), expected["label"].as_str(), "{row:?}");
            let far = row.move_bps.zip(expected["move_bps"].as_f64());
            assert!(far.is_none_or(|(ours, theirs)| (ours - theirs).abs() < 1e-8));
            assert_eq!(row.move_bps.is_none(), expected["move_bps"].is_null());
            labels += usize::from(row.label.is_some());
        }
        assert!(labels > 90 && labels + 30 < rows.len(), "{labels} labels");
    }
}

/// A pipeline whose feature is computed from these others, which stand above it.
fn behind(others: &str, pipeline: &str) -> String {
    pipeline.replacen("[[feature]]\n", &format!("[[feature]]\n{others}"), 1)
}

fn trade(ms: i64, price: f64) -> String {
    let ts = START + ms * MILLISECOND;
    format!(r#"{{"ts_event":{ts},"symbol":"A.X","price":{price},"size":1,"side":"buy"}}"#)
}

fn quote(ms: i64, mid: i64) -> String {
    let ts = START + ms * MILLISECOND;
    let (bid, ask) = (mid - 1, mid + 1);
    format!(
        r#"{{"ts_event":{ts},"symbol":"A.X","bid_px":{bid},"bid_sz":1,"ask_px":{ask},"ask_sz":1}}"#
    )
}

fn figure(ms: i64, value: f64) -> String {
    let ts = START + ms * MILLISECOND;
    format!(r#"{{"ts_event":{ts},"figure":"wti","value":{value}}}"#)
}

#[test]
fn a_feature_of_a_time_window_is_computed_of_the_window_as_of_the_row() {
    let mean = "name = \"m\"\nkind = \"mean\"\nof = \"price\"\nwindow_ms = 1000\nhidden = true\n[[feature]]\n";
    let lines = [
        trade(0, 100.0),
        trade(500, 110.0),
        quote(1_200, 110),
        quote(1_600, 110),
    ];
    for (of, to) in [("m", "price"), ("price", "m"), ("m", "mid")] {
        let relative = format!("kind = \"relative\"\nof = \"{of}\"\nto = \"{to}\"");
        let pipeline = behind(mean, &one_feature(&relative, "quote", ""));
        let run = replay_with(&pipeline, &lines, &[]);
        // At 1.2 s the window holds 110 alone; at 1.6 s it is empty, and there is no row.
        assert_eq!(run.scores(), [0.0], "{of} to {to}");
        assert_eq!(run.summary["events"]["incomplete_rows"], 1);
    }
}

#[test]
fn a_feature_of_a_feature_of_a_time_window_is_as_of_the_row_too() {
    let hidden = "name = \"m\"\nkind = \"mean\"\nof = \"price\"\nwindow_ms = 1000\nhidden = true\n\
                  [[feature]]\nname = \"r\"\nkind = \"relative\"\nof = \"m\"\nto = \"mid\"\nhidden = true\n\
                  [[feature]]\n";
    let relative = "kind = \"relative\"\nof = \"mid\"\nto = \"r\"";
    let pipeline = behind(hidden, &one_feature(relative, "quote", ""));
    let lines = [trade(0, 100.0), trade(500, 110.0), quote(1_200, 100)];
    // The mean is 110 at the row, so that r is 0.1.
    let [score] = replay_with(&pipeline, &lines, &[]).scores()[..] else {
        panic!("there is one row");
    };
    assert!(
        (score - (100.0 / (110.0 / 100.0 - 1.0) - 1.0)).abs() < 1e-9,
        "{score}"
    );
}

#[test]
fn a_relative_of_an_emptied_window_is_undefined_in_windows_over_it() {
    let hidden = "name = \"m\"\nkind = \"mean\"\nof = \"price\"\nwindow_ms = 1000\nhidden = true\n\
                  [[feature]]\nname = \"r\"\nkind = \"relative\"\nof = \"mid\"\nto = \"m\"\nhidden = true\n\
                  [[feature]]\n";
    let largest = "kind = \"max\"\nof = \"r\"\nwindow_ms = 10_000";
    let pipeline = behind(hidden, &one_feature(largest, "quote", ""));
    let mut lines = vec![trade(0, 100.0), quote(500, 100)];
    // The window of trades is empty from 1 s on: the relative has no value at any of these.
    lines.extend((2..=12).map(|second| quote(second * 1_000, 100)));
    lines.extend([trade(12_500, 100.0), quote(12_600, 100)]);
    // The last of them leaves the window after 22 s.
    lines.extend([trade(21_900, 100.0), quote(21_950, 100), quote(22_500, 100)]);
    let run = replay_with(&pipeline, &lines, &[]);
    let at = |signal: &Value| (signal["ts_event"].as_i64().unwrap_or(0) - START) / MILLISECOND;
    let times: Vec<i64> = run.signals.iter().map(at).collect();
    assert_eq!(times, [500, 22_500]);
}

#[test]
fn a_ratio_to_a_ratio_by_zero_is_undefined() {
    let hidden = "name = \"s\"\nkind = \"sum\"\nof = \"price\"\nwindow_ms = 1000\nhidden = true\n\
                  [[feature]]\nname = \"r\"\nkind = \"relative\"\nof = \"mid\"\nto = \"s\"\nhidden = true\n\
                  [[feature]]\n";
    let pipeline = one_feature("kind = \"relative\"\nof = \"mid\"\nto = \"r\"", "quote", "");
    let pipeline = behind(hidden, &pipeline);
    let lines = [trade(0, 50.0), quote(500, 100), quote(5_000, 100)];
    assert_eq!(replay_with(&pipeline, &lines, &[]).scores(), [99.0]);
}

#[test]
fn an_emptied_window_says_the_same_whatever_came_between() {
    for (kind, expected) in [
        ("kind = \"mean\"\nof = \"price\"", None),
        ("kind = \"std\"\nof = \"price\"", None),
        ("kind = \"max\"\nof = \"price\"", None),
        ("kind = \"vwap_deviation\"", None),
        ("kind = \"sum\"\nof = \"price\"", Some(0.0)),
        ("kind = \"trade_flow\"", Some(0.0)),
        ("kind = \"trade_intensity\"", Some(0.0)),
    ] {
        let pipeline = one_feature(&format!("{kind}\nwindow_ms = 1000"), "quote", "");
        let few = [trade(0, 100.0), trade(100, 110.0), quote(5_000, 10)];
        let mut more = few.to_vec();
        more.insert(2, quote(1_050, 10));
        for lines in [&few[..], &more] {
            let run = replay_with(&pipeline, lines, &[]);
            let at_the_end = |signal: &&Value| signal["ts_event"] == START + 5_000 * MILLISECOND;
            let last = run.signals.iter().find(at_the_end);
            assert_eq!(
                last.and_then(|signal| signal["score"].as_f64()),
                expected,
                "{kind}"
            );
        }
    }
}

/// Prices of crude oil in April 2020, with one below zero.
#[test]
fn averages_and_extremes_go_on_after_a_negative_price() {
    let prices = [
        23.5, 24.9, 22.7, 20.1, 19.8, 18.2, -37.6, 10.0, 13.8, 16.5, 17.0, 15.9, 16.2, 17.1, 18.0,
    ];
    let mut lines = vec![];
    for (day, price) in (0..).zip(prices) {
        lines.push(figure(day * 1_000, price));
        lines.push(trade(day * 1_000 + 1, 1.0));
    }
    let with = |feature: &str| {
        let hidden = "name = \"w\"\nkind = \"figure\"\nfigure = \"wti\"\nhidden = true\n[[feature]]\nname = \"r\"\n\
                      kind = \"log_return\"\nof = \"w\"\nhidden = true\n[[feature]]\n";
        let pipeline = one_feature(feature, "trade", "while_warming = false");
        replay_with(&behind(hidden, &pipeline), &lines, &[])
    };
    let day =
        |signal: &Value| (signal["ts_event"].as_i64().unwrap_or(0) - START) / 1_000 / MILLISECOND;
    let largest = with("kind = \"max\"\nof = \"r\"\nwindow = 3");
    let days: Vec<i64> = largest.signals.iter().map(day).collect();
    // The returns of days 6 and 7 are undefined.
    assert_eq!(days, [3, 4, 5, 10, 11, 12, 13, 14]);
    let expected = [8, 9, 10].map(|day: usize| libm::log(prices[day] / prices[day - 1]));
    let expected = expected.into_iter().fold(f64::NEG_INFINITY, f64::max);
    assert!((largest.scores()[3] - expected).abs() < 1e-12);
    let average = with("kind = \"ema\"\nof = \"r\"\nalpha = 0.5");
    let days: Vec<i64> = average.signals.iter().map(day).collect();
    assert_eq!(days[0..2], [8, 9], "warm after six values");
    assert_eq!(days.last(), Some(&14));
}

#[test]
fn trades_at_one_time_have_no_rate() {
    let lines: Vec<String> = (0..5)
        .map(|_| trade(0, 1.0))
        .chain([trade(1_000, 1.0)])
        .collect();
    let run = replay_with(
        &one_feature("kind = \"trade_intensity\"\nwindow = 3", "trade", ""),
        &lines,
        &[],
    );
    assert_eq!(run.scores(), [2.0], "two intervals in a second");
    assert_eq!(
        replay("inter_arrival", "trade", &lines).scores(),
        [0.0, 0.0, 0.0, 0.0, 1.0]
    );
}

/// The slopes and correlations by numpy: `r, m = np.diff(np.log(p)), np.diff(np.log(f))`, and for k in 5, 6,
/// 7 `np.polyfit(m[k-5:k], r[k-5:k], 1)[0]` and `np.corrcoef(m[k-5:k], r[k-5:k])[0, 1]`.
#[test]
fn returns_are_held_against_those_of_an_index_that_comes_as_a_figure() {
    let prices = [100.0, 100.5, 100.2, 101.0, 100.7, 101.3, 101.1, 101.9];
    let index = [20.0, 20.2, 20.1, 20.4, 20.3, 20.5, 20.45, 20.8];
    let mut lines = vec![];
    for (second, (price, level)) in (0..).zip(prices.into_iter().zip(index)) {
        // What the index was in between does not count, nor what it is after the trade.
        lines.push(figure(second * 1_000, level + 3.0));
        lines.push(figure(second * 1_000 + 400, level));
        lines.push(trade(second * 1_000 + 500, price));
        lines.push(figure(second * 1_000 + 600, level - 3.0));
    }
    let hidden = "name = \"w\"\nkind = \"figure\"\nfigure = \"wti\"\nhidden = true\n[[feature]]\n\
                  name = \"i\"\nkind = \"as_of\"\nof = \"w\"\nto = \"price\"\nhidden = true\n[[feature]]\n\
                  name = \"m\"\nkind = \"log_return\"\nof = \"i\"\nhidden = true\n[[feature]]\n\
                  name = \"r\"\nkind = \"log_return\"\nof = \"price\"\nhidden = true\n[[feature]]\n";
    for (kind, expected) in [
        (
            "beta",
            [0.560413705935819, 0.5754229513649111, 0.536086340890972],
        ),
        (
            "correlation",
            [0.997257044893802, 0.99765604416504, 0.9912255487579975],
        ),
    ] {
        let feature = format!("kind = \"{kind}\"\nof = \"r\"\nto = \"m\"\nwindow = 5");
        let pipeline = one_feature(&feature, "trade", "while_warming = false");
        let scores = replay_with(&behind(hidden, &pipeline), &lines, &[]).scores();
        assert_eq!(scores.len(), expected.len(), "{kind}: {scores:?}");
        for (ours, theirs) in scores.iter().zip(expected) {
            assert!((ours - theirs).abs() < 1e-9, "{kind}: {ours}, not {theirs}");
        }
    }
}
