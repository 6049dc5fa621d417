//! The world of a seed: which step of which instance comes next, and what goes wrong meanwhile.
//!
//! One thread takes all steps. A step that sleeps takes others below itself, until its time is over: so a
//! rebalance can wait for a shard, and a commit can hang while a new client takes over its name.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::brokers::tell;
use super::instance::{InstanceRun, NETWORK};
use super::plan::record;
use super::shared::SharedWorld;
use crate::clock::virtual_time::{pass, since_start};

/// All instances of a seed, and the time until each begins again.
pub(super) struct World {
    pub(super) shared: SharedWorld,
    running: RefCell<Vec<Rc<Running>>>,
    names: Vec<Name>,
    /// The next client's number.
    clients: Cell<u64>,
    /// Whose steps are under way, the innermost last.
    stack: RefCell<Vec<Owner>>,
    steps: Cell<u64>,
    is_calm: Cell<bool>,
    /// Input records that are still to come.
    to_come: Cell<usize>,
}

/// A run, and whether its process is stopped for a while.
struct Running {
    run: InstanceRun,
    owner: Owner,
    /// Whether it ends by request, or because it has failed.
    is_ending: Cell<bool>,
}

/// A process.
#[derive(Clone)]
struct Owner {
    alive: Arc<AtomicBool>,
    paused_until: Rc<Cell<Duration>>,
}

/// An instance, by its name.
#[derive(Default)]
struct Name {
    /// When a process of this name starts, where none runs.
    starts_at: Cell<Option<Duration>>,
    /// The process that starts at the moment.
    starting: RefCell<Option<Owner>>,
}

impl Owner {
    fn new() -> Self {
        Self {
            alive: Arc::new(AtomicBool::new(true)),
            paused_until: Rc::default(),
        }
    }

    fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Relaxed)
    }

    fn is_paused(&self) -> bool {
        self.paused_until.get() > since_start()
    }
}

impl World {
    /// The world before anything runs.
    pub(super) fn new(shared: SharedWorld) -> Self {
        let plan = &shared.plan;
        let names: Vec<Name> = (0..plan.instances).map(|_| Name::default()).collect();
        for (at, name) in names.iter().enumerate() {
            let soon = shared.brokers.dice.pick(&[0, 1, 500, 20_000]);
            let soon = if at == 0 { 0 } else { soon };
            name.starts_at.set(Some(Duration::from_millis(soon)));
        }
        let before = shared.brokers.dice.below(plan.records / 2);
        let world = Self {
            running: RefCell::default(),
            names,
            clients: Cell::default(),
            stack: RefCell::default(),
            steps: Cell::default(),
            is_calm: Cell::default(),
            to_come: Cell::new(plan.records),
            shared,
        };
        for _ in 0..before {
            world.append();
        }
        world
    }

    /// Takes so many steps with trouble, and then steps without, until everything is committed.
    ///
    /// # Panics
    /// Where it is not in the end.
    pub(super) fn run(&self, troubled: usize) {
        self.shared.brokers.lock().is_troubled = true;
        for _ in 0..troubled {
            self.step(Duration::from_millis(3));
        }
        self.shared.brokers.lock().is_troubled = false;
        self.is_calm.set(true);
        while self.append() {}
        for name in &self.names {
            let soon = name.starts_at.get().map(|at| at.min(since_start()));
            name.starts_at.set(soon);
        }
        while !self.is_done() {
            self.step(Duration::from_millis(3));
        }
    }

    /// What happens while the innermost step sleeps.
    pub(super) fn sleep(&self, time: Duration) {
        let (owner, depth) = {
            let stack = self.stack.borrow();
            (stack.last().cloned(), stack.len())
        };
        let Some(owner) = owner else {
            return pass(time);
        };
        if std::thread::panicking() {
            return;
        }
        if !owner.is_alive() {
            // A loop that waits comes to its end.
            return pass(time.min(Duration::from_millis(1)));
        }
        let end = since_start() + time;
        loop {
            let (now, until) = (since_start(), end.max(owner.paused_until.get()));
            if now >= until || !owner.is_alive() {
                return;
            }
            let left = until - now;
            match depth < DEPTH_MAX {
                true => self.step((left / 4).max(Duration::from_millis(1))),
                false => self.wait(left),
            }
        }
    }

    /// Lets time pass for brokers and for what is on its way to them, and for nobody else.
    fn wait(&self, time: Duration) {
        pass(time);
        self.shared.brokers.lock().pass_time();
        for one in self.running.borrow().iter() {
            one.run.step(NETWORK);
        }
    }

    /// Whether everything is committed and nothing is open.
    fn is_done(&self) -> bool {
        let brokers = self.shared.brokers.lock();
        brokers.is_all_committed() && brokers.open_transactions() == 0
    }

    fn step(&self, at_most: Duration) {
        self.steps.set(self.steps.get() + 1);
        assert!(
            self.steps.get() < STEPS_MAX,
            "stuck: what has come is not committed in the end"
        );
        let SharedWorld { brokers, .. } = &self.shared;
        let dice = &brokers.dice;
        pass(Duration::from_micros(
            dice.below(at_most.as_micros() as usize + 1) as u64,
        ));
        let all = self.running.borrow().clone();
        {
            let mut brokers = brokers.lock();
            for one in all.iter().filter(|one| !one.owner.is_paused()) {
                let InstanceRun { name, number, .. } = one.run;
                brokers.group.hear(name, number, since_start());
            }
            brokers.pass_time();
        }
        if !self.is_calm.get() {
            self.disturb(&all);
        }
        self.end_what_is_over(&all);
        for name in 0..self.names.len() {
            self.start_what_is_due(name);
        }
        let all = self.running.borrow().clone();
        let ready: Vec<_> = all.iter().filter(|one| !one.owner.is_paused()).collect();
        if !ready.is_empty() {
            let one = ready[dice.below(ready.len())];
            self.on_behalf(&one.owner, || one.run.step(dice.below(one.run.kinds())));
        }
    }

    /// Takes a step of a process.
    fn on_behalf<T>(&self, owner: &Owner, step: impl FnOnce() -> T) -> T {
        self.stack.borrow_mut().push(owner.clone());
        let done = step();
        self.stack.borrow_mut().pop();
        done
    }

    fn start_what_is_due(&self, number: usize) {
        let name = &self.names[number];
        if name.starting.borrow().is_some()
            || name.starts_at.get().is_none_or(|at| at > since_start())
        {
            return;
        }
        name.starts_at.set(None);
        let owner = Owner::new();
        name.starting.replace(Some(owner.clone()));
        self.clients.set(self.clients.get() + 1);
        let client = (number, self.clients.get());
        let alive = Arc::clone(&owner.alive);
        let begin = || InstanceRun::start(&self.shared, alive, client);
        let begun = self.on_behalf(&owner, begin);
        if !owner.is_alive() {
            // It was killed meanwhile, and another one may be starting.
            return;
        }
        name.starting.take();
        match begun {
            Ok(run) => {
                let is_ending = Cell::default();
                let running = Running {
                    run,
                    owner,
                    is_ending,
                };
                self.running.borrow_mut().push(Rc::new(running));
            }
            Err(why) => {
                assert!(why.is_rewind(), "a start that failed for good: {why}");
                self.start_later(number, &[20, 1_000]);
            }
        }
    }

    /// Ends runs that have failed, and starts them again.
    fn end_what_is_over(&self, all: &[Rc<Running>]) {
        for one in all {
            let is_dead = !one.owner.is_alive();
            if is_dead {
                // Killed by itself, while it wrote a snapshot.
                self.forget(one);
            } else if one.run.is_over()
                && !one.is_ending.get()
                && !one.owner.is_paused()
                && !one.run.is_busy()
            {
                self.fail(one);
            }
        }
    }

    fn fail(&self, one: &Rc<Running>) {
        one.is_ending.set(true);
        let why = self.on_behalf(&one.owner, || one.run.fail());
        tell(format_args!("client {} ends: {why:?}", one.run.number));
        if let Some(why) = why {
            assert!(why.is_rewind(), "a run that failed for good: {why}");
        }
        self.forget(one);
    }

    /// Ends a run by request.
    fn end(&self, one: &Rc<Running>) {
        one.is_ending.set(true);
        let ended = self.on_behalf(&one.owner, || one.run.end());
        if let Err(why) = ended {
            assert!(why.is_rewind(), "a run that failed for good: {why}");
            self.on_behalf(&one.owner, || one.run.fail());
        }
        self.forget(one);
    }

    /// A process is no more. Another one of its name starts in some time, if there is none.
    fn forget(&self, one: &Rc<Running>) {
        let mut running = self.running.borrow_mut();
        let before = running.len();
        running.retain(|other| !Rc::ptr_eq(one, other));
        if running.len() == before {
            return;
        }
        let number = one.run.name;
        let is_replaced = running.iter().any(|other| other.run.name == number);
        drop(running);
        if !is_replaced {
            self.start_later(number, &[0, 20, 3_000, 15_000, 60_000]);
        }
    }

    fn start_later(&self, number: usize, millis: &[u64]) {
        let millis = match self.is_calm.get() {
            true => 0,
            false => self.shared.brokers.dice.pick(millis),
        };
        let name = &self.names[number];
        if name.starts_at.get().is_none() && name.starting.borrow().is_none() {
            let at = since_start() + Duration::from_millis(millis);
            name.starts_at.set(Some(at));
        }
    }

    /// What goes wrong, and what comes.
    fn disturb(&self, all: &[Rc<Running>]) {
        let dice = &self.shared.brokers.dice;
        if dice.one_in(8) {
            self.append();
        }
        if dice.one_in(300) {
            self.add_partition();
        }
        if dice.one_in(200) {
            for name in &self.names {
                if let Some(owner) = name.starting.take() {
                    owner.alive.store(false, Ordering::Relaxed);
                    name.starts_at.set(Some(since_start()));
                }
            }
        }
        if all.is_empty() {
            return;
        }
        let one = &all[dice.below(all.len())];
        if dice.one_in(120) {
            tell(format_args!("client {} is killed", one.run.number));
            one.run.kill();
            self.forget(one);
        } else if dice.one_in(120) {
            let millis = dice.pick(&[20, 1_000, 12_000, 50_000]);
            let until = since_start() + Duration::from_millis(millis);
            tell(format_args!(
                "client {} is paused until {until:?}",
                one.run.number
            ));
            one.owner.paused_until.set(until);
        } else if dice.one_in(200) {
            // A second process of its name, while the first one still runs.
            self.start_later(one.run.name, &[0]);
        } else if dice.one_in(200)
            && !one.is_ending.get()
            && !one.run.is_over()
            && !one.owner.is_paused()
            && !one.run.is_busy()
        {
            self.end(one);
        }
    }

    /// Appends an input record. False where all have come.
    fn append(&self) -> bool {
        let left = self.to_come.get();
        self.to_come.set(left.saturating_sub(1));
        if left > 0 {
            let brokers = &self.shared.brokers;
            let mut inside = brokers.lock();
            let partition = brokers.dice.below(inside.input.len());
            let offset = inside.input[partition].len();
            let bytes = record(&brokers.dice, partition, offset);
            inside.input[partition].push(bytes);
        }
        left > 0
    }

    fn add_partition(&self) {
        let mut inside = self.shared.brokers.lock();
        if inside.input.len() < PARTITIONS_MAX {
            inside.input.push(vec![]);
            let partitions = inside.input.len() as i32;
            inside.group.set_partitions(partitions);
        }
    }
}

/// The steps within which everything must be committed.
const STEPS_MAX: u64 = 200_000;
/// How many steps may be under way at once.
const DEPTH_MAX: usize = 12;
const PARTITIONS_MAX: usize = 5;
