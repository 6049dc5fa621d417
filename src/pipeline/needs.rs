//! What a pipeline's rows and features are computed from, as far as the streams of a feed bring it.

use std::fmt;

use crate::config::{PipelineFile, RowOn};
use crate::decode::venue_feed::{Brings, VenueStream};
use crate::engine::feature::{FeatureKind, FeatureSpec, FlowSource};

/// Something that a pipeline cannot do without, and what asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// The key of the configuration: `row.on`, `feature[2]`.
    pub(super) key: String,
    /// Whose need it is: "the rows need", "the feature `flow` needs".
    pub(super) whose: String,
    /// What is needed.
    pub(super) needed: Needed,
}

/// What can be needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needed {
    Trades,
    Quotes,
    /// The best bid and offer, as quotes or in a book.
    Best,
    /// A book of so many levels a side.
    Book(usize),
    Bars,
    News,
    /// Records, which no feed has.
    Records,
}

impl Needed {
    /// Whether a stream brings it.
    pub(super) fn is_in(self, stream: &VenueStream) -> bool {
        match (self, stream.brings) {
            (Self::Trades, Brings::Trades)
            | (Self::Quotes | Self::Best, Brings::Quotes)
            | (Self::Best, Brings::Book(_))
            | (Self::Bars, Brings::Bars)
            | (Self::News, Brings::News) => true,
            (Self::Book(levels), Brings::Book(has)) => levels <= usize::from(has),
            _ => false,
        }
    }
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trades => f.write_str("trades"),
            Self::Quotes => f.write_str("quotes"),
            Self::Best => f.write_str("quotes or a book"),
            Self::Book(0 | 1) => f.write_str("a book"),
            Self::Book(levels) => write!(f, "a book of {levels} levels a side"),
            Self::Bars => f.write_str("bars"),
            Self::News => f.write_str("headlines"),
            Self::Records => f.write_str("records of persons or companies"),
        }
    }
}

/// What the rows need, and then the features in their order.
pub(super) fn of(file: &PipelineFile) -> Vec<Need> {
    let of_rows = match file.row.on {
        RowOn::Trade => Needed::Trades,
        RowOn::Quote => Needed::Quotes,
        RowOn::Book => Needed::Book(1),
        RowOn::Bar => Needed::Bars,
        RowOn::News => Needed::News,
        RowOn::Application | RowOn::Statement => Needed::Records,
    };
    let rows = Need {
        key: "row.on".into(),
        whose: "the rows need".into(),
        needed: of_rows,
    };
    let features = file.features.iter().enumerate().flat_map(|(at, feature)| {
        let above = &file.features[..at];
        let series = [&feature.of, &feature.to].into_iter().flatten();
        let of_series = series.filter_map(|name| of_series(name, above));
        let needed = of_kind(feature).into_iter().chain(of_series);
        let need = |needed| Need {
            key: format!("feature[{at}]"),
            whose: format!("the feature `{}` needs", feature.name),
            needed,
        };
        needed.map(need).collect::<Vec<_>>()
    });
    std::iter::once(rows).chain(features).collect()
}

/// What a kind of feature is computed from by itself.
fn of_kind(feature: &FeatureSpec) -> Option<Needed> {
    match feature.kind {
        FeatureKind::Price
        | FeatureKind::Size
        | FeatureKind::SignedSize
        | FeatureKind::VwapDeviation
        | FeatureKind::TradeFlow
        | FeatureKind::TradeIntensity
        | FeatureKind::KyleLambda
        | FeatureKind::Vpin
        | FeatureKind::InterArrival => Some(Needed::Trades),
        FeatureKind::Mid | FeatureKind::Spread | FeatureKind::Microprice => Some(Needed::Best),
        FeatureKind::QueueImbalance | FeatureKind::Depth => Some(match feature.levels {
            None | Some(1) => Needed::Best,
            Some(levels) => Needed::Book(levels),
        }),
        FeatureKind::OrderFlowImbalance => Some(match feature.source {
            Some(FlowSource::Quotes) => Needed::Best,
            _ => Needed::Book(feature.level.or(feature.levels).unwrap_or(1)),
        }),
        FeatureKind::DepthSlope => Some(Needed::Book(feature.levels.unwrap_or(1))),
        FeatureKind::Open
        | FeatureKind::High
        | FeatureKind::Low
        | FeatureKind::Close
        | FeatureKind::Volume
        | FeatureKind::RangeVolatility
        | FeatureKind::Atr => Some(Needed::Bars),
        FeatureKind::LogReturn
        | FeatureKind::Difference
        | FeatureKind::Mean
        | FeatureKind::Std
        | FeatureKind::Variance
        | FeatureKind::ZScore
        | FeatureKind::Skew
        | FeatureKind::Rank
        | FeatureKind::Min
        | FeatureKind::Max
        | FeatureKind::Sum
        | FeatureKind::Ema
        | FeatureKind::RealisedVolatility
        | FeatureKind::BipowerVariation
        | FeatureKind::Rsi
        | FeatureKind::Correlation
        | FeatureKind::Beta
        | FeatureKind::TimeOfDay
        | FeatureKind::SessionTime
        | FeatureKind::NewSession
        | FeatureKind::Field
        | FeatureKind::Relative
        | FeatureKind::Ratio
        | FeatureKind::AsOf
        | FeatureKind::Figure
        | FeatureKind::Sentiment
        | FeatureKind::Tokens => None,
    }
}

/// What a series is computed from that needs no table; none where a feature above has its name.
fn of_series(name: &str, above: &[FeatureSpec]) -> Option<Needed> {
    if above.iter().any(|feature| feature.name == name) {
        return None;
    }
    match name {
        "price" | "size" | "signed_size" => Some(Needed::Trades),
        "mid" | "microprice" | "spread" => Some(Needed::Best),
        "open" | "high" | "low" | "close" | "volume" => Some(Needed::Bars),
        _ => None,
    }
}
