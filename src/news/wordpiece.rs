//! BERT's uncased WordPiece: turns text into the numbers of a vocabulary's pieces.
//!
//! Wu et al. 2016, "Google's neural machine translation system" (arXiv 1609.08144), as Devlin et al. 2018
//! (BERT, arXiv 1810.04805) use it: remove control characters and accents, separate ideographs, lower the
//! case, split words at blanks and punctuation, and split each word by the longest piece that fits. Equal
//! to the tokeniser that the models were trained with (`tests/news/wordpiece.rs`).

use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};
use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization;

use crate::hex::hex;

/// A vocabulary.
#[derive(Debug)]
pub struct WordPiece {
    /// Pieces that begin a word.
    first: FxHashMap<Box<str>, u32>,
    /// Pieces that continue a word, without their `##`.
    further: FxHashMap<Box<str>, u32>,
    /// The length of the longest piece in bytes.
    longest: usize,
    unknown: u32,
    begin: u32,
    end: u32,
    sha256: String,
}

/// The result of encoding a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// The number of its pieces, without the marks of beginning and end.
    pub pieces: usize,
    /// How many of them are words that the vocabulary cannot spell.
    pub unknown: usize,
    /// Whether the text was too long and was cut.
    pub cut: bool,
}

/// The most characters of a word; a longer one is encoded as unknown, as BERT does.
const MAX_WORD: usize = 100;

impl WordPiece {
    /// Pieces in the vocabulary; their numbers are below that.
    #[must_use]
    pub fn count(&self) -> usize {
        self.first.len() + self.further.len()
    }

    /// Parses a vocabulary: one piece on each line; its number is that of the line, from 0.
    ///
    /// # Errors
    /// A message that names the piece that is missing, or is there twice.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut all = Self {
            first: FxHashMap::default(),
            further: FxHashMap::default(),
            longest: 0,
            unknown: 0,
            begin: 0,
            end: 0,
            sha256: hex(&Sha256::digest(text.as_bytes())),
        };
        for (id, piece) in text.lines().enumerate() {
            let (pieces, piece) = match piece.strip_prefix("##") {
                Some(rest) if !rest.is_empty() => (&mut all.further, rest),
                _ => (&mut all.first, piece),
            };
            all.longest = all.longest.max(piece.len());
            if pieces.insert(piece.into(), id as u32).is_some() {
                return Err(format!("line {} repeats `{piece}`", id + 1));
            }
        }
        let special = |name: &str| {
            let id = all.first.get(name).copied();
            id.ok_or_else(|| format!("the vocabulary has no `{name}`"))
        };
        if special("[PAD]")? != 0 {
            return Err("the vocabulary's first line must be `[PAD]`".into());
        }
        (all.unknown, all.begin, all.end) =
            (special("[UNK]")?, special("[CLS]")?, special("[SEP]")?);
        Ok(all)
    }

    /// SHA-256 of the vocabulary's file.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Appends the numbers of `text` between the marks of beginning and end, at most `most` numbers in all;
    /// less than two counts as two.
    pub fn encode(&self, text: &str, most: usize, out: &mut Vec<u32>) -> Encoded {
        let most = out.len() + most.max(2) - 1;
        let mut encoded = Encoded::default();
        let mut word = String::new();
        out.push(self.begin);
        let begin = out.len();
        let mut full = false;
        let mut take = |word: &mut String| {
            full = full || self.spell(word, most, out, &mut encoded);
            word.clear();
            full
        };
        for c in normal(text) {
            if c.is_whitespace() {
                if take(&mut word) {
                    break;
                }
            } else if is_punctuation(c) {
                if take(&mut word) {
                    break;
                }
                word.push(c);
                if take(&mut word) {
                    break;
                }
            } else {
                word.push(c);
            }
        }
        take(&mut word);
        encoded.cut = full;
        encoded.pieces = out.len() - begin;
        out.push(self.end);
        encoded
    }

    /// Appends the pieces of a word. True where there was no room for all of them.
    fn spell(&self, word: &str, most: usize, out: &mut Vec<u32>, encoded: &mut Encoded) -> bool {
        if word.is_empty() {
            return false;
        }
        let before = out.len();
        let mut rest = word;
        let mut known = word.chars().count() <= MAX_WORD;
        while known && !rest.is_empty() {
            let pieces = if rest.len() == word.len() {
                &self.first
            } else {
                &self.further
            };
            match longest(pieces, rest, self.longest) {
                Some((id, bytes)) => {
                    out.push(id);
                    rest = &rest[bytes..];
                }
                None => known = false,
            }
        }
        if !known {
            out.truncate(before);
            out.push(self.unknown);
        }
        let over = out.len() > most;
        out.truncate(most);
        encoded.unknown += usize::from(!known && out.len() > before);
        over
    }
}

/// The longest piece with which `rest` begins: its number and length in bytes.
fn longest(pieces: &FxHashMap<Box<str>, u32>, rest: &str, most: usize) -> Option<(u32, usize)> {
    let mut end = rest.floor_char_boundary(most.min(rest.len()));
    while end > 0 {
        if let Some(&id) = pieces.get(&rest[..end]) {
            return Some((id, end));
        }
        end = rest.floor_char_boundary(end - 1);
    }
    None
}

/// The normalised characters of a text.
fn normal(text: &str) -> impl Iterator<Item = char> {
    let apart = |c: char| {
        let blank = is_ideograph(c).then_some(' ');
        blank.into_iter().chain([c]).chain(blank)
    };
    text.chars()
        .filter(|&c| !is_control(c))
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .flat_map(apart)
        .nfd()
        .filter(|&c| c.is_ascii() || get_general_category(c) != GeneralCategory::NonspacingMark)
        .flat_map(char::to_lowercase)
}

fn is_control(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\0' | '\u{fffd}' => true,
        ' '..='~' => false,
        _ => matches!(
            get_general_category(c),
            GeneralCategory::Control | GeneralCategory::Format | GeneralCategory::PrivateUse
        ),
    }
}

/// Every ASCII character that is not a letter, a digit or a blank, and Unicode's punctuation.
fn is_punctuation(c: char) -> bool {
    use GeneralCategory as C;
    c.is_ascii_punctuation()
        || !c.is_ascii()
            && matches!(
                get_general_category(c),
                C::ConnectorPunctuation
                    | C::DashPunctuation
                    | C::OpenPunctuation
                    | C::ClosePunctuation
                    | C::InitialPunctuation
                    | C::FinalPunctuation
                    | C::OtherPunctuation
            )
}

/// Chinese, Japanese and Korean ideographs, which are written without blanks between them.
fn is_ideograph(c: char) -> bool {
    matches!(
        u32::from(c),
        0x4E00..=0x9FFF
            | 0x3400..=0x4DBF
            | 0x20000..=0x2A6DF
            | 0x2A700..=0x2B73F
            | 0x2B740..=0x2B81F
            | 0x2B920..=0x2CEAF
            | 0xF900..=0xFAFF
            | 0x2F800..=0x2FA1F
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOCABULARY: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n$\nun\n##aff\n##able\nrun\n##s\n日\nef";

    fn ids(text: &str, most: usize) -> (Vec<u32>, Encoded) {
        let mut out = vec![];
        let encoded = WordPiece::parse(VOCABULARY)
            .unwrap()
            .encode(text, most, &mut out);
        (out, encoded)
    }

    #[test]
    fn words_are_split_into_the_longest_pieces() {
        assert_eq!(ids("Unaffable runs", 64).0, [2, 5, 6, 7, 8, 9, 3]);
        assert_eq!(ids("$run日日", 64).0, [2, 4, 8, 10, 10, 3]);
        assert_eq!(
            ids("ÉF\u{200b}", 64).0,
            [2, 11, 3],
            "accents and format characters go"
        );
    }

    #[test]
    fn a_word_that_cannot_be_spelt_is_one_unknown() {
        let (out, encoded) = ids("runx un", 64);
        assert_eq!(out, [2, 1, 5, 3]);
        assert_eq!((encoded.pieces, encoded.unknown), (2, 1));
        let long = "un".repeat(51);
        assert_eq!(ids(&long, 64).0, [2, 1, 3], "over a hundred characters");
    }

    #[test]
    fn a_long_text_keeps_its_end_mark() {
        let (out, encoded) = ids("unaffable unaffable", 5);
        assert_eq!(out, [2, 5, 6, 7, 3]);
        assert!(encoded.cut);
        let (out, encoded) = ids("unaffable", 5);
        assert_eq!(out, [2, 5, 6, 7, 3]);
        assert!(!encoded.cut, "just fits");
        assert_eq!(ids("", 5).0, [2, 3]);
    }

    #[test]
    fn a_vocabulary_must_have_its_marks() {
        let error = WordPiece::parse("[PAD]\n[UNK]\n[CLS]").unwrap_err();
        assert!(error.contains("[SEP]"), "{error}");
        assert!(WordPiece::parse("a\na").unwrap_err().contains("line 2"));
    }
}
