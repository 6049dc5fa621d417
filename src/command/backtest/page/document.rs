//! An HTML document of its own: nothing of it is elsewhere.

use super::table::push;
use super::text::escaped;

/// A part of a page under a heading.
pub(crate) struct Section {
    id: &'static str,
    name: &'static str,
    body: String,
}

impl Section {
    pub(crate) fn new(id: &'static str, name: &'static str, body: String) -> Self {
        Self { id, name, body }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.body.is_empty()
    }
}

/// The document of a title, what comes first, and sections.
pub(crate) fn document(title: &str, lead: &str, sections: &[Section]) -> String {
    let title = escaped(title);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{lead}\
         <p class=\"faint\">Long figures are rounded here; their whole values are in the page's source, as \
         <code>value</code> of each, and in the output of <code>--json</code>.</p>\n<nav aria-label=\"Sections\">"
    );
    for section in sections {
        let (id, name) = (section.id, section.name);
        push(&mut html, format_args!("<a href=\"#{id}\">{name}</a>"));
    }
    html.push_str("</nav>\n<main>\n");
    for section in sections {
        let (id, name, body) = (section.id, section.name, &section.body);
        push(
            &mut html,
            format_args!("<section id=\"{id}\">\n<h2>{name}</h2>\n{body}</section>\n"),
        );
    }
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

const STYLE: &str = include_str!("style.css");
