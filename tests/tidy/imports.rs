//! The paths that a file names (in `use` lines and in its code), and the files that they lead to.

use std::collections::BTreeMap;

use crate::rust;

/// One source file of the library, its tests left out.
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) module: String,
    pub(crate) code: String,
}

/// A path in a file's code: `crate::units::Nanos`, with the line on which it begins.
#[derive(Debug, PartialEq)]
pub(crate) struct NamedPath {
    pub(crate) line: usize,
    pub(crate) segments: Vec<String>,
}

/// A path that leads to another file of the library.
pub(crate) struct Import<'a> {
    pub(crate) line: usize,
    pub(crate) from: &'a SourceFile,
    pub(crate) to: &'a SourceFile,
}

/// The source files of the library, by module: `engine::feature`.
pub(crate) struct SourceTree(BTreeMap<String, SourceFile>);

impl SourceTree {
    /// Of paths and texts; files of tests, and files that are not the library's, are left out.
    pub(crate) fn new<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let source = |(path, text): (&str, &str)| {
            let stem = path.strip_prefix("src/")?.strip_suffix(".rs")?;
            if rust::is_of_tests(path) || stem == "main" {
                return None;
            }
            let module = if stem == "lib" {
                String::new()
            } else {
                stem.replace('/', "::")
            };
            let code = rust::code_of(rust::before_tests(text));
            let path = path.to_owned();
            Some((module.clone(), SourceFile { path, module, code }))
        };
        Self(files.filter_map(source).collect())
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &SourceFile> {
        self.0.values()
    }

    /// What `file` imports from other files, in the order of its lines.
    pub(crate) fn imports<'a>(&'a self, file: &'a SourceFile) -> Vec<Import<'a>> {
        let named = named_paths(&file.code).into_iter();
        let import = |path: NamedPath| {
            let to = self.file_of(&self.absolute(file, &path.segments)?)?;
            let line = path.line;
            let from = file;
            (to.path != file.path).then_some(Import { line, from, to })
        };
        named.filter_map(import).collect()
    }

    /// The path from the crate's root; `None` where it leads out of the crate.
    pub(crate) fn absolute(&self, file: &SourceFile, segments: &[String]) -> Option<Vec<String>> {
        let module = file.module.split("::").filter(|name| !name.is_empty());
        let mut base: Vec<String> = module.map(str::to_owned).collect();
        let mut rest = segments;
        match rest[0].as_str() {
            "crate" => (base, rest) = (vec![], &rest[1..]),
            "self" => rest = &rest[1..],
            "super" => {
                while let Some((first, after)) = rest.split_first()
                    && first == "super"
                {
                    base.pop();
                    rest = after;
                }
            }
            // A child module needs no `self::`.
            name => {
                let child = [&base[..], &[name.to_owned()]].concat();
                self.0.get(&child.join("::"))?;
            }
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// The file of the longest part of a path that is a module: all but the crate's root.
    fn file_of(&self, path: &[String]) -> Option<&SourceFile> {
        let modules = (1..=path.len()).rev();
        modules
            .map(|count| path[..count].join("::"))
            .find_map(|module| self.0.get(&module))
    }
}

/// The paths of a file's code, with the lists of its `use` lines resolved into single paths.
pub(crate) fn named_paths(code: &str) -> Vec<NamedPath> {
    let tokens = tokens(code);
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        found: vec![],
    };
    while let Some(token) = reader.peek() {
        // `use<'a>` is a bound, not an import.
        if token == "use" && reader.tokens.get(reader.at + 1).is_none_or(|t| t.1 != "<") {
            reader.at += 1;
            reader.use_tree(&[]);
        } else if is_name(token) {
            reader.path();
        } else {
            reader.at += 1;
        }
    }
    reader.found
}

struct Reader<'a> {
    tokens: &'a [(usize, &'a str)],
    at: usize,
    found: Vec<NamedPath>,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).map(|(_, token)| *token)
    }

    /// `a::{b, c::d as e, self}` behind the path `prefix`.
    fn use_tree(&mut self, prefix: &[String]) {
        let line = self.tokens.get(self.at).map_or(0, |(line, _)| *line);
        let mut segments = prefix.to_vec();
        while let Some(token) = self.peek() {
            match token {
                "::" => self.at += 1,
                "{" => {
                    self.at += 1;
                    while self.peek().is_some_and(|token| token != "}") {
                        self.use_tree(&segments);
                        if self.peek() == Some(",") {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "as" => self.at += 2,
                "," | "}" | ";" => break,
                _ => {
                    let is_list_itself = token == "self" && !segments.is_empty();
                    if is_name(token) && !is_list_itself {
                        segments.push(token.to_owned());
                    }
                    self.at += 1;
                }
            }
        }
        if !segments.is_empty() {
            self.found.push(NamedPath { line, segments });
        }
    }

    /// `a::b::c` in code; a name alone is not a path.
    fn path(&mut self) {
        let (line, first) = self.tokens[self.at];
        let mut segments = vec![first.to_owned()];
        self.at += 1;
        while let [(_, "::"), (_, name), ..] = &self.tokens[self.at..]
            && is_name(name)
        {
            segments.push((*name).to_owned());
            self.at += 2;
        }
        if segments.len() > 1 {
            self.found.push(NamedPath { line, segments });
        }
    }
}

/// Names, `::` and single other characters, each with its line.
fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut tokens = vec![];
    for (line, text) in (1..).zip(code.lines()) {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if rest.starts_with("::") {
                2
            } else if rust::is_of_word(first) {
                rest.find(|c| !rust::is_of_word(c)).unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
            tokens.push((line, &rest[..length]));
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

fn is_name(token: &str) -> bool {
    token
        .chars()
        .next()
        .is_some_and(|c| rust::is_of_word(c) && !c.is_numeric())
}

#[test]
fn paths_are_read_from_lists_and_from_code() {
    let code = "use crate::{\n    a::{self, B},\n    c::*,\n};\npub use super::d as e;\n\
        fn f(x: impl Sized + use<>) { std::fs::read(x); y; Vec::<u8>::new(); }";
    let found: Vec<(usize, String)> = named_paths(code)
        .iter()
        .map(|path| (path.line, path.segments.join("::")))
        .collect();
    let expected = [
        (2, "crate::a"),
        (2, "crate::a::B"),
        (3, "crate::c"),
        (5, "super::d"),
        (6, "std::fs::read"),
    ];
    assert_eq!(found, expected.map(|(line, path)| (line, path.to_owned())));
}

#[test]
fn a_path_leads_to_the_file_that_defines_its_item() {
    let files = [
        ("src/lib.rs", ""),
        ("src/a.rs", "use crate::b::c::D;\nfn f() { child::f() }"),
        (
            "src/a/child.rs",
            "use super::super::b::E;\nuse super::G;\n#[cfg(test)]\nmod tests { use crate::b; }",
        ),
        ("src/b.rs", "use std::b::c;"),
        ("src/b/c.rs", ""),
        ("src/b/tests.rs", "use crate::a;"),
    ];
    let tree = SourceTree::new(files.into_iter());
    let edges: Vec<String> = tree
        .files()
        .flat_map(|file| tree.imports(file))
        .map(|import| format!("{}:{} {}", import.from.path, import.line, import.to.path))
        .collect();
    let expected = [
        "src/a.rs:1 src/b/c.rs",
        "src/a.rs:2 src/a/child.rs",
        "src/a/child.rs:1 src/b.rs",
        "src/a/child.rs:2 src/a.rs",
    ];
    assert_eq!(edges, expected);
}
