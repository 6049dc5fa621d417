//! Finds the instruments that a headline mentions, by cashtags (`$AAPL`) and names.
//!
//! A name must have the case in which it is listed: `Apple` is the company, `apple` is not. Only in a
//! headline all in capitals does case not count.

use rustc_hash::FxHashMap;
use serde::Deserialize;

/// The instruments that headlines may mention.
#[derive(Debug, Default)]
pub struct Router {
    symbols: Vec<String>,
    /// Cashtags in capitals.
    tags: FxHashMap<String, usize>,
    /// Names by their first word in capitals: all words, and the instrument.
    names: FxHashMap<String, Vec<(Vec<String>, usize)>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListedInstrument {
    symbol: String,
    cashtag: String,
    names: String,
}

impl Router {
    /// Reads a CSV file with the columns `symbol`, `cashtag` and `names`, the latter separated by `|`.
    ///
    /// # Errors
    /// A message with the line at fault and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut router = Self::default();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        for line in reader.deserialize() {
            let line: ListedInstrument = line.map_err(|error| {
                format!("{error}; the columns are symbol, cashtag, names (separated by |)")
            })?;
            let at = router.symbols.len();
            if !line.cashtag.is_empty()
                && let Some(before) = router.tags.insert(line.cashtag.to_uppercase(), at)
            {
                let before = &router.symbols[before];
                return Err(format!(
                    "the cashtag {} is of {} and of {before}; leave it to one",
                    line.cashtag, line.symbol
                ));
            }
            for name in line.names.split('|') {
                let words: Vec<String> = words(name).map(str::to_owned).collect();
                if let Some(first) = words.first() {
                    let same = router.names.entry(first.to_uppercase()).or_default();
                    same.push((words, at));
                }
            }
            router.symbols.push(line.symbol);
        }
        for names in router.names.values_mut() {
            names.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
        }
        Ok(router)
    }

    /// Appends the instruments that the text mentions, each once, in the order of their first mention. Of
    /// names that begin with the same words the longest counts.
    pub fn find<'r>(&'r self, text: &str, found: &mut Vec<&'r str>) {
        let mut note = |at: usize| {
            let symbol = &*self.symbols[at];
            if !found.contains(&symbol) {
                found.push(symbol);
            }
        };
        let is_capitals = !text.chars().any(char::is_lowercase);
        let all: Vec<&str> = words(text).collect();
        let mut at = 0;
        while at < all.len() {
            let word = all[at];
            at += 1;
            if let Some(tag) = word.strip_prefix('$') {
                if let Some(&instrument) = self.tags.get(&tag.to_uppercase()) {
                    note(instrument);
                }
                continue;
            }
            let Some(names) = self.names.get(&word.to_uppercase()) else {
                continue;
            };
            let same = |name: &str, word: &str| {
                name == word || is_capitals && name.to_uppercase() == word.to_uppercase()
            };
            let rest = &all[at - 1..];
            let fits = |(name, _): &&(Vec<String>, usize)| {
                name.len() <= rest.len() && name.iter().zip(rest).all(|(n, w)| same(n, w))
            };
            if let Some((name, instrument)) = names.iter().find(fits) {
                note(*instrument);
                at += name.len() - 1;
            }
        }
    }
}

/// The words of a text: letters, digits, and the characters within names (`AT&T`, `Coca-Cola`, `$BRK.B`),
/// without the `'s` of a possessive.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let separates = |c: char| !(c.is_alphanumeric() || matches!(c, '&' | '-' | '$' | '.'));
    text.split(separates)
        .map(|word| word.trim_matches(['.', '-', '&']).trim_end_matches('$'))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let router = Router::parse(
            "symbol,cashtag,names\n\
             AAPL.XNAS,AAPL,Apple|Apple Inc\n\
             T.XNYS,T,AT&T\n\
             BRK.XNYS,BRK.B,Berkshire Hathaway\n\
             GM.XNYS,GM,General Motors\n\
             GE.XNYS,GE,General Electric\n",
        )
        .unwrap();
        let mut found = vec![];
        router.find(text, &mut found);
        found.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn cashtags_and_names_are_found_once_and_in_order() {
        assert_eq!(
            found("$T and $aapl: Apple's profit"),
            ["T.XNYS", "AAPL.XNAS"]
        );
        assert_eq!(found("AT&T, General Electric."), ["T.XNYS", "GE.XNYS"]);
        assert_eq!(found("($BRK.B)"), ["BRK.XNYS"]);
        assert_eq!(found("an apple a day, General"), [""; 0], "no name");
        assert_eq!(found("$AAPLX US$T"), [""; 0], "no cashtag");
        assert_eq!(
            found("GENERAL MOTORS AND APPLE UP"),
            ["GM.XNYS", "AAPL.XNAS"]
        );
    }

    #[test]
    fn a_cashtag_of_two_is_refused() {
        let error = Router::parse("symbol,cashtag,names\nA,X,\nB,x,\n").unwrap_err();
        assert!(error.contains("B and of A"), "{error}");
        let error = Router::parse("symbol,names\nA,X\n").unwrap_err();
        assert!(error.contains("the columns are"), "{error}");
    }
}
