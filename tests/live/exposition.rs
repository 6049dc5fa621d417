//! The rules of Prometheus' text format 0.0.4 and of `promtool check metrics`, for what `/metrics` serves.

use std::collections::BTreeMap;

/// The value of each series, by name and labels.
pub(crate) type Series = BTreeMap<String, f64>;

/// Reads a page of metrics and checks it by the rules.
pub(crate) fn checked(text: &str) -> Series {
    let (mut helps, mut kinds, mut series) = (BTreeMap::new(), BTreeMap::new(), Series::new());
    assert!(text.ends_with('\n'), "the last line has an end");
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("help has a text");
            assert!(helps.insert(name, help).is_none(), "one help: {line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type has a name");
            assert!(kinds.insert(name, kind).is_none(), "one type: {line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(
                helps.contains_key(name),
                "help comes before the type: {line}"
            );
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(
                name.starts_with("foretick_") && name.chars().all(is_plain),
                "{line}"
            );
            for wrong in [
                "_ms",
                "_ns",
                "milli",
                "_us",
                "gauge",
                "counter",
                "histogram",
            ] {
                assert!(!name.contains(wrong), "{line}");
            }
        } else {
            assert!(!line.starts_with('#'), "no other comment: {line}");
            let (key, value) = line.rsplit_once(' ').expect("a series has a value");
            let value = value.parse().expect("a value is a number");
            let name = key.split('{').next().unwrap_or_default();
            let family = ["_bucket", "_sum", "_count"].into_iter();
            let family = family.filter_map(|ending| name.strip_suffix(ending));
            let mut family = family.filter(|family| kinds.get(family) == Some(&"histogram"));
            let family = family.next_back().unwrap_or(name);
            assert!(
                kinds.contains_key(family),
                "a type comes before its series: {line}"
            );
            assert!(
                series.insert(key.to_owned(), value).is_none(),
                "twice: {line}"
            );
        }
    }
    check_histograms(&series);
    series
}

/// Buckets rise with their bounds up to the count, which stands at `+Inf`.
fn check_histograms(series: &Series) {
    let mut histograms: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for (key, value) in series {
        let Some((before, rest)) = key.split_once("le=\"") else {
            continue;
        };
        let (bound, after) = rest.split_once('"').expect("a label ends");
        let bound = match bound {
            "+Inf" => f64::INFINITY,
            finite => finite.parse().expect("a bound is a number"),
        };
        assert!(bound.is_infinite() || bound.abs() < 1e300, "{key}");
        let name = before.replace("_bucket{", "_count{") + after;
        let name = name.replace(",}", "}").replace("{,", "{");
        histograms.entry(name).or_default().push((bound, *value));
    }
    assert!(!histograms.is_empty(), "there are histograms");
    for (count, mut buckets) in histograms {
        buckets.sort_by(|left, right| left.0.total_cmp(&right.0));
        assert!(
            buckets.is_sorted_by_key(|(_, value)| *value),
            "{count}: {buckets:?}"
        );
        let last = buckets.last().expect("there is one");
        assert_eq!(last.0, f64::INFINITY, "{count} ends at +Inf");
        let total = series.get(&count);
        assert_eq!(total, Some(&last.1), "{count} is the last bucket");
    }
}

/// Nothing that counts may fall, and no series may vanish, from one reading to the next; but those of
/// partitions, until a run that began again has them.
pub(crate) fn assert_rises(before: &Series, after: &Series) {
    for (key, value) in before {
        let later = after.get(key);
        let may_go = [
            "foretick_pipeline_info{",
            "foretick_source_lag_records{",
            "foretick_source_partitions{",
            "foretick_source_last_answer_timestamp_seconds{",
        ];
        let may_go = may_go.iter().any(|family| key.starts_with(family));
        assert!(later.is_some() || may_go, "{key} is gone");
        let counts = ["_total{", "_bucket{", "_count{"];
        if counts.iter().any(|ending| key.contains(ending)) {
            assert!(later >= Some(value), "{key} fell from {value} to {later:?}");
        }
    }
}
