//! The information coefficient of scores by horizon: their correlation with how far the price moves after the
//! signal, and how fast that fades.

use std::collections::BTreeMap;

use serde::Serialize;

use super::prices::{NoMove, Prices};
use super::redraws::{Grouping, Redraws, redraws};
use super::scored::Scored;
use crate::statistic::bootstrap::{Bootstrap, Interval};
use crate::statistic::correlation::{GroupedPearson, pearson};
use crate::statistic::decay::half_life;
use crate::statistic::ranking::Ranking;

/// The information coefficients over several horizons.
#[derive(Clone, Debug, Serialize)]
pub struct IcDecay {
    /// From the shortest horizon up.
    pub by_horizon: Vec<HorizonIc>,
    /// In how many nanoseconds Pearson's coefficient halves: see [`half_life`]; none where it does not fade.
    pub half_life_ns_pearson: Option<f64>,
    /// The same of Spearman's.
    pub half_life_ns_spearman: Option<f64>,
}

/// The information coefficient at one horizon.
#[derive(Clone, Debug, Serialize)]
pub struct HorizonIc {
    /// How long after the signal the price is looked at.
    pub horizon_ns: i64,
    /// Signals with a move.
    pub rows: u64,
    /// Pearson's correlation of score and move; none where one of them is constant.
    pub ic_pearson: Option<f64>,
    /// Spearman's.
    pub ic_spearman: Option<f64>,
    /// By the name of the coefficient. Spearman's redraws the ranks among all rows.
    pub intervals: BTreeMap<&'static str, Interval>,
    /// What the intervals draw together.
    pub redraws: Redraws,
    /// Why there is no coefficient.
    pub undefined: Option<&'static str>,
    /// Signals whose price was not known at the signal or at the horizon.
    pub unpriced: u64,
    /// Signals with a gap or a silence before the horizon.
    pub broken: u64,
    /// Signals whose horizon the events do not reach.
    pub beyond_end: u64,
}

/// The coefficients of signals of a market at these horizons, in nanoseconds, of a model that looks so far
/// ahead.
pub(super) fn ic_decay(
    scored: &[Scored],
    prices: &Prices,
    horizons: &[i64],
    model_horizon_ns: i64,
) -> IcDecay {
    let mut horizons = horizons.to_vec();
    horizons.sort_unstable();
    horizons.dedup();
    let at = |horizon: &i64| HorizonIc::of(scored, prices, *horizon, model_horizon_ns);
    let by_horizon: Vec<HorizonIc> = horizons.iter().map(at).collect();
    let fading = |figure: fn(&HorizonIc) -> Option<f64>| {
        let points = by_horizon
            .iter()
            .map(|ic| (ic.horizon_ns as f64, figure(ic)));
        half_life(&points.collect::<Vec<_>>())
    };
    IcDecay {
        half_life_ns_pearson: fading(|ic| ic.ic_pearson),
        half_life_ns_spearman: fading(|ic| ic.ic_spearman),
        by_horizon,
    }
}

impl HorizonIc {
    fn of(scored: &[Scored], prices: &Prices, horizon_ns: i64, model_horizon_ns: i64) -> Self {
        let (mut unpriced, mut broken, mut beyond_end) = (0, 0, 0);
        let (mut rows, mut scores, mut moves) = (vec![], vec![], vec![]);
        for one in scored {
            match prices.move_after(one, horizon_ns) {
                Ok(bps) => {
                    rows.push(one);
                    scores.push(one.score);
                    moves.push(bps);
                }
                Err(NoMove::Unpriced) => unpriced += 1,
                Err(NoMove::Broken) => broken += 1,
                Err(NoMove::BeyondEnd) => beyond_end += 1,
            }
        }
        let longest = horizon_ns.max(model_horizon_ns);
        let (redraws, groups) = redraws(rows.into_iter(), Grouping::Time, longest);
        let ones = vec![1.0; scores.len()];
        let ranks = |values: &[f64]| Ranking::new(values.to_vec()).mid_ranks(&ones);
        let (score_ranks, move_ranks) = (ranks(&scores), ranks(&moves));
        let ic_pearson = pearson(&scores, &moves, &ones);
        let mut intervals = BTreeMap::new();
        if redraws.units > 1 {
            let values = GroupedPearson::new(&scores, &moves, &groups);
            let ranks = GroupedPearson::new(&score_ranks, &move_ranks, &groups);
            let figures = |counts: &[u32]| {
                vec![
                    ("ic_pearson", values.drawn(counts)),
                    ("ic_spearman", ranks.drawn(counts)),
                ]
            };
            intervals = Bootstrap::default().intervals(redraws.units as usize, None, figures);
        }
        Self {
            horizon_ns,
            rows: scores.len() as u64,
            ic_pearson,
            ic_spearman: pearson(&score_ranks, &move_ranks, &ones),
            intervals,
            redraws,
            undefined: ic_pearson.is_none().then(|| why_none(&scores)),
            unpriced,
            broken,
            beyond_end,
        }
    }
}

fn why_none(scores: &[f64]) -> &'static str {
    match scores {
        [] => "no signal has a move",
        scores if scores.windows(2).all(|pair| pair[0] == pair[1]) => "all scores are equal",
        _ => "all moves are equal",
    }
}
