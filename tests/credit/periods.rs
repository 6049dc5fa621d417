//! A statement counts from its arrival: late, restated and repeated statements, and missing years.

use serde_json::{Value, json};

use crate::golden::replay;
use crate::needs;

/// A time of July 2017.
const START: i64 = 1_500_000_000_000_000_000;

/// A statement of a company; its net income decides how sound it is.
fn statement(after: i64, period: i64, net_income: f64) -> String {
    json!({
        "ts_event": START + after, "obligor": "C1", "period": period,
        "items": {
            "current_assets": 50.0, "total_assets": 120.0, "total_liabilities": 60.0, "ebit": 9.0,
            "total_revenue": 100.0, "net_income": net_income, "market_value": 80.0,
        },
    })
    .to_string()
}

fn scores(lines: &[String]) -> Vec<(i64, f64, String)> {
    let score = |signal: &Value| {
        (
            signal["ts_event"]
                .as_i64()
                .expect("as the test or the command made it")
                - START,
            signal["score"]
                .as_f64()
                .expect("as the test or the command made it"),
            signal["quality"]
                .as_str()
                .expect("as the test or the command made it")
                .to_owned(),
        )
    };
    replay("default-alerts", &lines.join("\n"), &[])
        .iter()
        .map(score)
        .collect()
}

#[test]
fn a_late_year_counts_from_its_arrival() {
    if !needs::onnx("a_late_year_counts_from_its_arrival") {
        return;
    }
    let in_order: Vec<String> = (0..4)
        .map(|at| statement(at, 2010 + at, 5.0 - at as f64))
        .collect();
    let expected = scores(&in_order);
    assert_eq!(expected.len(), 1, "three years are too few");
    // 2011 comes last: nothing before, and then the same window.
    let mut late = in_order.clone();
    late.swap(1, 3);
    late[1] = statement(1, 2013, 2.0);
    late[3] = statement(9, 2011, 4.0);
    let given = scores(&late);
    assert_eq!(given.len(), 1);
    assert_eq!((given[0].0, given[0].1), (9, expected[0].1));
    assert_eq!(given[0].2, "ok");
}

#[test]
fn a_restated_year_is_scored_again_and_a_repeated_one_is_not() {
    if !needs::onnx("a_restated_year_is_scored_again_and_a_repeated_one_is_not") {
        return;
    }
    let mut lines: Vec<String> = (0..4).map(|at| statement(at, 2010 + at, 5.0)).collect();
    lines.push(statement(5, 2012, 5.0));
    lines.push(statement(6, 2012, -40.0));
    lines.push(statement(7, 2005, -40.0));
    let given = scores(&lines);
    let times: Vec<i64> = given.iter().map(|score| score.0).collect();
    assert_eq!(
        times,
        [3, 6],
        "a repeated and an old statement give no signal"
    );
    assert!(
        given[1].1 > given[0].1,
        "a loss raises the probability: {given:?}"
    );
}

#[test]
fn a_late_older_version_of_a_statement_changes_nothing() {
    if !needs::onnx("a_late_older_version_of_a_statement_changes_nothing") {
        return;
    }
    let years: Vec<String> = (2014..2018)
        .map(|year| statement(year * 10, year, 50.0))
        .collect();
    let restated = statement(99_000, 2017, -900.0);
    let older = statement(98_000, 2017, 500.0);
    let in_order = scores(&[&years[..], std::slice::from_ref(&restated)].concat());
    let late = scores(&[&years[..], &[restated, older]].concat());
    assert_eq!(in_order.len(), 2);
    assert_eq!(late, in_order);
}

#[test]
fn a_window_with_a_missing_year_has_the_quality_gap() {
    if !needs::onnx("a_window_with_a_missing_year_has_the_quality_gap") {
        return;
    }
    let years = [2010, 2011, 2013, 2014];
    let lines: Vec<String> = years
        .iter()
        .enumerate()
        .map(|(at, year)| statement(at as i64, *year, 5.0))
        .collect();
    assert_eq!(scores(&lines)[0].2, "gap");
}
