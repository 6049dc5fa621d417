//! Live runs against a real Kafka and against the simulated exchange on a real socket.
//!
//! Tests of the first kind need `tests/run.sh`; those of the second kind run everywhere.

mod given;
mod needs;

#[path = "live/alerts.rs"]
mod alerts;
#[path = "live/broker_away.rs"]
mod broker_away;
#[path = "live/child.rs"]
mod child;
#[path = "live/demo.rs"]
mod demo;
#[path = "live/exchange.rs"]
mod exchange;
#[path = "live/kafka.rs"]
mod kafka;
#[path = "live/meadow.rs"]
mod meadow;
#[path = "live/metrics.rs"]
mod metrics;
#[path = "live/together.rs"]
mod together;
#[path = "live/topics.rs"]
mod topics;
#[path = "live/venue.rs"]
mod venue;
