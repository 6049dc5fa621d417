//! What `/readyz` says while a broker is absent at the start, while a commit waits, and while state is
//! brought back.

use std::time::Duration;

use super::broker_away::Broker;
use super::frame_account::{scraper_of, start};
use super::kafka::between;
use super::topics::Topics;
use crate::given::{self, Folder};
use crate::needs;

/// Quotes, which this pipeline makes no signals of.
fn quotes(from: u64, count: u64) -> Vec<String> {
    let quote = |number| {
        format!(
            r#"{{"stream":"btcusdt@bookTicker","data":{{"u":{number},"s":"BTCUSDT","b":"100.1","B":"1.5","a":"102.1","A":"2.5"}}}}"#
        )
    };
    (from..from + count).map(quote).collect()
}

#[test]
fn a_run_that_waits_for_its_broker_or_for_a_commit_is_not_ready_and_says_why() {
    let test = "a_run_that_waits_for_its_broker_or_for_a_commit_is_not_ready_and_says_why";
    if needs::kafka(test).is_none() {
        return;
    }
    let folder = Folder::new("live-readiness");
    let (broker, bootstrap) = Broker::start(&folder);
    let mut topics = Topics::new(bootstrap.clone(), "readiness");
    let (input, output) = (topics.make("in", 1), topics.make("out", 1));
    broker.command("kill");
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let mut set = between(&topics, &input, &output);
    set.extend([
        "sink.delivery=exactly_once".to_owned(),
        "sink.commit_interval_ms=1000".to_owned(),
    ]);
    let mut run = start(&pipeline, &set);
    let scraper = scraper_of(&mut run);
    assert_eq!(scraper.get("healthz").0, 200, "the process lives");
    let (status, said) = scraper.get("readyz");
    assert_eq!(status, 503);
    assert_eq!(said, "starting: its sink is not connected yet\n");
    run.wait_for("a word in the log", |run| {
        run.stderr().contains("no broker answers").then_some(())
    });
    assert_eq!(scraper.get("readyz").0, 503);
    assert_eq!(broker.command("start"), bootstrap);
    let mut sent = 0;
    let fill = |sent: &mut u64| {
        let lines = quotes(*sent, 20);
        *sent += lines.len() as u64;
        topics.fill(&input, lines.iter().map(String::as_str));
    };
    fill(&mut sent);
    run.wait_for("readiness", |_| {
        (scraper.get("readyz").0 == 200).then_some(())
    });
    // Until something is in a transaction that is not committed when the broker stands still: there are no
    // signals, but positions.
    let mut found = false;
    for _ in 0..20 {
        fill(&mut sent);
        // They are read, and mostly not committed yet.
        std::thread::sleep(Duration::from_millis(200));
        broker.signal("STOP");
        let began = foretick::clock::instant();
        while !found && began.elapsed() < Duration::from_secs(9) {
            found = scraper
                .get("readyz")
                .1
                .contains("the commit of a transaction has waited");
            std::thread::sleep(Duration::from_millis(100));
        }
        broker.signal("CONT");
        run.wait_for("readiness", |_| {
            (scraper.get("readyz").0 == 200).then_some(())
        });
        if found {
            break;
        }
    }
    assert!(found, "the commit is not told of");
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
}

#[test]
fn a_run_that_brings_state_back_for_long_is_not_ready() {
    let test = "a_run_that_brings_state_back_for_long_is_not_ready";
    let Some(bootstrap) = needs::kafka(test) else {
        return;
    };
    let folder = Folder::new("live-recovery");
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let mut topics = Topics::new(bootstrap, "recovery");
    let (input, output) = (topics.make("in", 1), topics.make("out", 1));
    let lines = quotes(0, 100_000);
    topics.fill(&input, lines.iter().map(String::as_str));
    let first = super::kafka::run(&pipeline, &topics, &input, &output, &[]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let mut set = between(&topics, &input, &output);
    set.extend([
        "source.tick_ms=0".to_owned(),
        // So that reading takes its time.
        "engine.ring_frames=8".to_owned(),
    ]);
    let mut run = start(&pipeline, &set);
    let mut scraper = scraper_of(&mut run);
    run.wait_for("an assignment", |run| {
        run.stderr()
            .contains("partitions were assigned")
            .then_some(())
    });
    // However fast the machine is, so much time passes before all is read again.
    run.signal("STOP");
    std::thread::sleep(Duration::from_millis(2_200));
    run.signal("CONT");
    let mut most = 0;
    run.wait_for("a run that is not ready", |_| {
        let (status, said) = scraper.get("readyz");
        let account = scraper.scrape();
        most = most.max(account.sum("foretick_source_reread_records", &[]));
        (status == 503 && said.contains("state is being brought back")).then_some(())
    });
    assert!(most > 0 && most <= lines.len() as u64, "{most}");
    run.wait_for("readiness", |_| {
        (scraper.get("readyz").0 == 200).then_some(())
    });
    let account = scraper.scrape();
    assert_eq!(account.sum("foretick_source_reread_records", &[]), 0);
    // Events are counted twice a second.
    scraper.until("all records, read again", |account| {
        let again = account.sum("foretick_events_total", &["kind=\"reprocessed_frame\""]);
        again == lines.len() as u64
    });
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
}
