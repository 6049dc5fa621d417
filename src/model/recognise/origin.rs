//! A tensor of origins: for each number, the stage that made it, its step, and its unit.
//!
//! Moves origins as operators move numbers; knows no operator.

/// The origin of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CellOrigin {
    /// The stage that made it, counted along the path: 0 is padding, 1 the rows as they come in.
    pub(super) stage: usize,
    /// The step of the window, 0 the oldest.
    pub(super) step: usize,
    /// The feature of the row, or the unit of the layer.
    pub(super) unit: usize,
}

impl CellOrigin {
    /// A zero of padding.
    pub(super) const PADDING: Self = Self {
        stage: 0,
        step: 0,
        unit: 0,
    };
}

/// A shape, and the origin of each of its cells, the last dimension fastest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Origins {
    pub(super) shape: Vec<usize>,
    pub(super) cells: Vec<CellOrigin>,
}

impl Origins {
    /// The numbers of a stage at these steps, in order, with this shape.
    pub(super) fn of(
        stage: usize,
        steps: std::ops::Range<usize>,
        units: usize,
        shape: Vec<usize>,
    ) -> Self {
        let origin = |step| (0..units).map(move |unit| CellOrigin { stage, step, unit });
        let cells: Vec<CellOrigin> = steps.flat_map(origin).collect();
        debug_assert_eq!(cells.len(), shape.iter().product::<usize>());
        Self { shape, cells }
    }

    /// The same origins in order with another shape; `None` where it has another number of cells.
    pub(super) fn reshape(&self, shape: Vec<usize>) -> Option<Self> {
        (shape.iter().product::<usize>() == self.cells.len()).then(|| Self {
            shape,
            cells: self.cells.clone(),
        })
    }

    /// Dimension `at` of the result is dimension `order[at]` of this one.
    pub(super) fn transpose(&self, order: &[usize]) -> Self {
        let shape = order.iter().map(|&axis| self.shape[axis]).collect();
        self.pick(shape, |place, from| {
            for (&axis, &at) in order.iter().zip(place) {
                from[axis] = at;
            }
        })
    }

    /// Selects these places along one axis, in this order.
    pub(super) fn take(&self, axis: usize, places: &[usize]) -> Self {
        let mut shape = self.shape.clone();
        shape[axis] = places.len();
        self.pick(shape, |place, from| {
            from.copy_from_slice(place);
            from[axis] = places[place[axis]];
        })
    }

    /// Concatenates tensors along an axis; the other dimensions must be equal.
    pub(super) fn concat(parts: &[&Self], axis: usize) -> Self {
        let mut shape = parts[0].shape.clone();
        shape[axis] = parts.iter().map(|part| part.shape[axis]).sum();
        let outer = shape[..axis].iter().product();
        let mut cells = Vec::new();
        for at in 0..outer {
            for part in parts {
                let size: usize = part.shape[axis..].iter().product();
                cells.extend_from_slice(&part.cells[at * size..][..size]);
            }
        }
        Self { shape, cells }
    }

    /// A tensor of this shape with padding around these origins: `before` cells of it in each dimension.
    pub(super) fn pad(&self, before: &[usize], shape: Vec<usize>) -> Self {
        let cells = places(&shape).map(|place| {
            let within = place.iter().zip(before).zip(&self.shape);
            let within = within.map(|((&at, &before), &size)| {
                let at = at.checked_sub(before);
                at.filter(|&at| at < size)
            });
            let place: Option<Vec<usize>> = within.collect();
            place.map_or(CellOrigin::PADDING, |place| {
                self.cells[flat(&place, &self.shape)]
            })
        });
        let cells = cells.collect();
        Self { shape, cells }
    }

    /// The origins in rows along the last dimension.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[CellOrigin]> {
        let width = self.shape.last().copied().unwrap_or(1);
        self.cells.chunks_exact(width.max(1))
    }

    /// A tensor of this shape. `from` gets a place in the new tensor, and writes the place in this one.
    fn pick(&self, shape: Vec<usize>, from: impl Fn(&[usize], &mut [usize])) -> Self {
        let mut source = vec![0; self.shape.len()];
        let places = places(&shape);
        let cells = places.map(|place| {
            from(&place, &mut source);
            self.cells[flat(&source, &self.shape)]
        });
        let cells = cells.collect();
        Self { shape, cells }
    }
}

/// Every place of a shape, the last dimension fastest.
pub(super) fn places(shape: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    (0..shape.iter().product()).map(move |mut at: usize| {
        let mut place = vec![0; shape.len()];
        for (index, &size) in place.iter_mut().zip(shape).rev() {
            *index = at % size;
            at /= size;
        }
        place
    })
}

/// The index of a place: the number of cells before it.
pub(super) fn flat(place: &[usize], shape: &[usize]) -> usize {
    let step = |at, (&index, &size)| at * size + index;
    place.iter().zip(shape).fold(0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(origins: &Origins) -> Vec<(usize, usize)> {
        let pair = |origin: &CellOrigin| (origin.step, origin.unit);
        origins.cells.iter().map(pair).collect()
    }

    #[test]
    fn origins_move_as_numbers_do() {
        let rows = Origins::of(0, 0..2, 3, vec![1, 2, 3]);
        let turned = rows.transpose(&[2, 0, 1]);
        assert_eq!(turned.shape, [3, 1, 2]);
        let wanted = [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)];
        assert_eq!(units(&turned), wanted);
        assert_eq!(turned.transpose(&[1, 2, 0]), rows);
        let last = rows.take(1, &[1]);
        assert_eq!(last, Origins::of(0, 1..2, 3, vec![1, 1, 3]));
        let parts = [&rows.take(2, &[0]), &rows.take(2, &[1, 2])];
        assert_eq!(Origins::concat(&parts, 2), rows);
        assert_eq!(rows.reshape(vec![4]), None);
    }
}
