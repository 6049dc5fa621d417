//! Rules like a given one, with other thresholds.

use crate::alert::rule::{AlertCondition, AlertRule};

/// How many times the distance of a threshold from nothing is tried.
const FACTORS: [f64; 9] = [0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0];

/// Rules whose thresholds are multiples of those of a rule, each with its thresholds, the lowest first. Both
/// thresholds move together: those of a change by their distance from 1, which is no change.
pub(super) fn varied(rule: &AlertRule) -> Vec<(f64, f64, AlertRule)> {
    let rules = FACTORS.iter().filter_map(|factor| {
        let mut varied = rule.clone();
        let thresholds = match &mut varied.on {
            AlertCondition::Level(level) => {
                (level.enter, level.exit) =
                    (rounded(level.enter * factor), rounded(level.exit * factor));
                (level.enter, level.exit)
            }
            AlertCondition::Change(change) => {
                let moved = |ratio: f64| rounded(1.0 + (ratio - 1.0) * factor);
                change.enter_ratio = moved(change.enter_ratio);
                if change.exit_ratio > 1.0 {
                    change.exit_ratio = moved(change.exit_ratio);
                }
                (change.enter_ratio, change.exit_ratio)
            }
        };
        // A probability above 1 opens nothing.
        varied
            .check()
            .is_ok()
            .then_some((thresholds.0, thresholds.1, varied))
    });
    rules.collect()
}

/// Without the last digits of a product, which nobody wrote.
fn rounded(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::rule::{ChangeCondition, LevelCondition, SeverityThresholds};

    fn rule(on: AlertCondition) -> AlertRule {
        AlertRule {
            name: "rule".into(),
            on,
            severity: SeverityThresholds {
                warning: 0.1,
                critical: 0.2,
            },
            for_ms: 0,
            keep_firing_for_ms: 0,
        }
    }

    #[test]
    fn both_thresholds_move_and_stay_sound() {
        let level = LevelCondition {
            enter: 0.3,
            exit: 0.2,
        };
        let found = varied(&rule(AlertCondition::Level(level)));
        let thresholds: Vec<(f64, f64)> = found.iter().map(|one| (one.0, one.1)).collect();
        assert_eq!(thresholds[0], (0.03, 0.02));
        assert_eq!(thresholds[4], (0.3, 0.2), "its own");
        assert_eq!(thresholds.last(), Some(&(0.9, 0.6)), "5 times would be 1.5");
        let change = ChangeCondition {
            enter_ratio: 3.0,
            exit_ratio: 1.5,
            since_ms: 0,
            floor: 0.0005,
        };
        let found = varied(&rule(AlertCondition::Change(change)));
        assert_eq!((found[0].0, found[0].1), (1.2, 1.05));
        assert_eq!((found[8].0, found[8].1), (11.0, 3.5));
    }
}
