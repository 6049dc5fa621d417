//! The account of frames in `/metrics`: what came in has a fate or is in flight, at every scrape.

use std::path::Path;

use super::child::RunningProcess;
use super::flood::{Flood, SYMBOLS};
use super::kafka::between;
use super::scraper::{Scraper, metrics_address};
use super::topics::Topics;
use crate::given::{self, Folder};
use crate::needs;

/// Runs a pipeline with these settings, and metrics somewhere.
pub(crate) fn start(pipeline: &Path, set: &[String]) -> RunningProcess {
    let mut args = vec!["run".to_owned(), pipeline.display().to_string()];
    let own = ["metrics.listen=127.0.0.1:0".to_owned()];
    for set in set.iter().chain(&own) {
        args.extend(["--set".to_owned(), set.clone()]);
    }
    RunningProcess::start(&args)
}

/// Scrapes the metrics of a run.
pub(crate) fn scraper_of(run: &mut RunningProcess) -> Scraper {
    let address = run.wait_for("the address of the metrics", |run| {
        metrics_address(&run.stderr())
    });
    Scraper::at(address)
}

/// The settings of a source that is flooded.
pub(crate) fn flooded(flood: &Flood) -> Vec<String> {
    let names = SYMBOLS.map(|symbol| format!("{symbol}.BINANCE"));
    vec![
        "source.kind=websocket".to_owned(),
        format!("source.instruments={names:?}"),
        format!("source.websocket.url=ws://{}", flood.address),
    ]
}

/// A ring that is soon full.
const RING: u64 = 64;

#[test]
fn a_flooded_feed_accounts_for_every_frame_at_every_scrape() {
    let folder = Folder::new("live-account-feed");
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    for shards in [1, 2] {
        let flood = Flood::start();
        let output = folder.path(&format!("signals-{shards}.jsonl"));
        let mut set = flooded(&flood);
        set.extend([
            "sink.kind=file".to_owned(),
            format!("sink.file={:?}", output.display().to_string()),
            format!("engine.ring_frames={RING}"),
            format!("engine.shards={shards}"),
        ]);
        let mut run = start(&pipeline, &set);
        let mut scraper = scraper_of(&mut run);
        scraper.until("connection", |account| {
            account.sum("foretick_source_healthy", &[]) == 1
        });
        flood.set_rate(1_000_000);
        scraper.until("overload", |account| {
            account.fate("conflated") > 100 && account.dropped("overflow") > 1_000
        });
        let under_load = scraper.scrapes;
        for _ in 0..100 {
            scraper.scrape();
        }
        flood.set_rate(0);
        scraper.until("rest", |account| {
            account.messages() == flood.sent() && account.sum("foretick_frames_in_flight", &[]) == 0
        });
        let [held, queued, in_hand] = scraper.most;
        assert!(held > 0 && held <= SYMBOLS.len() as u64, "{held} held");
        assert!(queued > 0 && queued <= RING * shards, "{queued} queued");
        // A batch, and a tick.
        assert!(in_hand > 0 && in_hand <= 257 * shards, "{in_hand} in hand");
        assert!(under_load > 1, "{under_load} scrapes");
        assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
    }
}

#[test]
fn a_run_between_topics_accounts_for_every_record_at_every_scrape() {
    let test = "a_run_between_topics_accounts_for_every_record_at_every_scrape";
    let Some(bootstrap) = needs::kafka(test) else {
        return;
    };
    let folder = Folder::new("live-account-kafka");
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let text = given::capture(87, 40, &["BTCUSDT", "ETHUSDT"]);
    let mut lines: Vec<&str> = text.lines().collect();
    for at in (0..lines.len()).step_by(50) {
        lines.insert(at, "hello");
    }
    let letters = lines.iter().filter(|line| **line == "hello").count() as u64;
    let mut topics = Topics::new(bootstrap.clone(), "account");
    let (input, output) = (topics.make("in", 2), topics.make("out", 1));
    let dead = topics.make("in.dlq.v1", 1);
    topics.fill(&input, lines.iter().copied());
    let mut set = between(&topics, &input, &output);
    set.extend([
        "source.tick_ms=50".to_owned(),
        format!("sink.dead_letters={dead:?}"),
        "engine.ring_frames=32".to_owned(),
        "engine.batch=8".to_owned(),
    ]);
    let mut run = start(&pipeline, &set);
    let mut scraper = scraper_of(&mut run);
    scraper.until("all records", |account| {
        account.messages() == lines.len() as u64
            && account.sum("foretick_frames_in_flight", &[]) == 0
    });
    let last = scraper.scrape();
    assert_eq!(last.fate("dead_lettered"), letters);
    assert_eq!(last.fate("dropped"), 0);
    let [held, queued, in_hand] = scraper.most;
    assert!(queued <= 32, "{queued} queued");
    assert!(in_hand <= 9, "{in_hand} in hand");
    assert!(held <= lines.len() as u64, "{held} held");
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
}
