//! Live runs with a real Kafka, and with the simulated exchange on a real socket.
//!
//! The tests with Kafka need `tests/run.sh`; the others run everywhere.

mod given;
mod needs;

#[path = "live/added_partitions.rs"]
mod added_partitions;
#[path = "live/alerts.rs"]
mod alerts;
#[path = "live/broker_away.rs"]
mod broker_away;
#[path = "live/captures.rs"]
mod captures;
#[path = "live/child.rs"]
mod child;
#[path = "live/demo.rs"]
mod demo;
#[path = "live/exchange.rs"]
mod exchange;
#[path = "live/exposition.rs"]
mod exposition;
#[path = "live/failures.rs"]
mod failures;
#[path = "live/feed_faults.rs"]
mod feed_faults;
#[path = "live/file_again.rs"]
mod file_again;
#[path = "live/flood.rs"]
mod flood;
#[path = "live/frame_account.rs"]
mod frame_account;
#[path = "live/kafka.rs"]
mod kafka;
#[path = "live/kafka_books.rs"]
mod kafka_books;
#[path = "live/kafka_clock.rs"]
mod kafka_clock;
#[path = "live/large_letters.rs"]
mod large_letters;
#[path = "live/latest.rs"]
mod latest;
#[path = "live/meadow.rs"]
mod meadow;
#[path = "live/metrics.rs"]
mod metrics;
#[path = "live/offsets.rs"]
mod offsets;
#[path = "live/overload.rs"]
mod overload;
#[path = "live/pipelines.rs"]
mod pipelines;
#[path = "live/readiness.rs"]
mod readiness;
#[path = "live/scraper.rs"]
#[allow(dead_code, reason = "tests of faults use the rest")]
mod scraper;
#[path = "live/secured.rs"]
mod secured;
#[path = "live/shared_frames.rs"]
mod shared_frames;
#[path = "live/sink_delivery.rs"]
mod sink_delivery;
#[path = "live/stocks.rs"]
mod stocks;
#[path = "live/supervisor.rs"]
mod supervisor;
#[path = "live/topics.rs"]
mod topics;
#[path = "live/venue.rs"]
mod venue;
