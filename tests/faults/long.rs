//! Runs of any length, by variables of the environment: `tests/faults/README.md` lists them.

use std::env;
use std::time::Duration;

use crate::broker::Broker;
use crate::market::Market;
use crate::needs;
use crate::plan::{Fault, Plan};
use crate::run::run;

#[test]
fn the_seeds_that_are_asked_for() {
    let variable = "FORETICK_FAULTS_SEED";
    if !needs::asked("the_seeds_that_are_asked_for", variable) {
        return;
    }
    let seeds = env::var(variable).expect("seeds are text");
    let (from, to) = seeds.split_once("..").unwrap_or((&seeds, &seeds));
    let number = |text: &str| {
        text.parse::<u64>()
            .expect("FORETICK_FAULTS_SEED is a number, or two: 1..5")
    };
    let (from, to) = (number(from), number(to));
    let plan = plan();
    let broker = Broker::start("long").expect("a run of faults needs the jars of Kafka");
    let mut failed = vec![];
    for seed in from..=to {
        let report = run(
            Plan {
                seed,
                ..plan.clone()
            },
            &broker,
        );
        if !report.is_clean() {
            failed.push(seed);
        }
    }
    assert!(failed.is_empty(), "seeds {failed:?} are not clean");
}

fn plan() -> Plan {
    let market = text("MARKET", "trades");
    let market = Market::ALL.into_iter().find(|one| one.name() == market);
    let faults = text("KINDS", "kill,kill-starting,kill-stopping,tear-state");
    let faults = faults.split(',').map(|name| {
        let known = Fault::ALL.iter().find(|(known, _)| *known == name);
        known
            .unwrap_or_else(|| panic!("FORETICK_FAULTS_KINDS: {name} is none of {:?}", Fault::ALL))
            .1
    });
    Plan {
        name: "long",
        seed: 0,
        market: market.expect("FORETICK_FAULTS_MARKET is trades, frames or alerts"),
        messages: number("MESSAGES", 100_000) as usize,
        keys: number("KEYS", 64),
        time: Duration::from_secs(number("SECONDS", 300)),
        partitions: number("PARTITIONS", 6) as i32,
        more_partitions: number("MORE_PARTITIONS", 0) as i32,
        engines: number("ENGINES", 1) as usize,
        shards: number("SHARDS", 1) as usize,
        exactly_once: text("DELIVERY", "exactly_once") == "exactly_once",
        new_protocol: text("PROTOCOL", "classic") == "consumer",
        snapshots: text("STATE", "snapshots") == "snapshots",
        faults: faults.collect(),
        pause: (number("PAUSE_MIN_MS", 500), number("PAUSE_MAX_MS", 3_000)),
    }
}

fn text(name: &str, default: &str) -> String {
    env::var(format!("FORETICK_FAULTS_{name}")).unwrap_or_else(|_| default.to_owned())
}

fn number(name: &str, default: u64) -> u64 {
    let text = text(name, &default.to_string());
    text.parse()
        .unwrap_or_else(|_| panic!("FORETICK_FAULTS_{name} is a number"))
}
