//! What a run of faults does: its input, its engines, and the faults that may happen.

use std::time::Duration;

use crate::market::Market;

/// What may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// SIGKILL of an engine, which is started again.
    Kill,
    /// SIGKILL, and another one while it starts.
    KillStarting,
    /// SIGTERM, and SIGKILL before it has ended.
    KillStopping,
    /// SIGSTOP past the session timeout, and SIGCONT: where there is another engine, it takes over.
    Pause,
    /// An engine leaves, and another joins later.
    Leave,
    /// Connections between engines and broker are reset.
    Reset,
    /// What passes between engines and broker is late.
    Delay,
    /// SIGKILL of the broker, which is started again.
    KillBroker,
    /// SIGSTOP and SIGCONT of the broker.
    PauseBroker,
    /// The broker is away for longer than a transaction may be open.
    BrokerAway,
    /// SIGKILL of the broker, and SIGTERM of the engines, which must end without it.
    StopAlone,
    /// SIGKILL of an engine, whose snapshots are torn or changed before it is started again.
    TearState,
    /// The disk of the snapshots is full for a while.
    FillDisk,
}

impl Fault {
    pub(crate) const ALL: [(&str, Self); 13] = [
        ("kill", Self::Kill),
        ("kill-starting", Self::KillStarting),
        ("kill-stopping", Self::KillStopping),
        ("pause", Self::Pause),
        ("leave", Self::Leave),
        ("reset", Self::Reset),
        ("delay", Self::Delay),
        ("kill-broker", Self::KillBroker),
        ("pause-broker", Self::PauseBroker),
        ("broker-away", Self::BrokerAway),
        ("stop-alone", Self::StopAlone),
        ("tear-state", Self::TearState),
        ("fill-disk", Self::FillDisk),
    ];
}

/// A run of faults.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) seed: u64,
    pub(crate) market: Market,
    pub(crate) messages: usize,
    /// Instruments that are traded.
    pub(crate) keys: u64,
    pub(crate) time: Duration,
    pub(crate) partitions: i32,
    /// Partitions that are added to the input when half of it is written.
    pub(crate) more_partitions: i32,
    pub(crate) engines: usize,
    pub(crate) shards: usize,
    pub(crate) exactly_once: bool,
    /// Whether the group has the protocol of KIP-848.
    pub(crate) new_protocol: bool,
    /// Whether state comes back from snapshots, or by reading all again.
    pub(crate) snapshots: bool,
    pub(crate) faults: Vec<Fault>,
    /// The pause between two faults, in milliseconds: from, to.
    pub(crate) pause: (u64, u64),
}
