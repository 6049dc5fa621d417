//! Foretick turns market data, news and credit events into model signals: live, replayed or
//! backtested, by one code path. This page is the map of the code.
//!
//! # The path
//!
//! Data goes one way, and the wings are named in its order:
//!
//! ```text
//!  source ─▶ frame ─▶ decode ─▶ event ─▶ engine (book, window, feature, row) ─▶ model ─▶ signal ─▶ sink
//!  └─ I/O ─┘         └──────── pure: no socket, clock, file or thread ────────────────────────┘   └ I/O ┘
//! ```
//!
//! | wing | what it holds |
//! | --- | --- |
//! | nouns | [`units`], [`clock`], [`instrument`], [`frame`], [`event`], [`schema`], [`label`], [`secret`], [`kafka`], [`login`], [`hex`], [`decimal`], [`time`]: what all wings share |
//! | [`statistic`] | correlation, ranking, calibration and errors of scores, with their intervals: pure arithmetic |
//! | [`signal`] | a model's answer: quality, lineage, the digest over all signals of a run, published fields |
//! | [`news`] | text alone: word pieces, routing to instruments, copies |
//! | [`model`] | ONNX Runtime, linear models, and windows that slide by one step; [`model::kernel`] has the vector arithmetic |
//! | [`engine`] | events in, signals out: all that one instrument holds, and what is computed of it |
//! | [`alert`] | episodes of a probability of default: pending, firing, resolved |
//! | [`backtest`] | signals and the recorded market in, positions, fills and their statistics out |
//! | [`decode`] | a frame's bytes to events: one folder for each venue, one file for each topic, one for rows of archives |
//! | [`source`], [`sink`] | websockets, Kafka, captures, archives ([`source::history`]), tables in; Kafka, JSON lines, Parquet out |
//! | [`state`] | snapshots of what instruments hold, one a partition, and which of them may be continued |
//! | [`config`], [`pipeline`] | `pipeline.toml` as written; the same, checked, and the parts built from it |
//! | [`run`] | the one frame loop, its threads, and its drivers: live, replay, supervisor; metrics |
//! | [`simulate`] | made-up markets, news and firms, an exchange on loopback, an embedded broker |
//! | [`command`] | what the command line calls: check, inspect, convert, record, evaluate, export (`features`), leakage (`check --leakage`), backtest, bench, diff, reconcile, explain, state, demo, simulate, venues; [`command::arguments`] |
//!
//! A wing imports only the nouns and wings that are before it in this table, nouns import only nouns, and no
//! two files import each other. `tests/tidy.rs` reads the table and checks it against the imports.
//!
//! # Threads
//!
//! ```text
//!  sockets (tokio) or Kafka thread ─▶ ring ─▶ shard 0 ─┐
//!                                  └▶ ring ─▶ shard 1 ─┴─▶ writer ─▶ sink
//!                                                            └─ "done up to offset n of partition p" ─▶ source
//! ```
//!
//! Each pipeline of a process has all of these for itself ([`run::supervisor`]). A shard's thread owns its
//! instruments and its model session; there are no locks. An instrument lives on one shard: by its Kafka
//! partition, or by the hash of its symbol. Every queue has a bound and an answer to "full": Kafka pauses
//! the partition, a file waits, a websocket conflates quotes and drops the rest with a gap event and a
//! counter ([`source::conflation`]).
//!
//! A run that fails in a way that its source can mend begins again at the committed offsets: starting is
//! recovering. State goes the way of frames: the source puts what was saved of a partition into the inbox
//! of its shard before the first frame of it ([`run::live`]); the shard hands what it holds to the writer,
//! between two batches, and a thread of its own writes that to disk once its offsets are committed.
//!
//! # Invariants
//!
//! 1. Same frames, same signals: nothing behind `source` reads a clock, and no result depends on how events
//!    were batched or sharded. [`signal::digest::Digest`] is the proof; `tests/path` holds it.
//! 2. Features, linear models and sliding windows have the same bits on every processor: IEEE operations in
//!    one order, and no platform math library. ONNX Runtime picks its kernels by processor.
//! 3. Every frame is accounted for: in = used + conflated + dropped + dead-lettered + in flight
//!    ([`run::account`]).
//! 4. Features never depend on `ts_recv`: a message without a venue time gets the last venue time.
//! 5. Sentiment and macro figures enter no row that is earlier than they are, whenever they arrive.
//! 6. A gap, or a crossed, stale or warming input, shows in the quality of every signal that depends on it
//!    ([`engine::row::MarketState`] decides of a row, [`signal::quality`] has the words).
//! 7. A Kafka offset is committed after all signals of the frames before it have arrived, or in one
//!    transaction with them ([`sink::kafka::transaction`]).
//! 8. Prices are integers until `feature`; `unsafe` is in [`model::kernel`] alone, once in `main`, and where
//!    [`login::described`] asks librdkafka for rights.
//! 9. Deferred work changes when a score is ready, never the score.
//! 10. Records about persons leave as tokens ([`decode::privacy`]); their fields leave in training sets only.
//! 11. What is held of an instrument belongs to the partition of its records. It is saved behind offsets
//!     that are committed, never before, and comes back as it was ([`state`], `run::live::recovery`).
//! 12. Several Kafka topics are merged by event time up to their ends at the assignment, and are read as they
//!     arrive after that.

pub mod alert;
pub mod backtest;
pub mod clock;
pub mod command;
pub mod config;
pub mod decimal;
pub mod decode;
pub mod engine;
pub mod event;
pub mod frame;
pub mod hex;
pub mod instrument;
pub mod kafka;
pub mod label;
pub mod login;
pub mod model;
pub mod news;
pub mod pipeline;
pub mod run;
pub mod schema;
pub mod secret;
pub mod signal;
pub mod simulate;
pub mod sink;
pub mod source;
pub mod state;
pub mod statistic;
pub mod time;
pub mod units;

#[cfg(test)]
mod tests {
    pub(crate) mod frames;
    pub(crate) mod scratch;
}
