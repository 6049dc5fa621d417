//! Tells how far a long command has come: a line on a terminal, or else a line of the log now and then.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat};
use tracing::info;

use crate::clock;
use crate::source::file::InputProgress;

/// After so many frames it is looked whether the progress is due to be shown: a look reads the clock.
pub(crate) const FRAMES_BETWEEN_LOOKS: u64 = 64;

/// Shows how much of the input of a command has been read. Nothing is shown of a short run.
pub struct ProgressDisplay {
    began: Instant,
    next: Instant,
    on_terminal: bool,
    is_shown: bool,
    /// What had been read at the first look: of a file that was opened near its end that is nearly all.
    first: Option<u64>,
    /// What is counted: frames, signals.
    unit: &'static str,
}

impl ProgressDisplay {
    /// The progress of a command that begins now and counts these units, on standard error.
    #[must_use]
    pub fn new(unit: &'static str) -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        let began = clock::instant();
        Self {
            began,
            next: began + if on_terminal { FIRST } else { LOG_EVERY },
            on_terminal,
            is_shown: false,
            first: None,
            unit,
        }
    }

    /// Shows the progress where it is time. `count`: units so far.
    pub fn show(&mut self, count: u64, progress: impl FnOnce() -> InputProgress) {
        let now = clock::instant();
        if now < self.next && self.first.is_some() {
            return;
        }
        let progress = progress();
        let first = *self.first.get_or_insert(progress.read);
        if now < self.next {
            return;
        }
        let elapsed = now - self.began;
        let figures = ProgressFigures::new(self.unit, count, (first, progress), elapsed);
        if self.on_terminal {
            self.next = now + SHOW_EVERY;
            self.is_shown = true;
            eprint!("\r{}{CLEAR_REST}", figures.line());
            return;
        }
        self.next = now + LOG_EVERY;
        info!(
            percent = figures.percent().map(tracing::field::display),
            unit = self.unit,
            count,
            per_second = figures.rate as u64,
            data_time = figures.time(),
            seconds_left = figures.left.map(|left| left.as_secs()),
            "reading"
        );
    }
}

impl Drop for ProgressDisplay {
    fn drop(&mut self) {
        if self.is_shown {
            eprint!("\r{CLEAR_REST}");
        }
    }
}

/// When a terminal shows something first.
const FIRST: Duration = Duration::from_secs(1);
const SHOW_EVERY: Duration = Duration::from_millis(500);
const LOG_EVERY: Duration = Duration::from_secs(10);
/// Erases what is behind the cursor in its line.
const CLEAR_REST: &str = "\x1b[K";
const BAR_WIDTH: usize = 20;

/// What is shown.
struct ProgressFigures {
    unit: &'static str,
    /// The part of the input that has been read, in 0..1; none where the input has no known end.
    part: Option<f64>,
    rate: f64,
    progress: InputProgress,
    left: Option<Duration>,
}

impl ProgressFigures {
    /// Those of a command that has counted so many units, and had read `first` at its beginning.
    fn new(
        unit: &'static str,
        count: u64,
        (first, progress): (u64, InputProgress),
        elapsed: Duration,
    ) -> Self {
        let seconds = elapsed.as_secs_f64().max(1e-9);
        let is_known = progress.all > 0 && progress.read > 0;
        let part = is_known.then(|| (progress.read as f64 / progress.all as f64).min(1.0));
        let read = progress.read.saturating_sub(first);
        let rest = progress.all.saturating_sub(progress.read);
        let left = (is_known && read > 0).then(|| seconds * rest as f64 / read as f64);
        Self {
            unit,
            part,
            rate: count as f64 / seconds,
            progress,
            left: left.and_then(|left| Duration::try_from_secs_f64(left).ok()),
        }
    }

    fn percent(&self) -> Option<u64> {
        self.part.map(|part| (100.0 * part) as u64)
    }

    fn time(&self) -> Option<String> {
        let time = self.progress.time?;
        let time = DateTime::from_timestamp_nanos(time.0);
        Some(time.to_rfc3339_opts(SecondsFormat::Secs, true))
    }

    /// The line of a terminal.
    fn line(&self) -> String {
        let bar = self.part.zip(self.percent()).map(|(part, percent)| {
            let done = (part * BAR_WIDTH as f64) as usize;
            let (done, rest) = ("#".repeat(done), "-".repeat(BAR_WIDTH - done));
            format!("[{done}{rest}] {percent:>3} %")
        });
        let rate = format!("{} {}/s", short(self.rate), self.unit);
        let left = self.left.map(|left| {
            let seconds = left.as_secs();
            let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            match hours {
                0 => format!("{minutes}:{seconds:02} left"),
                _ => format!("{hours}:{minutes:02}:{seconds:02} left"),
            }
        });
        let parts: Vec<String> = [bar, Some(rate), self.time(), left]
            .into_iter()
            .flatten()
            .collect();
        parts.join("  ")
    }
}

/// A rate in three or four digits.
fn short(rate: f64) -> String {
    match rate {
        1e6.. => format!("{:.2} M", rate / 1e6),
        1e3.. => format!("{:.1} k", rate / 1e3),
        _ => format!("{rate:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Nanos;

    fn line(read: u64, all: u64, seconds: u64) -> String {
        let progress = InputProgress {
            read,
            all,
            time: Some(Nanos(1_723_161_253_937_085_768)),
        };
        let elapsed = Duration::from_secs(seconds);
        ProgressFigures::new("frames", 3_000_000, (0, progress), elapsed).line()
    }

    #[test]
    fn what_was_passed_over_at_the_beginning_took_no_time() {
        let progress = InputProgress {
            read: 60,
            all: 100,
            time: None,
        };
        let elapsed = Duration::from_secs(10);
        let figures = ProgressFigures::new("frames", 1_000, (50, progress), elapsed);
        let line = "[############--------]  60 %  100 frames/s  0:40 left";
        assert_eq!(figures.line(), line);
    }

    #[test]
    fn a_line_has_percent_rate_time_of_the_data_and_time_left() {
        assert_eq!(
            line(25, 100, 60),
            "[#####---------------]  25 %  50.0 k frames/s  2024-08-08T23:54:13Z  3:00 left"
        );
        assert!(line(1, 100, 600).ends_with("16:30:00 left"));
        assert!(line(25, 100, 3_600).chars().count() < 80);
    }

    #[test]
    fn of_an_input_without_an_end_no_end_is_told() {
        assert_eq!(line(25, 0, 1), "3.00 M frames/s  2024-08-08T23:54:13Z");
        assert_eq!(line(0, 100, 1), "3.00 M frames/s  2024-08-08T23:54:13Z");
    }
}
