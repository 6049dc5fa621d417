//! Instruments: names in input and output, small integers in between.
//!
//! A name is `SYMBOL.VENUE` (`BTCUSDT.BINANCE`), or the symbol alone if a topic names no venue. Ids are
//! assigned in order of arrival and are valid only for their table.

use rustc_hash::FxHashMap;

/// Index of an instrument in its shard's [`Instruments`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstrumentId(pub u32);

impl InstrumentId {
    /// Stands for all instruments of a shard.
    pub const ALL: Self = Self(u32::MAX);

    /// The index in tables by instrument.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Why a symbol gets no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InternError {
    /// The pipeline lists its instruments, and this one is not listed.
    NotListed,
    /// The table is full: the pipeline allows no more instruments.
    TooMany,
}

/// Whether a text can name an instrument, or its symbol: it begins and ends with neither a blank nor a dot,
/// behind which the venue stands. Blanks inside are part of some names.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let is_outside = |letter: char| letter == '.' || letter.is_whitespace();
    !text.is_empty() && !text.starts_with(is_outside) && !text.ends_with(is_outside)
}

/// The venue that a name ends in, behind its last dot; none where it names none. One or two letters there are
/// a class of shares (`BRK.B`).
#[must_use]
pub fn venue_of(name: &str) -> Option<&str> {
    let (_, venue) = name.rsplit_once('.')?;
    (venue.len() > 2).then_some(venue)
}

type BySymbol = FxHashMap<Box<[u8]>, InstrumentId>;

/// The symbol table of one shard.
#[derive(Debug)]
pub struct Instruments {
    names: Vec<Box<str>>,
    /// By venue, of which there are few, and then by symbol: a symbol that two venues have is two
    /// instruments.
    by_symbol: Vec<(Box<str>, BySymbol)>,
    by_name: FxHashMap<Box<str>, InstrumentId>,
    listed: Option<Box<[Box<str>]>>,
    most: usize,
    per_batch: bool,
}

impl Instruments {
    /// A table that takes at most `most` instruments, and only the `listed` ones if any are listed.
    #[must_use]
    pub fn new(listed: &[String], most: usize) -> Self {
        let listed =
            (!listed.is_empty()).then(|| listed.iter().map(|name| name.as_str().into()).collect());
        Self {
            names: Vec::new(),
            by_symbol: Vec::new(),
            by_name: FxHashMap::default(),
            listed,
            most,
            per_batch: false,
        }
    }

    /// The same, for names that hold for one batch only, and so without a limit. [`Instruments::release`]
    /// removes them.
    #[must_use]
    pub fn per_batch(self) -> Self {
        Self {
            most: usize::MAX,
            per_batch: true,
            ..self
        }
    }

    /// Whether names hold for one batch only.
    #[must_use]
    pub fn are_per_batch(&self) -> bool {
        self.per_batch
    }

    /// Removes all names, where they hold for one batch only; ids begin at 0 again. To be called once the
    /// signals of the batch carry their names.
    pub fn release(&mut self) {
        if self.per_batch {
            self.names.clear();
            self.by_symbol.clear();
            self.by_name.clear();
        }
    }

    /// The id of `symbol` at `venue`, assigned on the first call. If `venue` is empty, the symbol is the
    /// whole name.
    ///
    /// # Errors
    /// [`InternError`] if the symbol gets no id.
    pub fn intern(&mut self, symbol: &str, venue: &str) -> Result<InstrumentId, InternError> {
        if let Some(id) = self.known(symbol.as_bytes(), venue) {
            return Ok(id);
        }
        let at = self.place_of(venue).unwrap_or_else(|| {
            self.by_symbol.push((venue.into(), FxHashMap::default()));
            self.by_symbol.len() - 1
        });
        let name = if venue.is_empty() {
            symbol.to_owned()
        } else {
            format!("{symbol}.{venue}")
        };
        let id = self.intern_name(&name)?;
        self.by_symbol[at].1.insert(symbol.as_bytes().into(), id);
        Ok(id)
    }

    /// The id of a whole name, as [`Instruments::name`] gives it, assigned on the first call.
    ///
    /// # Errors
    /// [`InternError`] if the name gets no id.
    pub fn intern_name(&mut self, name: &str) -> Result<InstrumentId, InternError> {
        if let Some(&id) = self.by_name.get(name) {
            return Ok(id);
        }
        let is_listed = |listed: &[Box<str>]| listed.iter().any(|one| **one == *name);
        if !self.listed.as_deref().is_none_or(is_listed) {
            return Err(InternError::NotListed);
        }
        if self.names.len() >= self.most {
            return Err(InternError::TooMany);
        }
        let id = InstrumentId(self.names.len() as u32);
        self.names.push(name.into());
        self.by_name.insert(name.into(), id);
        Ok(id)
    }

    /// The id of a symbol at a venue that has one.
    #[must_use]
    pub fn known(&self, symbol: &[u8], venue: &str) -> Option<InstrumentId> {
        let at = self.place_of(venue)?;
        self.by_symbol[at].1.get(symbol).copied()
    }

    fn place_of(&self, venue: &str) -> Option<usize> {
        // Records of our own topics name no venue. Comparing two empty names by a call takes 90 ns: the
        // library reads at the dangling address of an empty text.
        let is_venue = |name: &str| name.len() == venue.len() && (name.is_empty() || name == venue);
        self.by_symbol.iter().position(|(name, _)| is_venue(name))
    }

    /// The name of an instrument; `-` if the table does not have it.
    #[must_use]
    pub fn name(&self, id: InstrumentId) -> &str {
        self.names.get(id.index()).map_or("-", |name| name)
    }

    /// Whether an instrument is of this venue.
    #[must_use]
    pub fn is_at(&self, id: InstrumentId, venue: &str) -> bool {
        let symbol = self.name(id).strip_suffix(venue);
        symbol.is_some_and(|symbol| symbol.ends_with('.'))
    }

    /// The number of instruments.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are no instruments.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_blank_or_dot_at_either_end() {
        for name in ["BTCUSDT.BINANCE", "brk.b", "AAPL US Equity", "测试"] {
            assert!(is_name(name), "{name}");
        }
        for text in ["", " ", ".", "..", ".X", "A.", " A.X ", "A.X\t", "\u{a0}A"] {
            assert!(!is_name(text), "{text:?}");
        }
    }

    #[test]
    fn a_name_may_end_in_a_venue() {
        for (name, venue) in [
            ("BTCUSDT.BINANCE", Some("BINANCE")),
            ("BRK.B.XNYS", Some("XNYS")),
            ("BTC-USDT.OKX", Some("OKX")),
            ("BRK.B", None),
            ("AAPL", None),
        ] {
            assert_eq!(venue_of(name), venue, "{name}");
        }
    }

    #[test]
    fn a_symbol_keeps_its_id() {
        let mut table = Instruments::new(&[], 2);
        let btc = table.intern("BTCUSDT", "BINANCE").unwrap();
        assert_eq!(table.intern("BTCUSDT", "BINANCE"), Ok(btc));
        assert_eq!(table.name(btc), "BTCUSDT.BINANCE");
        table.intern("ETHUSDT", "BINANCE").unwrap();
        assert_eq!(
            table.intern("BNBUSDT", "BINANCE"),
            Err(InternError::TooMany)
        );
    }

    #[test]
    fn names_of_a_batch_are_released_and_have_no_limit() {
        let mut table = Instruments::new(&[], 1).per_batch();
        for _ in 0..3 {
            assert_eq!(table.intern("k1:a", ""), Ok(InstrumentId(0)));
            assert_eq!(table.intern("k1:b", ""), Ok(InstrumentId(1)));
            assert_eq!(table.name(InstrumentId(1)), "k1:b");
            table.release();
            assert!(table.is_empty());
            assert_eq!(table.name(InstrumentId(1)), "-");
        }
        let mut table = Instruments::new(&[], 1);
        table.intern("AAPL", "XNAS").unwrap();
        table.release();
        assert_eq!(table.len(), 1, "names that stay");
    }

    #[test]
    fn a_symbol_at_two_venues_is_two_instruments() {
        let mut table = Instruments::new(&[], 2);
        let one = table.intern("BTCUSDT", "BINANCE").unwrap();
        let other = table.intern("BTCUSDT", "OTHER").unwrap();
        assert_ne!(one, other);
        assert_eq!(table.name(other), "BTCUSDT.OTHER");
        assert!(table.is_at(other, "OTHER") && !table.is_at(one, "OTHER"));
        assert!(!table.is_at(one, "ANCE"));
        assert_eq!(
            table.intern("BTCUSDT.BINANCE", ""),
            Ok(one),
            "the symbol is the whole name"
        );
    }

    #[test]
    fn only_listed_instruments_get_an_id() {
        let mut table = Instruments::new(&["BTCUSDT.BINANCE".into()], 10);
        assert!(table.intern("BTCUSDT", "BINANCE").is_ok());
        assert_eq!(
            table.intern("ETHUSDT", "BINANCE"),
            Err(InternError::NotListed)
        );
    }
}
