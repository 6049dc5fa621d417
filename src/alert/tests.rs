//! Episodes by named cases; `paths` checks what holds for every sequence of observations.

mod changes;
mod paths;
mod silences;

use serde_json::Value;

use super::rule::{AlertCondition, ChangeCondition, LevelCondition};
use super::*;
use crate::command::evaluate::alerts::{Failure, TrackRecord, TrackedPeriod, episodes, track};

const DAY_MS: u64 = 86_400_000;
const FIRM: &str = "ACME/DE";

fn day(day: i64) -> Nanos {
    Nanos::from_millis(day * DAY_MS as i64)
}

/// Fires at a PD of 5 %, resolves below 3 %; a warning from 10 %, critical from 20 %.
fn level(for_days: u64, keep_days: u64) -> AlertRule {
    let text = format!(
        "name = \"level\"\non.level = {{ enter = 0.05, exit = 0.03 }}\n\
         severity = {{ warning = 0.1, critical = 0.2 }}\n\
         for_ms = {}\nkeep_firing_for_ms = {}",
        for_days * DAY_MS,
        keep_days * DAY_MS
    );
    toml::from_str(&text).unwrap()
}

/// Fires at twice the earlier PD, resolves below one and a half times that PD.
fn change(since_days: u64) -> AlertRule {
    let text = format!(
        "name = \"change\"\non.change = {{ enter_ratio = 2, exit_ratio = 1.5, since_ms = {} }}\n\
         severity = {{ warning = 0.1, critical = 0.2 }}",
        since_days * DAY_MS
    );
    toml::from_str(&text).unwrap()
}

fn alerts(rules: &[AlertRule]) -> Alerts {
    Alerts::new(rules.to_vec()).unwrap()
}

/// Alerts as text: day, episode, state and severity.
fn words(news: &[Alert]) -> Vec<String> {
    let one = |alert: &Alert| {
        let day = alert.ts_event.0 / day(1).0;
        let word = |value: Value| value.as_str().unwrap().to_owned();
        let state = word(serde_json::to_value(alert.state).unwrap());
        let severity = word(serde_json::to_value(alert.severity).unwrap());
        format!("{day} #{} {state} {severity}", alert.episode)
    };
    news.iter().map(one).collect()
}

/// The alerts that observations, in percent by day, publish until the last day.
fn published(rule: AlertRule, path: &[(i64, f64)], until: i64) -> Vec<String> {
    let mut alerts = alerts(&[rule]);
    let mut news = vec![];
    for (at, percent) in path {
        news.extend(alerts.observe(FIRM, day(*at), percent / 100.0));
    }
    news.extend(alerts.tick(day(until)));
    words(&news)
}

/// Its name, the rule, PDs in percent by day, and what is published.
type Case<'a> = (&'a str, AlertRule, &'a [(i64, f64)], &'a [&'a str]);

#[test]
fn episodes_follow_the_rules_of_prometheus() {
    let cases: &[Case<'_>] = &[
        (
            "at once",
            level(0, 0),
            &[(1, 5.0), (9, 2.9)],
            &["1 #1 firing info", "9 #1 resolved info"],
        ),
        (
            "hysteresis: between both thresholds it stays what it is",
            level(0, 0),
            &[(1, 4.9), (2, 5.0), (3, 3.0), (4, 4.9), (5, 2.9), (6, 4.9)],
            &["2 #1 firing info", "5 #1 resolved info"],
        ),
        (
            "a repeat publishes nothing",
            level(0, 0),
            &[(1, 6.0), (2, 7.0), (3, 6.0)],
            &["1 #1 firing info"],
        ),
        (
            "each crossing of both is an episode",
            level(0, 0),
            &[(1, 6.0), (2, 2.0), (3, 6.0), (4, 2.0)],
            &[
                "1 #1 firing info",
                "2 #1 resolved info",
                "3 #2 firing info",
                "4 #2 resolved info",
            ],
        ),
        (
            "flapping: one episode where it is kept firing",
            level(0, 5),
            &[(1, 6.0), (2, 2.0), (3, 6.0), (4, 2.0), (8, 4.0), (10, 2.0)],
            &["1 #1 firing info", "15 #1 resolved info"],
        ),
        (
            "for: fires when it has held so long",
            level(7, 0),
            &[(1, 6.0), (5, 12.0)],
            &["1 #1 pending info", "8 #1 firing warning"],
        ),
        (
            "for: what holds less long never fires",
            level(7, 0),
            &[(1, 6.0), (5, 4.0), (6, 6.0)],
            &[
                "1 #1 pending info",
                "5 #1 resolved info",
                "6 #2 pending info",
                "13 #2 firing info",
            ],
        ),
        (
            "for: what ends at the very moment at which it is due does not fire",
            level(7, 0),
            &[(1, 6.0), (8, 1.0)],
            &["1 #1 pending info", "8 #1 resolved info"],
        ),
        (
            "escalation: each rise within an episode once",
            level(0, 0),
            &[
                (1, 6.0),
                (2, 11.0),
                (3, 6.0),
                (4, 11.0),
                (5, 25.0),
                (6, 1.0),
                (7, 6.0),
            ],
            &[
                "1 #1 firing info",
                "2 #1 firing warning",
                "5 #1 firing critical",
                "6 #1 resolved critical",
                "7 #2 firing info",
            ],
        ),
        (
            "change to the last one",
            change(0),
            &[(1, 1.0), (2, 1.9), (3, 3.8), (4, 5.8), (5, 8.0)],
            &["3 #1 firing info", "5 #1 resolved info"],
        ),
        (
            "change: what is over by the same PD is no worse for it",
            change(0),
            &[(1, 5.0), (2, 15.0), (3, 21.0)],
            &["2 #1 firing warning", "3 #1 resolved warning"],
        ),
        (
            "change: the same day restated is compared with the day before",
            change(0),
            &[(1, 1.0), (2, 1.1), (2, 2.0), (2, 2.0)],
            &["2 #1 firing info"],
        ),
        (
            "change in ten days: nothing without one so old, over when it is the new level",
            change(10),
            &[(1, 1.0), (5, 4.0), (11, 4.0), (15, 4.0)],
            &["11 #1 firing info", "15 #1 resolved info"],
        ),
        (
            "keep firing: what holds again at the very moment goes on",
            level(0, 5),
            &[(1, 6.0), (2, 2.0), (7, 6.0), (9, 2.0)],
            &["1 #1 firing info", "14 #1 resolved info"],
        ),
        (
            "change in ten days: begins and ends between two observations",
            change(10),
            &[(1, 1.0), (5, 4.0), (40, 4.0)],
            &["11 #1 firing info", "15 #1 resolved info"],
        ),
        (
            "change in seven years: the PD of exactly that long before counts, however soon it was put right",
            change(2_560),
            &[(1, 1.0), (2, 4.0), (3_000, 4.0)],
            &["2561 #1 firing info", "2562 #1 resolved info"],
        ),
        (
            "change: from nothing to very little is none",
            change(0),
            &[(1, 0.0), (2, 0.05), (3, 0.1)],
            &["3 #1 firing info"],
        ),
        (
            "late: an older observation is ignored",
            level(0, 0),
            &[(5, 6.0), (4, 1.0), (5, 6.0)],
            &["5 #1 firing info"],
        ),
    ];
    for (name, rule, path, expected) in cases {
        assert_eq!(published(rule.clone(), path, 100), *expected, "{name}");
    }
}

#[test]
fn a_firing_alert_has_every_field() {
    let mut alerts = alerts(&[level(7, 0)]);
    let pending = alerts.observe(FIRM, day(1), 0.25);
    let firing = alerts.tick(day(30));
    assert_eq!(pending[0].dedup_key(), "ACME/DE/level/1");
    let expected = Alert {
        obligor: FIRM.into(),
        rule: "level".into(),
        episode: 1,
        sequence: 2,
        state: AlertState::Firing,
        severity: Severity::Critical,
        pd: 0.25,
        ts_event: day(8),
        since: day(1),
        fired: Some(day(8)),
        acknowledged: false,
        rule_removed: false,
    };
    assert_eq!(firing, [expected]);
}

#[test]
fn an_observation_older_than_a_tick_takes_the_time_of_the_tick() {
    let mut alerts = alerts(&[level(0, 0)]);
    assert_eq!(alerts.tick(day(9)), []);
    assert_eq!(
        words(&alerts.observe(FIRM, day(3), 0.06)),
        ["9 #1 firing info"]
    );
    assert_eq!(alerts.observe(FIRM, day(2), 0.01), []);
    assert_eq!(alerts.observe(FIRM, day(10), f64::NAN), []);
    assert_eq!(alerts.observe(FIRM, day(10), 1.5), []);
    let counts = AlertCounts {
        late: 1,
        refused: 2,
        silenced: 0,
        untrusted: 0,
    };
    assert_eq!(alerts.counts(), counts);
}

#[test]
fn a_tick_publishes_due_alerts_of_all_obligors_in_order_of_time() {
    let mut alerts = alerts(&[level(7, 0)]);
    for (obligor, at) in [("a", 3), ("b", 1), ("c", 2)] {
        assert_eq!(alerts.observe(obligor, day(at), 0.06).len(), 1);
    }
    assert_eq!(alerts.tick(day(7)), []);
    let news = alerts.tick(day(9));
    let who: Vec<&str> = news.iter().map(|alert| &*alert.obligor).collect();
    assert_eq!(who, ["b", "c"]);
    assert_eq!(words(&alerts.tick(day(10))), ["10 #1 firing info"]);
}

#[test]
fn an_acknowledged_alert_is_published_again_only_when_critical() {
    let mut alerts = alerts(&[level(0, 0)]);
    let rule = AlertTarget::Rule {
        obligor: FIRM,
        rule: "level",
    };
    assert!(!alerts.acknowledge(rule), "nothing is open");
    let first = alerts.observe(FIRM, day(1), 0.06);
    assert!(!alerts.acknowledge(AlertTarget::Episode("ACME/DE/level/2")));
    assert!(!alerts.acknowledge(AlertTarget::Episode("level")));
    assert!(alerts.acknowledge(AlertTarget::Episode(&first[0].dedup_key())));
    assert_eq!(alerts.observe(FIRM, day(2), 0.15), []);
    let worst = alerts.observe(FIRM, day(3), 0.3);
    assert_eq!(words(&worst), ["3 #1 firing critical"]);
    assert!(worst[0].acknowledged);
    let over = alerts.observe(FIRM, day(4), 0.01);
    assert_eq!(
        (words(&over), over[0].sequence),
        (vec!["4 #1 resolved critical".into()], 3)
    );
    let next = alerts.observe(FIRM, day(5), 0.15);
    assert!(!next[0].acknowledged, "another episode was acknowledged");
}

#[test]
fn the_error_names_the_wrong_key() {
    let with = |set: fn(&mut AlertRule)| {
        let mut rule = level(0, 0);
        set(&mut rule);
        rule.check().unwrap_err()
    };
    let cases: [(&str, String); 8] = [
        ("`name`", with(|rule| rule.name = "PD/level".into())),
        (
            "`enter`",
            with(|rule| {
                rule.on = AlertCondition::Level(LevelCondition {
                    enter: 5.0,
                    exit: 3.0,
                })
            }),
        ),
        (
            "`exit`",
            with(|rule| {
                rule.on = AlertCondition::Level(LevelCondition {
                    enter: 0.05,
                    exit: 0.05,
                })
            }),
        ),
        (
            "`exit`",
            with(|rule| {
                rule.on = AlertCondition::Level(LevelCondition {
                    enter: 0.05,
                    exit: 0.0,
                })
            }),
        ),
        (
            "`enter_ratio`",
            with(|rule| rule.on = AlertCondition::Change(ratio(1.0, 0.5, 0.01))),
        ),
        (
            "`exit_ratio`",
            with(|rule| rule.on = AlertCondition::Change(ratio(2.0, f64::NAN, 0.01))),
        ),
        (
            "`floor`",
            with(|rule| rule.on = AlertCondition::Change(ratio(2.0, 1.5, 0.0))),
        ),
        (
            "`severity.warning`",
            with(|rule| rule.severity.warning = 0.3),
        ),
    ];
    for (key, sentence) in cases {
        assert!(sentence.contains(key), "{key} in: {sentence}");
        assert!(sentence.starts_with("alert \""), "{sentence}");
    }
    let twice = Alerts::new(vec![level(0, 0), level(1, 1)]).unwrap_err();
    assert!(twice.contains("`name` \"level\""), "{twice}");
    let unknown = toml::from_str::<AlertRule>(
        "name = \"a\"\non.level = { enter = 0.05, exit = 0.03, exits = 1 }\n\
         severity = { warning = 0.1, critical = 0.2 }",
    );
    assert!(unknown.unwrap_err().to_string().contains("exits"));
}

fn ratio(enter_ratio: f64, exit_ratio: f64, floor: f64) -> ChangeCondition {
    ChangeCondition {
        enter_ratio,
        exit_ratio,
        since_ms: 0,
        floor,
    }
}

#[test]
fn a_track_record_has_precision_recall_lead_time_and_flaps() {
    let mut alerts = alerts(&[level(0, 0)]);
    let mut news = vec![];
    for (obligor, at, pd) in [
        ("warned in time", 10, 0.06),
        ("warned in time", 20, 0.01),
        ("warned in time", 30, 0.06), // a flap
        ("never firing", 10, 0.04),
        ("false alarm", 40, 0.06),
        ("false alarm", 50, 0.01),
        ("false alarm", 1000, 0.06), // no flap, and undecided
        ("long warned", 5, 0.06),    // fires until it fails, beyond the horizon
    ] {
        news.extend(alerts.observe(obligor, day(at), pd));
    }
    let failed = |obligor: &str, at| Failure {
        obligor: obligor.into(),
        ts: day(at),
    };
    let failures = [
        failed("warned in time", 110),
        failed("never firing", 110),
        failed("long warned", 705),
        failed("never firing", 9999), // after all that is known
    ];
    let period = TrackedPeriod {
        from: day(0),
        to: Nanos(day(1).0 / 4 * 4383), // three years
        horizon_ns: day(365).0,
    };
    let record = track(&episodes(&news), &failures, period);
    let expected = TrackRecord {
        episodes: 5,
        right: 3,
        undecided: 1,
        failures: 3,
        warned: 2,
        precision: Some(0.75),
        recall: Some(2.0 / 3.0),
        lead_ns_median: Some(day(400).0),
        flaps: 1,
        load_per_year: Some(5.0 / 3.0),
    };
    assert_eq!(record, expected);
    let nothing = track(
        &[],
        &[],
        TrackedPeriod {
            to: day(0),
            ..period
        },
    );
    assert_eq!(nothing, TrackRecord::default());
}

#[test]
fn an_episode_that_never_fired_is_not_in_the_track_record() {
    let mut alerts = alerts(&[level(7, 0)]);
    let mut news = alerts.observe(FIRM, day(1), 0.06);
    news.extend(alerts.observe(FIRM, day(2), 0.01));
    assert_eq!((news.len(), episodes(&news)), (2, vec![]));
}

#[test]
fn the_seed_of_the_fuzz_target_is_a_state() {
    let seed = include_str!("../../tests/fuzz/seeds/alert_state/one");
    let snapshot: AlertsSnapshot = serde_json::from_str(seed).unwrap();
    assert_eq!(snapshot.states["A"].len(), 1);
}
