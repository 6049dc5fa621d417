//! The kinds of row of archives, and the fields of each.

use super::mapping::Role;

/// A kind of row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowKind {
    Trade,
    Quote,
    Bar,
    Book,
}

impl RowKind {
    pub(super) const ALL: [Self; 4] = [Self::Trade, Self::Quote, Self::Bar, Self::Book];

    /// The word for it in a column that says what a row is.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Trade => "trade",
            Self::Quote => "quote",
            Self::Bar => "bar",
            Self::Book => "book",
        }
    }

    /// The fields that it must have, beside time and name.
    pub(super) fn needed(self) -> &'static [Role] {
        match self {
            Self::Trade => &[Role::Price, Role::Size],
            Self::Quote => &[Role::BidPx, Role::BidSz, Role::AskPx, Role::AskSz],
            Self::Bar => &[Role::Open, Role::High, Role::Low, Role::Close],
            Self::Book => &[
                Role::FirstSequence,
                Role::Sequence,
                Role::Snapshot,
                Role::Bids,
                Role::Asks,
            ],
        }
    }

    /// The fields that it may have.
    fn optional(self) -> &'static [Role] {
        match self {
            Self::Trade => &[Role::Side, Role::TradeId, Role::TradeIds, Role::Aggregate],
            Self::Quote => &[Role::Sequence],
            Self::Bar => &[Role::Volume],
            Self::Book => &[Role::Splice, Role::Link, Role::Keep],
        }
    }

    /// Whether a field is one of its own; those that every row has are of none.
    pub(super) fn has(self, role: Role) -> bool {
        self.needed().contains(&role) || self.optional().contains(&role)
    }

    /// The kind that has the largest part of its fields among those that are there; of equal ones that of
    /// which more were named. None where none has any.
    pub(super) fn nearest(is_there: impl Fn(Role) -> bool, named: &[Role]) -> Option<Self> {
        let part = |kind: &Self| {
            let needed = kind.needed();
            let there = needed.iter().filter(|role| is_there(**role)).count();
            let named = needed.iter().filter(|role| named.contains(role)).count();
            // In twentieths, which 2, 4 and 5 divide.
            (there * 20 / needed.len(), named * 20 / needed.len())
        };
        let kinds = Self::ALL.into_iter().filter(|kind| part(kind) > (0, 0));
        // Of equal ones `max_by_key` would give the last.
        kinds.rev().max_by_key(part)
    }
}

/// Whether a field may be missing where it was named: it belongs to some kinds of row alone.
pub(super) fn is_of_kinds(role: Role) -> bool {
    RowKind::ALL.iter().any(|kind| kind.has(role))
}
