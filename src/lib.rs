//! Foretick turns market data, news and credit events into model signals: live, replayed or
//! backtested, by one code path. This page is the map of the code.
//!
//! # The path
//!
//! Data goes one way, and the files are named in its order:
//!
//! ```text
//!  source ──▶ decode ──▶ event ──▶ book ─┐
//!  (frames)                              ├─▶ feature ──▶ row ──▶ model ──▶ signal ──▶ sink
//!                            window ─────┘
//!  └ socket ┘ └─────────────── pure: no socket, clock, file or thread ──────────┘   └ I/O ┘
//! ```
//!
//! | step | file | what it does |
//! | --- | --- | --- |
//! | frame | [`source`] | bytes as received, when, and from where; websocket, Kafka, capture files |
//! | | [`ring`] | the bounded lock-free ring from a source to an engine thread |
//! | event | [`decode`], [`event`] | a frame's meaning as small plain data; one file a venue |
//! | | [`book`], [`window`] | an instrument's price levels; sliding windows, O(1) a value |
//! | row | [`feature`], [`row`] | the feature vector of one instrument at one event, and its quality |
//! | | [`period`] | a company's last periods, each as known so far |
//! | | [`news`] | headlines: word pieces, whom they concern, copies, what was said lately |
//! | | [`normalise`], [`model`] | z-scores; ONNX Runtime or the built-in linear model |
//! | | [`model::way`], [`model::slide`] | windows kept in flight as states, where a graph allows it |
//! | | [`kernel`] | the vector arithmetic of those, with the same bits on every processor |
//! | signal | [`signal`], [`sink`] | what leaves, the digest over it, and where it goes |
//! | | [`alert`] | a PD's episodes: pending, firing, resolved; what survives a restart |
//! | figure | [`evaluate`] | how good a model is, where the outcome is known |
//!
//! [`engine::Engine`] is the pure middle: events in, signals out. [`shard::Shard`] is a decoder and an
//! engine with their accounts, and the only place around the engine that reads a clock. Three drivers
//! feed it and differ in nothing else: [`live`] (with [`worker`] threads and a [`writer`]), [`replay`],
//! and [`export`], which stops at the rows to make a training set. [`together`] keeps several live runs going
//! in one process, within a [`budget`].
//!
//! A recurrent model goes ONNX file → [`model::recognise`] → [`model::network`] (plain data) →
//! [`model::recurrent`] (packed) → [`model::slide`] (states of each instrument). [`model::way`] holds it
//! against ONNX Runtime's windows before it is trusted; else [`model::onnx`] computes windows whole. After
//! a batch's signals have left, a worker calls [`engine::Engine::settle`]: work that no signal waits for.
//!
//! Applications and statements are records: their fields are a row as they are, and what is computed of
//! them is in the model's graph. Whom a record about a person names becomes a token ([`privacy`]) in
//! `decode`, before it reaches any table. A company's window is of periods, and due whenever what is known
//! of one has changed.
//!
//! Headlines are records too: their pieces are the row, one event for each instrument, scored once. What was
//! said of an instrument goes out as an average, and comes in again as a feature of its prices.
//!
//! A pipeline is a folder: `pipeline.toml` is [`config`] as written, [`pipeline`] as checked.
//!
//! # Threads
//!
//! ```text
//!  sockets (tokio) or Kafka thread ─▶ ring ─▶ shard 0 ─┐
//!                                  └▶ ring ─▶ shard 1 ─┴─▶ writer ─▶ sink
//!                                                            └─ "done up to offset n" ─▶ source
//! ```
//!
//! Each pipeline of a process has all of this for itself; one that fails takes no other along ([`together`]).
//! A shard's thread owns its instruments and its model session; no locks. An instrument lives on one
//! shard: by its Kafka partition, or by the hash of its symbol ([`source::route`]). Every queue has a
//! bound and an answer to "full": Kafka pauses the partition, a file waits, a websocket conflates quotes
//! and drops the rest with a [`event::Gap`] and a counter ([`source::outlet`]).
//!
//! # Invariants
//!
//! 1. Same frames, same signals: nothing behind `source` reads a clock, and no result depends on how
//!    events were batched or sharded. [`signal::Digest`] is the proof; `tests/path` holds it.
//! 2. Features, linear models and sliding windows have the same bits on every machine: IEEE operations in
//!    one order, the crate `libm` where a function is needed, and [`kernel`]'s own polynomials in recurrent
//!    layers. ONNX Runtime picks kernels by processor.
//! 3. in = used + conflated + dropped + dead-lettered + in flight, for frames ([`account`]).
//! 4. Features never depend on `ts_recv`: a message without a venue time happens at the venue time
//!    known last.
//! 5. Sentiment and figures of the economy are in no row of a time before their own, whenever they arrive.
//! 6. A gap, a crossed, stale or still warming input shows in every signal whose window it touches.
//! 7. A Kafka offset is committed once all signals of the frames before it have arrived: at least once.
//! 8. Prices are integers until `feature`; `unsafe` is denied everywhere but in [`kernel`] and for the
//!    one variable that the command sets before any thread.
//! 9. What is deferred changes when a score is ready, never the score.
//! 10. Of a record about a person nothing leaves but a token and what the model says; its fields only in a
//!     training set ([`export`]), under the token.
//! 11. Several Kafka topics come in the order of their times up to where they ended when they were assigned,
//!     and from then on as they arrive.

pub mod alert;
pub mod clock;
pub mod command;
pub mod config;
pub mod decode;
pub mod engine;
pub mod event;
pub mod frame;
pub mod hex;
pub mod instrument;
pub mod kafka;
pub mod label;
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
pub mod units;
