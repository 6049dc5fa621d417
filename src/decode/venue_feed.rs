//! What a venue has, and where: its streams with what each brings, and its hosts. Pipelines are checked
//! against both before a run.

use std::fmt;

/// A stream that is read, as `source.websocket.streams` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenueStream {
    /// Its name, in the venue's words.
    pub name: &'static str,
    /// What comes by it.
    pub brings: Brings,
}

/// What comes by a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brings {
    /// Trades.
    Trades,
    /// The best bid and offer.
    Quotes,
    /// A book of so many levels a side; [`ALL_LEVELS`] where it has all that there are.
    Book(u16),
    /// Bars.
    Bars,
    /// Headlines.
    News,
    /// What is said about other events or the connection: halts, corrections, heartbeats.
    Notices,
}

/// The levels of a book that is not cut.
pub const ALL_LEVELS: u16 = u16::MAX;

impl VenueStream {
    /// A stream of this name.
    #[must_use]
    pub const fn new(name: &'static str, brings: Brings) -> Self {
        Self { name, brings }
    }

    /// Levels a side of its book; 0 where it has none.
    #[must_use]
    pub fn levels(&self) -> u16 {
        match self.brings {
            Brings::Book(levels) => levels,
            Brings::Trades | Brings::Quotes | Brings::Bars | Brings::News | Brings::Notices => 0,
        }
    }
}

impl fmt::Display for Brings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trades => f.write_str("trades"),
            Self::Quotes => f.write_str("best bid and offer"),
            Self::Book(ALL_LEVELS) => f.write_str("book, all levels"),
            Self::Book(levels) => write!(f, "book, {levels} levels"),
            Self::Bars => f.write_str("bars"),
            Self::News => f.write_str("headlines"),
            Self::Notices => f.write_str("notices"),
        }
    }
}

/// Hosts that are known to be a venue's. A name stands for itself and for all names that end in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    /// Those where its feeds are: `binance.vision`.
    pub own: &'static [&'static str],
    /// Those of the same owner that have something else, and what: `futures.kraken.com`.
    pub others: &'static [(&'static str, &'static str)],
}

impl Hosts {
    /// Letters of the longest name of each kind that a host ends in; 0 where none does.
    #[must_use]
    pub fn matching(&self, host: &str) -> (usize, Option<(usize, &'static str)>) {
        let own = self.own.iter().filter(|name| is_in(host, name));
        let others = self.others.iter().filter(|(name, _)| is_in(host, name));
        (
            own.map(|name| name.len()).max().unwrap_or_default(),
            others
                .map(|(name, what)| (name.len(), *what))
                .max_by_key(|(length, _)| *length),
        )
    }
}

/// Whether a host is this one, or below it.
fn is_in(host: &str, name: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let rest = host.strip_suffix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_of_the_longest_name_that_it_ends_in() {
        let hosts = Hosts {
            own: &["orchard.example", "feed.orchard.example"],
            others: &[("old.orchard.example", "the old feed")],
        };
        assert_eq!(hosts.matching("orchard.example"), (15, None));
        assert_eq!(hosts.matching("A.Feed.Orchard.Example"), (20, None));
        assert_eq!(hosts.matching("myorchard.example"), (0, None));
        assert_eq!(
            hosts.matching("x.old.orchard.example"),
            (15, Some((19, "the old feed")))
        );
    }
}
