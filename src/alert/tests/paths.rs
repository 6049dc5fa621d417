//! Random sequences of steps: restarts, ticks and repeated observations publish nothing new, and published
//! alerts follow the states of an episode.

use proptest::prelude::*;

use super::*;

/// A step of a random sequence.
#[derive(Clone, Debug)]
enum Step {
    Observe { firm: usize, days: i64, pd: f64 },
    Tick { days: i64 },
    Acknowledge { firm: usize, rule: usize },
    Silence { firm: usize, rule: usize, days: i64 },
}

const FIRMS: [&str; 2] = ["ACME/DE", "Zeta"];
const RULES: [&str; 3] = ["level", "slow", "change"];

fn rules() -> Vec<AlertRule> {
    let slow = AlertRule {
        name: "slow".into(),
        ..level(3, 4)
    };
    let rules = vec![level(0, 2), slow, change(5)];
    assert!(
        rules
            .iter()
            .zip(RULES)
            .all(|(rule, name)| rule.name == name)
    );
    rules
}

fn observed() -> impl Strategy<Value = Step> {
    // Numbers that need all their digits, on all sides of the thresholds.
    let pd = (0_u32..400).prop_map(|tenth| f64::from(tenth).powi(2) / 3e5);
    (0_usize..2, -1_i64..4, pd).prop_map(|(firm, days, pd)| Step::Observe { firm, days, pd })
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => observed(),
        2 => (0_i64..9).prop_map(|days| Step::Tick { days }),
        1 => (0_usize..2, 0_usize..3).prop_map(|(firm, rule)| Step::Acknowledge { firm, rule }),
        1 => (0_usize..2, 0_usize..3, -2_i64..15)
            .prop_map(|(firm, rule, days)| Step::Silence { firm, rule, days }),
    ]
}

/// Executes a step at day `now`, which it advances.
fn take(alerts: &mut Alerts, step: &Step, now: &mut i64) -> Vec<Alert> {
    match *step {
        Step::Observe { firm, days, pd } => {
            *now += days;
            alerts.observe(FIRMS[firm], day(*now), pd)
        }
        Step::Tick { days } => {
            *now += days;
            alerts.tick(day(*now))
        }
        Step::Acknowledge { firm, rule } => {
            let (obligor, rule) = (FIRMS[firm], RULES[rule]);
            alerts.acknowledge(AlertTarget::Rule { obligor, rule });
            vec![]
        }
        Step::Silence { firm, rule, days } => {
            let (obligor, rule) = (FIRMS[firm], RULES[rule]);
            alerts.silence(AlertTarget::Rule { obligor, rule }, day(*now + days));
            vec![]
        }
    }
}

fn stored_state(alerts: &Alerts) -> String {
    serde_json::to_string(alerts.snapshot()).expect("a snapshot is plain data")
}

fn restored(stored: &str) -> Alerts {
    let snapshot = serde_json::from_str(stored).expect("a snapshot reads what it wrote");
    Alerts::restore(rules(), snapshot).expect("the rules fit")
}

/// Alerts by obligor and rule: ticks may reorder alerts of different obligors and rules.
fn by_key(news: Vec<Alert>) -> BTreeMap<(String, String), Vec<Alert>> {
    let mut keys = BTreeMap::<_, Vec<Alert>>::new();
    for alert in news {
        let key = (alert.obligor.clone(), alert.rule.clone());
        keys.entry(key).or_default().push(alert);
    }
    keys
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 256 }))]

    #[test]
    fn a_restart_changes_no_later_alert(steps in prop::collection::vec(any_step(), 1..80)) {
        let mut whole = alerts(&rules());
        let mut stored = stored_state(&whole);
        let (mut now, mut again) = (100, 100);
        for step in &steps {
            let mut restarted = restored(&stored);
            let news = take(&mut restarted, step, &mut again);
            prop_assert_eq!(news, take(&mut whole, step, &mut now));
            prop_assert_eq!(restarted.counts(), whole.counts());
            stored = stored_state(&restarted);
            let read = restored(&stored);
            prop_assert_eq!(read.snapshot(), restarted.snapshot());
        }
    }

    #[test]
    fn a_repeated_observation_publishes_nothing(steps in prop::collection::vec(any_step(), 1..80)) {
        let mut alerts = alerts(&rules());
        let mut now = 100;
        for step in &steps {
            take(&mut alerts, step, &mut now);
            if let Step::Observe { firm, pd, .. } = *step {
                prop_assert_eq!(alerts.observe(FIRMS[firm], day(now), pd), []);
            }
        }
    }

    #[test]
    fn ticks_change_when_alerts_are_published_but_not_which(
        steps in prop::collection::vec((observed(), prop::collection::vec(0_i64..3, 0..3)), 1..60),
    ) {
        let (mut ticked, mut silent) = (alerts(&rules()), alerts(&rules()));
        let (mut some, mut others, mut now) = (vec![], vec![], 100);
        for (step, ticks) in &steps {
            for days in ticks {
                now += days;
                // Ticks come between the observations: one at a time says that nothing of it is to come.
                some.extend(ticked.tick(Nanos(day(now).0 + day(1).0 / 2)));
            }
            // In order of time: an observation older than a tick would take the time of the tick.
            now += 1;
            if let Step::Observe { firm, days, pd } = *step {
                now += days.max(0);
                some.extend(ticked.observe(FIRMS[firm], day(now), pd));
                others.extend(silent.observe(FIRMS[firm], day(now), pd));
            }
        }
        some.extend(ticked.tick(day(now)));
        others.extend(silent.tick(day(now)));
        prop_assert_eq!(by_key(some), by_key(others));
    }

    #[test]
    fn published_alerts_follow_the_states_of_an_episode(steps in prop::collection::vec(any_step(), 1..120)) {
        let mut alerts = alerts(&rules());
        let (mut news, mut now) = (vec![], 100);
        for step in &steps {
            news.extend(take(&mut alerts, step, &mut now));
        }
        for events in by_key(news).into_values() {
            prop_assert!(events.iter().map(|event| event.sequence).eq(1..=events.len() as u64));
            for pair in events.windows(2) {
                let (a, b) = (&pair[0], &pair[1]);
                prop_assert!(a.since <= a.ts_event);
                if a.state == AlertState::Resolved {
                    prop_assert!(a.episode < b.episode && b.state != AlertState::Resolved);
                    continue;
                }
                prop_assert_eq!(a.episode, b.episode);
                let worse = a.severity < b.severity;
                let goes_on = match (a.state, b.state) {
                    (AlertState::Firing, AlertState::Firing) => worse,
                    (AlertState::Firing | AlertState::Pending, AlertState::Pending) => false,
                    _ => true,
                };
                prop_assert!(goes_on, "{:?} then {:?}", a, b);
            }
        }
    }
}
