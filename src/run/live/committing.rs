//! The consumer group of a run's source, as the transactions of its sink need it.

use std::sync::Arc;

use crate::frame::Position;
use crate::sink::kafka::transaction::{CommittingGroup, GroupMember, GroupOffset};
use crate::source::kafka::{Group, Progress};

/// The group, and whether it has taken partitions away.
pub(super) struct SourceGroup {
    pub(super) group: Arc<Group>,
    pub(super) progress: Arc<Progress>,
}

impl CommittingGroup for SourceGroup {
    fn member(&self) -> Option<GroupMember> {
        self.group.metadata().map(GroupMember::from)
    }

    fn offset(&self, position: Position) -> Option<GroupOffset> {
        let note = self.progress.note(position.stream, position.partition);
        Some(GroupOffset {
            topic: self.group.topic_of(position.stream)?,
            position,
            note: note.map_or_else(String::new, |note| note.to_string()),
        })
    }

    fn is_lost(&self) -> bool {
        self.progress.is_lost()
    }
}
