//! The order in which instruments take rows.

/// Every instrument takes every row of a tape once, in a new random order for each row.
#[derive(Debug)]
pub(super) struct Turns {
    /// The instruments in the order of this row.
    order: Vec<usize>,
    /// How many of them have taken it.
    taken: usize,
    row: u64,
    state: u64,
}

impl Turns {
    pub(super) fn new(instruments: usize) -> Self {
        Self {
            order: (0..instruments).collect(),
            taken: instruments,
            row: 0,
            state: 0x2545_f491_4f6c_dd1d,
        }
    }

    /// The next instrument, and the number of the row that it takes.
    pub(super) fn next(&mut self) -> (usize, u64) {
        if self.taken == self.order.len() {
            self.row += 1;
            self.taken = 0;
            for at in (1..self.order.len()).rev() {
                let other = self.below(at + 1);
                self.order.swap(at, other);
            }
        }
        self.taken += 1;
        (self.order[self.taken - 1], self.row)
    }

    /// Whether every instrument has taken the rows up to this one.
    pub(super) fn have_taken(&self, row: u64) -> bool {
        self.row > row || self.row == row && self.taken == self.order.len()
    }

    /// Lets only the first instrument take rows from now on.
    pub(super) fn keep_first(&mut self) {
        let waits = self.order[self.taken..].contains(&0);
        self.order = vec![0];
        self.taken = usize::from(!waits);
    }

    /// A random number below `count`, uniformly distributed.
    pub(super) fn below(&mut self, count: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        ((u128::from(self.state) * count as u128) >> 64) as usize
    }
}
