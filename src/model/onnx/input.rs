//! The inputs of a graph: which part of a window each takes, in which type, and its buffer.
//!
//! Runs nothing.

use ort::session::SessionInputValue;
use ort::value::{Outlet, Tensor, TensorElementType, ValueType};

use crate::model::ModelError;
use crate::model::contract::ColumnKind;

/// One input: a tensor `[N, T, F]`, N open or 1; where T is 1, or the graph takes a window flat, `[N, T · F]`
/// too; of a single number also `[N]`.
#[derive(Clone, Debug)]
pub(super) struct GraphInput {
    /// Its name.
    pub(super) name: String,
    /// The columns of a row that it takes, in its order.
    columns: Vec<usize>,
    /// The rows of a window that it takes, counted from the newest.
    rows: usize,
    /// Whether it takes any number of windows.
    pub(super) open: bool,
    /// Its dimensions behind that of the windows: 0, 1 or 2.
    rank: usize,
    /// Names of the dimensions that the graph leaves open.
    pub(super) symbols: Vec<String>,
    content: Content,
    element: Element,
    /// The texts of each column, where it takes texts.
    texts: Vec<Vec<String>>,
}

/// What an input is filled with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Content {
    /// The cells.
    Cells,
    /// 1 for each token, 0 behind the end of the headline.
    Mask,
    /// 0 for each token: all are of the first sentence.
    Zeros,
}

/// The type of an input's numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Element {
    Float32,
    Float64,
    Int64,
    Int32,
    Bool,
    Text,
}

/// The names under which transformers take tokens, and what goes with them.
const OF_TOKENS: [(&str, Content); 5] = [
    ("input_ids", Content::Cells),
    ("attention_mask", Content::Mask),
    ("input_mask", Content::Mask),
    ("token_type_ids", Content::Zeros),
    ("segment_ids", Content::Zeros),
];

impl GraphInput {
    /// Whether this is the name of an input that goes with tokens.
    pub(super) fn is_of_tokens(name: &str) -> bool {
        OF_TOKENS.iter().any(|(known, _)| *known == name)
    }

    /// An input for these columns, as the graph declares it; `author` wrote that it takes them.
    pub(super) fn of(
        input: &Outlet,
        columns: Vec<usize>,
        kinds: &[ColumnKind],
        steps: usize,
        author: &str,
    ) -> Result<Self, String> {
        let name = input.name();
        let expected = || {
            format!(
                "its input `{name}` is {}; a tensor [1, T, F] of float32 or float64 is expected (scikit-learn: \
                 `to_onnx(model, x.astype(numpy.float32))`, PyTorch: `model.float()`)",
                input.dtype()
            )
        };
        let ValueType::Tensor {
            ty,
            shape,
            dimension_symbols,
        } = input.dtype()
        else {
            return Err(expected());
        };
        let element = Element::of(*ty).ok_or_else(expected)?;
        let kind = |&column: &usize| kinds.get(column).unwrap_or(&ColumnKind::Number);
        let texts = texts(name, element, columns.iter().map(kind))?;
        let whole = [Element::Int64, Element::Int32, Element::Bool].contains(&element);
        if whole
            && columns
                .iter()
                .map(kind)
                .any(|kind| *kind == ColumnKind::Number)
        {
            return Err(expected());
        }
        let is_token = columns
            .iter()
            .map(kind)
            .all(|kind| *kind == ColumnKind::Token);
        let special = OF_TOKENS.iter().find(|(known, _)| *known == name);
        let content = match special {
            Some((_, content)) if is_token => *content,
            _ => Content::Cells,
        };
        let width = columns.len();
        let fits = |wanted: &[usize]| {
            let same = |(&has, &want): (&i64, &usize)| has == -1 || has == want as i64;
            shape.len() == wanted.len() && shape.iter().zip(wanted).all(same)
        };
        let (rows, rank) = match () {
            () if steps == 0 || width == 0 => (0, 0),
            () if fits(&[1, steps, width]) => (steps, 2),
            () if fits(&[1, steps * width]) => (steps, 1),
            // Columns that do not change within a window: those of the newest row.
            () if fits(&[1, width]) => (1, 1),
            () if fits(&[1]) && width == 1 => (1, 0),
            () => (0, 0),
        };
        if rows == 0 {
            return Err(format!(
                "its input `{name}` has shape {shape:?}, but {author} {steps} steps of {width} features: [1, {steps}, \
                 {width}]"
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            columns,
            rows,
            open: shape[0] == -1,
            rank,
            symbols: dimension_symbols.to_vec(),
            content,
            element,
            texts,
        })
    }

    /// Its dimensions for so many windows.
    pub(super) fn dimensions(&self, batch: usize) -> Vec<usize> {
        match self.rank {
            0 => vec![batch],
            1 => vec![batch, self.rows * self.columns.len()],
            _ => vec![batch, self.rows, self.columns.len()],
        }
    }

    /// The cells of a window, whose rows have `width` numbers, that it takes, in order.
    fn cells<'a>(&'a self, window: &'a [f64], width: usize) -> impl Iterator<Item = f64> + 'a {
        let skipped = window.len() / width - self.rows;
        let rows = window.chunks_exact(width).skip(skipped);
        rows.flat_map(|row| self.columns.iter().map(|&column| row[column]))
    }

    /// Writes its part of each window to `cells`, and zeros behind the last. Windows with a number that the
    /// type does not have are marked in `wrong`.
    fn fill<N: Number>(
        &self,
        windows: std::slice::ChunksExact<'_, f64>,
        width: usize,
        cells: &mut [N],
        wrong: &mut [bool],
    ) {
        let (per_window, mut rest) = (self.rows * self.columns.len(), cells);
        for (window, wrong) in windows.zip(wrong) {
            let (cells, after) = rest.split_at_mut(per_window);
            rest = after;
            match self.content {
                Content::Cells => {
                    for (cell, number) in cells.iter_mut().zip(self.cells(window, width)) {
                        let known = N::of(number);
                        *wrong |= known.is_none();
                        *cell = known.unwrap_or_default();
                    }
                }
                Content::Mask => {
                    for (cell, number) in cells.iter_mut().zip(self.cells(window, width)) {
                        *cell = N::of(f64::from(u8::from(number != 0.0))).unwrap_or_default();
                    }
                }
                Content::Zeros => cells.fill(N::default()),
            }
        }
        rest.fill(N::default());
    }

    /// The texts of each window, empty ones behind the last and where a cell is none of the known ones.
    fn fill_texts(
        &self,
        windows: std::slice::ChunksExact<'_, f64>,
        width: usize,
        all: &mut [String],
    ) {
        let (per_window, mut rest) = (self.rows * self.columns.len(), all);
        for window in windows {
            let (texts, after) = rest.split_at_mut(per_window);
            rest = after;
            let of_column = self.texts.iter().cycle();
            for ((text, number), known) in texts
                .iter_mut()
                .zip(self.cells(window, width))
                .zip(of_column)
            {
                text.clear();
                // NaN is no place in the list.
                let place = (number >= 0.0).then_some(number as usize);
                text.push_str(place.and_then(|at| known.get(at)).map_or("", |text| text));
            }
        }
        rest.iter_mut().for_each(String::clear);
    }
}

/// The texts that the columns of an input of texts stand for; none for other inputs.
fn texts<'a>(
    name: &str,
    element: Element,
    kinds: impl Iterator<Item = &'a ColumnKind>,
) -> Result<Vec<Vec<String>>, String> {
    if element != Element::Text {
        return Ok(vec![]);
    }
    let of = |kind: &ColumnKind| match kind {
        ColumnKind::Category(texts) => Ok(texts.clone()),
        ColumnKind::Number | ColumnKind::Field | ColumnKind::Token => Err(format!(
            "its input `{name}` takes texts; list them in `categories` of its feature of kind `field`, or export \
             the model with numbers"
        )),
    };
    kinds.map(of).collect()
}

impl Element {
    fn of(ty: TensorElementType) -> Option<Self> {
        Some(match ty {
            TensorElementType::Float32 => Self::Float32,
            TensorElementType::Float64 => Self::Float64,
            TensorElementType::Int64 => Self::Int64,
            TensorElementType::Int32 => Self::Int32,
            TensorElementType::Bool => Self::Bool,
            TensorElementType::String => Self::Text,
            _ => return None,
        })
    }
}

/// A type of numbers that an input may have.
trait Number: Copy + Default {
    /// The same number in this type; none where the type does not have it.
    fn of(number: f64) -> Option<Self>;
}

impl Number for f32 {
    fn of(number: f64) -> Option<Self> {
        Some(number as Self)
    }
}

impl Number for f64 {
    fn of(number: f64) -> Option<Self> {
        Some(number)
    }
}

impl Number for i64 {
    fn of(number: f64) -> Option<Self> {
        let is_exact = number.abs() < EXACT && number.trunc() == number;
        is_exact.then_some(number as Self)
    }
}

impl Number for i32 {
    fn of(number: f64) -> Option<Self> {
        Self::try_from(i64::of(number)?).ok()
    }
}

impl Number for bool {
    fn of(number: f64) -> Option<Self> {
        match i64::of(number)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

/// Integers below are exact in an f64: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The memory of an input, which every run reads again.
pub(super) enum InputBuffer {
    Float32(Tensor<f32>),
    Float64(Tensor<f64>),
    Int64(Tensor<i64>),
    Int32(Tensor<i32>),
    Bool(Tensor<bool>),
    /// Texts, and the tensor that is made of them for each run.
    Text(Tensor<String>, Vec<String>, Vec<usize>),
}

impl InputBuffer {
    /// The buffer of an input for so many windows.
    pub(super) fn of(input: &GraphInput, batch: usize) -> Result<Self, ModelError> {
        let failed = |error: ort::Error| ModelError::Run(error.to_string());
        let dimensions = input.dimensions(batch);
        let count: usize = dimensions.iter().product();
        Ok(match input.element {
            Element::Float32 => Self::Float32(zeros(dimensions, count).map_err(failed)?),
            Element::Float64 => Self::Float64(zeros(dimensions, count).map_err(failed)?),
            Element::Int64 => Self::Int64(zeros(dimensions, count).map_err(failed)?),
            Element::Int32 => Self::Int32(zeros(dimensions, count).map_err(failed)?),
            Element::Bool => Self::Bool(zeros(dimensions, count).map_err(failed)?),
            Element::Text => {
                let texts = vec![String::new(); count];
                let tensor = Tensor::from_string_array((dimensions.clone(), &*texts));
                Self::Text(tensor.map_err(failed)?, texts, dimensions)
            }
        })
    }

    /// Fills it with an input's part of these windows, of `cells` numbers each in rows of `width`. Windows
    /// that have a number which its type does not have are marked in `wrong`.
    pub(super) fn fill(
        &mut self,
        input: &GraphInput,
        windows: &[f64],
        [cells, width]: [usize; 2],
        wrong: &mut [bool],
    ) -> Result<(), ModelError> {
        let windows = windows.chunks_exact(cells);
        match self {
            Self::Float32(to) => input.fill(windows, width, to.extract_tensor_mut().1, wrong),
            Self::Float64(to) => input.fill(windows, width, to.extract_tensor_mut().1, wrong),
            Self::Int64(to) => input.fill(windows, width, to.extract_tensor_mut().1, wrong),
            Self::Int32(to) => input.fill(windows, width, to.extract_tensor_mut().1, wrong),
            Self::Bool(to) => input.fill(windows, width, to.extract_tensor_mut().1, wrong),
            Self::Text(to, texts, dimensions) => {
                input.fill_texts(windows, width, texts);
                let tensor = Tensor::from_string_array((dimensions.clone(), &**texts));
                *to = tensor.map_err(|error| ModelError::Run(error.to_string()))?;
            }
        }
        Ok(())
    }

    /// What a run takes.
    pub(super) fn value(&self) -> SessionInputValue<'_> {
        match self {
            Self::Float32(tensor) => tensor.into(),
            Self::Float64(tensor) => tensor.into(),
            Self::Int64(tensor) => tensor.into(),
            Self::Int32(tensor) => tensor.into(),
            Self::Bool(tensor) => tensor.into(),
            Self::Text(tensor, ..) => tensor.into(),
        }
    }
}

fn zeros<N>(dimensions: Vec<usize>, count: usize) -> ort::Result<Tensor<N>>
where
    N: Number + ort::value::PrimitiveTensorElementType + std::fmt::Debug + 'static,
{
    Tensor::from_array((dimensions, vec![N::default(); count]))
}
