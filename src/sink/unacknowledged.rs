//! Positions of the input that wait until the records before them have arrived.

use std::collections::VecDeque;

use crate::frame::Position;

/// The marks of a sink that acknowledges records by their number, oldest first.
#[derive(Debug, Default)]
pub(crate) struct UnacknowledgedPositions {
    /// A position, and the number of records taken before it.
    waiting: VecDeque<(u64, Position)>,
}

impl UnacknowledgedPositions {
    /// Notes positions behind the first `records` records.
    pub(crate) fn add(&mut self, records: u64, positions: &[Position]) {
        let marked = positions.iter().map(|&position| (records, position));
        self.waiting.extend(marked);
    }

    /// Moves the positions behind the first `records` records at most to the end of `positions`, in order.
    pub(crate) fn take(&mut self, records: u64, positions: &mut Vec<Position>) {
        while let Some(&(before, position)) = self.waiting.front()
            && before <= records
        {
            self.waiting.pop_front();
            positions.push(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_waits_for_all_records_before_it() {
        let at = |partition, next| Position {
            stream: 0,
            partition,
            next,
        };
        let mut marks = UnacknowledgedPositions::default();
        marks.add(2, &[at(0, 10), at(1, 5)]);
        marks.add(2, &[at(0, 11)]);
        marks.add(4, &[at(1, 6)]);
        let mut positions = vec![];
        marks.take(1, &mut positions);
        assert_eq!(positions, []);
        marks.take(3, &mut positions);
        assert_eq!(positions, [at(0, 10), at(1, 5), at(0, 11)]);
        positions.clear();
        marks.take(4, &mut positions);
        assert_eq!(positions, [at(1, 6)]);
    }
}
