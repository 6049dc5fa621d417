//! A convolution network packed for the kernels: the next column of every filter, for several keys at once.
//!
//! A column depends on rows alone, not on the window: it is computed once, and kept for as long as a window
//! or another filter reads it. Knows no window; `windows` does.

use super::columns::ColumnCache;
use super::flat::FlattenedDense;
use super::network::{ConvolutionFilter, ConvolutionNetwork, HeadInput};
use crate::model::kernel::{InputRows, Isa, PackedWeights};
use crate::model::slide::head;
use crate::model::slide::head::{Head, activate};
use crate::model::slide::recurrent::network::{Activation, ScaleStep};

/// A network, packed for the instructions of this processor. Shared by all shards.
#[derive(Debug)]
pub struct PackedConvolution {
    isa: Isa,
    features: usize,
    steps: usize,
    scale: Vec<(ScaleStep, Vec<f32>)>,
    layers: Vec<PackedFilter>,
    /// Of the rows, then of each filter.
    rings: Vec<Ring>,
    head_input: HeadInput,
    /// The first dense layer, if it is over several columns.
    flat: Option<FlattenedDense>,
    head: Head,
    outputs: usize,
}

/// Buffers for a step; one per thread.
#[derive(Debug, Default)]
pub struct ConvolutionScratch {
    given: Vec<f32>,
    at: Vec<usize>,
    sums: Vec<f32>,
    flat: Vec<f32>,
    dense: [Vec<f32>; 2],
}

/// One filter.
#[derive(Debug)]
struct PackedFilter {
    from: usize,
    /// How many rows back each column is that it takes, the oldest first.
    taps: Vec<usize>,
    weights: PackedWeights,
    activation: Activation,
    plus: Option<usize>,
    then: Activation,
}

/// Where the last columns of a source lie in a [`ColumnCache`]: that of row n in slot n modulo `columns`.
#[derive(Clone, Copy, Debug)]
struct Ring {
    at: usize,
    width: usize,
    columns: usize,
}

impl PackedConvolution {
    /// Packs a network.
    #[must_use]
    pub fn new(network: &ConvolutionNetwork, isa: Isa) -> Self {
        let (flat, behind) = match (network.head_input, &network.head[..]) {
            (HeadInput::Flat(columns), [first, behind @ ..]) => {
                (Some(FlattenedDense::new(first, columns, isa)), behind)
            }
            (_, head) => (None, head),
        };
        Self {
            isa,
            features: network.features,
            steps: network.steps,
            scale: network.scale.clone(),
            layers: network
                .filters
                .iter()
                .map(|filter| PackedFilter::new(filter, isa))
                .collect(),
            rings: rings(network),
            head_input: network.head_input,
            flat,
            head: Head::new(behind, isa),
            outputs: network.outputs(),
        }
    }

    /// Numbers in a row.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// Rows in a window.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Numbers that a window gives.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The instructions it was packed for.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The normalisation of each feature.
    #[must_use]
    pub fn scaling(&self) -> &[(ScaleStep, Vec<f32>)] {
        &self.scale
    }

    /// The first dense layer, if it is over several columns.
    pub(super) fn flat(&self) -> Option<&FlattenedDense> {
        self.flat.as_ref()
    }

    /// Numbers in the columns of a key.
    #[must_use]
    pub fn state_cells(&self) -> usize {
        self.rings.last().map_or(0, Ring::end)
    }

    /// Reads all weights that a row needs before its score. Returns their sum.
    #[must_use]
    pub fn read_weights(&self) -> f32 {
        let filters: f32 = self.layers.iter().map(|layer| layer.weights.read()).sum();
        filters + self.flat.as_ref().map_or(0.0, FlattenedDense::read_last)
    }

    /// The columns of a key without rows.
    pub(super) fn new_columns(&self) -> ColumnCache {
        ColumnCache {
            cells: vec![0.0; self.state_cells()],
            rows_seen: 0,
        }
    }

    /// Appends a row; [`PackedConvolution::advance`] must follow.
    pub(super) fn append(&self, row: &[f64], columns: &mut ColumnCache) {
        columns.rows_seen += 1;
        let place = self.rings[0].place(columns.rows_seen, 0);
        head::scale(&self.scale, row, &mut columns.cells[place]);
    }

    /// Computes the columns of the newest row of several keys.
    pub(super) fn advance(&self, caches: &mut [ColumnCache], scratch: &mut ConvolutionScratch) {
        for (number, layer) in self.layers.iter().enumerate() {
            let ConvolutionScratch {
                given, at, sums, ..
            } = scratch;
            given.clear();
            at.clear();
            for cache in caches.iter() {
                at.push(given.len());
                for &back in &layer.taps {
                    given.extend_from_slice(self.column(cache, layer.from, back));
                }
            }
            let width = layer.weights.width();
            sums.resize(width * caches.len(), 0.0);
            layer.weights.sums(InputRows { cells: given, at }, sums);
            activate(self.isa, layer.activation, sums);
            if let Some(plus) = layer.plus {
                for (sums, cache) in sums.chunks_exact_mut(width).zip(caches.iter()) {
                    let column = self.column(cache, plus, 0);
                    sums.iter_mut().zip(column).for_each(|(sum, x)| *sum += x);
                }
            }
            activate(self.isa, layer.then, sums);
            let ring = self.rings[number + 1];
            for (sums, cache) in sums.chunks_exact(width).zip(caches.iter_mut()) {
                let place = ring.place(cache.rows_seen, 0);
                cache.cells[place].copy_from_slice(&sums[..ring.width]);
            }
        }
    }

    /// Appends the scores of a key's newest window, from its columns.
    pub(super) fn score(
        &self,
        cache: &ColumnCache,
        scratch: &mut ConvolutionScratch,
        scores: &mut Vec<f64>,
    ) {
        let columns = self.head_input.columns();
        let column = |at| self.last(cache, columns - 1 - at);
        if let Some(flat) = &self.flat {
            let sums = &mut scratch.flat;
            flat.start(sums);
            for at in 0..columns {
                flat.add(at, column(at), sums, &mut scratch.sums);
            }
            return self.score_from_sums(scratch, scores);
        }
        let taken = &mut scratch.given;
        taken.clear();
        taken.extend_from_slice(column(0));
        for at in 1..columns {
            let pairs = taken.iter_mut().zip(column(at));
            match self.head_input {
                HeadInput::Last => {}
                HeadInput::Flat(_) => taken.extend_from_slice(column(at)),
                HeadInput::Mean(_) => pairs.for_each(|(sum, x)| *sum += x),
                // Not `max`, so that NaN stays NaN.
                HeadInput::Max(_) => pairs.for_each(|(most, &x)| {
                    if (x > *most || x.is_nan()) && !most.is_nan() {
                        *most = x;
                    }
                }),
            }
        }
        if let HeadInput::Mean(_) = self.head_input {
            taken.iter_mut().for_each(|sum| *sum /= columns as f32);
        }
        self.head.score(taken, &mut scratch.dense, scores);
    }

    /// Appends the scores of a window from its sums over all columns but the last.
    pub(super) fn complete(
        &self,
        cache: &ColumnCache,
        sums: &[f32],
        scratch: &mut ConvolutionScratch,
        scores: &mut Vec<f64>,
    ) {
        let flat = self
            .flat
            .as_ref()
            .expect("sums are of a layer over columns");
        scratch.flat.clear();
        scratch.flat.extend_from_slice(sums);
        let last = self.head_input.columns() - 1;
        flat.add(
            last,
            self.last(cache, 0),
            &mut scratch.flat,
            &mut scratch.sums,
        );
        self.score_from_sums(scratch, scores);
    }

    /// Adds the newest column, as column number `at`, to the sums of a window.
    pub(super) fn add(
        &self,
        cache: &ColumnCache,
        at: usize,
        sums: &mut [f32],
        scratch: &mut ConvolutionScratch,
    ) {
        let flat = self
            .flat
            .as_ref()
            .expect("sums are of a layer over columns");
        flat.add(at, self.last(cache, 0), sums, &mut scratch.sums);
    }

    /// Appends the scores from the sums of the layer over columns, which are in `scratch`.
    fn score_from_sums(&self, scratch: &mut ConvolutionScratch, scores: &mut Vec<f64>) {
        let flat = self
            .flat
            .as_ref()
            .expect("sums are of a layer over columns");
        let sums = &mut scratch.flat[..flat.outputs()];
        activate(self.isa, flat.activation(), sums);
        self.head.score(sums, &mut scratch.dense, scores);
    }

    /// A column of the last filter.
    fn last<'s>(&self, cache: &'s ColumnCache, back: usize) -> &'s [f32] {
        self.column(cache, self.layers.len(), back)
    }

    fn column<'s>(&self, cache: &'s ColumnCache, source: usize, back: usize) -> &'s [f32] {
        &cache.cells[self.rings[source].place(cache.rows_seen, back)]
    }
}

impl PackedFilter {
    fn new(filter: &ConvolutionFilter, isa: Isa) -> Self {
        let ConvolutionFilter { inputs, kernel, .. } = *filter;
        let weights = PackedWeights::pack(
            isa,
            [1, filter.channels, kernel * inputs],
            |_, channel, at| filter.w[(channel * inputs + at % inputs) * kernel + at / inputs],
            |_, channel| filter.b[channel],
        );
        Self {
            from: filter.from,
            taps: (0..kernel).rev().map(|at| at * filter.dilation).collect(),
            weights,
            activation: filter.activation,
            plus: filter.plus,
            then: filter.then,
        }
    }
}

/// The rings of a key: of each source as many columns as a filter or the head looks back.
fn rings(network: &ConvolutionNetwork) -> Vec<Ring> {
    let mut at = 0;
    let sources = 0..=network.filters.len();
    let ring = |source: usize| {
        let takes = |filter: &&ConvolutionFilter| filter.from == source;
        let reaches = network
            .filters
            .iter()
            .filter(takes)
            .map(ConvolutionFilter::reach);
        let mut columns = 1 + reaches.max().unwrap_or(0);
        if source == network.filters.len() {
            columns = columns.max(network.head_input.columns());
        }
        let width = network.width(source);
        let ring = Ring { at, width, columns };
        at = ring.end();
        ring
    };
    sources.map(ring).collect()
}

impl Ring {
    fn end(&self) -> usize {
        self.at + self.columns * self.width
    }

    /// Where the column `back` rows before `row` lies.
    fn place(&self, row: u64, back: usize) -> std::ops::Range<usize> {
        let columns = self.columns as u64;
        // Before the first row there are zeros, which no complete window reads.
        let slot = (row + columns - back as u64) % columns;
        let begin = self.at + slot as usize * self.width;
        begin..begin + self.width
    }
}
