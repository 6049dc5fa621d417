//! Sliding windows that cost one step: of each key, the windows that are under way are kept as states.
//!
//! A window of T rows that moves by one row shares T − 1 rows with the one before. So T − 1 windows (every
//! k-th row: T / k) are in flight; a row moves all of them on by one step, and completes one. Only the
//! completing step is on the critical path ([`Slide::step`]); the others are deferred ([`Slide::settle`])
//! and made up for where a window needs them sooner. Exact, not approximate: a window's state starts
//! anew at its first row, and a step has the same bits whenever and beside whatever it is computed.

use std::collections::VecDeque;
use std::sync::Arc;

use super::packed::{Last, Recurrent, Scratch};
use super::state::{Batch, Key, Plan};

/// The windows of all keys of a shard.
#[derive(Debug)]
pub struct Slide {
    plan: Plan,
    keys: Vec<Option<Box<Key>>>,
    /// Keys whose next window has to be made ready, and then those with other steps to make up for.
    urgent: VecDeque<usize>,
    later: VecDeque<usize>,
    scratch: Scratch,
    batch: Batch,
    deferred: u64,
}

/// What is asked of the windows, in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// To take the next row.
    Row {
        /// Whose row.
        key: usize,
        /// Whether the window that it completes is to be scored.
        due: bool,
    },
    /// To score the last rows of a key once more.
    Again {
        /// Whose.
        key: usize,
    },
}

impl Slide {
    /// Windows of `network` that end at every `every`-th row of a key.
    #[must_use]
    pub fn new(network: Arc<Recurrent>, every: u64) -> Self {
        let steps = network.steps() as u64;
        let slots = (steps - 1).div_ceil(every).max(1);
        // More rows at once re-use weights more often before the next level of cache is asked again.
        let most: u64 = match network.step_bytes() {
            0..=262_144 => 12,
            262_145..=1_048_576 => 24,
            _ => 60,
        };
        let plan = Plan {
            steps,
            every,
            slots,
            group: slots.div_ceil(slots.div_ceil(most)),
            rows: steps + every.min(steps),
            carried: false,
            network,
        };
        Self::with(plan)
    }

    /// One state a key that is never reset: not what the model was trained as, unless it was.
    #[must_use]
    pub fn carried(network: Arc<Recurrent>) -> Self {
        let steps = network.steps() as u64;
        Self::with(Plan {
            network,
            steps,
            every: 1,
            slots: 1,
            group: 1,
            rows: steps,
            carried: true,
        })
    }

    fn with(plan: Plan) -> Self {
        Self {
            plan,
            keys: vec![],
            urgent: VecDeque::new(),
            later: VecDeque::new(),
            scratch: Scratch::default(),
            batch: Batch::default(),
            deferred: 0,
        }
    }

    /// Does what is asked, in turn. The rows lie one behind the other in `cells`. Appends the scores of
    /// due rows and of those asked for again. Due rows of different keys share a step.
    pub fn step(&mut self, asks: &[Ask], cells: &[f64], scores: &mut Vec<f64>) {
        let mut rows = cells.chunks_exact(self.plan.network.features());
        for ask in asks {
            match *ask {
                Ask::Row { key, due } => {
                    if self.batch.keys.len() == TOGETHER || self.batch.keys.contains(&key) {
                        self.complete(scores);
                    }
                    self.take(
                        key,
                        rows.next().expect("as many rows as are asked to be taken"),
                    );
                    if due || self.plan.carried {
                        self.ready(key);
                        self.batch.keys.push(key);
                        self.batch.due.push(due);
                    }
                }
                Ask::Again { key } => {
                    self.complete(scores);
                    self.again(key, scores);
                }
            }
        }
        self.complete(scores);
    }

    /// Scores the last `steps` rows of a key once more.
    fn again(&mut self, key: usize, scores: &mut Vec<f64>) {
        let of = self.of(key);
        if self.plan.carried {
            // The state before its last step is gone; what it gave is not.
            let h = &self.keys[key].as_ref().expect("it has a row").h;
            return self.plan.network.last(h, &mut self.scratch, scores);
        }
        let mut window = vec![];
        for row in of.taken + 1 - self.plan.steps..=of.taken {
            window.extend_from_slice(of.row(&self.plan, row));
        }
        let network = &self.plan.network;
        network.window(&window, &mut self.scratch, scores);
    }

    /// Does deferred steps until none is left or `wanted` says that something else is: the windows that
    /// complete next first, in blocks of rows. Returns whether all is done.
    pub fn settle(&mut self, mut wanted: impl FnMut() -> bool) -> bool {
        while let Some(key) = self.urgent.pop_front() {
            let of = self.keys[key].as_mut().expect("queued keys exist");
            of.urgent = false;
            if !of.later {
                of.later = true;
                self.later.push_back(key);
            }
            self.prepare(key);
            if wanted() {
                return false;
            }
        }
        while let Some(&key) = self.later.front() {
            while let Some(group) = self.lagging(key) {
                self.advance(key, group);
                if wanted() {
                    return false;
                }
            }
            self.later.pop_front();
            self.keys[key].as_mut().expect("queued keys exist").later = false;
        }
        true
    }

    /// Keys with deferred steps.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let also = |key: &&usize| self.of(**key).later;
        self.urgent.len() + self.later.len() - self.urgent.iter().filter(also).count()
    }

    /// Deferred steps done, in blocks of rows.
    #[must_use]
    pub fn deferred(&self) -> u64 {
        self.deferred
    }

    /// Bytes of state that a key takes.
    #[must_use]
    pub fn bytes_per_key(&self) -> usize {
        let Plan {
            network,
            slots,
            rows,
            ..
        } = &self.plan;
        let cells = 2 * *slots as usize * network.state() + network.state() + network.known();
        4 * (cells + *rows as usize * network.features())
    }

    fn take(&mut self, key: usize, cells: &[f64]) {
        if key >= self.keys.len() {
            self.keys.resize_with(key + 1, || None);
        }
        let plan = &self.plan;
        let of = self.keys[key].get_or_insert_with(|| Box::new(Key::new(plan)));
        of.taken += 1;
        let (row, features) = (of.taken, plan.network.features());
        let place = (row % plan.rows) as usize * features;
        // A row that a group still needs is never written over.
        while let Some(group) = self.overdue(key, row) {
            self.advance(key, group);
        }
        let of = self.keys[key].as_mut().expect("made above");
        self.plan
            .network
            .scale(cells, &mut of.rows[place..place + features]);
        if self.plan.carried {
            of.applied[0] = row;
        }
        if !of.urgent {
            of.urgent = true;
            self.urgent.push_back(key);
        }
    }

    /// A group that still needs the row in whose place `row` comes.
    fn overdue(&self, key: usize, row: u64) -> Option<usize> {
        let of = self.keys[key].as_ref()?;
        let gone = row.saturating_sub(self.plan.rows);
        of.applied.iter().position(|&applied| applied < gone)
    }

    /// Makes the window that ends at the last row taken ready to complete.
    fn ready(&mut self, key: usize) {
        let end = self.of(key).taken;
        if self.of(key).ready != end {
            self.foresee(key, end);
        }
    }

    /// Brings the window that ends at row `end` up to the row before, and computes what its last step
    /// needs beforehand.
    fn foresee(&mut self, key: usize, end: u64) {
        let slot = self.plan.slot(end);
        let group = (slot / self.plan.group) as usize;
        while self.of(key).applied[group] + 1 < end {
            self.advance(key, group);
        }
        let plan = &self.plan;
        let of = self.keys[key].as_mut().expect("it has a row");
        let state = plan.network.state();
        let range = slot as usize * state..(slot as usize + 1) * state;
        if !plan.carried && end + 1 - plan.steps == end {
            plan.network
                .start(&mut of.h[range.clone()], &mut of.carry[range.clone()]);
        }
        plan.network.foresee(&of.h[range.clone()], &mut of.known);
        of.ready_carry.copy_from_slice(&of.carry[range]);
        of.ready = end;
    }

    /// Does of the group that is needed after that of the window ending at `end` as much as keeps every
    /// window's wait even: in a burst no window finds all of a group's steps before it.
    fn look_ahead(&mut self, key: usize, end: u64) {
        let plan = &self.plan;
        if plan.slots <= plan.group {
            return;
        }
        let slot = plan.slot(end);
        let group = slot / plan.group;
        let groups = plan.slots.div_ceil(plan.group);
        let left = ((group + 1) * plan.group).min(plan.slots) - slot;
        let next = ((group + 1) % groups) as usize;
        let behind = (end - 1).saturating_sub(self.of(key).applied[next]);
        for _ in 0..behind.div_ceil(left) {
            self.advance(key, next);
        }
    }

    /// After a row: makes the next window ready, if the next row completes one.
    fn prepare(&mut self, key: usize) {
        let next = self.of(key).taken + 1;
        let completes = next.is_multiple_of(self.plan.every) && next >= self.plan.steps;
        if self.plan.carried || completes {
            if self.of(key).ready != next {
                self.foresee(key, next);
            }
            self.look_ahead(key, next);
        }
    }

    /// The group with deferred steps that is needed first.
    fn lagging(&self, key: usize) -> Option<usize> {
        let of = self.of(key);
        let next = (of.taken / self.plan.every + 1) * self.plan.every;
        let first = (self.plan.slot(next) / self.plan.group) as usize;
        let groups = of.applied.len();
        (0..groups)
            .map(|i| (first + i) % groups)
            .find(|&group| of.applied[group] < of.taken)
    }

    /// Moves the windows of a group on by one row.
    fn advance(&mut self, key: usize, group: usize) {
        let plan = &self.plan;
        let of = self.keys[key].as_mut().expect("it has a row");
        let row = of.applied[group] + 1;
        of.applied[group] = row;
        let state = plan.network.state();
        let first = group as u64 * plan.group;
        self.batch.places.clear();
        for slot in first..(first + plan.group).min(plan.slots) {
            let end = plan.end_after(slot, row);
            let begin = (end + 1).saturating_sub(plan.steps);
            let place = slot as usize * state;
            // Windows that would reach back before the first row do not exist.
            if begin == 0 || begin > row {
                continue;
            }
            if begin == row {
                let range = place..place + state;
                plan.network
                    .start(&mut of.h[range.clone()], &mut of.carry[range]);
            }
            self.batch.places.push(place);
        }
        if self.batch.places.is_empty() {
            return;
        }
        let features = plan.network.features();
        let place = (row % plan.rows) as usize * features;
        plan.network
            .project(&of.rows[place..place + features], &mut self.scratch);
        plan.network.advance(
            &self.batch.places,
            &mut of.h,
            &mut of.carry,
            &mut self.scratch,
        );
        self.deferred += 1;
    }

    /// Completes the windows that are ready, together.
    fn complete(&mut self, scores: &mut Vec<f64>) {
        let Self {
            plan,
            keys,
            batch,
            scratch,
            ..
        } = self;
        let network = &plan.network;
        match batch.keys[..] {
            [] => return,
            // Alone, it is worked on where it lies.
            [key] if !plan.carried => {
                let of = keys[key].as_mut().expect("it has a row");
                let place = (of.taken % plan.rows) as usize * network.features();
                let row = &of.rows[place..place + network.features()];
                let last = Last {
                    windows: 1,
                    rows: row,
                    known: &of.known,
                    carry: &mut of.ready_carry,
                    keep: None,
                };
                network.complete(last, scratch, scores);
            }
            _ => {
                batch.gather(keys, plan);
                let Batch {
                    rows,
                    known,
                    carry,
                    keep,
                    ..
                } = batch;
                let (windows, given) = (batch.keys.len(), scores.len());
                let last = Last {
                    windows,
                    rows,
                    known,
                    carry,
                    keep: plan.carried.then_some(&mut keep[..]),
                };
                network.complete(last, scratch, scores);
                if plan.carried {
                    batch.scatter(keys, network.state());
                    batch.forget(scores, given, network.outputs());
                }
            }
        }
        batch.keys.clear();
        batch.due.clear();
    }

    fn of(&self, key: usize) -> &Key {
        self.keys[key].as_ref().expect("it has a row")
    }
}

/// Windows that complete in one step at most.
const TOGETHER: usize = 64;

#[cfg(test)]
mod tests;
