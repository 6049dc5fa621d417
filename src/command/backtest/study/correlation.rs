//! Correlations of pairs.

/// Pearson's correlation; none below three pairs, or where one side is constant.
pub(super) fn pearson(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < PAIRS_MIN {
        return None;
    }
    let count = pairs.len() as f64;
    let left = pairs.iter().map(|pair| pair.0).sum::<f64>() / count;
    let right = pairs.iter().map(|pair| pair.1).sum::<f64>() / count;
    let (mut both, mut lefts, mut rights) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        let (x, y) = (x - left, y - right);
        both += x * y;
        lefts += x * x;
        rights += y * y;
    }
    (lefts > 0.0 && rights > 0.0).then(|| both / (lefts * rights).sqrt())
}

/// Spearman's rank correlation: Pearson's of the ranks, equal numbers sharing the mean of theirs.
pub(super) fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    let left = ranks(pairs.iter().map(|pair| pair.0));
    let right = ranks(pairs.iter().map(|pair| pair.1));
    let ranked: Vec<(f64, f64)> = left.into_iter().zip(right).collect();
    pearson(&ranked)
}

fn ranks(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let values: Vec<f64> = values.collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut at = 0;
    while at < order.len() {
        let equal = |other: &&usize| values[**other] == values[order[at]];
        let count = order[at..].iter().take_while(equal).count().max(1);
        let rank = at as f64 + (count + 1) as f64 / 2.0;
        for place in &order[at..at + count] {
            ranks[*place] = rank;
        }
        at += count;
    }
    ranks
}

/// Two points lie on a line always.
const PAIRS_MIN: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    /// Held against scipy 1.17.1: `pearsonr` and `spearmanr` of these lists.
    #[test]
    fn they_are_those_of_scipy() {
        let x = [1.0, 2.0, 2.0, 4.0, 7.0, -1.0, 0.5];
        let y = [0.3, 0.1, 0.9, 1.1, 0.9, -2.0, 0.2];
        let pairs: Vec<(f64, f64)> = x.into_iter().zip(y).collect();
        let near = |left: Option<f64>, right: f64| {
            assert!((left.unwrap() - right).abs() < 1e-12, "{left:?} {right}");
        };
        near(pearson(&pairs), PEARSON);
        near(spearman(&pairs), SPEARMAN);
        let constant = [(1.0, 2.0), (1.0, 3.0), (1.0, 4.0)];
        assert_eq!((pearson(&constant), spearman(&constant)), (None, None));
        assert_eq!(pearson(&pairs[..2]), None);
    }

    const PEARSON: f64 = 0.714_027_859_847_978_2;
    const SPEARMAN: f64 = 0.772_727_272_727_272_8;
}
