//! The state of alerts, as a file that was damaged or written by somebody else, and what follows on it.
#![no_main]

use foretick::alert::rule::AlertRule;
use foretick::alert::{Alerts, AlertsSnapshot};
use foretick::units::Nanos;
use foretick_fuzz::pipeline;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static RULES: Vec<AlertRule> = pipeline("pipelines/default-alerts", &[]).file.alerts.clone();
}

fuzz_target!(|data: &[u8]| RULES.with(|rules| {
    let Ok(snapshot) = serde_json::from_slice::<AlertsSnapshot>(data) else {
        return;
    };
    if let Ok(mut alerts) = Alerts::restore(vec![], snapshot.clone()) {
        alerts.resolve_removed();
    }
    if let Ok(mut alerts) = Alerts::restore(rules.clone(), snapshot) {
        let day = |number: i64| Nanos(1_790_000_000_000_000_000 + number * 86_400_000_000_000);
        for (number, pd) in [(0, 0.001), (1, 0.2), (400, 0.01), (401, 0.9)] {
            alerts.observe("A", day(number), pd);
            alerts.tick(day(number + 1));
        }
    }
}));
