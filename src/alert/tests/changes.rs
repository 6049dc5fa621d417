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
