//! A list of numbers that begins at a cache line.

use std::ops::{Deref, DerefMut};

/// Numbers that begin at a cache line of 64 bytes, so that no register's load crosses one.
#[derive(Debug, Default)]
pub struct Aligned {
    cells: Vec<f32>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// So many zeros.
    #[must_use]
    pub fn zeros(len: usize) -> Self {
        let cells = vec![0.0_f32; len + 15];
        let start = cells.as_ptr().align_offset(64).min(15);
        Self { cells, start, len }
    }
}

/// The copy is aligned too.
impl Clone for Aligned {
    fn clone(&self) -> Self {
        Self::from(&self[..])
    }
}

impl From<&[f32]> for Aligned {
    fn from(cells: &[f32]) -> Self {
        let mut aligned = Self::zeros(cells.len());
        aligned.copy_from_slice(cells);
        aligned
    }
}

impl From<Vec<f32>> for Aligned {
    fn from(cells: Vec<f32>) -> Self {
        Self::from(&cells[..])
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.cells[self.start..self.start + self.len]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.cells[self.start..self.start + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_aligned_and_equal() {
        for len in [1, 16, 1_000] {
            let cells: Vec<f32> = (0..len).map(|at| at as f32).collect();
            let first = Aligned::from(&cells[..]);
            let copies = [first.clone(), first.clone(), first];
            for copy in &copies {
                assert_eq!(copy[..], cells[..]);
                assert_eq!(copy.as_ptr() as usize % 64, 0);
            }
        }
    }
}
