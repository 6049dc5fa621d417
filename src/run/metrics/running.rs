//! What a pipeline shows while it runs, and whether it is ready.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

use super::frame_counts::LastFrameCounts;
use crate::clock;
use crate::run::state_counts::StateCounts;
use crate::run::status::{NAMES_MAX, WorkerStatus};
use crate::sink::status::SinkStatus;
use crate::source::kafka::Progress;
use crate::source::ring::RingGauge;
use crate::source::status::FeedStatus;
use crate::source::websocket::hours::MarketHours;

/// What a pipeline shows while it runs.
#[derive(Clone, Debug)]
pub struct RunningPipeline {
    /// SHA-256 of the model that runs.
    pub model_sha256: String,
    /// Where the model computes.
    pub provider: String,
    /// The status of each shard's worker.
    pub workers: Vec<Arc<WorkerStatus>>,
    /// What the ring of each shard holds.
    pub rings: Vec<RingGauge>,
    /// Ticks of the clock that the source has sent.
    pub ticks: Arc<AtomicU64>,
    /// The account of its frames that was read last.
    pub frames: Arc<LastFrameCounts>,
    /// The status of the source.
    pub feed: Arc<FeedStatus>,
    /// How far the records of Kafka were worked on.
    pub progress: Arc<Progress>,
    /// Instruments that the source is asked for; none where it reads all that come.
    pub listed: Vec<String>,
    /// When their market is open; none where it always is.
    pub hours: Option<MarketHours>,
    /// The venues of the listed instruments.
    pub venues: Vec<String>,
    /// Whether each of them needs a book or a quote.
    pub needs_quotes: bool,
    /// When it began.
    pub began: Instant,
    /// How long instruments may wait before the pipeline is not ready.
    pub waiting_max: Duration,
    /// Whether the capture has failed; none where nothing is captured.
    pub capture_failed: Option<Arc<AtomicBool>>,
    /// What its sink shows of its delivery.
    pub sink: Arc<SinkStatus>,
    /// The snapshots of state that it has saved.
    pub states: Arc<StateCounts>,
}

impl RunningPipeline {
    /// Instruments that wait for a book or a quote, those that nothing has come of included, and since when.
    pub(super) fn waiting(&self) -> (usize, Option<Instant>) {
        let workers = self.workers.iter().map(|worker| worker.figures());
        let (mut waiting, mut seen, mut since) = (0, 0, None::<Instant>);
        for figures in workers {
            waiting += figures.waiting;
            seen += figures.heard;
            since = [since, figures.waiting_since].into_iter().flatten().min();
        }
        let unseen = match self.needs_quotes {
            true => self.listed.len().saturating_sub(seen),
            false => 0,
        };
        if unseen > 0 {
            since = Some(self.began);
        }
        (waiting + unseen, since)
    }

    /// Why it is not ready, for people; none where it is.
    pub(super) fn problem(&self) -> Option<String> {
        let source = (!self.feed.is_healthy()).then(|| "the source is not connected".to_owned());
        let recovery = || self.recovery_problem();
        let first = source.or_else(recovery).or_else(|| self.waiting_problem());
        let all: Vec<String> = first.into_iter().chain(self.sink_problem()).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Records that are to be read again before state is back.
    pub(super) fn reread(&self) -> u64 {
        let ahead = self.feed.partitions.rereading();
        self.progress.left_to_read_again(ahead)
    }

    fn recovery_problem(&self) -> Option<String> {
        let records = self.reread();
        let since = self.feed.partitions.reread_since()?;
        let for_long = since.elapsed();
        (records > 0 && for_long > RECOVERY_MAX).then(|| {
            let seconds = for_long.as_secs();
            format!(
                "state is being brought back for {seconds} s: {records} records are to be read again"
            )
        })
    }

    fn sink_problem(&self) -> Option<String> {
        let figures = self.sink.figures();
        let commit = figures.commit_began.map(|began| began.elapsed());
        if let Some(age) = commit.filter(|age| *age > UNDELIVERED_MAX) {
            let seconds = age.as_secs();
            return Some(format!(
                "the sink delivers nothing: the commit of a transaction has waited for {seconds} s"
            ));
        }
        let age = figures.oldest?.elapsed();
        (age > UNDELIVERED_MAX).then(|| {
            let (records, seconds) = (figures.in_flight, age.as_secs());
            format!(
                "the sink delivers nothing: {records} records are on their way, the oldest for {seconds} s"
            )
        })
    }

    fn waiting_problem(&self) -> Option<String> {
        let (waiting, since) = self.waiting();
        let mut for_long = since?.elapsed();
        if let Some(hours) = &self.hours {
            // Nothing comes of a market that is closed, and nobody waits for it.
            let now = clock::now();
            for_long = for_long.min(Duration::from_nanos(
                now.since(hours.open_since(now)?) as u64
            ));
        }
        (for_long > self.waiting_max).then(|| {
            let (for_long, names) = (for_long.as_secs(), self.names_of_waiting());
            let named = match (names.is_empty(), names.len() < waiting) {
                (true, _) => String::new(),
                (false, true) => format!(": {}, …", names.join(", ")),
                (false, false) => format!(": {}", names.join(", ")),
            };
            format!(
                "{waiting} instruments have waited for a book or a quote for {for_long} s{named}"
            )
        })
    }

    /// The first instruments that wait.
    fn names_of_waiting(&self) -> Vec<String> {
        let workers = self.workers.iter().map(|worker| worker.figures());
        let (mut seen, mut heard, mut names) = (0, BTreeSet::new(), vec![]);
        for figures in workers {
            seen += figures.heard;
            heard.extend(figures.heard_names.iter().cloned());
            names.extend(figures.waiting_names);
        }
        // Of very many instruments it is not told which were heard.
        if self.needs_quotes && heard.len() == seen {
            let unheard = self.listed.iter().filter(|name| !heard.contains(*name));
            names.extend(unheard.cloned());
        }
        names.truncate(NAMES_MAX);
        names
    }
}

/// How long a record may be on its way before the pipeline is not ready.
const UNDELIVERED_MAX: Duration = Duration::from_secs(5);
/// How long state may be brought back before the pipeline is not ready.
const RECOVERY_MAX: Duration = Duration::from_secs(2);

#[cfg(test)]
impl RunningPipeline {
    /// One that has just begun, with one shard, and whose source is not connected.
    pub(super) fn of_test() -> Self {
        Self {
            model_sha256: "00".into(),
            provider: "cpu".into(),
            workers: vec![Arc::default()],
            rings: vec![],
            ticks: Arc::default(),
            frames: Arc::default(),
            feed: Arc::default(),
            progress: Arc::default(),
            listed: vec![],
            hours: None,
            venues: vec![],
            needs_quotes: true,
            began: clock::instant(),
            waiting_max: Duration::ZERO,
            capture_failed: None,
            sink: Arc::default(),
            states: Arc::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instrument_that_nothing_comes_of_makes_it_not_ready() {
        let running = RunningPipeline {
            listed: vec!["A.X".into(), "B.X".into()],
            venues: vec![],
            ..RunningPipeline::of_test()
        };
        running.feed.set_healthy(true);
        assert_eq!(running.waiting().0, 2);
        let said = running.problem().unwrap();
        assert_eq!(
            said,
            "2 instruments have waited for a book or a quote for 0 s: A.X, B.X"
        );
        let of_many = RunningPipeline {
            listed: (0..9).map(|at| format!("{at}.X")).collect(),
            ..running.clone()
        };
        let said = of_many.problem().unwrap();
        assert!(said.ends_with(": 0.X, 1.X, 2.X, 3.X, 4.X, …"), "{said}");
        let hours = MarketHours {
            zone: chrono_tz::UTC,
            open: chrono::NaiveTime::MIN,
            close: chrono::NaiveTime::MIN,
            days: vec![],
            holidays: vec![],
        };
        let closed = RunningPipeline {
            hours: Some(hours),
            ..running.clone()
        };
        assert_eq!(closed.problem(), None, "nothing comes of a closed market");
        let patient = RunningPipeline {
            waiting_max: Duration::from_secs(3_600),
            ..running.clone()
        };
        assert_eq!(patient.problem(), None);
        let trades_alone = RunningPipeline {
            needs_quotes: false,
            ..running
        };
        assert_eq!(trades_alone.problem(), None);
    }

    #[test]
    fn a_commit_that_waits_makes_it_not_ready() {
        let running = RunningPipeline::of_test();
        running.feed.set_healthy(true);
        for (age, is_ready) in [(4, true), (6, false)] {
            let began = clock::instant().checked_sub(Duration::from_secs(age));
            running.sink.update(|figures| figures.commit_began = began);
            assert_eq!(running.problem().is_none(), is_ready, "{age} s");
        }
        let said = running.problem().unwrap();
        assert!(
            said.contains("the commit of a transaction has waited for 6 s"),
            "{said}"
        );
        running.sink.committing(|| ());
        assert_eq!(running.problem(), None);
    }

    #[test]
    fn a_record_that_is_not_delivered_makes_it_not_ready() {
        let running = RunningPipeline::of_test();
        running.feed.set_healthy(true);
        for (age, is_ready) in [(4, true), (6, false)] {
            let taken = clock::instant().checked_sub(Duration::from_secs(age));
            running.sink.update(|figures| {
                (figures.in_flight, figures.oldest) = (3, taken);
            });
            assert_eq!(running.problem().is_none(), is_ready, "{age} s");
        }
        let said = running.problem().unwrap();
        assert!(
            said.contains("3 records are on their way, the oldest for 6 s"),
            "{said}"
        );
        running.feed.set_healthy(false);
        let said = running.problem().unwrap();
        assert!(
            said.starts_with("the source is not connected; the sink"),
            "{said}"
        );
    }
}
