//! Whether a `[[feature]]` table makes sense: the keys that each kind takes, and their ranges.

use super::error::FeatureError;
use super::kind::FeatureKind;
use super::order_flow::Levels;
use super::spec::FeatureSpec;

impl FeatureSpec {
    /// Every key given must mean something for the kind, and be in range.
    pub(super) fn check(&self) -> Result<(), FeatureError> {
        let takes = self.kind.keys();
        let given = [
            ("of", self.of.is_some()),
            ("window", self.window.is_some()),
            ("window_ms", self.window_ms.is_some()),
            ("levels", self.levels.is_some()),
            ("alpha", self.alpha.is_some()),
            ("half_life_ms", self.half_life_ms.is_some()),
            ("unit", self.unit.is_some()),
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
        above_zero("window", self.window.map(|n| n as i64))?;
        above_zero("window_ms", self.window_ms)?;
        above_zero("half_life_ms", self.half_life_ms)?;
        if self
            .levels
            .is_some_and(|n| !(1..=Levels::MOST).contains(&n))
        {
            return Err(self.error(&format!("`levels` must lie in 1..={}", Levels::MOST)));
        }
        if self
            .alpha
            .is_some_and(|alpha| !(alpha > 0.0 && alpha <= 1.0))
        {
            return Err(self.error("`alpha` must lie in (0, 1]"));
        }
        if self.kind == FeatureKind::Ema && self.alpha.is_some() == self.half_life_ms.is_some() {
            return Err(self.error("needs one of `alpha` and `half_life_ms`"));
        }
        Ok(())
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
            Self::Relative => &["of", "to"],
            Self::Figure => &["figure"],
            Self::Spread | Self::Microprice => &["unit"],
            Self::QueueImbalance | Self::OrderFlowImbalance => &["levels"],
            Self::LogReturn => &["of"],
            Self::Mean
            | Self::Std
            | Self::Min
            | Self::Max
            | Self::Sum
            | Self::RealisedVolatility => &["of", "window", "window_ms"],
            Self::Ema => &["of", "alpha", "half_life_ms"],
            Self::VwapDeviation | Self::TradeFlow | Self::TradeIntensity => {
                &["window", "window_ms"]
            }
            Self::TimeOfDay => &["phase"],
            Self::Field => &["of", "categories", "min", "max", "needed"],
            Self::Tokens => &["max_tokens"],
        }
    }
}
