//! The consumer of a simulated run: what the brokers say to a member, with answers that get lost.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

use super::brokers::{Answer, BrokerRequest, Fate, SimulatedBrokers, tell};
use super::group::Told;
use crate::clock;
use crate::clock::virtual_time::since_start;
use crate::frame::{Frame, Origin, Position};
use crate::sink::kafka::producer::GroupMemberOf;
use crate::sink::kafka::transaction::{CommittingGroup, GroupMember, GroupOffset};
use crate::source::kafka::Progress;
use crate::source::kafka::intake::FetchControl;
use crate::source::kafka::partition::PartitionKey;
use crate::source::kafka::queries::{CommittedByPartition, OffsetQueries, OffsetsByPartition};
use crate::source::kafka::rebalance::{GroupClient, Rebalance};
use crate::source::kafka::take_over::{OffsetToCommit, PlacedPartition};
use crate::units::Nanos;

/// The name of the topic.
pub(super) const TOPIC: &str = "in";

/// A consumer with the name of a static member.
pub(super) struct SimulatedClient {
    brokers: Arc<SimulatedBrokers>,
    progress: Arc<Progress>,
    /// Of the process: requests of a dead one are not sent.
    alive: Arc<AtomicBool>,
    name: usize,
    number: u64,
    /// Whether the source commits, and not the sink.
    commits_itself: bool,
    /// The generation that it knows; another thread reads it.
    generation: Arc<AtomicU64>,
    inside: RefCell<Assignment>,
}

#[derive(Default)]
struct Assignment {
    /// What the group has given, until it is given back.
    given: Option<Vec<PartitionKey>>,
    is_lost: bool,
    /// The next offset of each partition that is read.
    positions: BTreeMap<PartitionKey, i64>,
    paused: BTreeSet<PartitionKey>,
}

/// What came of a poll.
pub(super) enum Polled {
    /// Another client has the name: the run is over.
    Fenced,
    Frame(Frame),
    Nothing,
}

impl SimulatedClient {
    pub(super) fn new(
        brokers: Arc<SimulatedBrokers>,
        progress: Arc<Progress>,
        alive: Arc<AtomicBool>,
        (name, number): (usize, u64),
        commits_itself: bool,
    ) -> Self {
        Self {
            brokers,
            progress,
            alive,
            name,
            number,
            commits_itself,
            generation: Arc::default(),
            inside: RefCell::default(),
        }
    }

    /// The group, as the transactions of the sink see it.
    pub(super) fn group(&self) -> Arc<dyn CommittingGroup> {
        Arc::new(SimulatedGroup {
            name: self.name,
            number: self.number,
            generation: Arc::clone(&self.generation),
            progress: Arc::clone(&self.progress),
        })
    }

    /// Polls once: what the group says comes before records. Without a `rebalance`, only records.
    pub(super) fn poll(&self, rebalance: Option<&Rebalance>) -> Polled {
        if !self.alive.load(Ordering::Relaxed) {
            return Polled::Nothing;
        }
        let fetched = || self.fetched().map_or(Polled::Nothing, Polled::Frame);
        let Some(rebalance) = rebalance else {
            return fetched();
        };
        let given = self.inside.borrow().given.clone();
        let (now, holds) = (since_start(), given.is_some());
        let told = {
            let mut brokers = self.brokers.lock();
            brokers.group.poll(self.name, self.number, holds, now)
        };
        if told != Told::Nothing {
            let (name, number) = (self.name, self.number);
            tell(format_args!("client {number} of {name} is told {told:?}"));
        }
        let done = match told {
            Told::Fenced => return Polled::Fenced,
            Told::Take(keys, generation) => {
                self.generation.store(generation, Ordering::Relaxed);
                self.inside.borrow_mut().given = Some(keys.clone());
                rebalance.assign(self, &keys)
            }
            Told::Lost | Told::GiveBack => {
                let given = given.unwrap_or_default();
                let is_lost = told == Told::Lost;
                self.inside.borrow_mut().is_lost = is_lost;
                // Now and then the client forgets to say that partitions are taken back.
                let is_silent = !is_lost && self.is_troubled() && self.brokers.dice.one_in(20);
                let done = match is_silent {
                    true => Ok(()),
                    false => rebalance.revoke(self, &given),
                };
                let mut inside = self.inside.borrow_mut();
                (inside.given, inside.is_lost) = (None, false);
                done
            }
            Told::Nothing => return fetched(),
        };
        done.expect("a simulated client does as it is told");
        Polled::Nothing
    }

    /// Commits what is done and not yet committed, of these partitions or of all.
    pub(super) fn commit(&self, keys: Option<&[PartitionKey]>) {
        if !self.commits_itself {
            return;
        }
        let of = |(stream, partition, next)| OffsetToCommit {
            key: (stream, partition),
            next,
            note: self.progress.note(stream, partition),
        };
        let mut offsets: Vec<_> = self.progress.uncommitted().into_iter().map(of).collect();
        offsets.retain(|at| keys.is_none_or(|keys| keys.contains(&at.key)));
        if !offsets.is_empty() && self.commit_now(offsets.clone()).is_ok() {
            for at in offsets {
                self.progress.committed(at.key.0, at.key.1, at.next);
            }
        }
    }

    fn is_troubled(&self) -> bool {
        self.brokers.lock().is_troubled
    }

    /// The next record of one of the partitions.
    fn fetched(&self) -> Option<Frame> {
        let mut inside = self.inside.borrow_mut();
        let Assignment {
            positions, paused, ..
        } = &mut *inside;
        let brokers = self.brokers.lock();
        let mut ready: Vec<_> = positions
            .iter_mut()
            .filter(|(key, next)| {
                let records = brokers.input.get(key.1 as usize);
                !paused.contains(key)
                    && records.is_some_and(|records| (records.len() as i64) > **next)
            })
            .collect();
        if ready.is_empty() {
            return None;
        }
        let at = self.brokers.dice.below(ready.len());
        let (&(stream, partition), next) = ready.swap_remove(at);
        let offset = *next;
        *next += 1;
        let bytes = brokers.input[partition as usize][offset as usize].clone();
        Some(Frame {
            origin: Origin {
                ts_recv: Nanos(0),
                offset,
                partition,
                stream,
                late: false,
                reprocessed: false,
            },
            bytes,
        })
    }

    /// Whether a question is answered; where it is not, time passes.
    fn ask(&self) -> KafkaResult<()> {
        let is_alive = self.alive.load(Ordering::Relaxed);
        if is_alive && self.brokers.fate() == Fate::Answered {
            return Ok(());
        }
        clock::sleep(ANSWER_TIMEOUT);
        Err(unanswered())
    }
}

impl OffsetQueries for SimulatedClient {
    fn committed(&self, keys: &[PartitionKey]) -> KafkaResult<CommittedByPartition> {
        self.ask()?;
        let brokers = self.brokers.lock();
        let mut all = CommittedByPartition::default();
        for &key in keys {
            if let Some(next) = brokers.committed(key).map_err(|()| unanswered())? {
                all.insert(key, next);
            }
        }
        Ok(all)
    }

    fn spans(&self, keys: &[PartitionKey]) -> KafkaResult<Vec<(i64, i64)>> {
        self.ask()?;
        let brokers = self.brokers.lock();
        let of = |key: &PartitionKey| (0, brokers.input[key.1 as usize].len() as i64);
        Ok(keys.iter().map(of).collect())
    }

    fn since(&self, _keys: &[PartitionKey], _millis: i64) -> KafkaResult<OffsetsByPartition> {
        self.ask()?;
        Ok(OffsetsByPartition::default())
    }

    fn partitions_of(&self, _stream: u16) -> KafkaResult<Vec<PartitionKey>> {
        self.ask()?;
        Ok(self.brokers.lock().group.partitions().to_vec())
    }
}

impl GroupClient for SimulatedClient {
    fn is_assignment_lost(&self) -> bool {
        self.inside.borrow().is_lost
    }

    fn is_incremental(&self) -> bool {
        false
    }

    fn assign(&self, placed: Option<&[PlacedPartition]>) -> KafkaResult<()> {
        let mut inside = self.inside.borrow_mut();
        inside.paused.clear();
        let begins = placed.unwrap_or_default().iter();
        inside.positions = begins.map(|at| (at.key, at.begin)).collect();
        tell(format_args!("client {} begins at {placed:?}", self.number));
        Ok(())
    }

    fn unassign(&self) -> KafkaResult<()> {
        self.inside.borrow_mut().positions.clear();
        Ok(())
    }

    fn commit_now(&self, offsets: Vec<OffsetToCommit>) -> KafkaResult<()> {
        if !self.alive.load(Ordering::Relaxed) {
            return Err(unanswered());
        }
        let request = BrokerRequest::Commit {
            member: (
                self.name,
                self.number,
                self.generation.load(Ordering::Relaxed),
            ),
            offsets,
        };
        match self.brokers.fate() {
            Fate::Answered => {
                let taken = self.brokers.lock().take(request);
                return taken.map_err(|_| unanswered());
            }
            Fate::RequestLost => {}
            Fate::AnswerLost => drop(self.brokers.lock().take(request)),
            Fate::Late(by) => self.brokers.lock().delay(by, request, Answer::default()),
        }
        clock::sleep(COMMIT_TIMEOUT);
        Err(unanswered())
    }

    fn commit_done(&self, keys: &[PartitionKey]) {
        self.commit(Some(keys));
    }
}

impl FetchControl for Rc<SimulatedClient> {
    fn topic_of(&self, _stream: u16) -> String {
        TOPIC.to_owned()
    }

    fn pause(&self, key: PartitionKey) -> KafkaResult<()> {
        self.inside.borrow_mut().paused.insert(key);
        Ok(())
    }

    fn resume(&self, key: PartitionKey) -> KafkaResult<()> {
        self.inside.borrow_mut().paused.remove(&key);
        Ok(())
    }

    fn position(&self, key: PartitionKey) -> Option<i64> {
        self.inside.borrow().positions.get(&key).copied()
    }
}

/// The group of a client, for its transactions.
struct SimulatedGroup {
    name: usize,
    number: u64,
    generation: Arc<AtomicU64>,
    progress: Arc<Progress>,
}

impl CommittingGroup for SimulatedGroup {
    fn member(&self) -> Option<GroupMember> {
        let generation = self.generation.load(Ordering::Relaxed);
        let member = (self.name, self.number, generation);
        Some(GroupMember(GroupMemberOf::Simulated(member)))
    }

    fn offset(&self, position: Position) -> Option<GroupOffset> {
        let note = self.progress.note(position.stream, position.partition);
        Some(GroupOffset {
            topic: TOPIC.to_owned(),
            position,
            note: note.map_or_else(String::new, |note| note.to_string()),
        })
    }

    fn is_lost(&self) -> bool {
        self.progress.is_lost()
    }
}

fn unanswered() -> KafkaError {
    KafkaError::OffsetFetch(RDKafkaErrorCode::OperationTimedOut)
}

const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
const COMMIT_TIMEOUT: Duration = Duration::from_secs(3);
