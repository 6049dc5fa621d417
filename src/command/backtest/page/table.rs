//! Tables of figures.

use std::fmt::Write as _;

use super::text::escaped;
use super::words::words;

/// A table: a caption, heads, and rows of HTML.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    caption: String,
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
    class: &'static str,
}

impl Table {
    /// Heads that are names of figures are put into words.
    pub(crate) fn new(caption: &str, heads: &[&str]) -> Self {
        Self {
            caption: escaped(caption).into_owned(),
            heads: heads
                .iter()
                .map(|head| escaped(words(head)).into_owned())
                .collect(),
            ..Self::default()
        }
    }

    /// A table of texts, which may be broken.
    pub(crate) fn of_texts(caption: &str, heads: &[&str]) -> Self {
        Self {
            class: " class=\"texts\"",
            ..Self::new(caption, heads)
        }
    }

    /// A table of files, which may be long.
    pub(crate) fn of_files(caption: &str, heads: &[&str]) -> Self {
        Self {
            class: " class=\"texts files\"",
            ..Self::new(caption, heads)
        }
    }

    /// A table of names with a figure each: names may be broken, figures not.
    pub(crate) fn of_facts(caption: &str, heads: &[&str]) -> Self {
        Self {
            class: " class=\"facts\"",
            ..Self::new(caption, heads)
        }
    }

    /// Adds a row: a name, and cells that are HTML. A cell that brings its own tag `<td` is taken as it is.
    pub(crate) fn row(&mut self, name: &str, cells: impl IntoIterator<Item = String>) {
        let mut row = vec![escaped(name).into_owned()];
        row.extend(cells);
        self.rows.push(row);
    }

    /// The table, as HTML; nothing where it has no rows.
    pub(crate) fn html(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut html = format!(
            "<div class=\"scroll\" tabindex=\"0\"><table{}><caption>{}</caption>\n<thead><tr>",
            self.class, self.caption
        );
        for head in &self.heads {
            push(&mut html, format_args!("<th scope=\"col\">{head}</th>"));
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            html.push_str("<tr>");
            for (at, cell) in row.iter().enumerate() {
                match (at, cell.starts_with("<td")) {
                    (0, _) => push(&mut html, format_args!("<th scope=\"row\">{cell}</th>")),
                    (_, true) => html.push_str(cell),
                    (_, false) => push(&mut html, format_args!("<td>{cell}</td>")),
                }
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table></div>\n");
        html
    }
}

/// Appends to a text, which cannot fail.
pub(crate) fn push(html: &mut String, what: std::fmt::Arguments<'_>) {
    html.write_fmt(what).expect("a text takes all");
}
