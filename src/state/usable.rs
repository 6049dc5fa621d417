//! Whether a snapshot may be used, by the offsets that the group has committed. Pure.

use super::header::{StateHeader, StateIdentity};

/// What is known of a topic's partition at its assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionOffsets {
    /// The topic.
    pub topic: String,
    /// The next offset to process, as the group has committed it; none where it never has.
    pub committed: Option<i64>,
    /// The offset of the oldest record that is kept.
    pub low: i64,
    /// The offset behind the newest record.
    pub high: i64,
}

/// Whether a snapshot of partition `partition` may be continued: its records up to the committed offsets are
/// read again from its own.
///
/// # Errors
/// Why not.
pub fn check(
    header: &StateHeader,
    identity: &StateIdentity,
    partition: i32,
    offsets: &[PartitionOffsets],
) -> Result<(), String> {
    if let Some(difference) = identity.differs(&header.identity) {
        return Err(difference.to_owned());
    }
    if header.partition != partition {
        return Err(format!("it is of partition {}", header.partition));
    }
    for position in &header.positions {
        let (topic, next) = (&position.topic, position.next);
        let Some(of_topic) = offsets.iter().find(|of| of.topic == *topic) else {
            return Err(format!("topic `{topic}` is not read any more"));
        };
        match of_topic.committed {
            None => return Err(format!("the group has committed nothing of `{topic}`")),
            Some(committed) if committed > of_topic.high => {
                return Err(format!(
                    "`{topic}` ends before what was committed: offset {committed}, the end is {}; it is another topic \
                     of this name",
                    of_topic.high
                ));
            }
            Some(committed) if committed < next => {
                return Err(format!(
                    "it is ahead of what was committed: offset {next} of `{topic}`, committed {committed}"
                ));
            }
            Some(_) => {}
        }
        if next < of_topic.low {
            return Err(format!(
                "records behind it are gone: offset {next} of `{topic}`, the oldest is {}",
                of_topic.low
            ));
        }
        if next > of_topic.high {
            return Err(format!(
                "`{topic}` ends before it: offset {next}, the end is {}; it is another topic of this name",
                of_topic.high
            ));
        }
    }
    match offsets
        .iter()
        .find(|of| !header.positions.iter().any(|at| at.topic == of.topic))
    {
        Some(new) => Err(format!("it does not know topic `{}`", new.topic)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::TopicPosition;

    fn identity() -> StateIdentity {
        StateIdentity {
            pipeline: "p".into(),
            group: "g".into(),
            model_sha256: "m".into(),
            features_sha256: "f".into(),
            settings_sha256: "s".into(),
            engine_version: "1".into(),
        }
    }

    fn header(next: i64) -> StateHeader {
        StateHeader {
            identity: identity(),
            partition: 3,
            positions: vec![TopicPosition {
                topic: "t".into(),
                next,
            }],
            saved_at: 7,
            instruments: 1,
        }
    }

    fn offsets(committed: Option<i64>) -> Vec<PartitionOffsets> {
        vec![PartitionOffsets {
            topic: "t".into(),
            committed,
            low: 5,
            high: 100,
        }]
    }

    #[test]
    fn a_snapshot_is_used_only_behind_what_was_committed_and_is_still_there() {
        let of = |next, committed| check(&header(next), &identity(), 3, &offsets(committed));
        assert_eq!(of(50, Some(50)), Ok(()));
        assert_eq!(of(5, Some(99)), Ok(()));
        for (next, committed, word) in [
            (51, Some(50), "ahead"),
            (50, None, "nothing"),
            (4, Some(50), "gone"),
            (101, Some(102), "another topic"),
            (50, Some(102), "another topic"),
        ] {
            let refused = of(next, committed).unwrap_err();
            assert!(refused.contains(word), "{refused}");
        }
    }

    #[test]
    fn a_snapshot_of_something_else_is_refused_with_the_reason() {
        let change = |change: fn(&mut StateIdentity)| {
            let mut other = identity();
            change(&mut other);
            check(&header(50), &other, 3, &offsets(Some(50))).unwrap_err()
        };
        assert!(change(|of| of.model_sha256.push('x')).contains("model"));
        assert!(change(|of| of.features_sha256.push('x')).contains("features"));
        assert!(change(|of| of.settings_sha256.push('x')).contains("rows"));
        assert!(change(|of| of.engine_version.push('x')).contains("version"));
        assert!(change(|of| of.group.push('x')).contains("group"));
        assert!(change(|of| of.pipeline.push('x')).contains("pipeline"));
        let more = [offsets(Some(50)), offsets(Some(50))].concat();
        let mut more = more;
        more[1].topic = "u".into();
        let refused = check(&header(50), &identity(), 3, &more).unwrap_err();
        assert!(refused.contains("does not know topic `u`"), "{refused}");
        let refused = check(&header(50), &identity(), 4, &offsets(Some(50))).unwrap_err();
        assert!(refused.contains("partition 3"), "{refused}");
        more.remove(0);
        let refused = check(&header(50), &identity(), 3, &more).unwrap_err();
        assert!(refused.contains("not read any more"), "{refused}");
    }
}
