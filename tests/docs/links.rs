//! Every relative link leads to a file, and every anchor to a heading; the book lists all its pages.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::given;
use crate::markdown::{Page, pages};

#[test]
fn every_link_resolves() {
    let pages = pages();
    let mut broken = vec![];
    for page in &pages {
        for (line, target) in page.links() {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            if let Err(why) = resolve(page, &target, &pages) {
                broken.push(format!("{}:{line}: {target}: {why}", page.name));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

fn resolve(page: &Page, target: &str, pages: &[Page]) -> Result<(), String> {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() {
        page.name.clone()
    } else {
        let folder = Path::new(&page.name).parent().unwrap_or(Path::new(""));
        plain(&folder.join(file)).display().to_string()
    };
    if !given::repository(&path).exists() {
        return Err("there is no such file".into());
    }
    if anchor.is_empty() {
        return Ok(());
    }
    match pages.iter().find(|one| one.name == path) {
        Some(page) if page.anchors().iter().any(|known| known == anchor) => Ok(()),
        Some(_) => Err("that page has no such heading".into()),
        None => Err("an anchor of something that is no page".into()),
    }
}

/// The path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn the_book_lists_all_its_pages() {
    let summary = fs::read_to_string(given::repository("docs/src/SUMMARY.md"))
        .expect("the book has a summary");
    let inside = |page: &Page| page.name.strip_prefix("docs/src/").map(str::to_owned);
    for name in pages()
        .iter()
        .filter_map(inside)
        .filter(|name| name != "SUMMARY.md")
    {
        assert!(
            summary.contains(&format!("({name})")),
            "docs/src/SUMMARY.md does not list {name}"
        );
    }
}

#[test]
fn the_readme_is_a_front_page() {
    let text = fs::read_to_string(given::repository("README.md")).expect("there is a README");
    let lines = text.lines().count();
    assert!(
        lines <= 200,
        "README.md has {lines} lines; move what is more than a front page to docs/"
    );
}
