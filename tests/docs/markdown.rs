//! What the tests read of a Markdown page: headings, links and fenced blocks.

use std::fs;
use std::path::{Path, PathBuf};

use crate::given;

/// A page.
pub(crate) struct Page {
    /// Its path from the repository's root.
    pub(crate) name: String,
    /// Its text.
    pub(crate) text: String,
}

/// A fenced block.
pub(crate) struct Block {
    /// The words behind the opening fence.
    pub(crate) info: String,
    /// The line of the opening fence, from 1.
    pub(crate) line: usize,
    /// What stands between the fences.
    pub(crate) text: String,
}

/// All pages that users read: the README, `docs/`, the folders' own.
pub(crate) fn pages() -> Vec<Page> {
    let mut files = vec![];
    for folder in ["docs", "deploy", "bench", "pipelines"] {
        walk(&given::repository(folder), &mut files);
    }
    files.extend(["README.md", "CHANGELOG.md"].map(given::repository));
    files.sort();
    let root = given::repository("");
    let page = |path: &PathBuf| Page {
        name: path
            .strip_prefix(&root)
            .unwrap_or(path)
            .display()
            .to_string(),
        text: fs::read_to_string(path).expect("a page is text"),
    };
    files.iter().map(page).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder)
        .expect("a folder of pages can be read")
        .flatten()
    {
        let path = entry.path();
        // `mdbook build` writes the book there.
        if path.is_dir() && !path.ends_with("docs/book") {
            walk(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "md") {
            files.push(path);
        }
    }
}

impl Page {
    /// Its fenced blocks.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = vec![];
        let mut open = false;
        for (line, text) in (1..).zip(self.text.lines()) {
            if let Some(info) = text.strip_prefix("```") {
                if !open {
                    blocks.push(Block {
                        info: info.trim().to_owned(),
                        line,
                        text: String::new(),
                    });
                }
                open = !open;
            } else if open {
                let block = blocks.last_mut().expect("a block was opened");
                block.text.push_str(text);
                block.text.push('\n');
            }
        }
        blocks
    }

    /// Its lines outside of fenced blocks, numbered from 1.
    pub(crate) fn prose(&self) -> Vec<(usize, &str)> {
        let mut open = false;
        let mut lines = vec![];
        for (line, text) in (1..).zip(self.text.lines()) {
            if text.starts_with("```") {
                open = !open;
            } else if !open {
                lines.push((line, text));
            }
        }
        lines
    }

    /// The anchors of its headings, as GitHub and mdBook make them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let mut anchors: Vec<String> = vec![];
        for (_, text) in self.prose() {
            let title = text.trim_start_matches('#');
            if title.len() == text.len() || !title.starts_with(' ') {
                continue;
            }
            let anchor = anchor(title.trim());
            let same = anchors.iter().filter(|known| **known == anchor).count();
            anchors.push(if same == 0 {
                anchor
            } else {
                format!("{anchor}-{same}")
            });
        }
        anchors
    }

    /// The targets of its links, with their lines.
    pub(crate) fn links(&self) -> Vec<(usize, String)> {
        let mut links = vec![];
        for (line, text) in self.prose() {
            let text = without_code(text);
            let mut rest = text.as_str();
            while let Some((_, after)) = rest.split_once("](") {
                let Some((target, after)) = after.split_once(')') else {
                    break;
                };
                links.push((line, target.trim().to_owned()));
                rest = after;
            }
        }
        links
    }
}

fn anchor(title: &str) -> String {
    let kept = title.to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The line with its `code` blanked out, but for code inside a link's text.
fn without_code(line: &str) -> String {
    let mut text = String::new();
    for (at, part) in line.split('`').enumerate() {
        if at % 2 == 0 {
            text.push_str(part);
        }
    }
    text
}

#[test]
fn headings_links_and_blocks_are_found() {
    let page = Page {
        name: "a.md".into(),
        text: "# A `b_c` title\n\n## Twice\n## Twice\n[x](y.md#z) and `[no](link)`\n```sh no-run kafka\n# not a heading\n```\n".into(),
    };
    assert_eq!(page.anchors(), ["a-b_c-title", "twice", "twice-1"]);
    assert_eq!(page.links(), [(5, "y.md#z".to_owned())]);
    let blocks = page.blocks();
    assert_eq!((blocks.len(), blocks[0].line), (1, 6));
    assert_eq!(blocks[0].info, "sh no-run kafka");
    assert_eq!(blocks[0].text, "# not a heading\n");
}
