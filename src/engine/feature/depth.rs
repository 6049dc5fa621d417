//! Features of the quantities on the book's levels.

use super::unit::Unit;
use crate::engine::book::Book;
use crate::event::Level;

/// (bids − asks) / (bids + asks) of the quantities on the best `levels` levels a side; NaN where a side is
/// empty.
pub(super) fn imbalance(book: &Book, levels: usize) -> f64 {
    let Some((bids, asks)) = quantities(book, levels) else {
        return f64::NAN;
    };
    (bids - asks) / (bids + asks)
}

/// The mean quantity on a level, over the best `levels` levels of both sides; NaN where a side is empty.
pub(super) fn mean(book: &Book, levels: usize) -> f64 {
    quantities(book, levels).map_or(f64::NAN, |(bids, asks)| {
        (bids + asks) / (2.0 * levels as f64)
    })
}

/// How much quantity a side gains with the distance of its levels from the mid, as the slope of a line by
/// least squares, in the mean of both sides; NaN where a side has fewer than two of the levels.
pub(super) fn slope(book: &Book, levels: usize, unit: Unit) -> f64 {
    let best = book.best_bid().zip(book.best_ask());
    let Some((bid, ask)) = best else {
        return f64::NAN;
    };
    let mid = 0.5 * (bid.price.to_f64() + ask.price.to_f64());
    let distance = |level: Level| {
        let far = (level.price.to_f64() - mid).abs();
        match unit {
            Unit::Price => far,
            Unit::BasisPoints => 1e4 * far / mid,
        }
    };
    let bids = book.bids().take(levels);
    let asks = book.asks().take(levels);
    0.5 * (slope_of(bids, distance) + slope_of(asks, distance))
}

/// The quantities on the best `levels` levels of bids and asks; none where a side is empty.
fn quantities(book: &Book, levels: usize) -> Option<(f64, f64)> {
    let bids: f64 = book
        .bids()
        .take(levels)
        .map(|level| level.size.to_f64())
        .sum();
    let asks: f64 = book
        .asks()
        .take(levels)
        .map(|level| level.size.to_f64())
        .sum();
    (bids != 0.0 && asks != 0.0).then_some((bids, asks))
}

/// The slope of the quantity up to a level on the level's distance.
fn slope_of(levels: impl Iterator<Item = Level> + Clone, distance: impl Fn(Level) -> f64) -> f64 {
    let n = levels.clone().count() as f64;
    let quantities = levels.clone().scan(0.0, |quantity, level| {
        *quantity += level.size.to_f64();
        Some(*quantity)
    });
    let mean_distance = levels.clone().map(&distance).sum::<f64>() / n;
    let mean_quantity = quantities.clone().sum::<f64>() / n;
    let (mut products, mut squares) = (0.0, 0.0);
    for (level, quantity) in levels.zip(quantities) {
        let far = distance(level) - mean_distance;
        products += far * (quantity - mean_quantity);
        squares += far * far;
    }
    if n < 2.0 {
        f64::NAN
    } else {
        products / squares
    }
}
