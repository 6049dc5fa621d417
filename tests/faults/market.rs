//! The kinds of input of a run of faults.

/// The kinds of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Market {
    /// Trades of many instruments on `md.trades.v1`: windows, averages, and a normaliser that never forgets.
    Trades,
    /// Frames of an exchange with books, and every kind of feature.
    Frames,
    /// Statements of firms and commands about alerts: `default-alerts`.
    Alerts,
}

impl Market {
    pub(crate) const ALL: [Self; 3] = [Self::Trades, Self::Frames, Self::Alerts];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Trades => "trades",
            Self::Frames => "frames",
            Self::Alerts => "alerts",
        }
    }

    /// The field of a signal that is the record's key.
    pub(crate) fn key_field(self) -> &'static str {
        match self {
            Self::Trades | Self::Frames => "instrument",
            Self::Alerts => "obligor",
        }
    }
}
