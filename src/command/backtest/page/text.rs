//! Text and figures in HTML: what comes from data is escaped, and each figure is the JSON's own.

use std::borrow::Cow;

use serde_json::Value;

/// Text, safe in HTML and in its attributes.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    html_escape::encode_quoted_attribute(text)
}

/// A part of a JSON pointer (RFC 6901).
pub(crate) fn pointer_part(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The report as JSON, from which all figures of the page are taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonFigures<'a>(pub(crate) &'a Value);

impl JsonFigures<'_> {
    /// What the JSON has at a path, such as `by_latency/3/pnl_net`.
    pub(crate) fn value(&self, path: &str) -> &Value {
        self.0.pointer(&format!("/{path}")).unwrap_or(&Value::Null)
    }

    /// A figure with its path; a dash where the JSON has none.
    pub(crate) fn figure(&self, path: &str) -> String {
        self.tagged(path, "")
    }

    /// The same, coloured by its sign.
    pub(crate) fn signed(&self, path: &str) -> String {
        let class = match self.value(path).as_f64() {
            Some(number) if number > 0.0 => " class=\"gain\"",
            Some(number) if number < 0.0 => " class=\"loss\"",
            _ => "",
        };
        self.tagged(path, class)
    }

    fn tagged(&self, path: &str, class: &str) -> String {
        let value = self.value(path);
        let (text, shown) = match value {
            Value::Null => ("null".to_owned(), "–".to_owned()),
            Value::Number(number) => {
                let text = number.to_string();
                let shown = rounded(&text);
                (text, shown)
            }
            Value::String(text) => (text.clone(), escaped(text).into_owned()),
            other => (other.to_string(), escaped(&other.to_string()).into_owned()),
        };
        format!(
            "<data data-figure=\"{}\" value=\"{}\"{class}>{shown}</data>",
            escaped(path),
            escaped(&text)
        )
    }
}

/// A number as it is shown: rounded to six decimals, to more if it is small, to fewer if it is large.
fn rounded(text: &str) -> String {
    let (digits, power) = text.split_at(text.find('e').unwrap_or(text.len()));
    let Some((whole, decimals)) = digits.split_once('.') else {
        return text.to_owned();
    };
    let zeros = decimals.len() - decimals.trim_start_matches('0').len();
    let places = match whole.trim_start_matches('-') {
        "0" => zeros + 4,
        whole => 8_usize.saturating_sub(whole.len()).clamp(2, 6),
    };
    match digits.parse::<f64>() {
        Ok(number) if places < decimals.len() => format!("{number:.places$}{power}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_all_digits_and_shows_them_rounded() {
        let json: Value = serde_json::from_str(
            r#"{"a":{"x/y":-93.33213709799999,"n":null,"t":"<b>\"'&"},"k":3,"p":7.853172016109431e-9}"#,
        )
        .unwrap();
        let figures = JsonFigures(&json);
        let path = format!("a/{}", pointer_part("x/y"));
        assert_eq!(
            figures.signed(&path),
            "<data data-figure=\"a&#x2F;x~1y\" value=\"-93.33213709799999\" class=\"loss\">-93.332137</data>"
                .replace("&#x2F;", "/")
        );
        assert!(figures.figure("a/n").contains("value=\"null\">–<"));
        assert!(figures.figure("k").ends_with(">3</data>"));
        assert!(figures.figure("p").ends_with(">7.853172e-9</data>"));
        let text = figures.figure("a/t");
        assert!(
            !text.contains("<b>") && text.contains("&lt;b&gt;&quot;"),
            "{text}"
        );
    }

    #[test]
    fn small_numbers_keep_their_digits_and_all_are_rounded() {
        for (whole, shown) in [
            ("0.000012345678", "0.00001235"),
            ("198655.3131960001", "198655.31"),
            ("198655.3199", "198655.32"),
            ("-4.8690969999999", "-4.869097"),
            ("0.99996", "1.0000"),
            ("0.15", "0.15"),
            ("15", "15"),
            ("1e21", "1e21"),
        ] {
            assert_eq!(rounded(whole), shown, "{whole}");
        }
    }
}
