//! The commands of the pages run: all `sh` blocks of a page, in order, in an empty folder.
//!
//! The folder holds `pipelines/` of the repository, and the shell finds the built `foretick`. A block
//! that cannot run here
//! is marked ```` ```sh no-run REASON ````.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::markdown::{Block, Page, pages};
use crate::{given, needs};

/// Why a block may be left out.
const REASONS: [(&str, &str); 8] = [
    ("broker", "it needs a Kafka broker"),
    ("exchange", "it needs an exchange's feed"),
    (
        "build",
        "it builds, or runs make or cargo in the repository",
    ),
    ("gpu", "it needs an NVIDIA GPU"),
    (
        "install",
        "it changes the system: packages, services, containers",
    ),
    ("python-packages", "it needs Python packages"),
    (
        "data",
        "it needs recorded data that are not in the repository",
    ),
    ("endless", "it runs until it is stopped"),
];

/// How long the blocks of one page may take.
const PATIENCE: Duration = Duration::from_secs(300);

#[test]
fn a_block_that_is_left_out_says_why() {
    let mut wrong = vec![];
    for page in written_pages() {
        for block in shell_blocks(&page) {
            let mut words = block.info.split_whitespace().skip(1);
            let known = match (words.next(), words.next(), words.next()) {
                (None, ..) => true,
                (Some("no-run"), Some(reason), None) => {
                    REASONS.iter().any(|(word, _)| *word == reason)
                }
                _ => false,
            };
            if !known {
                wrong.push(format!("{}:{}: ```{}", page.name, block.line, block.info));
            }
        }
    }
    let reasons = REASONS
        .map(|(word, meaning)| format!("{word}: {meaning}"))
        .join("\n");
    assert!(
        wrong.is_empty(),
        "write ```sh, or ```sh no-run REASON with one of\n{reasons}\n{}\n",
        wrong.join("\n")
    );
}

#[test]
fn the_commands_of_the_pages_run() {
    let test = "the_commands_of_the_pages_run";
    if !needs::onnx(test) {
        return;
    }
    let pages: Vec<(Page, Vec<Block>)> = written_pages()
        .map(|page| {
            let blocks = shell_blocks(&page);
            let runs = blocks
                .into_iter()
                .filter(|block| !block.info.contains("no-run"));
            let runs: Vec<Block> = runs.collect();
            (page, runs)
        })
        .filter(|(_, blocks)| !blocks.is_empty())
        .collect();
    let blocks: usize = pages.iter().map(|(_, blocks)| blocks.len()).sum();
    assert!(
        blocks > 20,
        "only {blocks} blocks would run: are they marked ```sh?"
    );
    // At the same time, because some wait for a run to end.
    std::thread::scope(|scope| {
        for (page, blocks) in &pages {
            scope.spawn(move || run(page, blocks));
        }
    });
}

/// The README and the book; other folders say themselves what their commands need.
fn written_pages() -> impl Iterator<Item = Page> {
    pages()
        .into_iter()
        .filter(|page| page.name == "README.md" || page.name.starts_with("docs/"))
}

/// The page's blocks of shell commands.
fn shell_blocks(page: &Page) -> Vec<Block> {
    let is_shell = |block: &Block| block.info.split_whitespace().next() == Some("sh");
    page.blocks().into_iter().filter(is_shell).collect()
}

fn run(page: &Page, blocks: &[Block]) {
    let folder = given::Folder::new(&page.name.replace(['/', '.'], "-"));
    std::fs::create_dir_all(folder.path("bin")).expect("a test's folder takes folders");
    let link = |to: &str, from: std::path::PathBuf| {
        std::os::unix::fs::symlink(from, folder.path(to)).expect("a test's folder takes links");
    };
    link("bin/foretick", env!("CARGO_BIN_EXE_foretick").into());
    link("pipelines", given::repository("pipelines"));
    let mut script = String::from("set -euo pipefail\n");
    for block in blocks {
        script.push_str(&format!(
            "echo '== {}:{}' >&2\n{}",
            page.name, block.line, block.text
        ));
    }
    let script = with_free_ports(&script);
    let path = std::env::var("PATH").unwrap_or_default();
    let output = std::fs::File::create(folder.path("output")).expect("a test's folder takes files");
    let errors = output.try_clone().expect("a file can be written twice");
    let mut child = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path(""))
        .env("PATH", format!("{}:{path}", folder.path("bin").display()))
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .expect("there is a bash");
    let began = foretick::clock::instant();
    let status = loop {
        if let Some(status) = child.try_wait().expect("the child has a status") {
            break status;
        }
        if began.elapsed() > PATIENCE {
            child.kill().expect("the child can be ended");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let output = folder.read("output");
    let tail: Vec<&str> = output.lines().rev().take(40).collect();
    let tail: Vec<&str> = tail.into_iter().rev().collect();
    assert!(
        status.success(),
        "{}: its commands ended with {status}:\n{}",
        page.name,
        tail.join("\n")
    );
}

/// The script with a free port in place of each that it names, so that pages do not meet each other or a
/// running
/// program.
fn with_free_ports(script: &str) -> String {
    const HOST: &str = "127.0.0.1:";
    let mut ports: BTreeMap<String, String> = BTreeMap::new();
    let mut text = String::new();
    let mut rest = script;
    while let Some((before, after)) = rest.split_once(HOST) {
        let digits = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let port = ports
            .entry(after[..digits].to_owned())
            .or_insert_with_key(|named| match named.as_str() {
                "0" => named.clone(),
                _ => {
                    let listener =
                        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
                    listener
                        .local_addr()
                        .expect("it listens")
                        .port()
                        .to_string()
                }
            });
        text.push_str(before);
        text.push_str(HOST);
        text.push_str(port);
        rest = &after[digits..];
    }
    text.push_str(rest);
    text
}

#[test]
fn ports_are_replaced_alike() {
    let text = with_free_ports("a 127.0.0.1:9443 b 127.0.0.1:0 c ws://127.0.0.1:9443/x");
    let ports: Vec<&str> = text.split("127.0.0.1:").skip(1).collect();
    let number = |text: &str| text.split([' ', '/']).next().map(str::to_owned);
    assert_eq!(number(ports[0]), number(ports[2]));
    assert_eq!(number(ports[1]).as_deref(), Some("0"));
    assert!(!text.contains(":9443"), "{text}");
}
