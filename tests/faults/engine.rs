//! A `foretick` process that is killed and paused; what it logs goes to a file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use foretick::clock;

use crate::broker::signal;
use crate::given::PATIENCE;

/// A running engine.
pub(crate) struct Engine {
    child: Child,
    log: PathBuf,
    /// When it was started, in nanoseconds since the epoch.
    pub(crate) started: i64,
}

impl Engine {
    pub(crate) fn start(args: &[String], log: &Path) -> Self {
        let out = File::options().create(true).append(true).open(log);
        let out = out.expect("a test's folder takes files");
        let mut command = Command::new(binary());
        command.args(args).stdin(Stdio::null());
        command.stdout(out.try_clone().expect("a file can be cloned"));
        let child = command.stderr(out).spawn().expect("the command was built");
        Self {
            child,
            log: log.to_owned(),
            started: clock::now().0,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// SIGKILL, also where it is paused.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    /// SIGSTOP, or SIGCONT.
    pub(crate) fn signal(&self, name: &str) {
        signal(name, &self.child.id().to_string());
    }

    /// The exit code, where it has ended by itself.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let status = self.child.try_wait().expect("the child is ours")?;
        Some(status.code().unwrap_or(-1))
    }

    /// Waits for its end.
    pub(crate) fn join(&mut self) -> i32 {
        let began = clock::instant();
        loop {
            if let Some(code) = self.ended() {
                return code;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "it does not end:\n{}",
                self.end_of_log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it ends in time.
    pub(crate) fn ends_within(&mut self, time: Duration) -> bool {
        let began = clock::instant();
        while self.ended().is_none() {
            if began.elapsed() > time {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }

    /// SIGTERM, and its exit code.
    pub(crate) fn terminate(&mut self) -> i32 {
        self.signal("TERM");
        self.join()
    }

    pub(crate) fn end_of_log(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text[text.len().saturating_sub(6_000)..]).into_owned();
        format!("{}:\n{text}", self.log.display())
    }

    fn end(&mut self) {
        // Both fail if it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.end();
    }
}

/// What is run: another build by `FORETICK_FAULTS_BINARY`.
pub(crate) fn binary() -> PathBuf {
    let other = std::env::var_os("FORETICK_FAULTS_BINARY");
    other.map_or_else(|| env!("CARGO_BIN_EXE_foretick").into(), PathBuf::from)
}
