//! The coordinator of a consumer group with static members, as KIP-345 describes it for the classic protocol:
//! a member that comes back under its name has its partitions at once, any other change is a rebalance.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::source::kafka::partition::PartitionKey;
use crate::source::kafka::queries::Committed;
use crate::source::kafka::take_over::OffsetToCommit;

/// How long a member may be silent before its partitions go to others.
pub(super) const SESSION: Duration = Duration::from_secs(10);

/// The group, and what it has committed.
#[derive(Debug, Default)]
pub(super) struct GroupCoordinator {
    generation: u64,
    /// Whether members are awaited for the next generation.
    is_joining: bool,
    members: BTreeMap<usize, Member>,
    partitions: Vec<PartitionKey>,
    committed: BTreeMap<PartitionKey, Committed>,
    /// Where it began, as noted with what was committed first.
    first: BTreeMap<PartitionKey, i64>,
}

#[derive(Debug)]
struct Member {
    /// The number of the client: a later one of the same name takes its place.
    client: u64,
    /// Whether it waits for the next generation.
    has_joined: bool,
    session_ends: Duration,
    assigned: Vec<PartitionKey>,
    /// The generation of which the client knows.
    knows: Option<u64>,
}

/// What a client is told at a poll.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Another client has its name.
    Fenced,
    /// Its partitions may have another owner.
    Lost,
    /// Give the partitions back: there is a rebalance.
    GiveBack,
    /// These are its partitions, in this generation.
    Take(Vec<PartitionKey>, u64),
    /// Nothing has changed.
    Nothing,
}

impl GroupCoordinator {
    /// A topic has so many partitions from now on.
    pub(super) fn set_partitions(&mut self, partitions: i32) {
        self.partitions = (0..partitions).map(|number| (0, number)).collect();
        self.rebalance();
    }

    /// All partitions.
    pub(super) fn partitions(&self) -> &[PartitionKey] {
        &self.partitions
    }

    /// The committed offset of a partition.
    pub(super) fn committed(&self, key: PartitionKey) -> Option<Committed> {
        self.committed.get(&key).copied()
    }

    /// A member is alive.
    pub(super) fn hear(&mut self, name: usize, client: u64, now: Duration) {
        if let Some(member) = self.members.get_mut(&name)
            && member.client == client
        {
            member.session_ends = now + SESSION;
        }
    }

    /// What the client of this name is told. `holds`: whether it was told of partitions, and has not given
    /// them back.
    pub(super) fn poll(&mut self, name: usize, client: u64, holds: bool, now: Duration) -> Told {
        let known = self.members.get(&name).map(|member| member.client);
        match known {
            None if holds => return Told::Lost,
            Some(other) if client < other => return Told::Fenced,
            Some(other) if client == other => {}
            known => {
                let assigned = self.members.remove(&name).map(|member| member.assigned);
                if known.is_none() {
                    self.rebalance();
                }
                let member = Member {
                    client,
                    has_joined: true,
                    session_ends: now + SESSION,
                    assigned: assigned.unwrap_or_default(),
                    knows: None,
                };
                self.members.insert(name, member);
                self.is_joining |= known.is_none();
            }
        }
        self.settle();
        let (generation, is_joining) = (self.generation, self.is_joining);
        let Some(member) = self.members.get_mut(&name) else {
            return Told::Nothing;
        };
        match (is_joining, member.has_joined) {
            (true, false) if holds => Told::GiveBack,
            (true, false) => {
                member.has_joined = true;
                self.settle();
                Told::Nothing
            }
            (false, _) if member.knows != Some(generation) => {
                member.knows = Some(generation);
                Told::Take(member.assigned.clone(), generation)
            }
            _ => Told::Nothing,
        }
    }

    /// Members whose time is over are members no more.
    pub(super) fn expire(&mut self, now: Duration) {
        let before = self.members.len();
        self.members.retain(|_, member| member.session_ends > now);
        if self.members.len() < before {
            self.rebalance();
            self.settle();
        }
    }

    /// Commits offsets in the name of a member of a generation.
    ///
    /// # Errors
    /// Where it is not the member of that name any more, or of another generation.
    pub(super) fn commit(
        &mut self,
        member: (usize, u64, u64),
        offsets: &[OffsetToCommit],
    ) -> Result<(), &'static str> {
        self.may_commit(member)?;
        self.commit_of_transaction(offsets);
        Ok(())
    }

    /// Whether a member may commit.
    ///
    /// # Errors
    /// As [`GroupCoordinator::commit`].
    pub(super) fn may_commit(
        &self,
        (name, client, generation): (usize, u64, u64),
    ) -> Result<(), &'static str> {
        match self.members.get(&name) {
            None => Err("unknown member"),
            Some(member) if member.client != client => Err("fenced instance id"),
            Some(_) if generation != self.generation => Err("illegal generation"),
            Some(_) => Ok(()),
        }
    }

    /// The offsets of a transaction that was committed.
    pub(super) fn commit_of_transaction(&mut self, offsets: &[OffsetToCommit]) {
        for &OffsetToCommit { key, next, note } in offsets {
            let begun = note.map_or(next, |note| note.begun);
            self.first.entry(key).or_insert(begun);
            self.committed.insert(key, Committed { next, note });
        }
    }

    /// Where each partition was begun.
    pub(super) fn begins(&self) -> Vec<i64> {
        let begin = |key| self.first.get(key).copied().unwrap_or_default();
        self.partitions.iter().map(begin).collect()
    }

    fn rebalance(&mut self) {
        self.is_joining = !self.members.is_empty();
        for member in self.members.values_mut() {
            member.has_joined = false;
        }
    }

    /// Begins the next generation once all have joined.
    fn settle(&mut self) {
        if !self.is_joining || self.members.values().any(|member| !member.has_joined) {
            return;
        }
        self.is_joining = false;
        self.generation += 1;
        let members = self.members.len();
        for (at, member) in self.members.values_mut().enumerate() {
            let of = self.partitions.iter().skip(at).step_by(members);
            member.assigned = of.copied().collect();
        }
    }
}
