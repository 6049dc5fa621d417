//! The names of LOBSTER's files, which say whose messages they hold, of which day, and how many levels.

use std::path::Path;

use chrono::NaiveDate;

/// What a name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LobsterName {
    pub(super) ticker: String,
    pub(super) date: NaiveDate,
    /// Beginning and end, in milliseconds since midnight, as written.
    pub(super) span: (String, String),
    pub(super) what: What,
    /// Levels a side.
    pub(super) levels: usize,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Message,
    OrderBook,
}

impl LobsterName {
    /// What the name of a file says; none where it is no name of LOBSTER.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let inner = [".gz", ".zst"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        let stem = inner.unwrap_or(name).strip_suffix(".csv")?;
        let mut parts = stem.rsplitn(6, '_');
        let levels = parts.next()?.parse().ok().filter(|levels| *levels > 0)?;
        let what = match parts.next()? {
            "message" => What::Message,
            "orderbook" => What::OrderBook,
            _ => return None,
        };
        let (end, start) = (parts.next()?, parts.next()?);
        let is_time =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let date = parts.next()?.parse().ok()?;
        let ticker = parts.next().filter(|ticker| !ticker.is_empty())?;
        (is_time(start) && is_time(end)).then(|| Self {
            ticker: ticker.to_owned(),
            date,
            span: (start.to_owned(), end.to_owned()),
            what,
            levels,
        })
    }

    /// The same for the other file.
    pub(super) fn with(self, what: What) -> Self {
        Self { what, ..self }
    }

    /// The name, with the ending of `path`.
    pub(super) fn file_name(&self, path: &Path) -> String {
        let what = match self.what {
            What::Message => "message",
            What::OrderBook => "orderbook",
        };
        let name = path.to_string_lossy();
        let ending = name.find(".csv").map_or(".csv", |at| &name[at..]);
        let Self {
            ticker,
            date,
            span: (start, end),
            levels,
            ..
        } = self;
        format!("{ticker}_{date}_{start}_{end}_{what}_{levels}{ending}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_a_file_holds() {
        let name = LobsterName::of(Path::new(
            "/x/BRK_B_2012-06-21_34200000_57600000_message_10.csv.gz",
        ));
        let name = name.unwrap();
        assert_eq!((name.ticker.as_str(), name.levels), ("BRK_B", 10));
        assert_eq!(name.date, NaiveDate::from_ymd_opt(2012, 6, 21).unwrap());
        let other = name.with(What::OrderBook).file_name(Path::new("x.csv.gz"));
        assert_eq!(
            other,
            "BRK_B_2012-06-21_34200000_57600000_orderbook_10.csv.gz"
        );
        for other in [
            "AAPL_2012-06-21_34200000_57600000_message_10.txt",
            "AAPL_2012-06-31_34200000_57600000_message_10.csv",
            "AAPL_2012-06-21_34200000_57600000_trades_10.csv",
            "_2012-06-21_34200000_57600000_message_10.csv",
            "AAPL_2012-06-21_x_57600000_message_10.csv",
            "AAPL_2012-06-21_34200000_57600000_message_0.csv",
            "message_10.csv",
            "trades.csv",
        ] {
            assert_eq!(LobsterName::of(Path::new(other)), None, "{other}");
        }
    }
}
