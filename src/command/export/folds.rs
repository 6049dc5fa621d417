//! Folds for cross-validation: blocks of time, some of which each fold tests.
//!
//! Combinatorial folds: each choice of k of N blocks is tested once, so that the blocks can be put together
//! to k/N·C(N, k) paths through all of time (López de Prado 2018, "Advances in Financial Machine Learning",
//! ch. 12). A training row is purged whose window or label meets the labels of a tested block, and embargoed
//! within the embargo after them (ch. 7). A tested row is purged whose window begins before its stretch of
//! tested blocks. Rows of groups that are held out for validation or test are in no fold.

use serde::Serialize;

use super::split::Extent;
use crate::config::FoldsKind;
use crate::pipeline::FoldSettings;
use crate::time::rfc3339;
use crate::units::Nanos;

/// The folds of a set.
#[derive(Clone, Debug)]
pub(super) struct Folds {
    /// Where blocks begin, and where the last one ends.
    borders: Vec<i64>,
    all: Vec<Fold>,
    /// How long after a row its labels may end: labels of a tested block end that long after it at most.
    horizon_ns: i64,
    purge_ns: i64,
    embargo_ns: i64,
}

/// A fold: the role of each block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fold {
    kind: &'static str,
    blocks: Vec<BlockRole>,
}

/// What a block is for a fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BlockRole {
    Unused,
    Train,
    Test,
}

/// A fold as it is described beside the rows.
#[derive(Debug, Serialize)]
pub(super) struct DescribedFold {
    name: String,
    kind: &'static str,
    train: Vec<[String; 2]>,
    test: Vec<[String; 2]>,
}

/// Until when the labels of each block of an instrument reach.
#[derive(Clone, Debug, Default)]
pub(super) struct BlockEnds(Vec<i64>);

/// How folds purge, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoldPurge {
    /// The longest horizon of a label.
    pub(super) horizon_ns: i64,
    /// How far from a tested block training rows are at least, before it.
    pub(super) purge_ns: i64,
    /// How far from the labels of a tested block training rows are at least, after them.
    pub(super) embargo_ns: i64,
}

impl Folds {
    /// Folds of the time from `from` to `to`.
    pub(super) fn new(settings: FoldSettings, from: i64, to: i64, purge: FoldPurge) -> Self {
        let count = settings.blocks;
        let length = i128::from(to) - i128::from(from);
        let border = |at: usize| from + (length * at as i128 / count as i128) as i64;
        let FoldPurge {
            horizon_ns,
            purge_ns,
            embargo_ns,
        } = purge;
        Self {
            borders: (0..=count).map(border).collect(),
            all: match settings.kind {
                FoldsKind::WalkForward => walk_forward(count, settings.train_blocks),
                FoldsKind::Combinatorial => combinatorial(count, settings.test_blocks),
            },
            horizon_ns,
            purge_ns,
            embargo_ns,
        }
    }

    /// The number of folds.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Notes until when the labels of a row reach.
    pub(super) fn note(&self, ends: &mut BlockEnds, row: &Extent) {
        let (Some(block), Some(end)) = (self.block_of(row.at), row.end) else {
            return;
        };
        ends.0.resize(self.borders.len() - 1, i64::MIN);
        ends.0[block] = ends.0[block].max(end);
    }

    /// What a row is for a fold; none where the fold does not use it. `ends` are of its instrument, whose
    /// earlier rows have been noted.
    pub(super) fn role(&self, fold: usize, row: &Extent, ends: &BlockEnds) -> Option<&'static str> {
        let block = self.block_of(row.at)?;
        let roles = &self.all[fold].blocks;
        match roles[block] {
            BlockRole::Unused => None,
            _ if row.excluded => Some("excluded"),
            BlockRole::Test => {
                let first = (0..block)
                    .rev()
                    .take_while(|one| roles[*one] == BlockRole::Test);
                let first = first.last().unwrap_or(block);
                let reaches_back = row.begin() < self.borders[first];
                // The first block has nothing before it that could leak.
                let is_purged = reaches_back && first > 0;
                Some(if is_purged { "purge" } else { "test" })
            }
            BlockRole::Train => Some(self.train_role(roles, block, row, ends)),
        }
    }

    fn train_role(
        &self,
        roles: &[BlockRole],
        block: usize,
        row: &Extent,
        ends: &BlockEnds,
    ) -> &'static str {
        let tested = |one: &usize| roles[*one] == BlockRole::Test;
        // What comes after the last block is kept for validation and test.
        let next = (block + 1..roles.len()).find(tested).unwrap_or(roles.len());
        let end = row.end.unwrap_or(row.at);
        if end.max(row.at.saturating_add(self.purge_ns)) >= self.borders[next] {
            return "purge";
        }
        let mut role = "train";
        for before in (0..block).filter(tested) {
            let of_block = ends.0.get(before).copied().unwrap_or(i64::MIN);
            let horizon_end = self.borders[before + 1].saturating_add(self.horizon_ns) - 1;
            let end = of_block.max(horizon_end);
            if row.begin() <= end {
                return "purge";
            }
            if row.at <= end.saturating_add(self.embargo_ns) {
                role = "embargo";
            }
        }
        role
    }

    fn block_of(&self, at: i64) -> Option<usize> {
        let after = self.borders.partition_point(|border| *border <= at);
        (1..self.borders.len()).contains(&after).then(|| after - 1)
    }

    /// The folds as they are described beside the rows.
    pub(super) fn described(&self) -> Vec<DescribedFold> {
        let describe = |(at, fold): (usize, &Fold)| DescribedFold {
            name: format!("fold_{at}"),
            kind: fold.kind,
            train: self.spans(fold, BlockRole::Train),
            test: self.spans(fold, BlockRole::Test),
        };
        self.all.iter().enumerate().map(describe).collect()
    }

    /// The stretches of time that have a role in a fold.
    fn spans(&self, fold: &Fold, role: BlockRole) -> Vec<[String; 2]> {
        let mut spans: Vec<[i64; 2]> = vec![];
        for (block, _) in fold
            .blocks
            .iter()
            .enumerate()
            .filter(|(_, one)| **one == role)
        {
            let (from, to) = (self.borders[block], self.borders[block + 1]);
            match spans.last_mut() {
                Some([_, end]) if *end == from => *end = to,
                _ => spans.push([from, to]),
            }
        }
        let write = |span: [i64; 2]| span.map(|ts| rfc3339(Nanos(ts)));
        spans.into_iter().map(write).collect()
    }

    /// Paths through all blocks: of each path the fold that tests each block. None where some block is not
    /// tested.
    pub(super) fn paths(&self) -> Vec<Vec<usize>> {
        let blocks = self.borders.len() - 1;
        let testing = |block: usize| -> Vec<usize> {
            let tests = |fold: &usize| self.all[*fold].blocks[block] == BlockRole::Test;
            (0..self.all.len()).filter(tests).collect()
        };
        let testing: Vec<Vec<usize>> = (0..blocks).map(testing).collect();
        let paths = testing.iter().map(Vec::len).min().unwrap_or(0);
        let path = |path: usize| testing.iter().map(|folds| folds[path]).collect();
        (0..paths).map(path).collect()
    }
}

fn walk_forward(count: usize, train: Option<usize>) -> Vec<Fold> {
    let fold = |test: usize| Fold {
        kind: "walk_forward",
        blocks: (0..count)
            .map(|block| match block {
                block if block == test => BlockRole::Test,
                block if block < test && train.is_none_or(|train| block + train >= test) => {
                    BlockRole::Train
                }
                _ => BlockRole::Unused,
            })
            .collect(),
    };
    (1..count).map(fold).collect()
}

fn combinatorial(count: usize, tested: usize) -> Vec<Fold> {
    let mut chosen: Vec<usize> = (0..tested).collect();
    let mut folds = vec![];
    loop {
        let role = |block| match chosen.contains(&block) {
            true => BlockRole::Test,
            false => BlockRole::Train,
        };
        folds.push(Fold {
            kind: "combinatorial",
            blocks: (0..count).map(role).collect(),
        });
        // The next choice in the order of the alphabet.
        let Some(at) = (0..tested)
            .rev()
            .find(|at| chosen[*at] < count - tested + at)
        else {
            return folds;
        };
        chosen[at] += 1;
        for after in at + 1..tested {
            chosen[after] = chosen[after - 1] + 1;
        }
    }
}

#[cfg(test)]
mod tests;
