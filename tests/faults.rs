//! Delivery under faults, on a real Kafka: whatever is killed, paused, cut off or torn, a reader of what was
//! committed sees the very signals, alerts and dead letters of a replay, each once and in order.
//! `tests/faults/README.md` says how to run more of it.

mod given;
mod needs;

#[path = "live/exposition.rs"]
mod exposition;
#[path = "live/scraper.rs"]
#[allow(dead_code, reason = "live tests use the rest")]
mod scraper;
#[path = "live/topics.rs"]
#[allow(dead_code, reason = "live tests use the rest")]
mod topics;

#[path = "faults/broker.rs"]
mod broker;
#[path = "faults/dice.rs"]
mod dice;
#[path = "faults/engine.rs"]
mod engine;
#[path = "faults/feed.rs"]
mod feed;
#[path = "faults/long.rs"]
mod long;
#[path = "faults/market.rs"]
mod market;
#[path = "faults/order.rs"]
mod order;
#[path = "faults/plan.rs"]
mod plan;
#[path = "faults/proxy.rs"]
mod proxy;
#[path = "faults/records.rs"]
mod records;
#[path = "faults/report.rs"]
mod report;
#[path = "faults/run.rs"]
mod run;
#[path = "faults/short.rs"]
mod short;
#[path = "faults/slow_sink.rs"]
mod slow_sink;
#[path = "faults/state_files.rs"]
mod state_files;
#[path = "faults/verify.rs"]
mod verify;
#[path = "faults/watch.rs"]
mod watch;
#[path = "faults/world.rs"]
mod world;
