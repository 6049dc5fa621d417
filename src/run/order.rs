//! The order of signals and commands where several shards read one capture.
//!
//! A command about alerts takes effect after the signals of all frames before it and before those of all
//! frames after it. With several shards every one of them gets the command. Here the deliveries of a shard
//! that has come to a command wait until all shards have; then the command is applied once. Between two
//! commands the order among shards does not matter: an alert depends on the signals of its obligor alone,
//! and an obligor lives on one shard.

use std::collections::VecDeque;

use super::delivery::{DeliveredCommand, Delivery};

/// Deliveries of several shards, in an order that does not depend on their threads.
#[derive(Debug)]
pub(super) struct CommandOrder {
    /// What is waiting of each shard, oldest first.
    shards: Vec<VecDeque<WriterInput>>,
}

/// What is written next.
#[derive(Debug)]
pub(super) enum WriterInput {
    /// What came of a batch, or of the part of one between two commands.
    Delivery(Delivery),
    /// A command.
    Command(DeliveredCommand),
}

impl CommandOrder {
    /// The order of so many shards, each of which gets every command.
    pub(super) fn new(shards: usize) -> Self {
        let shards = (0..shards).map(|_| VecDeque::new()).collect();
        Self { shards }
    }

    /// Takes a delivery.
    pub(super) fn push(&mut self, mut delivery: Delivery) {
        let waiting = &mut self.shards[delivery.shard];
        let commands = std::mem::take(&mut delivery.commands);
        // From the last command on, so that each split leaves the signals before it.
        let mut parts = vec![];
        for command in commands.into_iter().rev() {
            let signals = delivery.signals.split_off(command.before);
            let shard = delivery.shard;
            parts.push(WriterInput::Delivery(Delivery {
                shard,
                signals,
                ..Delivery::default()
            }));
            parts.push(WriterInput::Command(command));
        }
        waiting.push_back(WriterInput::Delivery(delivery));
        waiting.extend(parts.into_iter().rev());
    }

    /// What may be written now; none while a command waits for further shards.
    pub(super) fn pop(&mut self) -> Option<WriterInput> {
        let is_delivery = |shard: &&mut VecDeque<WriterInput>| {
            matches!(shard.front(), Some(WriterInput::Delivery(_)))
        };
        if let Some(shard) = self.shards.iter_mut().find(is_delivery) {
            return shard.pop_front();
        }
        // No shard has a delivery in front: each has come to the command, or not yet.
        if self.shards.iter().any(VecDeque::is_empty) {
            return None;
        }
        let commands = self.shards.iter_mut().map(VecDeque::pop_front);
        commands.fold(None, |first, command| first.or(command))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::command::AlertCommand;
    use crate::decode::command::parse_command;
    use crate::run::delivery::test_signal;
    use crate::units::Nanos;

    fn delivery(shard: usize, times: &[i64], commands: &[(usize, &AlertCommand)]) -> Delivery {
        Delivery {
            shard,
            signals: times.iter().map(|&ts| test_signal(ts)).collect(),
            commands: commands
                .iter()
                .map(|&(before, one)| DeliveredCommand {
                    before,
                    command: one.clone(),
                    reprocessed: false,
                })
                .collect(),
            ..Delivery::default()
        }
    }

    /// Times of signals, and 0 for a command.
    fn drain(order: &mut CommandOrder) -> Vec<i64> {
        let mut seen = vec![];
        while let Some(item) = order.pop() {
            match item {
                WriterInput::Delivery(delivery) => {
                    seen.extend(delivery.signals.iter().map(|s| s.ts_event.0))
                }
                WriterInput::Command(_) => seen.push(0),
            }
        }
        seen
    }

    #[test]
    fn a_command_waits_for_all_shards_and_is_applied_once() {
        let tick = br#"{"ts_event":1700000000000000001,"action":"tick"}"#;
        let tick = parse_command(tick, Nanos(5)).unwrap().unwrap();
        let mut order = CommandOrder::new(2);
        order.push(delivery(0, &[1, 4, 6], &[(1, &tick), (2, &tick)]));
        assert_eq!(
            drain(&mut order),
            [1],
            "the other shard may have earlier signals"
        );
        order.push(delivery(1, &[2, 3], &[]));
        assert_eq!(drain(&mut order), [2, 3]);
        order.push(delivery(1, &[5], &[(0, &tick)]));
        assert_eq!(drain(&mut order), [0, 4, 5]);
        order.push(delivery(1, &[], &[(0, &tick)]));
        assert_eq!(drain(&mut order), [0, 6]);
    }
}
