//! Runs that begin again at the committed offsets.

use std::time::Duration;

use tracing::warn;

use super::outcome::RunOutcome;
use crate::clock;
use crate::run::error::RunError;
use crate::run::rewind_pause::RewindPause;
use crate::run::stop::StopFlag;
use crate::run::summary::Summary;

/// What was done before the run began again, and how soon it may do so.
#[derive(Default)]
pub(super) struct Rewinds {
    total: Option<Summary>,
    pause: RewindPause,
}

impl Rewinds {
    /// Takes what came of a run. Gives what came of all, if there is no other; else waits before the next.
    pub(super) fn note(
        &mut self,
        ended: Result<RunOutcome, RunError>,
        stop: &StopFlag,
    ) -> Option<Result<RunOutcome, RunError>> {
        let failure = match ended {
            Ok(RunOutcome { summary, failure }) => {
                self.total = Some(match self.total.take() {
                    None => summary,
                    Some(mut total) => {
                        total.add_run(summary);
                        total
                    }
                });
                failure
            }
            Err(failure) => Some(failure),
        };
        match failure {
            Some(why) if why.is_rewind() && !stop.is_set() => {
                let pause = self.pause.next();
                warn!(%why, ?pause, "the run begins again");
                wait(pause, stop);
                None
            }
            failure => Some(match (self.total.take(), failure) {
                (Some(summary), failure) => Ok(RunOutcome { summary, failure }),
                (None, failure) => Err(failure.unwrap_or(RunError::Lost)),
            }),
        }
    }
}

fn wait(pause: Duration, stop: &StopFlag) {
    let until = clock::instant() + pause;
    while !stop.is_set() && clock::instant() < until {
        clock::sleep(STEP.min(until.saturating_duration_since(clock::instant())));
    }
}

const STEP: Duration = Duration::from_millis(20);
