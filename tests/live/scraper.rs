//! Scrapes `/metrics` of a run, and checks at each scrape that every frame is accounted for.

use std::time::Duration;

use foretick::clock;

use crate::exposition::{Series, assert_rises, checked};
use crate::given::PATIENCE;

/// What a scrape says of frames.
#[derive(Clone, Debug)]
pub(crate) struct FrameAccount(Series);

impl FrameAccount {
    /// The sum of a family's series whose labels contain all of these.
    pub(crate) fn sum(&self, family: &str, labels: &[&str]) -> u64 {
        let of = self.0.iter().filter(|(key, _)| {
            key.split('{').next() == Some(family) && labels.iter().all(|one| key.contains(one))
        });
        of.map(|(_, value)| *value as u64).sum()
    }

    pub(crate) fn received(&self) -> u64 {
        self.sum("foretick_frames_received_total", &[])
    }

    pub(crate) fn messages(&self) -> u64 {
        self.sum("foretick_frames_received_total", &["kind=\"message\""])
    }

    pub(crate) fn fate(&self, fate: &str) -> u64 {
        let label = format!("fate=\"{fate}\"");
        self.sum("foretick_frames_total", &[&label])
    }

    pub(crate) fn dropped(&self, reason: &str) -> u64 {
        let reason = format!("reason=\"{reason}\"");
        let labels = ["fate=\"dropped\"", &*reason];
        self.sum("foretick_frames_total", &labels)
    }

    pub(crate) fn in_flight(&self, stage: &str) -> u64 {
        let stage = format!("stage=\"{stage}\"");
        self.sum("foretick_frames_in_flight", &[&stage])
    }

    fn assert_balances(&self) {
        let fates = self.sum("foretick_frames_total", &[]);
        let in_flight = self.sum("foretick_frames_in_flight", &[]);
        let received = self.received();
        assert_eq!(received, fates + in_flight, "{self:?}");
    }
}

/// Scrapes of one run, each checked.
pub(crate) struct Scraper {
    address: String,
    last: Option<FrameAccount>,
    pub(crate) scrapes: u64,
    /// The most frames in flight of any scrape: held, queued, in hand.
    pub(crate) most: [u64; 3],
}

impl Scraper {
    /// Of the run whose metrics are here.
    pub(crate) fn at(address: String) -> Self {
        Self {
            address,
            last: None,
            scrapes: 0,
            most: [0; 3],
        }
    }

    /// Scrapes, and checks that every frame is accounted for and no counter falls.
    pub(crate) fn scrape(&mut self) -> FrameAccount {
        let (status, text) = self.get("metrics");
        assert_eq!(status, 200, "{text}");
        let found = FrameAccount(checked(&text));
        found.assert_balances();
        if let Some(last) = &self.last {
            assert_rises(&last.0, &found.0);
        }
        for (most, stage) in self.most.iter_mut().zip(["held", "queued", "in_hand"]) {
            *most = found.in_flight(stage).max(*most);
        }
        self.scrapes += 1;
        self.last = Some(found.clone());
        found
    }

    /// Scrapes until `found` is true.
    pub(crate) fn until(&mut self, what: &str, found: impl Fn(&FrameAccount) -> bool) {
        let began = clock::instant();
        loop {
            let account = self.scrape();
            if found(&account) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "no {what}: {account:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Scrapes for a while, every 10 ms. Gives the last one.
    pub(crate) fn go_on(&mut self, time: Duration) -> FrameAccount {
        let began = clock::instant();
        loop {
            let account = self.scrape();
            if began.elapsed() > time {
                return account;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        answer(&format!("http://{}/{path}", self.address))
    }
}

/// Status and body of an HTTP answer.
pub(crate) fn answer(url: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .build()
        .into();
    let mut response = agent.get(url).call().expect("the server answers");
    let body = response
        .body_mut()
        .read_to_string()
        .expect("the answer is text");
    (response.status().as_u16(), body)
}

/// The address of the metrics in a log.
pub(crate) fn metrics_address(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("address=")?;
    Some(rest.split_whitespace().next()?.to_owned())
}

/// The memory of a process, in bytes; none where there is no `/proc`.
pub(crate) fn resident_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib << 10)
}
