//! What all instances of a simulation share.

use std::sync::Arc;

use super::brokers::SimulatedBrokers;
use super::disk::Disk;
use super::plan::Plan;

/// The plan of a seed, its brokers, and the folder of snapshots.
pub(super) struct SharedWorld {
    pub(super) plan: Plan,
    pub(super) brokers: Arc<SimulatedBrokers>,
    pub(super) disk: Arc<Disk>,
}
