//! Simulated brokers: the input, the group, and an output with transactions whose requests may come late.
//!
//! Of the protocol of transactions it has what keeps records apart: one epoch a producer, which a newer one
//! of its id ends; offsets that count with the transaction; a time after which an open one is aborted.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::dice::Dice;
use super::group::GroupCoordinator;
use crate::clock::virtual_time::since_start;
use crate::source::kafka::partition::PartitionKey;
use crate::source::kafka::queries::Committed;
use crate::source::kafka::take_over::OffsetToCommit;

/// Tells what happens, where a seed is looked at alone.
pub(super) fn tell(what: fmt::Arguments<'_>) {
    static IS_TOLD: LazyLock<bool> =
        LazyLock::new(|| std::env::var_os("FORETICK_SIMULATION_TELL").is_some());
    if *IS_TOLD {
        eprintln!("{:>10?} {what}", since_start());
    }
}

/// A record of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OutputRecord {
    /// The instrument.
    pub(super) key: Arc<str>,
    /// The offset of the record that caused it.
    pub(super) offset: i64,
    /// All else that must be the same.
    pub(super) digest: u64,
}

/// All brokers.
pub(super) struct SimulatedBrokers {
    pub(super) dice: Dice,
    inside: Mutex<Inside>,
}

/// What they hold.
#[derive(Default)]
pub(super) struct Inside {
    /// Whether requests and answers may be lost or late.
    pub(super) is_troubled: bool,
    pub(super) group: GroupCoordinator,
    /// The records of each partition of the input.
    pub(super) input: Vec<Vec<Bytes>>,
    producers: BTreeMap<String, Producer>,
    /// The records of the output, each with its transaction.
    output: Vec<(OutputRecord, Option<u64>)>,
    /// Whether transactions were committed; of one that is open it is not known.
    ended: BTreeMap<u64, bool>,
    transactions: u64,
    late: Vec<(Duration, BrokerRequest, Answer)>,
}

#[derive(Default)]
struct Producer {
    epoch: u64,
    open: Option<Transaction>,
}

struct Transaction {
    number: u64,
    since: Duration,
    offsets: Vec<OffsetToCommit>,
}

/// Where the answer to a request comes.
pub(super) type Answer = Arc<Mutex<Option<Result<(), BrokerRefusal>>>>;

/// A request that may be lost, or come late.
#[derive(Clone, Debug)]
pub(super) enum BrokerRequest {
    /// Offsets of a transaction.
    SendOffsets {
        id: String,
        epoch: u64,
        member: (usize, u64, u64),
        offsets: Vec<OffsetToCommit>,
    },
    /// The end of a transaction.
    End {
        id: String,
        epoch: u64,
        commits: bool,
    },
    /// Offsets without a transaction.
    Commit {
        member: (usize, u64, u64),
        offsets: Vec<OffsetToCommit>,
    },
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct BrokerRefusal {
    pub(super) why: &'static str,
    /// Whether the producer is of no use any more.
    pub(super) is_fatal: bool,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    RequestLost,
    AnswerLost,
    Late(Duration),
}

impl SimulatedBrokers {
    pub(super) fn new(dice: Dice) -> Self {
        Self {
            dice,
            inside: Mutex::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of the next request.
    pub(super) fn fate(&self) -> Fate {
        if !self.lock().is_troubled || !self.dice.one_in(6) {
            return Fate::Answered;
        }
        match self.dice.below(3) {
            0 => Fate::RequestLost,
            1 => Fate::AnswerLost,
            _ => Fate::Late(Duration::from_millis(1 << self.dice.below(16))),
        }
    }
}

impl Inside {
    /// Announces a producer. Gives its epoch.
    pub(super) fn announce(&mut self, id: &str) -> u64 {
        let producer = self.producers.entry(id.to_owned()).or_default();
        producer.epoch += 1;
        tell(format_args!("{id}: announced, epoch {}", producer.epoch));
        if let Some(open) = producer.open.take() {
            self.ended.insert(open.number, false);
        }
        producer.epoch
    }

    /// Appends a record, in a transaction of this producer where there is one.
    ///
    /// # Errors
    /// Where a newer producer of this id was announced.
    pub(super) fn append(
        &mut self,
        producer: Option<(&str, u64)>,
        record: OutputRecord,
    ) -> Result<(), BrokerRefusal> {
        let number = match producer {
            None => None,
            Some((id, epoch)) => Some(self.open(id, epoch)?.number),
        };
        let (key, offset) = (&record.key, record.offset);
        tell(format_args!(
            "{producer:?}: {key} at {offset}, transaction {number:?}"
        ));
        self.output.push((record, number));
        Ok(())
    }

    /// Takes a request that has come.
    ///
    /// # Errors
    /// Where it is refused.
    pub(super) fn take(&mut self, request: BrokerRequest) -> Result<(), BrokerRefusal> {
        let told = format!("{request:?}");
        let taken = self.take_untold(request);
        tell(format_args!("{told}: {taken:?}"));
        taken
    }

    fn take_untold(&mut self, request: BrokerRequest) -> Result<(), BrokerRefusal> {
        let abortable = |why| BrokerRefusal {
            why,
            is_fatal: false,
        };
        match request {
            BrokerRequest::SendOffsets {
                id,
                epoch,
                member,
                offsets,
            } => {
                self.group.may_commit(member).map_err(abortable)?;
                let open = self.open(&id, epoch)?;
                open.offsets.extend(offsets);
                Ok(())
            }
            BrokerRequest::End { id, epoch, commits } => self.end(&id, epoch, commits),
            BrokerRequest::Commit { member, offsets } => {
                self.group.commit(member, &offsets).map_err(abortable)
            }
        }
    }

    /// Keeps a request for later.
    pub(super) fn delay(&mut self, by: Duration, request: BrokerRequest, answer: Answer) {
        self.late.push((since_start() + by, request, answer));
    }

    /// Takes the requests whose time has come, aborts what is open for too long, and ends sessions.
    pub(super) fn pass_time(&mut self) {
        let now = since_start();
        let due: Vec<_> = self.late.extract_if(.., |late| late.0 <= now).collect();
        for (_, request, answer) in due {
            let result = self.take(request);
            *answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        }
        for producer in self.producers.values_mut() {
            let is_old = |open: &mut Transaction| now > open.since + TRANSACTION_TIMEOUT;
            if let Some(open) = producer.open.take_if(is_old) {
                producer.epoch += 1;
                tell(format_args!("transaction {} is too old", open.number));
                self.ended.insert(open.number, false);
            }
        }
        self.group.expire(now);
    }

    /// The committed offset of a partition.
    ///
    /// # Errors
    /// Where a transaction that is open may change it.
    pub(super) fn committed(&self, key: PartitionKey) -> Result<Option<Committed>, ()> {
        let mut open = self.producers.values().filter_map(|one| one.open.as_ref());
        match open.any(|open| open.offsets.iter().any(|of| of.key == key)) {
            true => Err(()),
            false => Ok(self.group.committed(key)),
        }
    }

    /// What a reader of committed records sees, up to the first open transaction.
    pub(super) fn read_committed(&self) -> Vec<OutputRecord> {
        let mut seen = vec![];
        for (record, number) in &self.output {
            match number.map(|number| self.ended.get(&number)) {
                None | Some(Some(true)) => seen.push(record.clone()),
                Some(Some(false)) => {}
                Some(None) => break,
            }
        }
        seen
    }

    /// How many transactions are open.
    pub(super) fn open_transactions(&self) -> usize {
        let open = self.producers.values().filter(|one| one.open.is_some());
        open.count()
    }

    /// Whether everything of the input is committed.
    pub(super) fn is_all_committed(&self) -> bool {
        let mut all = (0..).zip(&self.input);
        all.all(|(number, records)| {
            let committed = self.group.committed((0, number));
            committed.is_some_and(|at| at.next == records.len() as i64)
        })
    }

    fn open(&mut self, id: &str, epoch: u64) -> Result<&mut Transaction, BrokerRefusal> {
        let producer = self.producers.get_mut(id);
        let producer = producer.filter(|producer| producer.epoch == epoch);
        let producer = producer.ok_or(FENCED)?;
        let transactions = &mut self.transactions;
        Ok(producer.open.get_or_insert_with(|| {
            *transactions += 1;
            Transaction {
                number: *transactions,
                since: since_start(),
                offsets: vec![],
            }
        }))
    }

    fn end(&mut self, id: &str, epoch: u64, commits: bool) -> Result<(), BrokerRefusal> {
        let producer = self.producers.get_mut(id);
        let producer = producer.filter(|producer| producer.epoch == epoch);
        let open = producer.ok_or(FENCED)?.open.take();
        if let Some(open) = open {
            self.ended.insert(open.number, commits);
            if commits {
                self.group.commit_of_transaction(&open.offsets);
            }
        }
        Ok(())
    }
}

const FENCED: BrokerRefusal = BrokerRefusal {
    why: "fenced",
    is_fatal: true,
};

/// As the real sink sets it.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(45);
