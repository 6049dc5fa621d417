//! The table that the demo prints: the newest signal of each instrument, firm and applicant, and how long
//! signals took.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::Value;

use crate::frame::Position;
use crate::run::stop::StopFlag;
use crate::run::summary::micros;
use crate::signal::Signal;
use crate::signal::lineage::Lineage;
use crate::sink::{DeadLetter, Sink, SinkError};

/// The table, shared by the sinks that update it and the thread that prints it.
#[derive(Clone, Default)]
pub(super) struct SharedTable(Arc<Mutex<Table>>);

/// Passes signals and alerts to the pipeline's own sink, and adds them to the table.
pub(super) struct TableSink {
    pub(super) inner: Box<dyn Sink>,
    pub(super) lineage: Lineage,
    pub(super) table: SharedTable,
}

impl Sink for TableSink {
    fn signal(&mut self, signal: &Signal, instrument: &str) -> Result<(), SinkError> {
        self.inner.signal(signal, instrument)?;
        self.table.lock().signal(signal, instrument, &self.lineage);
        Ok(())
    }

    fn dead_letter(&mut self, letter: &DeadLetter<'_>) -> Result<(), SinkError> {
        self.inner.dead_letter(letter)
    }

    fn alert(&mut self, key: &str, record: &[u8]) -> Result<(), SinkError> {
        self.inner.alert(key, record)?;
        self.table.lock().alert(key, record);
        Ok(())
    }

    fn gap(&mut self, key: &str, record: &[u8]) -> Result<(), SinkError> {
        self.inner.gap(key, record)
    }

    fn mark(&mut self, positions: &[Position]) {
        self.inner.mark(positions);
    }

    fn acknowledged(&mut self, positions: &mut Vec<Position>) -> Result<(), SinkError> {
        self.inner.acknowledged(positions)
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.inner.flush()
    }

    fn close(&mut self) -> Result<(), SinkError> {
        self.inner.close()
    }

    fn keeps_dead_letters(&self) -> bool {
        self.inner.keeps_dead_letters()
    }
}

impl SharedTable {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Table {
    prices: BTreeMap<String, String>,
    /// The newest sentiment of each instrument.
    sentiments: BTreeMap<String, String>,
    /// The firms that reported last, with the number of the signal made of their newest statement.
    firms: BTreeMap<String, (u64, String)>,
    /// The newest alert of each firm by rule, until it is resolved.
    alerts: BTreeMap<String, BTreeMap<String, String>>,
    loans: VecDeque<String>,
    signals: u64,
    took: Histogram<u64>,
}

impl Default for Table {
    fn default() -> Self {
        let took = Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are valid");
        Self {
            prices: BTreeMap::new(),
            sentiments: BTreeMap::new(),
            firms: BTreeMap::new(),
            alerts: BTreeMap::new(),
            loans: VecDeque::new(),
            signals: 0,
            took,
        }
    }
}

impl Table {
    fn signal(&mut self, signal: &Signal, name: &str, lineage: &Lineage) {
        self.signals += 1;
        match lineage.key {
            "obligor" => self.firm(signal, name, lineage),
            "applicant" => self.loan(signal, name, lineage),
            _ if lineage.schema.starts_with("signals.sentiment") => {
                let (label, _) = lineage.label(signal).unwrap_or(("-", 0.0));
                let text = format!("{:+.2} {label}", lineage.score(signal));
                self.sentiments.insert(name.to_owned(), text);
            }
            _ => self.price(signal, name, lineage),
        }
    }

    fn price(&mut self, signal: &Signal, name: &str, lineage: &Lineage) {
        let took = signal.ts_out.since(signal.origin.ts_recv).max(1) as u64;
        self.took.saturating_record(took);
        let (label, _) = lineage.label(signal).unwrap_or(("-", 0.0));
        let outputs = lineage.model(signal).labels.iter().zip(signal.outputs);
        let outputs: String = outputs
            .map(|(label, output)| format!("{label} {output:.3}  "))
            .collect();
        let last = signal.last_price.to_string();
        let quality = signal.quality.word();
        let line = format!("{name:<18}{last:>14} {label:>6}  {outputs}{quality:<9}");
        self.prices.insert(name.to_owned(), line);
    }

    fn firm(&mut self, signal: &Signal, name: &str, lineage: &Lineage) {
        let (pd, grade) = (lineage.score(signal), lineage.grade(signal).unwrap_or("-"));
        let line = format!("{name:<24}{:>8.2} %  {grade:<6}", 100.0 * pd);
        self.firms.insert(name.to_owned(), (self.signals, line));
        while self.firms.len() > FIRMS {
            // The firm that has not reported for longest has failed.
            let oldest = self.firms.iter().min_by_key(|(_, (at, _))| *at);
            let Some(name) = oldest.map(|(name, _)| name.clone()) else {
                return;
            };
            self.firms.remove(&name);
            self.alerts.remove(&name);
        }
    }

    fn alert(&mut self, firm: &str, record: &[u8]) {
        let Ok(alert) = serde_json::from_slice::<Value>(record) else {
            return;
        };
        let word = |key: &str| alert[key].as_str().unwrap_or("-").to_owned();
        let (rule, state) = (word("rule"), word("state"));
        let of_firm = self.alerts.entry(firm.to_owned()).or_default();
        if state == "resolved" {
            of_firm.remove(&rule);
        } else {
            let text = format!("{rule} {state} ({})", word("severity"));
            of_firm.insert(rule, text);
        }
    }

    fn loan(&mut self, signal: &Signal, token: &str, lineage: &Lineage) {
        let (label, _) = lineage.label(signal).unwrap_or(("-", 0.0));
        let reason = lineage.codes(signal).next().unwrap_or("");
        let pd = 100.0 * lineage.score(signal);
        let token: String = token.chars().take(20).collect();
        let line = format!("{token:<24}{pd:>8.2} %  {label:<6} {reason}");
        self.loans.push_back(line);
        if self.loans.len() > LOANS {
            self.loans.pop_front();
        }
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{:<18}{:>14} {:>6}  {:<46}{}",
            "instrument", "last price", "label", "probabilities", "sentiment of the news"
        )];
        for (name, line) in &self.prices {
            let sentiment = self.sentiments.get(name).map_or("-", String::as_str);
            lines.push(format!("{line}{sentiment}"));
        }
        lines.push(format!(
            "{:<24}{:>10}  {:<6} alerts",
            "firm", "default", "grade"
        ));
        for (name, (_, line)) in &self.firms {
            let alerts = self.alerts.get(name).into_iter().flatten();
            let alerts: Vec<&str> = alerts.map(|(_, text)| text.as_str()).collect();
            lines.push(format!("{line} {}", alerts.join(", ")));
        }
        lines.push(format!(
            "{:<24}{:>10}  {:<6} first reason",
            "applicant's token", "default", "grade"
        ));
        lines.extend(self.loans.iter().cloned());
        lines.push(format!(
            "{} signals, tick to signal p50 {} p99 {}",
            self.signals,
            micros(self.took.value_at_quantile(0.5)),
            micros(self.took.value_at_quantile(0.99))
        ));
        lines
    }
}

/// The most firms in the table.
const FIRMS: usize = 6;
/// The most applicants in the table.
const LOANS: usize = 3;

/// The thread that prints the table: every second on a terminal, every five seconds elsewhere.
pub(super) struct TablePrinter {
    thread: Option<std::thread::JoinHandle<()>>,
    done: StopFlag,
}

impl TablePrinter {
    pub(super) fn start(table: SharedTable, stop: StopFlag) -> Self {
        let done = StopFlag::default();
        let over = done.clone();
        let thread = std::thread::spawn(move || {
            let terminal = io::stdout().is_terminal();
            let every = if terminal { 10 } else { 50 };
            let mut height = 0;
            for beat in 1_u64.. {
                std::thread::sleep(Duration::from_millis(100));
                if over.is_set() || stop.is_set() {
                    return;
                }
                if beat % every == 0 {
                    let lines = table.lock().lines();
                    let up = if terminal && height > 0 {
                        format!("\x1b[{height}A\x1b[J")
                    } else {
                        String::new()
                    };
                    height = lines.len();
                    // A closed standard output ends the printing, not the demo.
                    if writeln!(io::stdout(), "{up}{}", lines.join("\n")).is_err() {
                        return;
                    }
                }
            }
        });
        Self {
            thread: Some(thread),
            done,
        }
    }

    pub(super) fn finish(mut self) {
        self.done.set();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("printing does not panic");
        }
    }
}
