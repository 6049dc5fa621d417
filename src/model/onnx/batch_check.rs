//! The check that the scores of a window do not depend on the other windows of its batch.
//!
//! Runs once at load. A graph may mix its windows (a softmax over the wrong axis), and a runtime may sum in
//! another order for another position in the batch.

use crate::model::Model;

/// Scores every window at several positions of the batch, and one window at each position, with other
/// windows and alone.
///
/// # Errors
/// The first score whose bits differ from those in the first batch, and what to do.
pub(super) fn check(
    model: &mut impl Model,
    [batch, cells, outputs]: [usize; 3],
) -> Result<(), String> {
    let windows: Vec<f64> = (0..batch * cells).map(number).collect();
    let expected = bits(model, &windows)?;
    let shifts = std::iter::successors(Some(1), |by| Some(by * 2)).take_while(|&by| by < batch);
    for by in shifts {
        let (mut rotated, mut wanted) = (windows.clone(), expected.clone());
        rotated.rotate_left(by * cells);
        wanted.rotate_left(by * outputs);
        compare(&bits(model, &rotated)?, &wanted)?;
    }
    let (one, scores_of_one) = (&windows[..cells], &expected[..outputs]);
    compare(
        &bits(model, &one.repeat(batch))?,
        &scores_of_one.repeat(batch),
    )?;
    compare(&bits(model, one)?, scores_of_one)
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
            "the same window scores {} or {}, depending on the other windows of its batch; write \
             `batch_max = 1`, or correct the graph if it mixes windows",
            f64::from_bits(a),
            f64::from_bits(b)
        )),
    }
}

/// The n-th of a list of numbers in the range of z-scores, without a pattern that windows could share.
fn number(n: usize) -> f64 {
    let mixed = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as f64 / (1_u64 << 22) as f64 - 2.0
}
