//! The house rules, checked in one pass over the tracked files.
//!
//! Leaves out what rustfmt and clippy check. A rule is a small function of a file's path and text; it
//! gives the line and what to do. `tidy/walls.rs` holds the rules between files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rust::{before_tests, code_of, words};

#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/not_yet.rs"]
mod not_yet;
#[path = "tidy/rust.rs"]
mod rust;
#[path = "tidy/walls.rs"]
mod walls;

/// One breach: the line, counted from 1, and what to do.
type Breach = (usize, String);

/// What a rule finds in the file of this path (from the repository's root, with `/`) and text.
type Rule = fn(path: &str, text: &str) -> Vec<Breach>;

const RULES: &[Rule] = &[
    opens_with_what_it_is,
    is_short,
    lines_are_short,
    has_no_stray_blanks,
    leaves_nothing_undone,
    names_say_what_they_do,
    does_not_unwrap,
    is_safe,
    names_no_machine,
    is_a_schema,
    dependencies_are_built_once,
    uses_scratch_folders,
];

/// Files that may use `unsafe`, each block with its `// SAFETY:`: vector instructions, loads and stores whose
/// bounds were checked before the loop, an environment variable that is set before any thread starts, and
/// calls of librdkafka about rights, which rdkafka does not wrap.
const UNSAFE_FILES: &[&str] = &[
    "src/model/kernel/dense.rs",
    "src/model/kernel/lanes.rs",
    "src/model/kernel/math.rs",
    "src/model/kernel/weights.rs",
    "src/model/kernel/plain.rs",
    "src/model/kernel/step.rs",
    "src/model/kernel/x86.rs",
    "src/main.rs",
    "src/login/described.rs",
    "tests/live/secured/rights.rs",
];

/// Files that may name the folder of temporary files: they make a folder of their own in it, and remove it,
/// or keep empty files there that other processes lock.
const TEMPORARY_FILES: &[&str] = &[
    "src/command/demo/folders.rs",
    "src/kafka/instance.rs",
    "src/model/recognise/fold.rs",
    "src/tests/scratch.rs",
    "tests/given/mod.rs",
];

/// The most lines of a source file, its tests not counted.
const FILE_LINES_MAX: usize = 500;

/// Rustfmt breaks code at 100; comments may be a little wider before they are hard to read.
const LINE_CHARS_MAX: usize = 110;

#[test]
fn the_tree_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = tracked_files(root);
    assert!(
        files.iter().any(|file| file == "tests/tidy.rs"),
        "while listing the files below {}: tests/tidy.rs is not among them",
        root.display()
    );
    let mut breaches = pipelines_are_whole(&files);
    for (file, text) in texts(root, &files) {
        for rule in RULES {
            let found = rule(&file, &text).into_iter();
            breaches.extend(found.map(|(line, advice)| format!("{file}:{line}: {advice}")));
        }
    }
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn imports_keep_to_the_order_of_the_wings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let texts = texts(root, &tracked_files(root));
    let files = texts
        .iter()
        .map(|(file, text)| (file.as_str(), text.as_str()));
    let tree = imports::SourceTree::new(files);
    let lib = fs::read_to_string(root.join("src/lib.rs")).expect("the crate has a root");
    let found = walls::all(&tree, &walls::Wings::read(&lib));
    let breaches = walls::compare(&found, not_yet::NOT_YET);
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

/// The files that are text, with their texts. A model or a capture is none, and neither is a file that was
/// deleted but not yet committed.
fn texts(root: &Path, files: &[String]) -> Vec<(String, String)> {
    let read = |file: &String| Some((file.clone(), fs::read_to_string(root.join(file)).ok()?));
    files.iter().filter_map(read).collect()
}

/// The first line of a source file describes the file.
fn opens_with_what_it_is(path: &str, text: &str) -> Vec<Breach> {
    if is_rust(path) && !text.starts_with("//! ") {
        return vec![(1, "begin with `//! `: what this file is".into())];
    }
    vec![]
}

fn is_short(path: &str, text: &str) -> Vec<Breach> {
    let lines = before_tests(text).lines().count();
    if is_source(path) && lines > FILE_LINES_MAX {
        let advice =
            format!("{lines} lines without tests: find the second noun and give it a file");
        return vec![(FILE_LINES_MAX + 1, advice)];
    }
    vec![]
}

/// Literals, addresses and rows of tables are not broken.
fn lines_are_short(path: &str, text: &str) -> Vec<Breach> {
    breaches(text.lines(), |line| {
        let too_long = is_rust(path) && line.chars().count() > LINE_CHARS_MAX;
        let cannot_break = line.contains(['"', '|']) || line.contains("://");
        (too_long && !cannot_break)
            .then(|| format!("break the line before {LINE_CHARS_MAX} characters"))
    })
}

fn has_no_stray_blanks(path: &str, text: &str) -> Vec<Breach> {
    let tabs_are_syntax = path.ends_with("Makefile");
    breaches(text.lines(), |line| {
        if line.ends_with([' ', '\t']) {
            Some("remove the blanks at the end of the line".into())
        } else if line.contains('\t') && !tabs_are_syntax {
            Some("indent with spaces, or write \\t".into())
        } else {
            None
        }
    })
}

/// Work that is left over goes into an issue, not into a remark in the code.
fn leaves_nothing_undone(path: &str, text: &str) -> Vec<Breach> {
    let remarks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
    ];
    let macros = ["todo!", "unimplemented!", "dbg!"];
    let code = if is_rust(path) {
        code_of(text)
    } else {
        String::new()
    };
    let mut found = breaches(text.lines(), |line| {
        let word = remarks.iter().find(|word| has_word(line, word))?;
        Some(format!(
            "do what the {word} says, or open an issue and remove it"
        ))
    });
    found.extend(breaches(code.lines(), |line| {
        let word = macros.iter().find(|word| has_word(line, word))?;
        Some(format!("write what `{word}` stands for"))
    }));
    found
}

/// Names without meaning are refused, and a getter has the name of what it returns.
fn names_say_what_they_do(path: &str, text: &str) -> Vec<Breach> {
    if !is_rust(path) {
        return vec![];
    }
    let empty = |word: &str| {
        ["Manager", "Helper", "Utils"]
            .iter()
            .any(|end| word.ends_with(end))
            || ["utils", "util", "helper", "helpers", "manager"].contains(&word)
    };
    let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str());
    let mut found = Vec::new();
    if stem.is_some_and(empty) {
        found.push((1, "name the file after the noun that is in it".to_owned()));
    }
    found.extend(breaches(code_of(text).lines(), |line| {
        if let Some(word) = words(line).find(|word| empty(word)) {
            return Some(format!("name `{word}` after what it does"));
        }
        line.contains("fn get_").then(|| "drop the `get_`".into())
    }));
    found
}

fn does_not_unwrap(path: &str, text: &str) -> Vec<Breach> {
    if !is_source(path) || rust::is_of_tests(path) {
        return vec![];
    }
    let code = code_of(text);
    breaches(before_tests(&code).lines(), |line| {
        line.contains(".unwrap()")
            .then(|| "return the error, or use `expect` with the reason why there is none".into())
    })
}

fn is_safe(path: &str, text: &str) -> Vec<Breach> {
    if !is_rust(path) || UNSAFE_FILES.contains(&path) {
        return vec![];
    }
    breaches(code_of(text).lines(), |line| {
        has_word(line, "unsafe")
            .then(|| "do without `unsafe`, or list the file in UNSAFE_FILES with a reason".into())
    })
}

/// No file names folders of the machine on which it was written, or hosts of package registries.
fn names_no_machine(path: &str, text: &str) -> Vec<Breach> {
    // Cargo writes its lock file with the addresses of all packages.
    if path == "Cargo.lock" {
        return vec![];
    }
    let folders = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
    ];
    let hosts = [
        concat!("pypi", ".org"),
        concat!("pythonhosted", ".org"),
        concat!("crates", ".io"),
        concat!("npmjs", ".org"),
        concat!("maven.apache", ".org/maven2"),
        concat!("repo1.maven", ".org"),
        concat!("proxy.golang", ".org"),
        concat!("deb.debian", ".org"),
    ];
    breaches(text.lines(), |line| {
        if let Some(folder) = folders.iter().find(|folder| has_path(line, folder)) {
            return Some(format!(
                "take the path below {folder} from a variable or an argument"
            ));
        }
        let host = hosts.iter().find(|host| line.contains(**host))?;
        Some(format!("remove {host}: the name of the package is enough"))
    })
}

fn is_a_schema(path: &str, text: &str) -> Vec<Breach> {
    if !(path.starts_with("schemas/") && path.ends_with(".json")) {
        return vec![];
    }
    let json: serde_json::Value = match serde_json::from_str(text) {
        Ok(json) => json,
        Err(error) => return vec![(error.line(), format!("mend the JSON: {error}"))],
    };
    let mut missing = vec!["$schema", "title", "description"];
    missing.retain(|key| !json[*key].is_string());
    missing
        .iter()
        .map(|key| (1, format!("add a `{key}`")))
        .collect()
}

/// With the resolvers 2 and 3, dev-dependencies add features to what they share with the command, so that
/// `cargo test` builds most dependencies a second time.
fn dependencies_are_built_once(path: &str, text: &str) -> Vec<Breach> {
    if path == "Cargo.toml" && !text.lines().any(|line| line == "resolver = \"1\"") {
        return vec![(1, "keep `resolver = \"1\"`".into())];
    }
    vec![]
}

/// Files of tests with a fixed name in the folder of temporary files stay there, and two tests may share one.
fn uses_scratch_folders(path: &str, text: &str) -> Vec<Breach> {
    if !is_rust(path) || TEMPORARY_FILES.contains(&path) {
        return vec![];
    }
    breaches(code_of(text).lines(), |line| {
        has_word(line, "temp_dir").then(|| {
            "use `Scratch` (src/tests) or `Folder` (tests/given), which are removed".into()
        })
    })
}

/// A pipeline's folder has its configuration, its model card and its training.
fn pipelines_are_whole(files: &[String]) -> Vec<String> {
    let below = |file: &String| {
        let (name, _) = file.strip_prefix("pipelines/")?.split_once('/')?;
        Some(format!("pipelines/{name}/"))
    };
    let mut folders: Vec<String> = files.iter().filter_map(below).collect();
    folders.dedup();
    let mut missing = Vec::new();
    for folder in folders {
        for part in ["pipeline.toml", "MODEL_CARD.md", "train/"] {
            let wanted = format!("{folder}{part}");
            if !files.iter().any(|file| file.starts_with(&wanted)) {
                missing.push(format!("{folder}:1: add {part}"));
            }
        }
    }
    missing
}

/// The breaches that `look` finds, line by line.
fn breaches<'a>(
    lines: impl Iterator<Item = &'a str>,
    look: impl Fn(&str) -> Option<String>,
) -> Vec<Breach> {
    let numbered = (1..).zip(lines);
    numbered
        .filter_map(|(at, line)| Some((at, look(line)?)))
        .collect()
}

fn is_rust(path: &str) -> bool {
    path.ends_with(".rs")
}

fn is_source(path: &str) -> bool {
    is_rust(path) && path.starts_with("src/")
}

fn has_word(line: &str, word: &str) -> bool {
    let inner = |c: Option<char>| c.is_some_and(rust::is_of_word);
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        !inner(before.chars().next_back()) && !inner(after.chars().next())
    })
}

/// Whether the line has an absolute path that begins with `folder`.
fn has_path(line: &str, folder: &str) -> bool {
    let of_longer_path = |c: char| c.is_alphanumeric() || "_-.}~)*/".contains(c);
    line.match_indices(folder)
        .any(|(at, _)| !line[..at].ends_with(of_longer_path))
}

/// The files that git tracks; in an unpacked archive without git, all files that are not hidden.
fn tracked_files(root: &Path) -> Vec<String> {
    let listed = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["ls-files", "-z"])
        .output();
    let mut files: Vec<String> = match listed {
        Ok(listed) if listed.status.success() => String::from_utf8_lossy(&listed.stdout)
            .split_terminator('\0')
            .map(str::to_owned)
            .collect(),
        _ => vec![],
    };
    if files.is_empty() {
        walk(root, root, &mut files);
    }
    files.sort();
    files
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<String>) {
    let entries = fs::read_dir(folder).expect("a folder of the source tree can be read");
    let paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    for path in paths {
        let inside = path
            .strip_prefix(root)
            .expect("it was found below the root");
        let name = inside.to_string_lossy().replace('\\', "/");
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden || ["target", "out"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, files);
        } else {
            files.push(name);
        }
    }
}

#[test]
fn each_rule_sees_its_breach() {
    let long = format!("//! {}", "a".repeat(LINE_CHARS_MAX));
    let tall = "//! a\n".repeat(FILE_LINES_MAX + 1);
    let cases: &[(Rule, &str, &str, usize)] = &[
        (opens_with_what_it_is, "src/a.rs", "use a;\n", 1),
        (is_short, "src/a.rs", &tall, FILE_LINES_MAX + 1),
        (lines_are_short, "src/a.rs", &long, 1),
        (has_no_stray_blanks, "README.md", "a\nb \n", 2),
        (has_no_stray_blanks, "src/a.rs", "a\n\tb\n", 2),
        (
            leaves_nothing_undone,
            "README.md",
            concat!("\nTO", "DO later"),
            2,
        ),
        (
            leaves_nothing_undone,
            "src/a.rs",
            "fn a() {\n    todo!()\n}",
            2,
        ),
        (names_say_what_they_do, "src/utils.rs", "", 1),
        (
            names_say_what_they_do,
            "src/a.rs",
            "struct\nRingManager;",
            2,
        ),
        (names_say_what_they_do, "src/a.rs", "\nfn get_size() {}", 2),
        (
            does_not_unwrap,
            "src/a.rs",
            "let s = \"\\\"\";\na.unwrap();",
            2,
        ),
        (is_safe, "src/a.rs", "let q = '\"';\nunsafe { a() }", 2),
        (names_no_machine, "README.md", concat!("cd /ro", "ot/x"), 1),
        (
            names_no_machine,
            "README.md",
            concat!("from pypi", ".org"),
            1,
        ),
        (is_a_schema, "schemas/a.json", "{\n  \"title\":\n}", 3),
        (
            dependencies_are_built_once,
            "Cargo.toml",
            "resolver = \"3\"\n",
            1,
        ),
        (
            uses_scratch_folders,
            "src/a.rs",
            "use std::env;\nenv::temp_dir()",
            2,
        ),
    ];
    for (rule, path, text, line) in cases {
        let lines: Vec<usize> = rule(path, text).iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [*line], "{path}: {text}");
    }
    let incomplete = ["pipelines/a/pipeline.toml".to_owned()];
    assert_eq!(pipelines_are_whole(&incomplete).len(), 2);
}

#[test]
fn each_rule_accepts_what_it_allows() {
    let cases: &[(Rule, &str, &str)] = &[
        (
            is_short,
            "tests/a.rs",
            &"//! a\n".repeat(FILE_LINES_MAX + 1),
        ),
        (
            does_not_unwrap,
            "src/a.rs",
            "#[cfg(test)]\nmod tests { a.unwrap() }",
        ),
        (
            does_not_unwrap,
            "src/a.rs",
            "let s = r#\"\" a.unwrap()\"#; // a.unwrap()",
        ),
        (
            is_safe,
            "src/a.rs",
            "/* unsafe */ fn a<'a>(b: &'a str) { \"unsafe\" }",
        ),
        (
            names_say_what_they_do,
            "src/a.rs",
            "// no Manager\nlet target_get = 1;",
        ),
        (names_no_machine, "src/a.rs", concat!("net/wo", "rk/a")),
        (names_no_machine, "Makefile", concat!("$(HERE)/wo", "rk/a")),
        (
            dependencies_are_built_once,
            "Cargo.toml",
            "[package]\nresolver = \"1\"\n",
        ),
        (uses_scratch_folders, "src/a.rs", "// no temp_dir"),
    ];
    for (rule, path, text) in cases {
        assert_eq!(rule(path, text), [], "{path}: {text}");
    }
}
