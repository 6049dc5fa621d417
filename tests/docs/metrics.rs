//! The reference page of metrics: each family as the running program serves it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::child::RunningProcess;
use crate::source::{Item, find, items};
use crate::{given, heading, holds};

const INTRODUCTION: &str = "\
Prometheus reads them from `http://127.0.0.1:9464/metrics` (`[metrics] listen` names another address). \
They are text of Prometheus' format 0.0.4. Every family has the label `pipeline`, the pipeline's name. \
Counters and histograms go on when a pipeline is restarted inside the process, and are there from the start. \
The three gauges of Kafka's partitions come once the brokers have answered, with the label `pipeline` too; a \
websocket has none of them.

| family | type | labels | unit | meaning |
| --- | --- | --- | --- | --- |
";

/// A pipeline that needs no model file, and whose exchange is not there.
const PIPELINE: &str = "\
name = \"reference\"

[source]
kind = \"websocket\"
instruments = [\"BTCUSDT.BINANCE\"]

[source.websocket]
url = \"ws://127.0.0.1:9\"
rest = \"http://127.0.0.1:9\"

[row]
on = \"trade\"

[[feature]]
name = \"price\"
kind = \"price\"

[model]
kind = \"sum\"

[metrics]
listen = \"127.0.0.1:0\"
";

#[derive(Default)]
struct Family {
    name: String,
    kind: String,
    help: String,
    labels: BTreeSet<String>,
    /// Values of the first label of its own, in the order of the page.
    values: Vec<String>,
}

#[test]
fn the_metrics_page_lists_every_family() {
    let folder = given::Folder::new("docs-metrics");
    let path = folder.write("pipeline.toml", PIPELINE);
    let served = served(&path.display().to_string());
    let families = families(&served);
    assert!(families.len() > 10, "{served}");
    let all = items("src");
    let mut text = heading("Metrics", "what a running `foretick` serves");
    text.push_str(INTRODUCTION);
    for family in &families {
        let labels: Vec<String> = family
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        let (name, help) = (&family.name, family.help.trim_end_matches('.'));
        let unit = unit(name);
        writeln!(
            text,
            "| `{name}` | {} | {} | {unit} | {help}. |",
            family.kind,
            labels.join(", ")
        )
        .expect("text takes text");
    }
    let of = |name: &str| {
        families
            .iter()
            .find(|family| family.name == name)
            .expect("the family is served")
    };
    text.push_str(FRAMES);
    text.push_str("\n## `kind` of `foretick_events_total`\n\n| kind | meaning |\n| --- | --- |\n");
    for kind in &of("foretick_events_total").values {
        let meaning = meaning(kind, &all);
        assert!(
            !meaning.is_empty(),
            "no counter of the engine explains the kind `{kind}`"
        );
        writeln!(text, "| `{kind}` | {meaning} |").expect("text takes text");
    }
    text.push_str(
        "\n## `kind` of `foretick_source_events_total`\n\n| kind | meaning |\n| --- | --- |\n",
    );
    let feed = find(&all, "FeedStatus", "derive").expect("a source has counters");
    for kind in &of("foretick_source_events_total").values {
        let field = feed
            .members
            .iter()
            .find(|field| field.name == format!("{kind}s"));
        let field = field.unwrap_or_else(|| panic!("no counter of the source explains `{kind}`"));
        writeln!(text, "| `{kind}` | {} |", field.text()).expect("text takes text");
    }
    for (label, family, words) in [
        ("reason", "foretick_connection_ends_total", "EndReason"),
        ("quality", "foretick_signals_total", "Quality"),
        (
            "reason",
            "foretick_dead_letters_refused_total",
            "RefusalReason",
        ),
    ] {
        write!(
            text,
            "\n## `{label}` of `{family}`\n\n| {label} | meaning |\n| --- | --- |\n"
        )
        .expect("text takes text");
        let words = find(&all, words, "derive").expect("the label has words");
        for word in &of(family).values {
            let mut variants = words.members.iter();
            let variant = variants.find(|variant| crate::source::snake(&variant.name) == *word);
            let variant = variant.unwrap_or_else(|| panic!("no {label} is called `{word}`"));
            writeln!(text, "| `{word}` | {} |", variant.text()).expect("text takes text");
        }
    }
    holds("metrics", &text);
}

const FRAMES: &str = "
## `fate` of `foretick_frames_total`

Each frame that was received has one fate: `used`, `conflated`, `dropped` or `dead_lettered`; those that \
have none yet are in flight. `reason` is set for `dropped` and `dead_lettered`: [Exit codes and \
reasons](errors.md) lists the reasons.

At every scrape, whatever the load, these sums over one pipeline are equal to the last frame:

```text
foretick_frames_received_total = foretick_frames_total + foretick_frames_in_flight
```

They are those of one moment, at or shortly before the scrape. Each side is counted where it happens and \
none is computed from the others: a difference is a lost frame, and a bug.

| `kind` of `foretick_frames_received_total` | meaning |
| --- | --- |
| `message` | A message or record of the source. |
| `copy` | One more of a message that several shards get. |
| `gap` | A gap that the source marks. |
| `tick` | A tick of the clock. |

| `stage` of `foretick_frames_in_flight` | where the frame is |
| --- | --- |
| `held` | At the source, because its ring is full or its turn has not come: quotes of a websocket, at most one an instrument; records of Kafka whose partition is paused. |
| `queued` | In the ring of a shard: at most `[engine] ring_frames` a shard. |
| `in_hand` | At a shard: at most `[engine] batch` and a tick. |
";

/// Runs a pipeline until its metrics answer; gives their text.
fn served(pipeline: &str) -> String {
    let mut running = RunningProcess::start(&["run", pipeline]);
    let address = running.wait_for("address of the metrics", |running| {
        let stderr = running.stderr();
        let line = stderr.lines().find(|line| line.contains("/metrics"))?;
        let plain: String = line
            .chars()
            .filter(|c| c.is_ascii_graphic() || *c == ' ')
            .collect();
        let at = plain.rfind("127.0.0.1:")?;
        Some(plain[at..].trim().to_owned())
    });
    // The model and the venues are shown once the pipeline runs.
    let text = running.wait_for("figures of a running pipeline", |_| {
        let text = metrics_of(&address);
        text.contains("foretick_pipeline_info{").then_some(text)
    });
    running.terminate();
    text
}

fn metrics_of(address: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the metrics listen");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a timeout is one");
    write!(
        stream,
        "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .expect("it takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

fn families(text: &str) -> Vec<Family> {
    let mut families: Vec<Family> = vec![];
    for line in text.lines() {
        if let Some((name, help)) = line
            .strip_prefix("# HELP ")
            .and_then(|rest| rest.split_once(' '))
        {
            families.push(Family {
                name: name.to_owned(),
                help: help.to_owned(),
                ..Family::default()
            });
            continue;
        }
        let Some(family) = families.last_mut() else {
            continue;
        };
        if let Some((_, kind)) = line
            .strip_prefix("# TYPE ")
            .and_then(|rest| rest.split_once(' '))
        {
            family.kind = kind.to_owned();
        } else if let Some((_, rest)) = line.split_once('{') {
            let labels = rest.rsplit_once('}').map_or("", |(labels, _)| labels);
            for label in labels.split("\",") {
                let Some((name, value)) = label.split_once("=\"") else {
                    continue;
                };
                if name == "le" {
                    continue;
                }
                family.labels.insert(name.to_owned());
                let value = value.trim_end_matches('"').to_owned();
                // Reasons of frames are listed on another page.
                let is_listed = name != "reason" || !family.name.contains("frames");
                if name != "pipeline" && is_listed && !family.values.contains(&value) {
                    family.values.push(value);
                }
            }
        }
    }
    families
}

fn unit(name: &str) -> &'static str {
    let name = name.trim_end_matches("_total");
    match name.rsplit('_').next() {
        Some("seconds") => "seconds",
        Some("bytes") => "bytes",
        Some("records") => "records",
        Some("threads") => "threads",
        Some("instruments") => "instruments",
        Some("info") => "1",
        Some("up" | "healthy" | "ready" | "failed") => "0 or 1",
        _ => "count",
    }
}

/// The doc comment of the counter behind a kind of event: `("trade", |r| r.events.counts.trades)` in the sources of
/// the metrics leads to the field `trades`.
fn meaning(kind: &str, all: &[Item]) -> String {
    let files = ["src/run/metrics/totals.rs", "src/run/metrics.rs"].map(given::repository);
    let sources: String = files.iter().flat_map(std::fs::read_to_string).collect();
    let Some((_, rest)) = sources.split_once(&format!("(\"{kind}\", |")) else {
        return String::new();
    };
    let path = rest.split_once(')').map_or("", |(path, _)| path);
    let field = path.rsplit('.').next().unwrap_or_default().trim();
    let counts = |item: &&Item| {
        let wing = item.file.starts_with("src/engine/") || item.file.starts_with("src/run/");
        wing && item.name.ends_with("Counts")
    };
    let mut fields = all.iter().filter(counts).flat_map(|item| &item.members);
    let text = fields
        .find(|member| member.name == field)
        .map(crate::source::Member::text)
        .unwrap_or_default();
    // A reference to the code means nothing on the page.
    match text.split_once(": see `") {
        Some((meaning, _)) => format!("{meaning}."),
        None => text,
    }
}
