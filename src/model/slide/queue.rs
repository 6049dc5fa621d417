//! A first-in, first-out queue of keys in which each key stands once at most.

use std::collections::VecDeque;

/// Keys with deferred work. A key may be evicted while it is queued; the code that pops it checks for a
/// state.
#[derive(Debug, Default)]
pub(super) struct KeyQueue {
    order: VecDeque<usize>,
    /// Whether a key is in `order`, by its number.
    queued: Vec<bool>,
}

impl KeyQueue {
    /// Appends a key, unless it is in the queue already.
    pub(super) fn push(&mut self, key: usize) {
        if key >= self.queued.len() {
            self.queued.resize(key + 1, false);
        }
        if !self.queued[key] {
            self.queued[key] = true;
            self.order.push_back(key);
        }
    }

    /// Removes the first key.
    pub(super) fn pop(&mut self) -> Option<usize> {
        let key = self.order.pop_front()?;
        self.queued[key] = false;
        Some(key)
    }

    /// The first key, which stays in the queue.
    pub(super) fn first(&self) -> Option<usize> {
        self.order.front().copied()
    }

    /// Whether a key is in the queue.
    pub(super) fn contains(&self, key: usize) -> bool {
        self.queued.get(key).is_some_and(|&queued| queued)
    }

    /// The keys, first to last.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.order.iter().copied()
    }

    /// Number of keys.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_queued_once_until_it_is_popped() {
        let mut queue = KeyQueue::default();
        for key in [3, 0, 3] {
            queue.push(key);
        }
        assert_eq!(queue.iter().collect::<Vec<_>>(), [3, 0]);
        assert!(queue.contains(3) && !queue.contains(1) && !queue.contains(9));
        assert_eq!((queue.first(), queue.pop()), (Some(3), Some(3)));
        assert!(!queue.contains(3));
        queue.push(3);
        assert_eq!(
            (queue.pop(), queue.pop(), queue.pop()),
            (Some(0), Some(3), None)
        );
        assert_eq!(queue.len(), 0);
    }
}
