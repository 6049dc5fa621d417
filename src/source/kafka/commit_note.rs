//! What a group notes beside each committed offset: where it began. A later run, or another member, cannot
//! see that in the topic any more.

use std::fmt;

/// Where a group began to read a partition. Kafka keeps it as the metadata of the committed offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitNote {
    /// The first record that the group has read. State comes back by reading from here: an older record was
    /// never part of it.
    pub begun: i64,
    /// How many partitions the topic had when the group began with `start = "latest"`. A partition with a
    /// higher number was added later, and is read from its oldest record.
    pub partitions: Option<i32>,
}

impl CommitNote {
    /// Reads the metadata of an offset; none where another program wrote it.
    #[must_use]
    pub fn read(metadata: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut fields = metadata
                .split(' ')
                .filter_map(|field| field.split_once('='));
            let (_, number) = fields.find(|(found, _)| *found == name)?;
            Some(number)
        };
        Some(Self {
            begun: field(BEGUN)?.parse().ok()?,
            partitions: field(PARTITIONS).and_then(|number| number.parse().ok()),
        })
    }
}

impl fmt::Display for CommitNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{BEGUN}={}", self.begun)?;
        match self.partitions {
            Some(partitions) => write!(f, " {PARTITIONS}={partitions}"),
            None => Ok(()),
        }
    }
}

const BEGUN: &str = "begun";
const PARTITIONS: &str = "partitions";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written_and_that_of_others_is_none() {
        for partitions in [None, Some(3)] {
            let note = CommitNote {
                begun: 17,
                partitions,
            };
            assert_eq!(CommitNote::read(&note.to_string()), Some(note));
        }
        assert_eq!(
            CommitNote::read("begun=1 partitions=x").unwrap().partitions,
            None
        );
        for other in [
            "",
            "begun",
            "begun=",
            "flink",
            "partitions=2",
            "{\"begun\":1}",
        ] {
            assert_eq!(CommitNote::read(other), None, "{other}");
        }
    }
}
