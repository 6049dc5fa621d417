//! A report as a table, for people.

use std::fmt;

use super::{Report, Said};

const DAY_NS: i64 = 86_400_000_000_000;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, model {}", self.pipeline, &self.model_sha256[..12])?;
        write!(
            f,
            "{} rows judged, {} labels without a signal",
            self.figures.rows, self.unscored
        )?;
        for (count, what) in [
            (self.unknown_outcomes, "without an outcome, left out"),
            (self.missing_fields, "missing fields, imputed"),
            (self.undefined_scores, "undefined scores, no signal"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        write!(f, "\n\n")?;
        write!(f, "{:<18}{:>12}{:>24}", "", "model", "95 % of redraws")?;
        for name in self.baselines.keys() {
            write!(f, "{name:>12}")?;
        }
        writeln!(f)?;
        let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.4}"));
        for (at, (name, value)) in self.figures.named().into_iter().enumerate() {
            let within = self.figures.intervals.get(name);
            let within = within.map_or(String::new(), |i| format!("{:.4} to {:.4}", i.low, i.high));
            write!(f, "{name:<18}{:>12}{within:>24}", number(value))?;
            for figures in self.baselines.values() {
                write!(f, "{:>12}", number(figures.named()[at].1))?;
            }
            writeln!(f)?;
        }
        for Said { label, rows, rate } in &self.by_label {
            writeln!(f, "{label:<18}{rows:>12} rows{:>19}", number(*rate))?;
        }
        if let Some(alerts) = &self.alerts {
            writeln!(
                f,
                "\n{} episodes, {} right (precision {}); {} failures, {} warned of (recall {}), median lead {} days; \
                 {} flaps; {} episodes a year",
                alerts.episodes,
                alerts.right,
                number(alerts.precision),
                alerts.failures,
                alerts.warned,
                number(alerts.recall),
                alerts
                    .lead_ns_median
                    .map_or("-".into(), |ns| (ns / DAY_NS).to_string()),
                alerts.flaps,
                number(alerts.load_per_year),
            )?;
        }
        writeln!(f, "\nhappened \\ said")?;
        for row in &self.figures.confusion {
            let cells: Vec<String> = row.iter().map(|count| format!("{count:>10}")).collect();
            writeln!(f, "{}", cells.concat())?;
        }
        Ok(())
    }
}
