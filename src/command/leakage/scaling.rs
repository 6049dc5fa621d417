//! Whether the values of features show that they were scaled, and over which rows.

use super::moments::ColumnMoments;
use super::split_role::SplitRole;

/// What is kept of all features.
pub(super) struct Scaling {
    features: usize,
    /// By feature and role.
    all: Vec<[ColumnMoments; SplitRole::COUNT]>,
    ranges: Vec<ValueRange>,
    /// By instrument, feature and role; none once there are too many.
    by_instrument: Option<Vec<[ColumnMoments; SplitRole::COUNT]>>,
}

/// The range of a feature.
#[derive(Clone, Copy)]
struct ValueRange {
    least: f64,
    most: f64,
    train_least: f64,
    train_most: f64,
    rows: u64,
    /// Rows that are 0, 1, -1.
    at_ends: [u64; 3],
}

/// How a feature was scaled by rows that are held out.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum FeatureScaling {
    /// To mean 0 and standard deviation 1.
    Standard {
        over: String,
        rows: u64,
        train_mean: f64,
        train_deviation: f64,
    },
    /// To a range that ends at 1.
    Range {
        from: i8,
        rows: u64,
        train_least: f64,
        train_most: f64,
    },
}

/// What mean and deviation may differ from 0 and 1 by.
const TOLERANCE: f64 = 1e-6;
/// What the ends of a range may be rounded by, of 32 bits too.
const ROUNDING: f64 = 5e-7;
/// Fewer rows prove nothing.
const ROWS_MIN: f64 = 10.0;
/// Moments of instruments that are kept: 100 MB.
const INSTRUMENT_MOMENTS_MAX: usize = 1 << 20;
/// The largest part of the rows at the ends of a scaled range: of more, the range is the feature's own.
const AT_ENDS_MAX: f64 = 0.01;

impl Scaling {
    pub(super) fn new(features: usize) -> Self {
        Self {
            features,
            all: vec![Default::default(); features],
            ranges: vec![ValueRange::NONE; features],
            by_instrument: Some(vec![]),
        }
    }

    pub(super) fn add(&mut self, instrument: usize, feature: usize, role: SplitRole, value: f64) {
        self.all[feature][role.index()].add(value);
        self.ranges[feature].add(role, value);
        let Some(moments) = &mut self.by_instrument else {
            return;
        };
        let at = instrument * self.features + feature;
        if at >= moments.len() {
            if at >= INSTRUMENT_MOMENTS_MAX {
                self.by_instrument = None;
                return;
            }
            moments.resize_with((instrument + 1) * self.features, Default::default);
        }
        moments[at][role.index()].add(value);
    }

    /// How many instruments are looked at one by one; none if they are too many.
    pub(super) fn instruments(&self) -> Option<usize> {
        let moments = self.by_instrument.as_ref()?;
        Some(moments.len() / self.features.max(1))
    }

    /// How a feature was scaled by held-out rows, if it was.
    pub(super) fn found(&self, feature: usize, ranges: bool) -> Option<FeatureScaling> {
        let all = &self.all[feature];
        if let Some((over, moments)) = over_more_than_train(all) {
            return Some(standard(over.into(), moments.count() as u64, all[0]));
        }
        self.found_by_instrument(feature)
            .or_else(|| self.ranges[feature].found().filter(|_| ranges))
    }

    fn found_by_instrument(&self, feature: usize) -> Option<FeatureScaling> {
        let moments = self.by_instrument.as_ref()?;
        let own = moments.iter().skip(feature).step_by(self.features);
        let scaled: Vec<_> = own
            .filter_map(|all| Some((over_more_than_train(all)?, all[0])))
            .collect();
        let ((over, _), train) = scaled.first()?;
        let rows = scaled
            .iter()
            .map(|((_, moments), _)| moments.count() as u64)
            .sum();
        let over = match scaled.len() {
            1 => format!("{over} of one instrument"),
            number => format!("{over} of each of {number} instruments"),
        };
        Some(standard(over, rows, *train))
    }
}

/// Over which rows, with some that are held out, values have mean 0 and deviation 1; not where they have them
/// over train too.
fn over_more_than_train(
    roles: &[ColumnMoments; SplitRole::COUNT],
) -> Option<(&'static str, ColumnMoments)> {
    let [train, validation, test, between, neither] = *roles;
    let with_both = train.merged(validation).merged(test);
    let alone = [("validation alone", validation), ("test alone", test)];
    // Purged rows belong to neither side: a scale over train and them knows nothing of the held-out rows.
    let wider = [
        ("all rows", with_both.merged(between).merged(neither)),
        ("all rows but those excluded", with_both.merged(between)),
        ("train, validation and test", with_both),
        ("train and validation", train.merged(validation)),
        ("train and test", train.merged(test)),
    ];
    let is_wider = |moments: &ColumnMoments| moments.count() > train.count();
    let knows_train = |moments: &ColumnMoments| train.count() >= 2.0 && is_wider(moments);
    let held_out = validation.count() + test.count() > 0.0;
    let wider = wider
        .into_iter()
        .filter(|(_, moments)| knows_train(moments));
    let wider = wider.filter(|_| held_out && !is_standard(train));
    let mut sets = wider.chain(alone);
    sets.find(|(_, moments)| is_standard(*moments))
}

fn is_standard(moments: ColumnMoments) -> bool {
    let is_one = |ddof| (moments.deviation(ddof) - 1.0).abs() <= TOLERANCE;
    moments.count() >= ROWS_MIN && moments.mean().abs() <= TOLERANCE && (is_one(0.0) || is_one(1.0))
}

fn standard(over: String, rows: u64, train: ColumnMoments) -> FeatureScaling {
    FeatureScaling::Standard {
        over,
        rows,
        train_mean: train.mean(),
        train_deviation: train.deviation(0.0),
    }
}

/// Whether a scaled value is at an end of its range.
fn is_near(value: f64, end: f64) -> bool {
    (value - end).abs() <= ROUNDING
}

impl ValueRange {
    const NONE: Self = Self {
        least: f64::INFINITY,
        most: f64::NEG_INFINITY,
        train_least: f64::INFINITY,
        train_most: f64::NEG_INFINITY,
        rows: 0,
        at_ends: [0; 3],
    };

    fn add(&mut self, role: SplitRole, value: f64) {
        self.rows += 1;
        self.least = self.least.min(value);
        self.most = self.most.max(value);
        if role == SplitRole::Train {
            self.train_least = self.train_least.min(value);
            self.train_most = self.train_most.max(value);
        }
        for (count, end) in self.at_ends.iter_mut().zip([0.0, 1.0, -1.0]) {
            *count += u64::from(is_near(value, end));
        }
    }

    fn found(&self) -> Option<FeatureScaling> {
        let [zeros, ones, minus_ones] = self.at_ends;
        let (from, at_ends) = match self.least {
            least if is_near(least, 0.0) => (0, zeros + ones),
            least if is_near(least, -1.0) => (-1, minus_ones + ones),
            _ => return None,
        };
        let is_rare = at_ends <= 2 || at_ends as f64 <= self.rows as f64 * AT_ENDS_MAX;
        let is_of_others =
            self.train_least > self.least + ROUNDING || self.train_most < self.most - ROUNDING;
        let has_train = self.train_least <= self.train_most;
        let is_scaled = is_near(self.most, 1.0) && is_rare && is_of_others && has_train;
        (is_scaled && self.rows as f64 >= ROWS_MIN).then_some(FeatureScaling::Range {
            from,
            rows: self.rows,
            train_least: self.train_least,
            train_most: self.train_most,
        })
    }
}

impl FeatureScaling {
    /// The figures that show it.
    pub(super) fn figures(&self) -> [(&'static str, f64); 2] {
        match self {
            Self::Standard {
                train_mean,
                train_deviation,
                ..
            } => [
                ("train_mean", *train_mean),
                ("train_deviation", *train_deviation),
            ],
            Self::Range {
                train_least,
                train_most,
                ..
            } => [("train_least", *train_least), ("train_most", *train_most)],
        }
    }
}
