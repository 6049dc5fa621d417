//! Removes markup, links and repeated blanks from a headline.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// The text of a headline: without HTML tags and links, with entities decoded and single blanks. Tags and
/// comments become a blank; `script` and `style` are removed with their content. Letters and their accents
/// are composed (Unicode's NFC), and characters without a width are left out, so that a word has one
/// spelling.
#[must_use]
pub fn clean(headline: &str) -> String {
    let bare = without_tags(headline);
    let read = composed(decoded(bare));
    let mut text = String::with_capacity(read.len());
    for word in read.split_whitespace() {
        let link = ["http://", "https://"]
            .iter()
            .filter_map(|scheme| word.find(scheme))
            .min();
        let kept = &word[..link.unwrap_or(word.len())];
        if !kept.is_empty() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(kept);
        }
    }
    text
}

/// Decodes entities. Feeds that escape twice send `&amp;amp;`, so what comes out is decoded again.
fn decoded(mut text: String) -> String {
    for _ in 0..ESCAPED_MAX {
        match html_escape::decode_html_entities(&text) {
            Cow::Owned(once) if once != text => text = once,
            _ => break,
        }
    }
    text
}

/// How often a text may have been escaped.
const ESCAPED_MAX: usize = 4;

/// The text in Unicode's normal form C, without characters that have no width.
pub(super) fn composed(text: String) -> String {
    if text.is_ascii() {
        return text;
    }
    text.nfc().filter(|c| !has_no_width(*c)).collect()
}

/// A soft hyphen; a zero-width space, joiner or non-joiner, or a mark of direction; a word joiner; a
/// selector of how the character before it looks, as behind an emoji; a byte order mark.
fn has_no_width(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
    )
}

fn without_tags(headline: &str) -> String {
    let mut text = String::with_capacity(headline.len());
    let mut rest = headline;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        match tag(rest) {
            Some(bytes) => {
                text.push(' ');
                rest = &rest[bytes..];
            }
            None => {
                text.push('<');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    text
}

/// The length in bytes of the tag or comment with which `text` begins; none where its `<` is a plain
/// character.
fn tag(text: &str) -> Option<usize> {
    if text.starts_with("<!--") {
        return Some(text.find("-->").map_or(text.len(), |at| at + 3));
    }
    let next = text[1..].chars().next()?;
    if !next.is_ascii_alphabetic() && next != '/' && next != '!' {
        return None;
    }
    let end = text.find('>')? + 1;
    // Text with another `<` before its `>` is not a tag.
    if text[1..end].contains('<') {
        return None;
    }
    for name in ["script", "style"] {
        let named = text.get(1..=name.len());
        let behind = text.get(1 + name.len()..).unwrap_or_default();
        // `<Stylebook>` is another tag.
        let ends = behind.starts_with(|c: char| c.is_whitespace() || matches!(c, '>' | '/'));
        if ends && named.is_some_and(|named| named.eq_ignore_ascii_case(name)) {
            let close = format!("</{name}");
            let inside = text[end..].to_ascii_lowercase();
            let Some(at) = inside.find(&close) else {
                return Some(text.len());
            };
            let after = text[end + at..].find('>').map(|more| end + at + more + 1);
            return Some(after.unwrap_or(text.len()));
        }
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_links_are_removed_and_signs_are_kept() {
        for (headline, text) in [
            ("  Profit\u{a0}up\n 5%  ", "Profit up 5%"),
            ("<p>Profit <b>up</b></p>", "Profit up"),
            ("AT&amp;T &lt;b&gt; up &#36;5 &rsquo;", "AT&T <b> up $5 ’"),
            (
                "profit < 5 and loss <3 or > 4",
                "profit < 5 and loss <3 or > 4",
            ),
            ("up https://t.co/x?y down(http://a.b", "up down("),
            (
                "<!-- no --><script>x<y</SCRIPT>yes<style>a{}</style>",
                "yes",
            ),
            ("<script>never ends", ""),
            ("<Stylebook> Apple up", "Apple up"),
            ("<scripture>verse", "verse"),
            ("<STYLE type=\"x\">a{}</style>up", "up"),
            ("<s>", ""),
            ("A\u{200d}A\u{200e}PL \u{26a0}\u{fe0f}", "AAPL \u{26a0}"),
            ("a <b c <d> e", "a <b c e"),
            ("<é", "<é"),
            ("AT&amp;amp;T &amp;amp;lt;up&amp;#36;", "AT&T <up$"),
            (
                "e\u{301}te\u{301}: Ap\u{ad}ple\u{200b}",
                "\u{e9}t\u{e9}: Apple",
            ),
        ] {
            assert_eq!(clean(headline), text, "{headline}");
        }
    }
}
