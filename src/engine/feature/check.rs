//! Whether a `[[feature]]` table makes sense: the keys that each kind takes, and their ranges.

use super::error::FeatureError;
use super::kind::FeatureKind;
use super::order_flow::Levels;
use super::spec::FeatureSpec;
use super::unit::FlowSource;

impl FeatureSpec {
    /// Every key given must mean something for the kind, and be in range.
    pub(super) fn check(&self) -> Result<(), FeatureError> {
        let takes = self.kind.keys();
        let given = [
            ("of", self.of.is_some()),
            ("periods", self.periods.is_some()),
            ("window", self.window.is_some()),
            ("window_ms", self.window_ms.is_some()),
            ("ddof", self.ddof.is_some()),
            ("levels", self.levels.is_some()),
            ("level", self.level.is_some()),
            ("source", self.source.is_some()),
            ("estimator", self.estimator.is_some()),
            ("bucket", self.bucket.is_some()),
            ("alpha", self.alpha.is_some()),
            ("half_life_ms", self.half_life_ms.is_some()),
            ("unit", self.unit.is_some()),
            ("zone", self.zone.is_some()),
            ("open", self.open.is_some()),
            ("close", self.close.is_some()),
            ("overnight", self.overnight.is_some()),
            ("phase", self.phase.is_some()),
            ("to", self.to.is_some()),
            ("figure", self.figure.is_some()),
            ("categories", self.categories.is_some()),
            ("min", self.min.is_some()),
            ("max", self.max.is_some()),
            ("max_tokens", self.max_tokens.is_some()),
            ("needed", self.needed),
        ];
        let stray = |(key, given): &&(&str, bool)| *given && !takes.contains(key);
        if let Some((key, _)) = given.iter().find(stray) {
            return Err(self.error(&format!("`{key}` means nothing for this kind; take it out")));
        }
        let above_zero = |key: &str, value: Option<i64>| match value {
            Some(value) if value <= 0 => Err(self.error(&format!("`{key}` must be above zero"))),
            _ => Ok(()),
        };
        above_zero("periods", self.periods.map(|n| n as i64))?;
        above_zero("window", self.window.map(|n| n as i64))?;
        above_zero("window_ms", self.window_ms)?;
        above_zero("half_life_ms", self.half_life_ms)?;
        self.check_levels()?;
        if self
            .alpha
            .is_some_and(|alpha| !(alpha > 0.0 && alpha <= 1.0))
        {
            return Err(self.error("`alpha` must lie in (0, 1]"));
        }
        if self.periods.is_some_and(|periods| periods > PERIODS_MAX) {
            return Err(self.error(&format!("`periods` must be at most {PERIODS_MAX}")));
        }
        if let (Some(window), Some(ddof)) = (self.window, self.ddof)
            && window <= ddof
        {
            return Err(
                self.error("`ddof` must be below `window`: there would be nothing to divide by")
            );
        }
        let of_change = matches!(self.kind, FeatureKind::LogReturn | FeatureKind::Difference);
        if of_change && self.overnight.is_none() && (self.zone.is_some() || self.open.is_some()) {
            return Err(self.error(
                "`zone` and `open` mean nothing without `overnight = \"exclude\"`; add it, or take them out",
            ));
        }
        if self.kind == FeatureKind::RangeVolatility && self.estimator.is_none() {
            return Err(self.error("needs `estimator`: `parkinson` or `garman_klass`"));
        }
        if self.kind == FeatureKind::Ema && self.alpha.is_some() == self.half_life_ms.is_some() {
            return Err(self.error("needs one of `alpha` and `half_life_ms`"));
        }
        Ok(())
    }
}

/// Values that a return or an average may reach back.
const PERIODS_MAX: usize = 1_000_000;

impl FeatureSpec {
    /// The levels must be those of a book, and what the kind can do with them.
    fn check_levels(&self) -> Result<(), FeatureError> {
        let least = match self.kind {
            FeatureKind::DepthSlope => 2,
            _ => 1,
        };
        for (key, value, least) in [("levels", self.levels, least), ("level", self.level, 1)] {
            if value.is_some_and(|n| !(least..=Levels::MOST).contains(&n)) {
                let what = format!("`{key}` must lie in {least}..={}", Levels::MOST);
                return Err(self.error(&what));
            }
        }
        if self.kind == FeatureKind::DepthSlope && self.levels.is_none() {
            return Err(self.error("needs `levels`: those that the slope is taken over"));
        }
        if self.level.is_some() && self.levels.is_some() {
            return Err(
                self.error("`level` is one level alone; take `levels` out, or write it instead")
            );
        }
        let of_quotes = self.source == Some(FlowSource::Quotes);
        match (of_quotes, self.level, self.levels) {
            (true, Some(_), _) => {
                Err(self.error("`level` means nothing with `source = \"quotes\"`; take it out"))
            }
            (true, _, Some(_)) => {
                Err(self.error("`levels` means nothing with `source = \"quotes\"`; take it out"))
            }
            _ => Ok(()),
        }
    }
}

impl FeatureKind {
    /// The keys that mean something for this kind.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Price
            | Self::Size
            | Self::SignedSize
            | Self::Mid
            | Self::InterArrival
            | Self::Open
            | Self::High
            | Self::Low
            | Self::Close
            | Self::Volume
            | Self::Sentiment => &[],
            Self::Relative | Self::Ratio | Self::AsOf => &["of", "to"],
            Self::Figure => &["figure"],
            Self::Spread | Self::Microprice => &["unit"],
            Self::QueueImbalance | Self::Depth => &["levels"],
            Self::DepthSlope => &["levels", "unit"],
            Self::OrderFlowImbalance => &["levels", "level", "source"],
            Self::LogReturn | Self::Difference => &["of", "periods", "overnight", "zone", "open"],
            Self::Rsi => &["of", "periods"],
            Self::NewSession => &["of", "zone", "open"],
            Self::SessionTime => &["zone", "open", "close"],
            Self::Atr => &["periods"],
            Self::Correlation | Self::Beta => &["of", "to", "window", "window_ms"],
            Self::Vpin => &["bucket", "window"],
            Self::RangeVolatility => &["estimator", "window", "window_ms"],
            Self::Std | Self::Variance | Self::ZScore => &["of", "window", "window_ms", "ddof"],
            Self::Mean
            | Self::Skew
            | Self::Rank
            | Self::Min
            | Self::Max
            | Self::Sum
            | Self::BipowerVariation
            | Self::RealisedVolatility => &["of", "window", "window_ms"],
            Self::Ema => &["of", "alpha", "half_life_ms"],
            Self::VwapDeviation | Self::TradeFlow | Self::TradeIntensity | Self::KyleLambda => {
                &["window", "window_ms"]
            }
            Self::TimeOfDay => &["phase", "zone"],
            Self::Field => &["of", "categories", "min", "max", "needed"],
            Self::Tokens => &["max_tokens"],
        }
    }
}
