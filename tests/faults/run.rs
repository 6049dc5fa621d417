//! A run of faults: records come at a steady rate, faults happen one after the other, the rest is read to its
//! end, and every record is compared.

use std::sync::atomic::Ordering;
use std::time::Duration;

use foretick::clock;

use crate::broker::Broker;
use crate::dice::Dice;
use crate::engine::Engine;
use crate::feed::Feed;
use crate::plan::{Fault, Plan};
use crate::report::Report;
use crate::state_files::{SmallDisk, tear};
use crate::verify::{unread, verify};
use crate::watch::{Watch, WatchEnd};
use crate::world::{SESSION_MS, TRANSACTION_MS, World};

/// The engines of a world, and what has happened to them.
struct Run<'a> {
    world: &'a World<'a>,
    dice: Dice,
    /// By slot; none where none runs.
    engines: Vec<Option<Engine>>,
    /// When killed engines were started again, in nanoseconds since the epoch.
    restarts: Vec<i64>,
    disk: Option<SmallDisk>,
    report: Report,
}

/// The longest that an engine may take to end after SIGTERM without its broker.
const STOP_MAX: Duration = Duration::from_secs(60);

/// How long a broker may hold the partitions of a member that was killed.
const SESSION_MAX: Duration = Duration::from_secs(100);

/// Runs a plan, and says what came of it.
pub(crate) fn run(plan: Plan, broker: &Broker) -> Report {
    let began = clock::instant();
    let name = format!(
        "{} {} seed {} ({}, {} engines, {} shards, {}{})",
        plan.name,
        plan.market.name(),
        plan.seed,
        if plan.exactly_once {
            "exactly once"
        } else {
            "at least once"
        },
        plan.engines,
        plan.shards,
        if plan.snapshots {
            "snapshots"
        } else {
            "read again"
        },
        if plan.new_protocol { ", KIP-848" } else { "" },
    );
    let world = World::new(plan, broker);
    let (feed, watch) = (Feed::new(&broker.address), Watch::default());
    let mut run = Run {
        dice: Dice::new(world.plan.seed),
        engines: vec![],
        restarts: vec![],
        disk: world.plan.faults.contains(&Fault::FillDisk).then(|| {
            SmallDisk::mount(&world.state_dir())
                .expect("filling a disk needs the right to mount one")
        }),
        report: Report {
            run: name,
            records: world.records.len(),
            ..Report::default()
        },
        world: &world,
    };
    let half = world.records.len() / 2;
    std::thread::scope(|scope| {
        let end = WatchEnd(&watch);
        let watching = scope.spawn(|| watch.run(&broker.address, &world.outputs[0], 3));
        let feeding = scope.spawn(|| {
            let time = world.plan.time / 2;
            feed.run(&world.input, &world.records[..half], time);
            if world.plan.more_partitions > 0 {
                let all = world.plan.partitions + world.plan.more_partitions;
                world.topics.grow(&world.input, all);
            }
            feed.run(&world.input, &world.records[half..], time);
        });
        for slot in 0..world.plan.engines {
            run.engines.push(Some(world.start(slot, &[])));
        }
        watch.wait();
        let (from, to) = world.plan.pause;
        // Not while the last ones are on their way: faults would keep them there.
        let (all, mut done) = (world.records.len(), 0);
        while feed.sent.load(Ordering::Relaxed) < all || done < world.plan.faults.len() {
            assert!(!feeding.is_finished() || feed.sent.load(Ordering::Relaxed) == all);
            let pause = run.dice.millis(from, to);
            std::thread::sleep(pause);
            // Each kind once, so that no short run is without one.
            let first = world.plan.faults.get(done).copied();
            let fault = first.unwrap_or_else(|| run.dice.one_of(&world.plan.faults));
            done += 1;
            run.report.note(fault);
            run.befall(fault);
        }
        feeding.join().expect("the topic takes records");
        run.drain();
        drop(end);
        watching.join().expect("the signals can be read");
    });
    let Run {
        restarts,
        disk,
        mut report,
        ..
    } = run;
    drop(disk);
    report.waits = match world.plan.engines {
        1 => watch.waits(&restarts),
        _ => vec![],
    };
    report.resets = broker
        .proxy
        .as_ref()
        .map_or(0, |proxy| proxy.resets.swap(0, Ordering::Relaxed));
    report.findings = verify(&world);
    report.seconds = began.elapsed().as_secs_f64();
    if !report.is_clean() {
        world.keep_logs();
    }
    println!("{report}");
    report
}

impl Run<'_> {
    fn befall(&mut self, fault: Fault) {
        self.note_ended();
        let slot = self.dice.below(self.engines.len() as u64) as usize;
        match fault {
            Fault::Kill => self.kill(slot, |_| {}),
            Fault::KillStarting => {
                self.kill(slot, |_| {});
                let pause = self.dice.millis(20, 900);
                std::thread::sleep(pause);
                self.kill(slot, |_| {});
            }
            Fault::KillStopping => {
                if let Some(engine) = &self.engines[slot] {
                    engine.signal("TERM");
                }
                let pause = self.dice.millis(1, 120);
                std::thread::sleep(pause);
                self.kill(slot, |_| {});
            }
            Fault::TearState => self.kill(slot, |run| {
                run.report.torn += tear(&run.world.state_dir(), &mut run.dice);
            }),
            Fault::Pause => self.pause(slot),
            Fault::Leave => self.leave(slot),
            Fault::Reset => {
                for _ in 0..3 {
                    self.proxy(|proxy| proxy.reset());
                    let pause = self.dice.millis(5, 400);
                    std::thread::sleep(pause);
                }
            }
            Fault::Delay => {
                let delay = self.dice.millis(5, 300);
                self.proxy(|proxy| proxy.delay(delay));
                let pause = self.dice.millis(500, 3_000);
                std::thread::sleep(pause);
                self.proxy(|proxy| proxy.delay(Duration::ZERO));
            }
            Fault::KillBroker => {
                let pause = self.dice.millis(0, 1_500);
                self.without_broker(pause);
            }
            Fault::BrokerAway => {
                let pause = Duration::from_millis(TRANSACTION_MS) + self.dice.millis(1_000, 4_000);
                self.without_broker(pause);
            }
            Fault::PauseBroker => {
                let pause = self.dice.millis(300, 5_000);
                self.world.broker.signal("STOP");
                std::thread::sleep(pause);
                self.world.broker.signal("CONT");
            }
            Fault::StopAlone => self.stop_alone(),
            Fault::FillDisk => {
                let pause = self.dice.millis(1_000, 4_000);
                if let Some(disk) = &self.disk {
                    disk.fill();
                }
                std::thread::sleep(pause);
                self.kill(slot, |_| {});
                std::thread::sleep(pause);
                if let Some(disk) = &self.disk {
                    disk.empty();
                }
            }
        }
    }

    /// SIGKILL, then something, then another start.
    fn kill(&mut self, slot: usize, meanwhile: impl FnOnce(&mut Self)) {
        if let Some(engine) = self.engines[slot].take() {
            engine.kill();
            self.report.kills += 1;
        }
        meanwhile(self);
        let engine = self.world.start(slot, &[]);
        self.restarts.push(engine.started);
        self.engines[slot] = Some(engine);
    }

    fn pause(&mut self, slot: usize) {
        let Some(engine) = &self.engines[slot] else {
            return;
        };
        engine.signal("STOP");
        let pause = Duration::from_millis(SESSION_MS) + self.dice.millis(200, 3_500);
        std::thread::sleep(pause);
        engine.signal("CONT");
        self.report.pauses += 1;
    }

    fn leave(&mut self, slot: usize) {
        if let Some(mut engine) = self.engines[slot].take() {
            let code = engine.terminate();
            let log = engine.end_of_log();
            // One that has not begun has nothing to end in order, and one whose partitions were taken away at
            // this moment cannot.
            let may_fail = [
                "asked to end before one answered",
                "going on at the offsets",
            ];
            if code != 0 && !may_fail.iter().any(|why| log.contains(why)) {
                println!("SIGTERM gave {code}: {log}");
                self.report
                    .ended
                    .push(format!("SIGTERM gave {code}, {log}"));
            }
        }
        let pause = self.dice.millis(100, 4_000);
        std::thread::sleep(pause);
        self.engines[slot] = Some(self.world.start(slot, &[]));
    }

    fn without_broker(&mut self, time: Duration) {
        self.world.broker.kill();
        self.report.broker_kills += 1;
        std::thread::sleep(time);
        self.world.broker.restart();
    }

    fn stop_alone(&mut self) {
        self.world.broker.kill();
        self.report.broker_kills += 1;
        let pause = self.dice.millis(0, 3_000);
        std::thread::sleep(pause);
        for slot in 0..self.engines.len() {
            let Some(mut engine) = self.engines[slot].take() else {
                continue;
            };
            engine.signal("TERM");
            if !engine.ends_within(STOP_MAX) {
                let log = engine.end_of_log();
                println!("an engine goes on after SIGTERM without its broker: {log}");
                self.report
                    .ended
                    .push(format!("none {STOP_MAX:?} after SIGTERM, {log}"));
            }
        }
        self.world.broker.restart();
        for slot in 0..self.engines.len() {
            self.engines[slot] = Some(self.world.start(slot, &[]));
        }
    }

    fn proxy(&self, what: impl FnOnce(&crate::proxy::Proxy)) {
        let proxy = self.world.broker.proxy.as_ref();
        what(proxy.expect("faults of connections need an own broker"));
    }

    /// An engine that has ended by itself is noted, and started again.
    fn note_ended(&mut self) {
        for slot in 0..self.engines.len() {
            let Some(engine) = &mut self.engines[slot] else {
                continue;
            };
            if let Some(code) = engine.ended() {
                let log = engine.end_of_log();
                println!("an engine ended by itself with {code}: {log}");
                self.report.ended.push(format!("exit code {code}, {log}"));
                self.engines[slot] = Some(self.world.start(slot, &[]));
            }
        }
    }

    /// All engines but one leave; that one is killed once more and reads the rest.
    fn drain(&mut self) {
        for slot in 1..self.engines.len() {
            if let Some(mut engine) = self.engines[slot].take() {
                engine.terminate();
            }
        }
        if let Some(engine) = self.engines[0].take() {
            engine.kill();
            self.report.kills += 1;
        }
        for _ in 0..2 {
            let engine = self.world.start(0, &["--until-end"]);
            let pause = self.dice.millis(100, 3_000);
            std::thread::sleep(pause);
            engine.kill();
            self.report.kills += 1;
        }
        let mut code;
        let mut engine;
        let began = clock::instant();
        loop {
            engine = self.world.start(0, &["--until-end"]);
            code = engine.join();
            // An engine ends at the end of the partitions that it has: others may still be of a member that
            // was killed, until its session ends.
            if code != 0 || unread(self.world) == 0 || began.elapsed() > SESSION_MAX {
                break;
            }
        }
        if code != 0 {
            let log = engine.end_of_log();
            println!("the last engine ended with {code}: {log}");
            self.report
                .ended
                .push(format!("the last engine gave {code}, {log}"));
        }
    }
}
