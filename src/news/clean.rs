//! Removes markup, links and repeated blanks from a headline.

/// The text of a headline: without HTML tags and links, with entities decoded and single blanks. Tags and
/// comments become a blank; `script` and `style` are removed with their content.
#[must_use]
pub fn clean(headline: &str) -> String {
    let bare = without_tags(headline);
    let read = html_escape::decode_html_entities(&bare);
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
        if named.is_some_and(|named| named.eq_ignore_ascii_case(name)) {
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
            ("a <b c <d> e", "a <b c e"),
            ("<é", "<é"),
        ] {
            assert_eq!(clean(headline), text, "{headline}");
        }
    }
}
