//! What a silence keeps back, and what its end tells.

use super::*;

const OURS: AlertTarget<'_> = AlertTarget::Rule {
    obligor: FIRM,
    rule: "level",
};

#[test]
fn an_episode_that_ends_within_a_silence_is_never_published() {
    let mut alerts = alerts(&[level(0, 0)]);
    assert!(
        alerts.silence(OURS, day(10)),
        "before anything was observed"
    );
    for (at, pd) in [(1, 0.06), (2, 0.15), (3, 0.01), (4, 0.06), (5, 0.01)] {
        assert_eq!(alerts.observe(FIRM, day(at), pd), []);
    }
    assert_eq!(alerts.tick(day(11)), []);
    assert_eq!(alerts.counts().silenced, 5);
    let next = alerts.observe(FIRM, day(12), 0.06);
    assert_eq!(
        (words(&next), next[0].sequence),
        (vec!["12 #3 firing info".into()], 1)
    );
}

#[test]
fn open_episodes_are_published_when_a_silence_ends() {
    let mut alerts = alerts(&[level(0, 0)]);
    let key = alerts.observe(FIRM, day(1), 0.06)[0].dedup_key();
    assert!(alerts.silence(AlertTarget::Episode(&key), day(10)));
    for (at, pd) in [(2, 0.15), (3, 0.01), (4, 0.25)] {
        assert_eq!(alerts.observe(FIRM, day(at), pd), []);
    }
    let news = alerts.tick(day(20));
    assert_eq!(
        words(&news),
        ["3 #1 resolved warning", "10 #2 firing critical"]
    );
    assert_eq!([news[0].sequence, news[1].sequence], [2, 3]);
    assert_eq!([news[0].pd, news[1].pd], [0.01, 0.25]);
    assert_eq!(news[1].since, day(4));
}

#[test]
fn an_alert_published_before_a_silence_is_not_repeated_after_it() {
    let mut alerts = alerts(&[level(0, 0)]);
    assert_eq!(alerts.observe(FIRM, day(1), 0.06).len(), 1);
    assert!(alerts.silence(OURS, day(10)));
    assert_eq!(alerts.observe(FIRM, day(2), 0.07), []);
    assert_eq!(alerts.tick(day(10)), []);
    assert!(
        alerts.silence(OURS, day(20)) && alerts.silence(OURS, day(0)),
        "ended early"
    );
    assert_eq!(
        words(&alerts.observe(FIRM, day(11), 0.15)),
        ["11 #1 firing warning"]
    );
    let unknown = AlertTarget::Rule {
        obligor: FIRM,
        rule: "other",
    };
    assert!(!alerts.silence(unknown, day(30)));
}

#[test]
fn a_removed_rule_resolves_silenced_episodes_that_were_published() {
    let mut before = alerts(&[level(0, 0)]);
    assert_eq!(before.observe(FIRM, day(1), 0.06).len(), 1);
    assert!(before.silence(OURS, day(90)));
    assert_eq!(before.observe(FIRM, day(2), 0.3), []);
    assert_eq!(before.observe("other", day(3), 0.01), []);
    let unheard = AlertTarget::Rule {
        obligor: "unheard",
        rule: "level",
    };
    assert!(before.silence(unheard, day(90)));
    assert_eq!(before.observe("unheard", day(3), 0.06), []);
    let mut after = Alerts::restore(vec![], before.snapshot().clone()).unwrap();
    let told = after.resolve_removed();
    assert_eq!(words(&told), ["2 #1 resolved critical"]);
    assert_eq!(told[0].obligor, FIRM);
}
