//! One run of an instance, in steps: what its threads do, one at a time, in an order that the seed says.
//!
//! The steps are those of the real threads, made of the same parts; a step that sleeps lets others happen.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Deliveries, SyncSender as Deliver, sync_channel};
use std::time::{Duration, Instant};

use super::client::{Polled, SimulatedClient, TOPIC};
use super::disk::{DiskOfProcess, Process};
use super::producer::{SimulatedProducer, SimulatedSink};
use super::shards::{ShardSteps, shards};
use super::shared::SharedWorld;
use crate::clock;
use crate::pipeline::Recovery;
use crate::run::delivery::Delivery;
use crate::run::error::RunError;
use crate::run::live::recovery::StateRecovery;
use crate::run::live::run_output::RunOutput;
use crate::run::live::waiting_states::WaitingStates;
use crate::run::state_inbox::StateInbox;
use crate::run::status::WorkerStatus;
use crate::run::worker::DELIVERIES;
use crate::run::writer::Writer;
use crate::sink::SinkError;
use crate::source::kafka::intake::PartitionIntake;
use crate::source::kafka::partition::partition_of;
use crate::source::kafka::rebalance::{Rebalance, RebalanceSettings};
use crate::source::kafka::starts::ReadAgain;
use crate::source::kafka::{CommitBy, Progress};
use crate::source::status::FeedStatus;
use crate::state::{StateSnapshot, StateStore};

/// A run of one instance.
pub(super) struct InstanceRun {
    pub(super) name: usize,
    /// The number of its client.
    pub(super) number: u64,
    process: Process,
    client: Rc<SimulatedClient>,
    rebalance: Rebalance,
    source: RefCell<SourceSteps>,
    shards: Vec<RefCell<ShardSteps>>,
    output: RefCell<OutputSteps>,
    to_save: RefCell<VecDeque<Vec<StateSnapshot>>>,
    store: DiskOfProcess,
    inboxes: Vec<Arc<StateInbox>>,
    producer: Arc<SimulatedProducer>,
    progress: Arc<Progress>,
    feed: Arc<FeedStatus>,
    status: WorkerStatus,
    /// Why the run is over.
    over: RefCell<Option<RunError>>,
    is_fenced: Cell<bool>,
    is_ending: Cell<bool>,
}

struct SourceSteps {
    intake: PartitionIntake<Rc<SimulatedClient>>,
    committed_at: Instant,
}

struct OutputSteps {
    output: RunOutput,
    deliver: Deliver<Delivery>,
    deliveries: Deliveries<Delivery>,
    /// Those that came, and are not yet written.
    came: VecDeque<Delivery>,
}

impl OutputSteps {
    /// Makes room in the channel, so that no shard waits for it.
    fn receive(&mut self) {
        self.came.extend(self.deliveries.try_iter());
    }
}

impl InstanceRun {
    /// Opens the sink, and then reads, as a real run does.
    ///
    /// # Errors
    /// Where the sink cannot be opened.
    pub(super) fn start(
        shared: &SharedWorld,
        alive: Arc<AtomicBool>,
        (name, number): (usize, u64),
    ) -> Result<Self, RunError> {
        let SharedWorld {
            plan,
            brokers,
            disk,
        } = shared;
        let id = plan.is_exact.then(|| format!("group-{name}"));
        let producer = SimulatedProducer::new(Arc::clone(brokers), Arc::clone(&alive), id);
        let producer = Arc::new(producer);
        let sink = SimulatedSink::open(Arc::clone(&producer), plan.commit_interval);
        let sink = sink.map_err(|error| SinkError::Kafka(Box::new(error)))?;
        let (progress, feed) = (Arc::new(Progress::default()), Arc::<FeedStatus>::default());
        let process = Process {
            alive: Arc::clone(&alive),
            stop: Arc::default(),
            progress: Arc::clone(&progress),
        };
        let every = match plan.saves_states {
            true => Duration::from_millis(30),
            false => Duration::ZERO,
        };
        let inboxes: Vec<_> = (0..plan.shards)
            .map(|_| Arc::new(StateInbox::saving_every(every)))
            .collect();
        let store = || DiskOfProcess {
            disk: Arc::clone(disk),
            brokers: Arc::clone(brokers),
            process: process.clone(),
        };
        let topics = (vec![TOPIC.to_owned()], 0);
        let identity = plan.loaded.state_identity(&plan.pipeline.file);
        let starts = StateRecovery::new(
            Recovery::ReadAgain,
            plan.saves_states
                .then(|| Arc::new(store()) as Arc<dyn StateStore>),
            identity.clone(),
            topics.clone(),
            inboxes.clone(),
            Box::new(ReadAgain { rebuild: None }),
        );
        let stop = Arc::clone(&process.stop);
        let settings = RebalanceSettings {
            commits: match plan.is_exact {
                true => CommitBy::Sink,
                false => CommitBy::Source,
            },
            from_beginning: plan.from_beginning,
            wait_max: Duration::from_secs(100),
            drain_timeout: Duration::from_secs(10),
        };
        let client = SimulatedClient::new(
            Arc::clone(brokers),
            Arc::clone(&progress),
            Arc::clone(&alive),
            (name, number),
            !plan.is_exact,
        );
        let client = Rc::new(client);
        let mut writer = Writer::new(Box::new(sink), &plan.loaded.lineage);
        writer.commit_for(client.group());
        let (rings, shards) = shards(plan, &inboxes)?;
        let waiting = plan
            .saves_states
            .then(|| WaitingStates::new(identity, topics, inboxes.clone()));
        let (deliver, deliveries) = sync_channel(DELIVERIES);
        let (of_rebalance, of_intake) = (Arc::clone(&progress), Arc::clone(&progress));
        let of_feed = Arc::clone(&feed);
        Ok(Self {
            name,
            number,
            rebalance: Rebalance::new(
                settings,
                Arc::new(starts),
                of_rebalance,
                Arc::clone(&feed),
                stop,
            ),
            source: RefCell::new(SourceSteps {
                intake: PartitionIntake::new(Rc::clone(&client), 1, rings, of_intake, of_feed),
                committed_at: clock::instant(),
            }),
            shards,
            output: RefCell::new(OutputSteps {
                output: RunOutput::new(writer, Arc::clone(&progress), waiting, plan.is_exact),
                deliver,
                deliveries,
                came: VecDeque::new(),
            }),
            to_save: RefCell::default(),
            store: store(),
            inboxes,
            producer,
            progress,
            feed,
            status: WorkerStatus::default(),
            over: RefCell::default(),
            is_fenced: Cell::default(),
            is_ending: Cell::default(),
            process,
            client,
        })
    }

    /// How many kinds of steps there are.
    pub(super) fn kinds(&self) -> usize {
        self.shards.len() + 4
    }

    /// Takes a step of one kind. One that is under way already, and sleeps, is left alone.
    pub(super) fn step(&self, kind: usize) {
        // The network goes on while a run ends.
        if kind == NETWORK && self.is_alive() {
            self.producer.move_on();
        }
        if self.is_over() {
            return;
        }
        let result = match kind {
            0 => self.read(),
            1 => self.write(),
            NETWORK => Ok(()),
            3 => {
                self.save();
                Ok(())
            }
            shard => self.work(shard - 4),
        };
        if let Err(error) = result {
            self.over.borrow_mut().get_or_insert(error);
        }
    }

    /// Whether the run is to end.
    pub(super) fn is_over(&self) -> bool {
        self.over.borrow().is_some() || self.is_fenced.get() || !self.is_alive()
    }

    fn is_alive(&self) -> bool {
        self.process.is_alive()
    }

    /// Whether any of its steps is under way.
    pub(super) fn is_busy(&self) -> bool {
        let shards = &mut self.shards.iter();
        self.source.try_borrow_mut().is_err()
            || self.output.try_borrow_mut().is_err()
            || shards.any(|shard| shard.try_borrow_mut().is_err())
    }

    /// Kills the process.
    pub(super) fn kill(&self) {
        self.process.kill();
    }

    /// Ends a run that has failed, in the order in which a live run does it. Gives the reason.
    pub(super) fn fail(&self) -> Option<RunError> {
        self.process.stop.store(true, Ordering::Relaxed);
        self.progress.abandon();
        self.client.commit(None);
        self.save_last();
        self.over.take()
    }

    /// Ends a run by request: all that was read is worked on, written and committed.
    ///
    /// # Errors
    /// Where the run fails meanwhile.
    pub(super) fn end(&self) -> Result<(), RunError> {
        self.is_ending.set(true);
        self.source.borrow_mut().intake.close();
        for shard in &self.shards {
            let mut shard = shard.borrow_mut();
            let ShardSteps { turns, ring } = &mut *shard;
            let Some(mut turns) = turns.take() else {
                continue;
            };
            let deliver = self.output.borrow().deliver.clone();
            while turns.drain(ring, Duration::ZERO) {
                turns.turn((ring, &deliver), &self.status)?;
                self.write_all()?;
            }
            turns.end(&deliver, &self.status, &AtomicBool::new(false))?;
            self.write_all()?;
        }
        self.output.borrow_mut().output.close()?;
        self.client.commit(None);
        self.save_last();
        Ok(())
    }

    fn read(&self) -> Result<(), RunError> {
        let Ok(mut source) = self.source.try_borrow_mut() else {
            return Ok(());
        };
        // What a rebalance waits for cannot go on while it sleeps below this step.
        let may_rebalance = self.output.try_borrow_mut().is_ok();
        if !self.is_ending.get() {
            source.intake.send_waiting();
        }
        let polled = self.client.poll(may_rebalance.then_some(&self.rebalance));
        for change in self.rebalance.take_changes() {
            source.intake.follow(change);
        }
        if self.rebalance.take_failure().is_some() {
            return Err(RunError::Lost);
        }
        match polled {
            Polled::Fenced => self.is_fenced.set(true),
            Polled::Nothing => {}
            // What comes while the source ends will be read again.
            Polled::Frame(_) if self.is_ending.get() => {}
            Polled::Frame(mut frame) => {
                let key = partition_of(&frame);
                let _turn = self.feed.turns.begin();
                frame.origin.reprocessed = frame.origin.offset < source.intake.new_from(key);
                assert!(
                    source.intake.arrive(0, frame),
                    "no offset is read twice in one assignment"
                );
            }
        }
        if clock::elapsed(source.committed_at) > COMMIT_EVERY {
            source.committed_at = clock::instant();
            self.client.commit(None);
        }
        Ok(())
    }

    fn work(&self, number: usize) -> Result<(), RunError> {
        let Ok(mut shard) = self.shards[number].try_borrow_mut() else {
            return Ok(());
        };
        let deliver = match self.output.try_borrow_mut() {
            Ok(mut output) if output.came.len() < DELIVERIES => {
                output.receive();
                output.deliver.clone()
            }
            _ => return Ok(()),
        };
        let ShardSteps { turns, ring } = &mut *shard;
        if let Some(turns) = turns
            && turns.drain(ring, Duration::ZERO)
        {
            turns.turn((ring, &deliver), &self.status)?;
        }
        Ok(())
    }

    fn write(&self) -> Result<(), RunError> {
        let Ok(mut steps) = self.output.try_borrow_mut() else {
            return Ok(());
        };
        steps.receive();
        if let Some(mut delivery) = steps.came.pop_front() {
            steps.output.deliver(&mut delivery)?;
        }
        if let Some(snapshots) = steps.output.acknowledge()? {
            self.to_save.borrow_mut().push_back(snapshots);
        }
        Ok(())
    }

    fn write_all(&self) -> Result<(), RunError> {
        let mut steps = self.output.borrow_mut();
        steps.receive();
        while let Some(mut delivery) = steps.came.pop_front() {
            steps.output.deliver(&mut delivery)?;
        }
        Ok(())
    }

    /// Saves one of the snapshots that are to be saved.
    fn save(&self) {
        let mut to_save = self.to_save.borrow_mut();
        let Some(snapshots) = to_save.front_mut() else {
            return;
        };
        if let Some(snapshot) = snapshots.pop() {
            drop(self.store.save(&snapshot));
        }
        if snapshots.is_empty() {
            to_save.pop_front();
            self.inboxes.iter().for_each(|inbox| inbox.end_save());
        }
    }

    fn save_last(&self) {
        while !self.to_save.borrow().is_empty() {
            self.save();
        }
        let last = self.output.borrow_mut().output.last_states();
        for snapshot in last.into_iter().flatten() {
            drop(self.store.save(&snapshot));
        }
    }
}

/// The step in which records go to the brokers, and acknowledgements come.
pub(super) const NETWORK: usize = 2;
const COMMIT_EVERY: Duration = Duration::from_millis(50);
