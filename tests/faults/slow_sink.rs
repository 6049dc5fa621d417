//! A broker that takes records slowly, one that is cut off, and one that stands still, while input goes on:
//! what waits is bounded, the source pauses, and nothing is lost.

use std::sync::atomic::Ordering;
use std::time::Duration;

use foretick::clock;

use crate::broker::Broker;
use crate::engine::Engine;
use crate::feed::Feed;
use crate::given::PATIENCE;
use crate::market::Market;
use crate::needs;
use crate::plan::Plan;
use crate::proxy::Proxy;
use crate::scraper::{FrameAccount, Scraper, metrics_address, resident_bytes};
use crate::verify::verify;
use crate::world::World;

/// The frames that may wait for the shard.
const RING: u64 = 64;
/// What a connection takes to a slow broker, in bytes a second: about a tenth of what the engine sends.
const SLOW: u64 = 20_000;
/// By so much the memory of an engine may grow: the producer's queue, requests and their buffers.
const GROWTH_MAX: u64 = 96 << 20;

#[test]
fn a_slow_and_an_absent_broker_hold_up_at_least_once_and_lose_nothing() {
    let test = "a_slow_and_an_absent_broker_hold_up_at_least_once_and_lose_nothing";
    if let Some(broker) = Broker::start(test) {
        hold_up(false, &broker, Duration::from_secs(8));
    }
}

#[test]
fn a_slow_and_an_absent_broker_hold_up_exactly_once_and_lose_nothing() {
    let test = "a_slow_and_an_absent_broker_hold_up_exactly_once_and_lose_nothing";
    if let Some(broker) = Broker::start(test) {
        hold_up(true, &broker, Duration::from_secs(8));
    }
}

/// The same for longer than the delivery timeout; some minutes long, so only where it is asked for
/// (`tests/faults/run.sh slow-sink`).
#[test]
fn a_broker_that_is_away_for_longer_than_the_delivery_timeout() {
    let test = "a_broker_that_is_away_for_longer_than_the_delivery_timeout";
    if !needs::asked(test, "FORETICK_FAULTS_SLOW_SINK") {
        return;
    }
    for exactly_once in [false, true] {
        if let Some(broker) = Broker::start(test) {
            hold_up(exactly_once, &broker, Duration::from_secs(40));
        }
    }
}

fn hold_up(exactly_once: bool, broker: &Broker, away: Duration) {
    let name = if exactly_once {
        "slow-exactly"
    } else {
        "slow-least"
    };
    let time = Duration::from_secs(60) + away * 2;
    let plan = Plan {
        name,
        seed: 1,
        market: Market::Trades,
        messages: 400 * time.as_secs() as usize,
        keys: 64,
        time,
        partitions: 4,
        more_partitions: 0,
        engines: 1,
        shards: 1,
        exactly_once,
        new_protocol: false,
        snapshots: true,
        faults: vec![],
        pause: (0, 0),
    };
    let world = World::new(plan, broker);
    let ring = format!("engine.ring_frames={RING}");
    // The time-outs of a user.
    let set = ["kafka.properties={}", &ring, "metrics.listen=127.0.0.1:0"];
    let more = set.map(|set| ["--set", set]).concat();
    let (feed, proxy) = (Feed::new(&broker.address), broker.proxy.as_ref());
    let proxy = proxy.expect("it is reached through a proxy");
    std::thread::scope(|scope| {
        let feeding = scope.spawn(|| feed.run(&world.input, &world.records, time));
        let mut engine = world.start(0, &more);
        let mut scraper = Scraper::at(address_of(&engine));
        scraper.until("delivery", |account| delivered(account) > 200);
        let before = resident_bytes(engine.pid());

        proxy.slow_down(SLOW);
        // Held: the ring is full, and partitions are paused.
        scraper.until("a source that pauses", |account| {
            account.in_flight("held") > 0
        });
        let (_, said) = scraper.get("readyz");
        let slow = scraper.go_on(Duration::from_secs(3));
        assert_eq!(scraper.most[1], RING, "{said}");
        proxy.slow_down(0);
        scraper.until("a source that goes on", |account| {
            account.in_flight("held") == 0
        });

        assert_eq!(slow.sum("foretick_pipeline_restarts_total", &[]), 0);

        for (leave, come_back) in outages(broker, proxy) {
            leave();
            let gone = scraper.go_on(away);
            let (status, said) = scraper.get("readyz");
            assert_eq!(status, 503, "{said}");
            let (sent, all) = (feed.sent.load(Ordering::Relaxed), world.records.len());
            assert!(sent < all, "input goes on");
            come_back();
            let is_back = |account: &FrameAccount| delivered(account) > delivered(&gone) + 200;
            scraper.until("delivery", is_back);
            scraper.until("readiness", |account| {
                account.sum("foretick_pipeline_ready", &[]) == 1
            });
        }
        let restarts = scraper
            .scrape()
            .sum("foretick_pipeline_restarts_total", &[]);
        world.keep_logs();

        broker.restart();
        feeding.join().expect("the topic takes records");
        let after = resident_bytes(engine.pid());
        if let (Some(before), Some(after)) = (before, after) {
            let grown = after.saturating_sub(before);
            println!(
                "{name}: {} scrapes, most in flight {:?}, begun again {restarts} times, memory {} MiB before, {} \
                 MiB after",
                scraper.scrapes,
                scraper.most,
                before >> 20,
                after >> 20
            );
            assert!(grown < GROWTH_MAX, "grown by {grown} bytes");
        }
        assert!(scraper.most[1] <= RING && scraper.most[2] <= 257);
        assert_eq!(engine.terminate(), 0, "{}", engine.end_of_log());
    });
    let mut last = world.start(0, &["--until-end"]);
    assert_eq!(last.join(), 0, "{}", last.end_of_log());
    let findings = verify(&world);
    assert!(findings.is_clean(), "{findings:?}");
    assert!(!exactly_once || findings.again == 0, "{findings:?}");
}

/// The ways in which the broker leaves and comes back: connections are cut and refused; it stands still.
fn outages<'a>(broker: &'a Broker, proxy: &'a Proxy) -> [(Step<'a>, Step<'a>); 2] {
    [
        (Box::new(|| proxy.cut(true)), Box::new(|| proxy.cut(false))),
        (
            Box::new(|| broker.signal("STOP")),
            Box::new(|| {
                broker.signal("CONT");
                broker.restart();
            }),
        ),
    ]
}

type Step<'a> = Box<dyn Fn() + 'a>;

fn delivered(account: &FrameAccount) -> u64 {
    account.sum("foretick_sink_delivered_total", &[])
}

fn address_of(engine: &Engine) -> String {
    let began = clock::instant();
    loop {
        if let Some(address) = metrics_address(&engine.log()) {
            return address;
        }
        assert!(began.elapsed() < PATIENCE, "{}", engine.end_of_log());
        std::thread::sleep(Duration::from_millis(20));
    }
}
