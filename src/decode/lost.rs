//! A message that cannot be read, though its venue has counted it.

use super::venue::Venue;
use super::venues::Venues;
use crate::event::{Batch, Body, Gap, GapReason};
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::units::Nanos;

/// Notes a gap where a venue that counts the messages of a connection has counted one that cannot be read: no
/// number will show that it is missing.
pub(super) fn note_lost(venues: &Venues, origin: Origin, message: &[u8], batch: &mut Batch) {
    let counts = |venue: &&dyn Venue| venue.connection_number(message).is_some();
    if venues.all().find(counts).is_none() {
        return;
    }
    batch.begin_frame(origin);
    let gap = Gap {
        reason: GapReason::Sequence,
        missing: 1,
    };
    batch.push(InstrumentId::ALL, Nanos::UNDEFINED, Body::Gap(gap));
}
