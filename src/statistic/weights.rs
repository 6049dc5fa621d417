//! How much each row counts.

/// How much each row counts: how often it was drawn, times its own weight.
#[derive(Clone, Debug, PartialEq)]
pub struct RowWeights {
    drawn: Vec<u32>,
    each: Vec<f64>,
    rows: u64,
    total: f64,
    are_counts: bool,
}

impl RowWeights {
    /// Each row counts once.
    #[must_use]
    pub fn ones(rows: usize) -> Self {
        Self::drawn(&vec![1; rows], None)
    }

    /// Rows that were drawn so often, with weights of their own where they have any; these are finite and
    /// not negative.
    ///
    /// # Panics
    /// Where there is not a weight for each row.
    #[must_use]
    pub fn drawn(counts: &[u32], own: Option<&[f64]>) -> Self {
        let each: Vec<f64> = match own {
            None => counts.iter().map(|count| f64::from(*count)).collect(),
            Some(own) => {
                assert_eq!(own.len(), counts.len(), "each row has a weight");
                let both = counts.iter().zip(own);
                both.map(|(count, own)| f64::from(*count) * own).collect()
            }
        };
        Self {
            drawn: counts.to_vec(),
            rows: counts.iter().map(|count| u64::from(*count)).sum(),
            total: each.iter().sum(),
            each,
            are_counts: own.is_none(),
        }
    }

    /// What each row counts.
    #[must_use]
    pub fn each(&self) -> &[f64] {
        &self.each
    }

    /// How often each row was drawn.
    #[must_use]
    pub fn counts(&self) -> &[u32] {
        &self.drawn
    }

    /// How many rows were drawn.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What all rows count.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.total
    }

    /// So many parts of so many of what all rows count; whole rows, rounded down, where rows have no weights
    /// of their own.
    #[must_use]
    pub fn share(&self, parts: u64, of: u64) -> f64 {
        match self.are_counts {
            true => (parts * self.rows / of) as f64,
            false => parts as f64 * self.total / of as f64,
        }
    }
}
