//! Prometheus' text format, version 0.0.4, which every scraper reads and `promtool check metrics` checks.

/// What it is called in HTTP.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The same metrics as in OpenMetrics text: there, the name of a family of counters lacks the ending of its
/// series, and the text ends with a mark.
pub(super) fn text_format(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    // Help comes before the type, which says whether it is of a counter.
    let mut help = None;
    for line in open_metrics.lines() {
        if line == "# EOF" {
            continue;
        }
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
            continue;
        }
        let Some(rest) = line.strip_prefix("# TYPE ") else {
            text.push_str(line);
            text.push('\n');
            continue;
        };
        let (name, kind) = rest.split_once(' ').unwrap_or((rest, "untyped"));
        let ending = if kind == "counter" { "_total" } else { "" };
        if let Some((_, help)) = help.take() {
            text.push_str(&format!("# HELP {name}{ending} {help}\n"));
        }
        text.push_str(&format!("# TYPE {name}{ending} {kind}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_called_as_their_series() {
        let open_metrics = "\
# HELP frames Frames by fate.
# TYPE frames counter
frames_total{fate=\"used\"} 7
# HELP up Whether it runs.
# TYPE up gauge
up 1
# EOF
";
        let expected = "\
# HELP frames_total Frames by fate.
# TYPE frames_total counter
frames_total{fate=\"used\"} 7
# HELP up Whether it runs.
# TYPE up gauge
up 1
";
        assert_eq!(text_format(open_metrics), expected);
    }
}
