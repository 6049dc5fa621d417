//! Rules on the change, and rules that are gone.

use super::*;

#[test]
fn a_rule_on_the_change_is_judged_at_ticks() {
    let mut alerts = alerts(&[change(365)]);
    assert_eq!(alerts.observe(FIRM, day(0), 0.01), []);
    assert_eq!(alerts.observe(FIRM, day(360), 0.04), []);
    assert_eq!(alerts.tick(day(364)), []);
    assert_eq!(words(&alerts.tick(day(365))), ["365 #1 firing info"]);
    assert_eq!(alerts.tick(day(500)), []);
    assert_eq!(alerts.observe(FIRM, day(724), 0.04), []);
    assert_eq!(words(&alerts.tick(day(800))), ["725 #1 resolved info"]);
}

#[test]
fn a_restatement_is_no_new_period() {
    let mut alerts = alerts(&[change(0)]);
    let mut observe = |at, period, percent: f64| {
        words(&alerts.observe_period(FIRM, day(at), Some(period), percent / 100.0))
    };
    assert_eq!(observe(1, 2010, 1.0), [""; 0]);
    assert_eq!(
        observe(20, 2010, 4.0),
        [""; 0],
        "restated: there is no year before"
    );
    assert_eq!(observe(366, 2011, 9.0), ["366 #1 firing info"]);
    assert_eq!(
        observe(400, 2011, 9.5),
        [""; 0],
        "it is still twice that of 2010"
    );
    assert_eq!(
        observe(410, 2011, 5.0),
        ["410 #1 resolved info"],
        "restated to less"
    );
    assert_eq!(
        observe(731, 2012, 10.5),
        ["731 #2 firing warning"],
        "twice the restated 5 %"
    );
}

#[test]
fn alerts_of_a_removed_rule_are_resolved() {
    let mut before = alerts(&[level(0, 0), change(0)]);
    assert_eq!(before.observe(FIRM, day(1), 0.06).len(), 1);
    let mut after = Alerts::restore(vec![change(0)], before.snapshot().clone()).unwrap();
    let told = after.resolve_removed();
    assert_eq!(words(&told), ["1 #1 resolved info"]);
    assert!(told[0].rule_removed, "told as such");
    assert_eq!(after.resolve_removed(), []);
    assert_eq!(after.tick(day(3)), []);
    // A rule that comes back goes on counting.
    let mut again = Alerts::restore(vec![level(0, 0)], after.snapshot().clone()).unwrap();
    let fired = again.observe(FIRM, day(4), 0.07);
    assert_eq!((fired[0].episode, fired[0].sequence), (2, 3));
}

/// Fires at day 365, when the PD of day 0 is the one of a year before, and no longer at day 366.
#[test]
fn the_pd_of_before_is_exactly_that_long_ago() {
    let path = [(0, 1.0), (1, 4.0)];
    assert_eq!(
        published(change(365), &path, 400),
        ["365 #1 firing info", "366 #1 resolved info"]
    );
}

#[test]
fn of_very_many_pds_one_nearly_that_long_ago_is_compared_with() {
    let mut alerts = alerts(&[change(365)]);
    let hour = |hour: i64| Nanos::from_millis(hour * DAY_MS as i64 / 24);
    let mut fired = vec![];
    for at in 0..24 * 420 {
        // It rises by a third within a month, and then twice.
        let pd = match at / 24 {
            ..30 => 0.01 + f64::from(at as i32) * 1e-8,
            30..370 => 0.014 + f64::from(at as i32) * 1e-8,
            _ => 0.029,
        };
        fired.extend(alerts.observe(FIRM, hour(at), pd));
    }
    let days = words(&fired);
    assert_eq!(days[0], "370 #1 firing info");
    // The PD of day 30 is one of a year ago from day 395 on: 0.029 / 0.0142 is still above 2.
    assert_eq!(days.len(), 1, "{days:?}");
    let stored = serde_json::to_value(alerts.snapshot()).unwrap();
    let kept = stored["keys"][FIRM]["change"]["past"].as_array().unwrap();
    // One an hour would be over 7,000.
    assert!(kept.len() < 1_500, "{}", kept.len());
}

#[test]
fn two_periods_may_be_published_at_one_time() {
    let mut alerts = alerts(&[change(0)]);
    let mut observe = |at, period, percent: f64| {
        words(&alerts.observe_period(FIRM, day(at), Some(period), percent / 100.0))
    };
    assert_eq!(observe(1, 2009, 1.0), [""; 0]);
    assert_eq!(observe(9, 2010, 3.0), ["9 #1 firing info"]);
    assert_eq!(
        observe(9, 2011, 4.0),
        ["9 #1 resolved info"],
        "it is compared with 2010"
    );
}

#[test]
fn a_state_without_the_pd_of_its_episode_is_refused() {
    let mut before = alerts(&[level(0, 0)]);
    before.observe(FIRM, day(1), 0.06);
    let mut stored = serde_json::to_value(before.snapshot()).unwrap();
    stored["keys"][FIRM]["level"]["last"] = Value::Null;
    let snapshot: AlertsSnapshot = serde_json::from_value(stored).unwrap();
    for rules in [vec![], vec![level(0, 0)]] {
        let error = Alerts::restore(rules, snapshot.clone()).unwrap_err();
        assert!(error.contains(FIRM) && error.contains("`level`"), "{error}");
    }
}
