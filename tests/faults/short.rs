//! The runs that `make test` does: seconds each.

use std::time::Duration;

use crate::broker::Broker;
use crate::market::Market;
use crate::plan::{Fault, Plan};
use crate::run::run;

/// A run of about so many seconds.
fn plan(name: &'static str, market: Market, seconds: u64, faults: &[Fault]) -> Plan {
    Plan {
        name,
        seed: 1,
        market,
        messages: 3_000,
        keys: 64,
        time: Duration::from_secs(seconds),
        partitions: 4,
        more_partitions: 0,
        engines: 1,
        shards: 1,
        exactly_once: true,
        new_protocol: false,
        snapshots: true,
        faults: faults.to_vec(),
        pause: (400, 1_800),
    }
}

#[test]
fn an_engine_that_is_killed_writes_each_record_once() {
    let Some(broker) = Broker::shared("an_engine_that_is_killed_writes_each_record_once") else {
        return;
    };
    let faults = [
        Fault::Kill,
        Fault::KillStarting,
        Fault::KillStopping,
        Fault::TearState,
    ];
    let report = run(plan("kills", Market::Frames, 10, &faults), &broker);
    assert!(report.is_clean() && report.kills > 5, "{report}");
    assert!(report.findings.signals.expected > 200, "{report}");
}

#[test]
fn engines_that_are_paused_and_come_and_go_write_each_record_once() {
    let test = "engines_that_are_paused_and_come_and_go_write_each_record_once";
    let Some(broker) = Broker::shared(test) else {
        return;
    };
    let plan = Plan {
        engines: 2,
        shards: 2,
        more_partitions: 2,
        ..plan(
            "pauses",
            Market::Trades,
            12,
            &[Fault::Pause, Fault::Kill, Fault::Leave],
        )
    };
    let report = run(plan, &broker);
    assert!(report.is_clean() && report.pauses > 0, "{report}");
}

#[test]
fn a_broker_that_is_killed_and_connections_that_are_reset_change_nothing() {
    let test = "a_broker_that_is_killed_and_connections_that_are_reset_change_nothing";
    let Some(broker) = Broker::start(test) else {
        return;
    };
    let faults = [Fault::KillBroker, Fault::Reset, Fault::Delay, Fault::Kill];
    let report = run(plan("broker", Market::Trades, 14, &faults), &broker);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn an_engine_that_is_asked_to_end_does_so_without_its_broker() {
    let Some(broker) = Broker::start("an_engine_that_is_asked_to_end_does_so_without_its_broker")
    else {
        return;
    };
    let plan = Plan {
        messages: 1_500,
        ..plan("alone", Market::Trades, 5, &[Fault::StopAlone])
    };
    let report = run(plan, &broker);
    assert!(report.is_clean() && report.broker_kills > 0, "{report}");
}

#[test]
fn at_least_once_loses_nothing_and_repeats_the_same_bytes() {
    let Some(broker) = Broker::shared("at_least_once_loses_nothing_and_repeats_the_same_bytes")
    else {
        return;
    };
    let plan = Plan {
        exactly_once: false,
        ..plan(
            "repeats",
            Market::Trades,
            8,
            &[Fault::Kill, Fault::TearState],
        )
    };
    let report = run(plan, &broker);
    assert!(report.is_clean() && report.kills > 3, "{report}");
}
