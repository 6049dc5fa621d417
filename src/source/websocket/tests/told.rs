//! What is told in the log, as far as this thread tells it.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing::subscriber::{DefaultGuard, set_default};

/// The log of this thread from now on. A test of tokio runs on one thread.
pub(super) struct Told {
    text: Log,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Told {
    pub(super) fn begin() -> Self {
        let text = Log::default();
        let writer = text.clone();
        let log = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .with_writer(move || writer.clone());
        Self {
            text,
            _guard: set_default(log.finish()),
        }
    }

    /// The lines with these words.
    pub(super) fn count(&self, words: &str) -> usize {
        let text = self.text.0.lock().expect("nobody panics within");
        let text = String::from_utf8_lossy(&text);
        text.lines().filter(|line| line.contains(words)).count()
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text.0.lock().expect("nobody panics within");
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = self.0.lock().expect("nobody panics within");
        text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
