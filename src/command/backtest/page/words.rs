//! Words for the names that figures have in the JSON.

/// Names of figures, and what they are called on the page.
const WORDS: &[(&str, &str)] = &[
    ("pnl_gross", "won before costs"),
    ("pnl_net", "won after costs"),
    ("hit_rate", "share that won"),
    ("breakeven_bps", "break-even fee, bps"),
    ("sharpe", "Sharpe ratio a year"),
    ("max_drawdown", "largest drawdown"),
    ("below_zero", "below 0"),
    ("min", "least"),
    ("max", "greatest"),
    ("p10", "10 % are below"),
    ("p25", "25 % are below"),
    ("p50", "median"),
    ("p75", "75 % are below"),
    ("p90", "90 % are below"),
    ("p99", "99 % are below"),
    ("every", "one signal of"),
    ("pearson", "Pearson"),
    ("spearman", "Spearman"),
    ("psi", "stability index"),
    ("baseline_mean", "mean in the training"),
    ("baseline_deviation", "deviation in the training"),
    ("unfilled", "not filled"),
    ("partly_filled", "filled in part"),
    ("delayed_exits", "exits delayed"),
    ("left", "under way at the end"),
    ("undefined_score", "undefined score"),
    ("order_under_way", "an order under way"),
    ("below_enter", "score too weak to enter"),
    ("position_held", "a position held"),
    ("side_not_allowed", "side not allowed"),
    ("below_lot_size", "below the lot size"),
    ("lead_days_median", "median lead, days"),
    ("load_per_week", "episodes a week"),
    ("load_per_year", "episodes a year"),
];

/// What a figure is called on the page: another name stays as it is.
pub(crate) fn words(name: &str) -> &str {
    let known = WORDS.iter().find(|(known, _)| *known == name);
    known.map_or(name, |(_, words)| words)
}
