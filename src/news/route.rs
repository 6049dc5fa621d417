//! Finds the instruments that a headline mentions, by cashtags (`$AAPL`) and names.
//!
//! A text is read as words with what joins them: `Apple-Samsung` is two words joined by `-`, so that a name
//! of two words (`Coca-Cola`) and two names of one word are both found. A name must have the case in which
//! it is listed: `Apple` is the company, `apple` is not. Only in a headline all in capitals does case not
//! count.

use rustc_hash::FxHashMap;
use serde::Deserialize;
use unicode_normalization::char::is_combining_mark;

use super::clean::composed;

/// The instruments that headlines may mention.
#[derive(Debug, Default)]
pub struct Router {
    symbols: Vec<String>,
    /// Cashtags in capitals, the parts of a share class joined by `.`.
    tags: FxHashMap<String, usize>,
    /// The number of words of the longest cashtag.
    tag_words: usize,
    /// Names by their first word in capitals: all words, and the instrument.
    names: FxHashMap<String, Vec<(Vec<NameWord>, usize)>>,
}

/// A word of a text: letters and digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Word<'a> {
    text: &'a str,
    joint: Joint,
}

/// A word of a listed name.
#[derive(Debug)]
struct NameWord {
    text: String,
    joint: Joint,
}

/// What is between a word and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joint {
    /// Anything with a blank or a mark that ends a word; also the beginning of the text.
    Apart,
    /// `&`, as in `AT&T`.
    And,
    /// `-`, as in `Coca-Cola`.
    Hyphen,
    /// `.`, as in `Booking.com`.
    Dot,
    /// `/`, which joins a share class (`$BRK/B`).
    Slash,
    /// `$` behind a letter or a digit, as in `US$5`.
    Currency,
    /// `$` behind nothing that it belongs to: a cashtag begins.
    Cashtag,
    /// Several of these characters.
    Mixed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListedInstrument {
    symbol: String,
    cashtag: String,
    names: String,
}

impl Router {
    /// Reads a CSV file with the columns `symbol`, `cashtag` and `names`, the latter separated by `|`. A
    /// share class is the same behind a `.`, a `-` and a `/`: `BRK.B`, `BRK-B`.
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
            let cashtag = composed(line.cashtag);
            let tag: Vec<Word<'_>> = words(&cashtag).collect();
            router.tag_words = router.tag_words.max(tag.len());
            if !tag.is_empty()
                && let Some(before) = router.tags.insert(tag_key(&tag), at)
            {
                let before = &router.symbols[before];
                return Err(format!(
                    "the cashtag {cashtag} is of {} and of {before}; leave it to one",
                    line.symbol
                ));
            }
            let names = composed(line.names);
            for name in names.split('|') {
                let words: Vec<NameWord> = words(name).map(NameWord::from).collect();
                if let Some(first) = words.first() {
                    let same = router.names.entry(first.text.to_uppercase()).or_default();
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
    /// names that begin with the same words the longest counts. The text is as `clean` gives it.
    pub fn find<'r>(&'r self, text: &str, found: &mut Vec<&'r str>) {
        let mut note = |at: usize| {
            let symbol = &*self.symbols[at];
            if !found.contains(&symbol) {
                found.push(symbol);
            }
        };
        let is_capitals = !text.chars().any(char::is_lowercase);
        let all: Vec<Word<'_>> = words(text).collect();
        let (mut at, mut behind_cashtag) = (0, false);
        while at < all.len() {
            let rest = &all[at..];
            // `$AAPL$MSFT` is two cashtags, and `US$5` none.
            let is_cashtag = match rest[0].joint {
                Joint::Cashtag => true,
                Joint::Currency => behind_cashtag,
                _ => false,
            };
            behind_cashtag = is_cashtag;
            let (instrument, taken) = if is_cashtag {
                self.cashtag(rest)
            } else {
                self.name(rest, is_capitals)
            };
            instrument.into_iter().for_each(&mut note);
            at += taken;
        }
    }

    /// The instrument of the cashtag with which these words begin, and how many words it has. The longest
    /// one that is listed counts: `$TSLA-led` is `$TSLA`. A share class is part of a cashtag: `$BRK.A` is
    /// not `$BRK`.
    fn cashtag(&self, words: &[Word<'_>]) -> (Option<usize>, usize) {
        let joined = words[1..]
            .iter()
            .take_while(|word| word.joint.joins_class());
        let most = (joined.count() + 1).min(self.tag_words.max(1));
        for count in (1..=most).rev() {
            if let Some(&instrument) = self.tags.get(&tag_key(&words[..count])) {
                let next = words.get(count);
                return if next.is_some_and(Word::is_share_class) {
                    (None, count + 1)
                } else {
                    (Some(instrument), count)
                };
            }
        }
        (None, 1)
    }

    /// The instrument of the name with which these words begin, and how many words it has.
    fn name(&self, words: &[Word<'_>], is_capitals: bool) -> (Option<usize>, usize) {
        // The `T` of `Q&T` or `US$T` is no name.
        let next = words.get(1).map_or(Joint::Apart, |next| next.joint);
        let is_part = |joint| joint != Joint::Apart;
        let is_letter = words[0].is_letter() && (is_part(words[0].joint) || is_part(next));
        let fits = |(name, _): &&(Vec<NameWord>, usize)| {
            name.len() <= words.len()
                && (name.len() > 1 || !is_letter)
                && name
                    .iter()
                    .zip(words)
                    .enumerate()
                    .all(|(at, (name, word))| {
                        (at == 0 || name.joint == word.joint) && name.is(word.text, is_capitals)
                    })
        };
        let names = self.names.get(&words[0].text.to_uppercase());
        let found = names.and_then(|names| names.iter().find(fits));
        match found.filter(|_| words[0].joint != Joint::Currency) {
            Some((name, instrument)) => (Some(*instrument), name.len()),
            None => (None, 1),
        }
    }
}

impl Word<'_> {
    fn is_letter(&self) -> bool {
        let mut chars = self.text.chars();
        chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
    }

    /// Whether it is the class of a share, as the `B` of `$BRK.B`.
    fn is_share_class(&self) -> bool {
        matches!(self.joint, Joint::Dot | Joint::Hyphen) && self.is_letter()
    }
}

impl NameWord {
    fn is(&self, word: &str, is_capitals: bool) -> bool {
        self.text == word || is_capitals && self.text.to_uppercase() == word.to_uppercase()
    }
}

impl From<Word<'_>> for NameWord {
    fn from(word: Word<'_>) -> Self {
        Self {
            text: word.text.to_owned(),
            joint: word.joint,
        }
    }
}

impl Joint {
    /// Of the characters between two words, or before the first one.
    fn of(between: &str, is_first: bool) -> Self {
        let joins = |c: char| matches!(plain(c), '&' | '-' | '.' | '/' | '$');
        if between.chars().last().is_some_and(|c| plain(c) == '$') {
            let is_behind_word = !is_first && between.chars().count() == 1;
            return if is_behind_word {
                Self::Currency
            } else {
                Self::Cashtag
            };
        }
        let mut chars = between.chars();
        match (chars.next().map(plain), chars.next()) {
            _ if is_first || !between.chars().all(joins) => Self::Apart,
            (Some('&'), None) => Self::And,
            (Some('-'), None) => Self::Hyphen,
            (Some('.'), None) => Self::Dot,
            (Some('/'), None) => Self::Slash,
            _ => Self::Mixed,
        }
    }

    fn joins_class(self) -> bool {
        matches!(self, Self::Dot | Self::Hyphen | Self::Slash)
    }
}

/// The ASCII character that other forms of it stand for.
fn plain(c: char) -> char {
    match c {
        '\u{ff04}' | '\u{fe69}' => '$',
        '\u{ff06}' => '&',
        '\u{2010}' | '\u{2011}' => '-',
        c => c,
    }
}

/// The words of a text, each with what joins it to the one before. A `'s` is a word of its own. A word begins
/// with a letter or a digit; accents belong to it, and what encloses a digit, as in a keycap, ends it.
fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let encloses = |c: char| matches!(c, '\u{20dd}'..='\u{20e0}' | '\u{20e2}'..='\u{20e4}');
    let is_part = move |c: char| c.is_alphanumeric() || is_combining_mark(c) && !encloses(c);
    let (mut rest, mut is_first) = (text, true);
    std::iter::from_fn(move || {
        let begin = rest.find(char::is_alphanumeric)?;
        let length = rest[begin..].find(|c| !is_part(c));
        let end = length.map_or(rest.len(), |length| begin + length);
        let word = Word {
            text: &rest[begin..end],
            joint: Joint::of(&rest[..begin], is_first),
        };
        (rest, is_first) = (&rest[end..], false);
        Some(word)
    })
}

/// How a cashtag is listed: in capitals, its parts joined by `.`.
fn tag_key(words: &[Word<'_>]) -> String {
    let parts: Vec<String> = words.iter().map(|word| word.text.to_uppercase()).collect();
    parts.join(".")
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
             TSLA.XNAS,TSLA,Tesla\n\
             MSFT.XNAS,MSFT,Microsoft\n\
             005930.XKRX,,Samsung\n\
             KO.XNYS,KO,Coca-Cola\n\
             NESN.XSWX,,Nestlé\n\
             AMZN.XNAS,AMZN,Amazon\n\
             F.XNYS,F,F\n\
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
    fn a_share_class_is_part_of_its_cashtag_in_any_spelling() {
        for text in [
            "$BRK.B",
            "$BRK-B up",
            "$brk/b",
            "$BRK.B.",
            "$BRK.B's",
            "\u{ff04}BRK.B",
        ] {
            assert_eq!(found(text), ["BRK.XNYS"], "{text}");
        }
        for text in ["$BRK", "$BRK.A", "$T.B", "$AAPL-B"] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
        let error = Router::parse("symbol,cashtag,names\nA,B.C,\nB,B-C,\n").unwrap_err();
        assert!(error.contains("B and of A"), "{error}");
    }

    #[test]
    fn what_is_written_next_to_a_cashtag_hides_none() {
        for (text, expected) in [
            ("$TSLA-led rally", &["TSLA.XNAS"][..]),
            ("$AAPL&$MSFT", &["AAPL.XNAS", "MSFT.XNAS"]),
            ("$AAPL/$MSFT", &["AAPL.XNAS", "MSFT.XNAS"]),
            ("$AAPL$MSFT", &["AAPL.XNAS", "MSFT.XNAS"]),
            ("$AAPL...", &["AAPL.XNAS"]),
            ("...$AAPL...$MSFT…$T", &["AAPL.XNAS", "MSFT.XNAS", "T.XNYS"]),
            ("$AAPL.Buy", &["AAPL.XNAS"]),
            ("$AAPL-5% (-$MSFT)", &["AAPL.XNAS", "MSFT.XNAS"]),
            ("$CCC-Apple", &["AAPL.XNAS"]),
            ("US$T $ T US$Apple A$AP", &[]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn a_mark_before_a_cashtag_is_no_word() {
        for (text, expected) in [
            ("\u{26a0}\u{fe0f}$AAPL up", "AAPL.XNAS"),
            ("\u{2705}\u{fe0f}$TSLA", "TSLA.XNAS"),
            ("1\u{fe0f}\u{20e3}$MSFT", "MSFT.XNAS"),
            ("1\u{20e3}$MSFT", "MSFT.XNAS"),
            ("\u{301}$AAPL", "AAPL.XNAS"),
            ("\u{1f680}$AAPL", "AAPL.XNAS"),
            ("$AA\u{200d}PL", "AAPL.XNAS"),
            ("\u{200e}$AAPL\u{200f}", "AAPL.XNAS"),
        ] {
            let cleaned = super::super::clean::clean(text);
            assert_eq!(found(&cleaned), [expected], "{text}");
        }
    }

    #[test]
    fn names_are_found_in_compounds() {
        for (text, expected) in [
            ("Apple-Samsung", &["AAPL.XNAS", "005930.XKRX"][..]),
            (
                "Apple/Samsung, Apple&Tesla",
                &["AAPL.XNAS", "005930.XKRX", "TSLA.XNAS"],
            ),
            ("Coca-Cola-Apple", &["KO.XNYS", "AAPL.XNAS"]),
            ("Coca\u{2011}Cola", &["KO.XNYS"]),
            ("Tesla-led, ex-Apple", &["TSLA.XNAS", "AAPL.XNAS"]),
            ("Amazon.com", &["AMZN.XNAS"]),
            ("up.Apple falls", &["AAPL.XNAS"]),
            ("APPLE-SAMSUNG", &["AAPL.XNAS", "005930.XKRX"]),
            ("Coca Cola, Cola", &[]),
            ("H&F, F-35, U.F.O.", &[]),
            ("F", &["F.XNYS"]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn an_accent_may_be_a_character_of_its_own() {
        let decomposed = super::super::clean::clean("Nestle\u{301} up");
        assert_eq!(found(&decomposed), ["NESN.XSWX"]);
        let router = Router::parse("symbol,cashtag,names\nN,,Nestle\u{301}\n").unwrap();
        let mut found = vec![];
        router.find("Nestl\u{e9}-led", &mut found);
        assert_eq!(found, ["N"]);
    }

    #[test]
    fn a_cashtag_of_two_is_refused() {
        let error = Router::parse("symbol,cashtag,names\nA,X,\nB,x,\n").unwrap_err();
        assert!(error.contains("B and of A"), "{error}");
        let error = Router::parse("symbol,names\nA,X\n").unwrap_err();
        assert!(error.contains("the columns are"), "{error}");
    }
}
