//! The names of the listed instruments: each as its venue spells it.

use std::collections::BTreeMap;

use crate::config::{ConfigFault, SourceConfig};
use crate::decode::venue::Venue;
use crate::decode::venues::Venues;

/// The venue that the names of the instruments end in, and their symbols there; `described` is the venue
/// whose feed the pipeline describes.
///
/// # Errors
/// A name that is wrong, or of another venue.
pub(super) fn venue_and_symbols(
    instruments: &[String],
    described: Option<&str>,
    venues: &Venues,
) -> Result<(&'static dyn Venue, Vec<String>), ConfigFault> {
    let mut found: BTreeMap<&str, &'static dyn Venue> = BTreeMap::new();
    let mut symbols = vec![];
    for (at, name) in instruments.iter().enumerate() {
        let (venue, symbol) = venue_and_symbol(name, described, venues)
            .map_err(|what| ConfigFault::at(format!("source.instruments[{at}]"), what))?;
        if instruments[..at].contains(name) {
            let what = format!("`{name}` is listed twice; take one out");
            return Err(ConfigFault::at(format!("source.instruments[{at}]"), what));
        }
        found.insert(venue.name(), venue);
        symbols.push(symbol.to_owned());
    }
    let refused = |what: String| Err(ConfigFault::at("source.instruments", what));
    match found.values().collect::<Vec<_>>().as_slice() {
        [venue] => Ok((**venue, symbols)),
        [] => refused(NO_INSTRUMENTS.into()),
        _ => {
            let names = found.keys().copied().collect::<Vec<_>>().join(", ");
            refused(format!(
                "a websocket reads one venue, but `instruments` names several ({names}); make a pipeline for each"
            ))
        }
    }
}

/// The venue of an instrument, and its symbol there.
///
/// # Errors
/// What is wrong with the name, and the names that are probably meant.
fn venue_and_symbol<'n>(
    name: &'n str,
    described: Option<&str>,
    venues: &Venues,
) -> Result<(&'static dyn Venue, &'n str), String> {
    let (symbol, written) = name.rsplit_once('.').unwrap_or((name, ""));
    let named = venues.named(written);
    if let Some(own) = described.filter(|own| *own != written) {
        // A letter behind a dot is a class of shares.
        let symbol = if written.len() > 1 { symbol } else { name };
        return Err(format!(
            "the feed that `json` describes is of `{own}`, and the instrument `{name}` is not; did you mean \
             {symbol}.{own}? Or change `venue`"
        ));
    }
    let wrong = match named {
        Some(venue) if name == name_at(venue, symbol) => return Ok((venue, symbol)),
        Some(venue) => format!(
            "is not how its venue spells the symbol (as {})",
            venue.symbol_examples()
        ),
        None if written.is_empty() => "names no venue".to_owned(),
        None => "names a venue that has no websocket here".to_owned(),
    };
    let (mut same, mut fitting, mut others) = (vec![], vec![], vec![]);
    for venue in venues.all() {
        let likely = name_at(venue, symbol);
        if venue.name().eq_ignore_ascii_case(written) {
            same.push(likely);
        } else if likely
            .rsplit_once('.')
            .is_some_and(|(spelt, _)| spelt == symbol)
        {
            fitting.push(likely);
        } else {
            others.push(likely);
        }
    }
    // Of a venue that is known, or written in another case, only that one is meant; of others those that
    // spell the symbol so.
    let mut all = [same, fitting, others].into_iter();
    let likely = all.find(|likely| !likely.is_empty()).unwrap_or_default();
    Err(format!(
        "the instrument `{name}` {wrong}; did you mean {}?",
        likely.join(" or ")
    ))
}

const NO_INSTRUMENTS: &str =
    "a websocket needs `instruments`: the symbols to subscribe to, as BTCUSDT.BINANCE";

/// Refuses a listed instrument that no message can be about: one without a name, with blanks or dots
/// around it, or of a venue that spells the symbol otherwise, or has no such symbol. Records of topics may
/// name any other venue, or none, and their symbols may have blanks inside.
///
/// # Errors
/// The first of them, with the name that is probably meant.
pub(super) fn check_spelling(source: &SourceConfig, venues: &Venues) -> Result<(), ConfigFault> {
    for (at, name) in source.instruments.iter().enumerate() {
        if let Some(likely) = likely_name(name, venues) {
            let what = format!(
                "no message can be about the instrument `{name}`; did you mean `{likely}`? Write it as its venue \
                 or its topic does"
            );
            return Err(ConfigFault::at(format!("source.instruments[{at}]"), what));
        }
    }
    Ok(())
}

/// The name that is probably meant by one that no message can be about; none where one can.
fn likely_name(name: &str, venues: &Venues) -> Option<String> {
    let trimmed = name.trim();
    let likely = match trimmed.rsplit_once('.') {
        _ if trimmed.trim_matches(['.', ' ']).is_empty() => "SYMBOL.VENUE".into(),
        // Topics may have a symbol without the venue's signs.
        Some((symbol, written))
            if venues.named(written).is_some() && is_plain(symbol) && trimmed == name =>
        {
            trimmed.to_owned()
        }
        Some((symbol, written)) => match venue_of(written, venues) {
            Some(venue) => name_at(venue, symbol),
            None => without_empty_parts(trimmed),
        },
        None => trimmed.to_owned(),
    };
    (likely != name).then_some(likely)
}

/// Whether a symbol is capital letters and digits alone.
fn is_plain(symbol: &str) -> bool {
    let mut bytes = symbol.bytes();
    !symbol.is_empty() && bytes.all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// A name without the dot of a venue that is not named, and with a word for a symbol that is not.
fn without_empty_parts(name: &str) -> String {
    let is_outside = |letter: char| letter == '.' || letter.is_whitespace();
    let whole = name.trim_matches(is_outside);
    match name.starts_with('.') {
        true => format!("SYMBOL.{whole}"),
        false => whole.to_owned(),
    }
}

/// The name of a symbol of a venue, as the venue spells it, without blanks.
fn name_at(venue: &dyn Venue, symbol: &str) -> String {
    let symbol: String = symbol.split_whitespace().collect();
    match venue.spelling(&symbol).as_str() {
        "" => format!("SYMBOL.{}", venue.name()),
        symbol => format!("{symbol}.{}", venue.name()),
    }
}

/// The venue of this name, in whatever case.
fn venue_of(written: &str, venues: &Venues) -> Option<&'static dyn Venue> {
    let mut names = venues.names();
    let name = names.find(|name| name.eq_ignore_ascii_case(written))?;
    venues.named(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_instrument_is_spelt_as_its_venue_spells_it() {
        let check = |name: &str| {
            let instruments = vec!["AAPL.XNAS".to_owned(), name.to_owned()];
            let source = SourceConfig {
                instruments,
                ..SourceConfig::default()
            };
            check_spelling(&source, &Venues::default()).map_err(|fault| (fault.key, fault.what))
        };
        for name in [
            "BTCUSDT.BINANCE",
            "BTCUSDT_240329.BINANCE",
            "btcusdt",
            "brk.b",
            "btcusdt.OTHER",
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in ["btcusdt.BINANCE", "BTCUSDT.Binance", "btcusdt.binance"] {
            let (key, what) = check(name).unwrap_err();
            assert_eq!(key, "source.instruments[1]");
            assert!(what.contains("did you mean `BTCUSDT.BINANCE`?"), "{what}");
        }
        assert!(
            check(" AAPL.XNAS")
                .unwrap_err()
                .1
                .contains("did you mean `AAPL.XNAS`?")
        );
        assert!(check("").unwrap_err().1.contains("SYMBOL.VENUE"));
        assert_eq!(check("AAPL US Equity"), Ok(()), "of a topic");
        for (name, likely) in [
            (".BINANCE", "`SYMBOL.BINANCE`"),
            (" BTCUSDT.BINANCE", "`BTCUSDT.BINANCE`"),
            ("BTC USDT.BINANCE", "`BTCUSDT.BINANCE`"),
            ("BTCUSDT .binance", "`BTCUSDT.BINANCE`"),
            ("BTC/USDT.BINANCE", "`BTCUSDT.BINANCE`"),
            ("btc-usdt.BINANCE", "`BTCUSDT.BINANCE`"),
            ("..BINANCE", "`SYMBOL.BINANCE`"),
            ("BTCUSDT.", "`BTCUSDT`"),
            ("BTCUSDT..", "`BTCUSDT`"),
            (".X", "`SYMBOL.X`"),
            (".", "`SYMBOL.VENUE`"),
            (". .", "`SYMBOL.VENUE`"),
        ] {
            let (_, what) = check(name).unwrap_err();
            assert!(what.contains(likely), "{name}: {what}");
        }
    }

    #[test]
    fn a_websocket_reads_one_known_venue() {
        let of = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            venue_and_symbols(&names, None, &Venues::default())
                .map(|(venue, symbols)| (venue.name(), symbols))
        };
        let (venue, symbols) = of(&["BTCUSDT.BINANCE", "ETHUSDT.BINANCE"]).unwrap();
        assert_eq!(
            (venue, symbols.join(" ")),
            ("BINANCE", "BTCUSDT ETHUSDT".into())
        );
        for (names, key, said) in [
            (&[][..], "", "needs `instruments`"),
            (
                &["BTCUSDT.BINANCE", "ETHUSDT"],
                "[1]",
                "the instrument `ETHUSDT` names no venue; did you mean ETHUSDT.BINANCE",
            ),
            (
                &["BTCUSDT."],
                "[0]",
                "names no venue; did you mean BTCUSDT.BINANCE",
            ),
            (
                &["BTCUSDT.NOWHERE"],
                "[0]",
                "`BTCUSDT.NOWHERE` names a venue that has no websocket here; did you mean BTCUSDT.BINANCE",
            ),
            (
                &["BTC/USDT.BINANCE_USDM"],
                "[0]",
                "is not how its venue spells the symbol (as BTCUSDT, BTCUSDT_270326); did you mean BTCUSDT.BINANCE_USDM?",
            ),
            (
                &["btcusdt.binance"],
                "[0]",
                "names a venue that has no websocket here; did you mean BTCUSDT.BINANCE",
            ),
            (
                &["btcusdt.BINANCE"],
                "[0]",
                "is not how its venue spells the symbol (as BTCUSDT); did you mean BTCUSDT.BINANCE?",
            ),
            (
                &["BTCUSDT.BINANCE", " ETHUSDT.BINANCE"],
                "[1]",
                "is not how its venue spells the symbol (as BTCUSDT); did you mean ETHUSDT.BINANCE?",
            ),
            (
                &["BTC USDT.BINANCE"],
                "[0]",
                "is not how its venue spells the symbol (as BTCUSDT); did you mean BTCUSDT.BINANCE?",
            ),
            (
                &["BTC/USDT.BINANCE"],
                "[0]",
                "is not how its venue spells the symbol (as BTCUSDT); did you mean BTCUSDT.BINANCE?",
            ),
            (
                &["BTC-USDT.BINANCE"],
                "[0]",
                "is not how its venue spells the symbol (as BTCUSDT); did you mean BTCUSDT.BINANCE?",
            ),
            (
                &[".BINANCE"],
                "[0]",
                "is not how its venue spells the symbol (as BTCUSDT); did you mean SYMBOL.BINANCE?",
            ),
        ] {
            let fault = of(names).unwrap_err();
            assert_eq!(fault.key, format!("source.instruments{key}"), "{names:?}");
            assert!(fault.what.contains(said), "{}", fault.what);
        }
    }
}
