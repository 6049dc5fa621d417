//! A `foretick` process that runs while a test observes it, and ends with the test.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use foretick::clock;

use crate::given::PATIENCE;

/// A running `foretick`, with its output so far.
pub(crate) struct RunningProcess {
    child: Child,
    stdout: Output,
    stderr: Output,
}

struct Output {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl RunningProcess {
    pub(crate) fn start<A: AsRef<std::ffi::OsStr>>(args: &[A]) -> Self {
        Self::start_with(args, &[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn start_with<A: AsRef<std::ffi::OsStr>>(
        args: &[A],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_foretick"));
        command.args(args).stdin(Stdio::null());
        command.envs(environment.iter().copied());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command was built");
        let stdout = Output::from(child.stdout.take().expect("it is piped"));
        let stderr = Output::from(child.stderr.take().expect("it is piped"));
        Self {
            child,
            stdout,
            stderr,
        }
    }

    pub(crate) fn stdout(&self) -> String {
        self.stdout.so_far()
    }

    pub(crate) fn stderr(&self) -> String {
        self.stderr.so_far()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The number of its threads; `None` where there is no `/proc`.
    pub(crate) fn threads(&self) -> Option<usize> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        Some(tasks.count())
    }

    /// Waits until `found` returns something.
    pub(crate) fn wait_for<T>(
        &mut self,
        what: &str,
        mut found: impl FnMut(&Self) -> Option<T>,
    ) -> T {
        let began = clock::instant();
        loop {
            if let Some(found) = found(self) {
                return found;
            }
            let ended = self.child.try_wait().expect("the child is ours");
            let output = || format!("{}{}", self.stdout(), self.stderr());
            assert!(ended.is_none(), "it ended before {what}: {}", output());
            assert!(began.elapsed() < PATIENCE, "no {what}: {}", output());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status();
        assert!(sent.expect("there is a kill").success());
    }

    /// Sends SIGTERM, as a service manager does, and returns the exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        self.signal("TERM");
        self.join()
    }

    /// Waits for its end and returns the exit code.
    pub(crate) fn join(&mut self) -> Option<i32> {
        let began = clock::instant();
        loop {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                self.stdout.join();
                self.stderr.join();
                return status.code();
            }
            assert!(
                began.elapsed() < PATIENCE,
                "it does not end: {}",
                self.stderr()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for RunningProcess {
    fn drop(&mut self) {
        // Both fail if it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
        // Libtest shows this if the test fails.
        println!("{}", self.stderr());
    }
}

impl Output {
    fn from(pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let read = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let mut text = read.lock().expect("readers do not panic");
                text.push_str(&line);
                text.push('\n');
            }
        });
        Self {
            text,
            reader: Some(reader),
        }
    }

    fn so_far(&self) -> String {
        self.text.lock().expect("readers do not panic").clone()
    }

    fn join(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("reading does not panic");
        }
    }
}
