//! What a test may need and not find: a real Kafka, recorded market data, ONNX Runtime, a trained model, a
//! Python with packages, a browser.
//!
//! Starts and fetches nothing; `tests/run.sh` does. A test that lacks something reports that it is skipped;
//! if `FORETICK_REQUIRE` lists what it lacks, it fails.
#![allow(dead_code, reason = "each test binary uses some of these functions")]

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The address of a real Kafka (`host:port`), or `None` after reporting that `test` is skipped.
pub(crate) fn kafka(test: &str) -> Option<String> {
    let bootstrap = env::var("KAFKA_BOOTSTRAP").ok().filter(|b| !b.is_empty());
    if bootstrap.is_none() {
        skip(test, "kafka", "KAFKA_BOOTSTRAP is not set");
    }
    bootstrap
}

/// Whether TLS is built in, and a Kafka of its own can be started; reports that `test` is skipped if not.
pub(crate) fn secured_kafka(test: &str) -> bool {
    if kafka(test).is_none() {
        return false;
    }
    if !foretick::kafka::built_in().tls {
        skip(
            test,
            "tls",
            "TLS for Kafka is not built in: install libssl-dev and pkg-config",
        );
        return false;
    }
    let jars = env::var_os("KAFKA_JARS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".kafka/jars-4.3.1"),
        PathBuf::from,
    );
    let fetched = jars.join("complete").is_file();
    if !fetched {
        skip(test, "tls", "there are no jars (tests/kafka.sh fetch)");
    }
    fetched
}

/// Whether a long test was asked for by this variable of the environment; reports that `test` is skipped if
/// not.
pub(crate) fn asked(test: &str, variable: &str) -> bool {
    let is_asked = env::var_os(variable).is_some();
    if !is_asked {
        skip(
            test,
            "long",
            &format!("some minutes long: {variable} asks for it"),
        );
    }
    is_asked
}

/// The folder of recorded market data, or `None` after reporting that `test` is skipped.
pub(crate) fn data(test: &str) -> Option<PathBuf> {
    let folder = env::var_os("FORETICK_DATA").map_or_else(default_data, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    skip(test, "data", "FORETICK_DATA names no folder");
    None
}

/// Whether ONNX Runtime can be loaded; reports that `test` is skipped if not.
pub(crate) fn onnx(test: &str) -> bool {
    let loaded = foretick::model::onnx::library::environment();
    if let Err(error) = &loaded {
        skip(test, "onnx", &error.to_string());
    }
    loaded.is_ok()
}

/// A Python with pyarrow, numpy and pandas, or `None` after reporting that `test` is skipped.
pub(crate) fn python(test: &str) -> Option<PathBuf> {
    let named = env::var_os("FORETICK_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or_else(|| "python3".into());
    let mut imports = std::process::Command::new(&python);
    imports
        .args(["-c", "import numpy, pandas, pyarrow.parquet"])
        .stderr(std::process::Stdio::null());
    if imports.status().is_ok_and(|status| status.success()) {
        return Some(python);
    }
    let reason = "FORETICK_PYTHON names no Python with pyarrow, numpy and pandas (pip install deploy/python pandas)";
    skip(test, "python", reason);
    None
}

/// Whether there is a Python, for twins that need its standard library alone; reports that `test` is skipped
/// if not.
pub(crate) fn plain_python(test: &str) -> bool {
    let is_there = Command::new("python3").arg("--version").output().is_ok();
    if !is_there {
        skip(test, "python", "there is no python3");
    }
    is_there
}

/// The command of a headless Chromium, or `None` after reporting that `test` is skipped.
pub(crate) fn chromium(test: &str) -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let answers = |name: &&str| {
        let asked = Command::new(name).arg("--version").output();
        asked.is_ok_and(|answer| answer.status.success())
    };
    let found = names.into_iter().find(answers);
    if found.is_none() {
        skip(
            test,
            "chromium",
            "there is no Chromium (Debian: apt-get install chromium)",
        );
    }
    found
}

/// Whether a model has been trained; reports that `test` is skipped if not.
pub(crate) fn file(test: &str, path: &Path) -> bool {
    let made = path.metadata().is_ok_and(|metadata| metadata.len() > 0);
    if !made {
        skip(test, "model", &format!("there is no {}", path.display()));
    }
    made
}

fn default_data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data")
}

/// Reports that `test` is skipped because `need` is missing.
///
/// Cargo hides what a passing test prints; the file named by `FORETICK_SKIPPED` gets the line too.
///
/// # Panics
/// If `FORETICK_REQUIRE` lists `need`.
pub(crate) fn skip(test: &str, need: &str, reason: &str) {
    let required = env::var("FORETICK_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|name| name.trim() == need),
        "{test} needs {need}, which FORETICK_REQUIRE lists: {reason}"
    );
    let line = format!("skipped: {test}: {reason}\n");
    print!("{line}");
    if let Some(path) = env::var_os("FORETICK_SKIPPED") {
        // Tests run in parallel: each appends its line in a single write.
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .expect("FORETICK_SKIPPED names a file that can be written");
    }
}
