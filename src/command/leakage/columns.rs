//! The columns of a set by what they mean.

use super::description::DescribedNormaliser;
use crate::units::Nanos;

/// The columns of a set by their meaning.
#[derive(Clone, Debug, Default)]
pub(super) struct SetColumns {
    pub(super) time: Option<String>,
    pub(super) received: Option<String>,
    pub(super) instrument: Option<String>,
    pub(super) window_start: Option<String>,
    pub(super) group: Option<String>,
    /// What is looked at as a feature: those of the set, and behind them `added`.
    pub(super) features: Vec<String>,
    /// Columns of numbers that the set's description does not name: someone added them.
    pub(super) added: Vec<String>,
    /// Columns without a meaning that hold no numbers: nothing looks at them.
    pub(super) unexamined: Vec<String>,
    /// Columns with the class of a label.
    pub(super) classes: Vec<String>,
    /// Columns with the value of a label.
    pub(super) values: Vec<String>,
    /// Columns with the time at which a label was known.
    pub(super) ends: Vec<String>,
    /// Without such a column: how long after the row that was, in nanoseconds.
    pub(super) horizon_ns: Option<i64>,
    /// At most [`SetColumns::SPLITS_MAX`].
    pub(super) splits: Vec<SplitColumn>,
    /// Splits beyond that.
    pub(super) splits_left_out: Vec<String>,
    /// Features, each with the column that says when its value was known.
    pub(super) known: Vec<(String, String)>,
    /// Features that are taken as of another time; none where nothing says which.
    pub(super) as_of: Option<Vec<AsOfFeature>>,
    /// Whether these are all.
    pub(super) are_all_as_of_told: bool,
    pub(super) steps: usize,
    pub(super) embargo_ns: i64,
    pub(super) normaliser: Option<DescribedNormaliser>,
    /// Whether the set describes itself.
    pub(super) is_described: bool,
}

/// A split or a fold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SplitColumn {
    pub(super) name: String,
    /// Where there is no column: rows from this time on are held out.
    pub(super) test_from: Option<Nanos>,
}

/// A feature that is taken as of another time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AsOfFeature {
    pub(super) feature: String,
    /// The time of the source by which it was taken; none: no time of release.
    pub(super) release: Option<String>,
    /// Whether its time may be missing in rows before the first that has one: nothing had come yet.
    pub(super) may_begin_later: bool,
}

impl SetColumns {
    /// Splits are bits of a word.
    pub(super) const SPLITS_MAX: usize = 64;

    /// How many of the features are the set's own.
    pub(super) fn own_features(&self) -> usize {
        self.features.len() - self.added.len()
    }

    /// The added columns of which nothing says whether they are taken as of another time, if there are any.
    pub(super) fn untold(&self) -> Option<String> {
        let is_told = |name: &&String| {
            let mut as_of = self.as_of.iter().flatten();
            as_of.any(|input| input.feature == **name)
        };
        let untold = self.added.iter().filter(|name| !is_told(name));
        let untold: Vec<String> = untold.map(|name| format!("`{name}`")).collect();
        (!untold.is_empty()).then(|| {
            let names = untold.join(", ");
            format!("{names}, which someone added: name those of another time with --as-of")
        })
    }

    /// The columns that are read.
    pub(super) fn used(&self) -> Vec<&str> {
        let single = [
            &self.time,
            &self.received,
            &self.instrument,
            &self.window_start,
            &self.group,
        ];
        let single = single.into_iter().flatten();
        let splits = self.splits.iter().filter(|split| split.test_from.is_none());
        let lists = [&self.features, &self.classes, &self.values, &self.ends];
        single
            .chain(lists.into_iter().flatten())
            .chain(splits.map(|split| &split.name))
            .chain(self.known.iter().map(|(_, column)| column))
            .map(String::as_str)
            .collect()
    }
}
