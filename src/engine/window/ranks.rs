//! The values of a window in their order.

use serde::{Deserialize, Serialize};

use super::rolling::{Aggregate, Rolling};

/// The values in ascending order, in blocks, so that one is found, added and removed in O(√n).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Ranks {
    /// None is empty.
    blocks: Vec<Vec<f64>>,
}

/// A block of more values is split.
const BLOCK_MAX: usize = 256;

impl Aggregate for Ranks {
    type Entry = f64;

    fn add(&mut self, entry: f64, _: Option<f64>) {
        let at = self
            .block_of(entry)
            .min(self.blocks.len().saturating_sub(1));
        let Some(block) = self.blocks.get_mut(at) else {
            self.blocks.push(vec![entry]);
            return;
        };
        block.insert(block.partition_point(|&other| other < entry), entry);
        if block.len() > BLOCK_MAX {
            let upper = block.split_off(BLOCK_MAX / 2);
            self.blocks.insert(at + 1, upper);
        }
    }

    fn remove(&mut self, entry: f64, _: Option<f64>) {
        let at = self.block_of(entry);
        let Some(block) = self.blocks.get_mut(at) else {
            return;
        };
        block.remove(block.partition_point(|&other| other < entry));
        if block.is_empty() {
            self.blocks.remove(at);
        }
    }

    fn is_worn(&mut self, _: usize) -> bool {
        false
    }

    /// Nothing wears out.
    fn recompute(&mut self, _: impl Iterator<Item = Option<f64>> + Clone) {}
}

impl Ranks {
    /// The first block with a value that is not below this one; the number of blocks where there is none.
    fn block_of(&self, entry: f64) -> usize {
        let below = |block: &Vec<f64>| block.last().is_some_and(|&last| last < entry);
        self.blocks.partition_point(below)
    }

    /// How many values meet `is_below`, which no value does that is above one which does not.
    fn count(&self, is_below: impl Fn(f64) -> bool) -> usize {
        let mut count = 0;
        for block in &self.blocks {
            let of_block = block.partition_point(|&value| is_below(value));
            count += of_block;
            if of_block < block.len() {
                break;
            }
        }
        count
    }
}

impl Rolling<Ranks> {
    /// The place of the newest value among those of the window, of equal ones their mean, as a part of n:
    /// 1 for the largest. NaN of an empty window.
    #[must_use]
    pub fn rank(&self) -> f64 {
        let Some(newest) = self.newest() else {
            return f64::NAN;
        };
        let below = self.aggregate().count(|value| value < newest);
        let up_to = self.aggregate().count(|value| value <= newest);
        0.5 * (below + up_to + 1) as f64 / self.len() as f64
    }
}
