//! Publishes headlines, statements and applications on topics of the embedded broker.
//!
//! One thread with one producer; a year of the firms lasts [`YEAR`].

use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use serde_json::{Value, json};

use crate::clock;
use crate::kafka::{Properties, client_config};
use crate::run::stop::StopFlag;
use crate::simulate::{Applicants, Firms, Headline, MarketSettings, Newsroom};
use crate::units::Nanos;

/// The topics and their partitions. News has one, because items are compared with earlier items.
pub(super) const TOPICS: [(&str, i32); 3] = [(NEWS, 1), (STATEMENTS, 2), (APPLICATIONS, 2)];
const NEWS: &str = "news.items.v1";
const STATEMENTS: &str = "credit.statements.v1";
const APPLICATIONS: &str = "credit.applications.v1";

/// A running thread.
pub(super) struct Feeds {
    thread: JoinHandle<u64>,
    done: StopFlag,
}

impl Feeds {
    /// Starts to publish what these settings make up.
    pub(super) fn start(bootstrap: &str, settings: &MarketSettings) -> Result<Self, String> {
        let config = client_config(bootstrap, &[("linger.ms", "0")], &Properties::new());
        let producer = config.map_err(|error| error.to_string())?.create();
        let mut publisher = Publisher {
            producer: producer.map_err(|error| error.to_string())?,
            newsroom: Newsroom::new(settings),
            firms: Firms::new(settings.seed, FIRMS),
            applicants: Applicants::new(settings.seed),
            next_year: settings.start,
            next_applicant: settings.start,
            published: 0,
        };
        let done = StopFlag::default();
        let over = done.clone();
        let run = move || {
            while !over.is_set() {
                publisher.publish_due(clock::now());
                std::thread::sleep(STEP);
            }
            // Records that have not arrived by then are not missed.
            drop(publisher.producer.flush(PATIENCE));
            publisher.published
        };
        let thread = std::thread::Builder::new().name("feeds".into()).spawn(run);
        let thread = thread.map_err(|error| error.to_string())?;
        Ok(Self { thread, done })
    }

    /// Ends the thread; returns how many records it published.
    pub(super) fn finish(self) -> u64 {
        self.done.set();
        self.thread.join().unwrap_or(0)
    }
}

struct Publisher {
    producer: ThreadedProducer<DefaultProducerContext>,
    newsroom: Newsroom,
    firms: Firms,
    applicants: Applicants,
    next_year: Nanos,
    next_applicant: Nanos,
    published: u64,
}

impl Publisher {
    /// Publishes the records that are due.
    fn publish_due(&mut self, now: Nanos) {
        while let Some(headline) = self.newsroom.next_by(now) {
            let item = item(&headline);
            self.send(NEWS, item["id"].as_str().unwrap_or(""), &item);
        }
        while self.next_year <= now {
            let ts = self.next_year;
            for (firm, statement) in self.firms.report(ts) {
                self.send(STATEMENTS, &firm, &statement);
            }
            self.next_year = Nanos(ts.0 + nanos(YEAR));
        }
        while self.next_applicant <= now {
            let ts = self.next_applicant;
            let (applicant, application) = self.applicants.apply(ts);
            self.send(APPLICATIONS, &applicant, &application);
            self.next_applicant = Nanos(ts.0 + nanos(BETWEEN_APPLICANTS));
        }
    }

    fn send(&mut self, topic: &str, key: &str, record: &Value) {
        let payload = record.to_string();
        let sent = self
            .producer
            .send(BaseRecord::to(topic).key(key).payload(&payload));
        match sent {
            Ok(()) => self.published += 1,
            Err((error, _)) => tracing::warn!(topic, %error, "a record was not published"),
        }
    }
}

/// A headline as `news.items.v1`.
fn item(headline: &Headline) -> Value {
    json!({
        "ts_event": headline.ts.0,
        "id": format!("made-up-{}-{}", headline.symbol, headline.number),
        "headline": headline.text,
        "source": "made-up-wire",
        "language": "en",
        "instruments": [format!("{}.BINANCE", headline.symbol)],
    })
}

fn nanos(duration: Duration) -> i64 {
    duration.as_nanos() as i64
}

const FIRMS: usize = 6;
const YEAR: Duration = Duration::from_millis(1_200);
const BETWEEN_APPLICANTS: Duration = Duration::from_millis(400);
const STEP: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(1);
