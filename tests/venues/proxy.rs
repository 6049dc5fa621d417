//! Stands between a venue and its client, and spoils messages at a rate: drops, copies, holds back, changes.
//!
//! Knows no venue but for the fields that its proof covers.

use std::collections::VecDeque;

use crate::market::Dice;
use crate::wire::{About, Message};

/// What may befall a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    Drop,
    /// It comes twice, the second time behind up to three others.
    Duplicate,
    /// It comes behind up to three others.
    Reorder,
    /// It cannot be read.
    Break,
    /// A digit of a field that the proof covers is another one.
    Digit,
    /// It comes late, and so do all that follow it.
    Delay,
    /// Nothing comes for a while, because nothing happens.
    Silence,
    /// The venue begins its numbers anew.
    Restart,
    /// The connection ends, and another one begins.
    Reconnect,
}

pub(crate) const FAULTS: [Fault; 9] = [
    Fault::Drop,
    Fault::Duplicate,
    Fault::Reorder,
    Fault::Break,
    Fault::Digit,
    Fault::Delay,
    Fault::Silence,
    Fault::Restart,
    Fault::Reconnect,
];

/// A message as the client gets it.
#[derive(Clone, Debug)]
pub(crate) struct Delivered {
    pub(crate) message: Message,
    /// What was done to its text.
    pub(crate) spoilt: Option<Fault>,
}

/// The proxy.
pub(crate) struct Proxy {
    dice: Dice,
    /// How often a fault is due.
    pub(crate) rate: f64,
    pub(crate) faults: Vec<Fault>,
    proved: &'static [&'static str],
    /// Messages that wait, and for how many others.
    held: VecDeque<(u64, Message)>,
    /// What was done so far.
    pub(crate) done: u64,
}

impl Proxy {
    pub(crate) fn new(
        seed: u64,
        rate: f64,
        faults: &[Fault],
        proved: &'static [&'static str],
    ) -> Self {
        Self {
            dice: Dice::new(seed ^ 0x5eed),
            rate,
            faults: faults.to_vec(),
            proved,
            held: VecDeque::new(),
            done: 0,
        }
    }

    /// A fault, where one is due.
    pub(crate) fn fault(&mut self) -> Option<Fault> {
        if self.faults.is_empty() || !self.dice.happens(self.rate) {
            return None;
        }
        self.done += 1;
        Some(self.faults[self.dice.below(self.faults.len() as u64) as usize])
    }

    /// Passes a message on with a fault or without one; appends what the client gets now, in order. Returns
    /// whether it was kept from the client for now or for ever.
    pub(crate) fn pass(
        &mut self,
        message: Message,
        fault: Option<Fault>,
        out: &mut Vec<Delivered>,
    ) -> bool {
        let mut is_kept = false;
        let behind = 1 + self.dice.below(3);
        // Only what passes moves those that wait.
        let mut spoilt = None;
        match fault {
            Some(Fault::Drop) => return true,
            Some(Fault::Reorder) => {
                self.held.push_back((behind, message));
                return true;
            }
            Some(Fault::Duplicate) => self.held.push_back((behind, message.clone())),
            Some(fault @ (Fault::Break | Fault::Digit)) => spoilt = Some(fault),
            _ => {}
        }
        let mut message = message;
        match spoilt {
            Some(Fault::Break) => {
                let at = message.text.len() / 2;
                message.text.truncate(at);
                is_kept = true;
            }
            Some(_) if !self.change_digit(&mut message) => spoilt = None,
            _ => {}
        }
        out.push(Delivered { message, spoilt });
        for held in &mut self.held {
            held.0 -= 1;
        }
        while self.held.front().is_some_and(|held| held.0 == 0)
            || self.held.iter().any(|held| held.0 == 0)
        {
            let at = self.held.iter().position(|held| held.0 == 0);
            let (_, message) = self
                .held
                .remove(at.expect("one is due"))
                .expect("it is there");
            out.push(Delivered {
                message,
                spoilt: None,
            });
        }
        is_kept
    }

    /// Forgets what waits: the connection is gone.
    pub(crate) fn forget(&mut self) {
        self.held.clear();
    }

    /// Changes a digit of a field that is proved, if the message has one; only those of books have.
    fn change_digit(&mut self, message: &mut Message) -> bool {
        let is_book = matches!(message.about, About::Change(_) | About::Whole(_));
        let is_numbered = message.text.contains("\"sequence_num\"");
        if !is_book && !is_numbered {
            return false;
        }
        let is_numbered_one_by_one =
            !message.text.contains("\"checksum\":") || message.text.contains("seqId");
        let mut places = vec![];
        for field in self.proved {
            for (at, _) in message.text.match_indices(field) {
                let from = at + field.len();
                let digits = message.text[from..].bytes();
                let digits = digits.take_while(|byte| byte.is_ascii_digit() || *byte == b'.');
                let length = digits.clone().count();
                let kept = if is_numbered_one_by_one {
                    NEIGHBOURS
                } else {
                    0
                };
                let digits = digits.take(length.saturating_sub(kept)).enumerate();
                let digits = digits.filter(|(_, byte)| *byte != b'.');
                places.extend(digits.map(|(offset, _)| from + offset));
            }
        }
        if places.is_empty() {
            return false;
        }
        let at = places[self.dice.below(places.len() as u64) as usize];
        let old = message.text.as_bytes()[at];
        // No leading zero: that is no number in JSON.
        let new = b'1' + ((old - b'0') + self.dice.below(8) as u8) % 9;
        if new == old {
            return false;
        }
        message
            .text
            .replace_range(at..=at, std::str::from_utf8(&[new]).expect("a digit"));
        true
    }
}

/// Last digits of a number that stay: nothing proves wrong what is the right number of a neighbour.
const NEIGHBOURS: usize = 3;
