//! The check that a window's scores depend on the window alone, not on what it is batched with.
//!
//! Runs once at load. A graph may mix its windows (a softmax over the wrong axis), and a runtime may pick
//! another order of summation by a window's place.

use crate::model::Model;

/// Every window at several places, one of them at every place, in other company and alone.
///
/// # Errors
/// The first score that has other bits than in the first batch, and what to do.
pub(super) fn check(
    model: &mut impl Model,
    [batch, cells, outputs]: [usize; 3],
) -> Result<(), String> {
    let windows: Vec<f64> = (0..batch * cells).map(number).collect();
    let expected = bits(model, &windows)?;
    let turns = std::iter::successors(Some(1), |by| Some(by * 2)).take_while(|&by| by < batch);
    for by in turns {
        let (mut turned, mut wanted) = (windows.clone(), expected.clone());
        turned.rotate_left(by * cells);
        wanted.rotate_left(by * outputs);
        compare(&bits(model, &turned)?, &wanted)?;
    }
    let (one, of_one) = (&windows[..cells], &expected[..outputs]);
    compare(&bits(model, &one.repeat(batch))?, &of_one.repeat(batch))?;
    compare(&bits(model, one)?, of_one)
}

fn bits(model: &mut impl Model, windows: &[f64]) -> Result<Vec<u64>, String> {
    let mut scores = vec![];
    model
        .score(windows, &mut scores)
        .map_err(|error| error.to_string())?;
    Ok(scores.into_iter().map(f64::to_bits).collect())
}

fn compare(scores: &[u64], expected: &[u64]) -> Result<(), String> {
    match scores.iter().zip(expected).find(|(a, b)| a != b) {
        None => Ok(()),
        Some((&a, &b)) => Err(format!(
            "the same window gives {} or {} by what it is batched with; write `batch_max = 1`, or mend \
             the graph if it mixes its windows",
            f64::from_bits(a),
            f64::from_bits(b)
        )),
    }
}

/// The n-th of some numbers such as z-scores are, without a pattern that a window could share.
fn number(n: usize) -> f64 {
    let mixed = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as f64 / (1_u64 << 22) as f64 - 2.0
}
