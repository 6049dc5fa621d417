//! The topics of Bybit that are read.

/// What a topic holds, and of which symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Topic<'t> {
    pub(super) kind: TopicKind,
    /// The topic without its symbol: `orderbook.50`.
    pub(super) stream: &'t str,
    pub(super) symbol: &'t str,
}

/// What a topic holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TopicKind {
    /// `publicTrade`: trades.
    Trades,
    /// `orderbook.1`: the best bid and offer.
    Quote,
    /// `orderbook.50` and other depths: a book of so many levels a side, and its changes.
    Book(u16),
    /// `orderbook.rpi`: a book whose levels name the orders for retail customers (RPI) apart.
    RetailBook,
}

impl<'t> Topic<'t> {
    /// The topic of this name; none where it is not read.
    pub(super) fn of(name: &'t str) -> Option<Self> {
        let (stream, symbol) = name.rsplit_once('.')?;
        Some(Self {
            kind: TopicKind::of(stream)?,
            stream,
            symbol,
        })
    }
}

impl TopicKind {
    /// The kind of a topic without its symbol. `orderbook.full` has no snapshots, and is not read.
    pub(super) fn of(stream: &str) -> Option<Self> {
        let (kind, form) = stream.split_once('.').unwrap_or((stream, ""));
        match (kind, form) {
            ("publicTrade" | "trade", _) => Some(Self::Trades),
            ("orderbook", "1") => Some(Self::Quote),
            ("orderbook", "rpi") => Some(Self::RetailBook),
            ("orderbook", levels) => levels.parse().ok().map(Self::Book),
            _ => None,
        }
    }

    /// Whether it is a book of several levels, which begins with a snapshot.
    pub(super) fn is_book(self) -> bool {
        self.levels() > 0
    }

    /// Levels a side of a book that the venue keeps up to date.
    pub(super) fn levels(self) -> u16 {
        match self {
            Self::Trades | Self::Quote => 0,
            Self::Book(levels) => levels,
            Self::RetailBook => 50,
        }
    }
}
