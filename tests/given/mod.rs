//! What tests share: a folder for each test, simulated captures, pipelines, and the built command.
//!
//! Checks nothing itself.
#![allow(dead_code, reason = "each test binary uses some of these functions")]

pub(crate) mod companies;
pub(crate) mod onnx;
pub(crate) mod stocks;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, fs, process};

use foretick::pipeline::Pipeline;
use foretick::simulate::{MarketSettings, write_capture};

/// The longest that a test waits for an event. It is reached only where the event never comes, so that it
/// may be long: a busy machine is no failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// A folder of one test, which is removed when this is dropped.
pub(crate) struct Folder(PathBuf);

/// Output and exit code of a command.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        // Tests of one process may choose one name.
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("foretick-test-{test}-{}-{number}", process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("the folder for temporary files takes a folder");
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).expect("a test's folder takes files");
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("the file was written before")
    }

    /// Loads a pipeline of this text with `set`, as `--set` on the command line.
    pub(crate) fn pipeline(&self, text: &str, set: &[&str]) -> Pipeline {
        load(&self.write("pipeline.toml", text), set)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

pub(crate) fn load(path: &Path, set: &[&str]) -> Pipeline {
    let set: Vec<String> = set.iter().map(|one| (*one).to_owned()).collect();
    Pipeline::load(path, &set).expect("the test's pipeline is sound")
}

/// The lines of a capture of a simulated session of these instruments.
pub(crate) fn capture(seed: u64, seconds: u64, symbols: &[&str]) -> String {
    let mut settings = MarketSettings {
        seed,
        ..MarketSettings::default()
    };
    settings
        .instruments
        .retain(|listing| symbols.contains(&listing.symbol.as_str()));
    let mut text = vec![];
    let (duration, latency) = (Duration::from_secs(seconds), Duration::from_millis(20));
    write_capture(&settings, duration, latency, &mut text).expect("memory takes text");
    String::from_utf8(text).expect("a capture is text")
}

/// A path in the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The values of JSON lines.
pub(crate) fn json_lines(text: &str) -> Vec<serde_json::Value> {
    let parse = |line| serde_json::from_str(line).expect("a line is JSON");
    text.lines().map(parse).collect()
}

/// Runs `foretick` to its end.
pub(crate) fn foretick<A: AsRef<std::ffi::OsStr>>(args: &[A]) -> Run {
    run(Command::new(env!("CARGO_BIN_EXE_foretick")).args(args))
}

pub(crate) fn run(command: &mut Command) -> Run {
    run_as_is(command.stdout(Stdio::piped()))
}

/// Runs a command to its end without changing where its standard output goes.
pub(crate) fn run_as_is(command: &mut Command) -> Run {
    let child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
    let child = child.expect("the command was built");
    let output = child.wait_with_output().expect("the command ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run {
        code: output.status.code(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

/// A pipeline with every kind of feature, with a row at each change of the book.
pub(crate) const EVERY_KIND: &str = include_str!("every_kind.toml");

/// A small pipeline: the mid and the trade flow, with a row at each trade.
pub(crate) const SMALL: &str = r#"
name = "small"

[row]
on = "trade"
stale_after_ms = 1_000

[[feature]]
name = "mid"
kind = "mid"

[[feature]]
name = "flow"
kind = "trade_flow"
window = 5

[model]
kind = "sum"
normalise = "none"
"#;

/// The small pipeline with an ONNX model.
pub(crate) fn small_onnx() -> String {
    SMALL.replace("kind = \"sum\"", "kind = \"onnx\"\nfile = \"model.onnx\"")
}

/// A folder with the signals of one capture, replayed once into each of these files.
pub(crate) fn replays(test: &str, outputs: [&str; 2]) -> Folder {
    let folder = Folder::new(test);
    let pipeline = folder.write("pipeline.toml", SMALL);
    let capture = folder.write("capture", capture(31, 4, &["BTCUSDT", "ETHUSDT"]));
    for name in outputs {
        let output = folder.path(name);
        let args = [
            "replay".as_ref(),
            pipeline.as_os_str(),
            "--input".as_ref(),
            capture.as_os_str(),
            "--output".as_ref(),
            output.as_os_str(),
        ];
        assert_eq!(foretick(&args).code, Some(0));
    }
    folder
}
