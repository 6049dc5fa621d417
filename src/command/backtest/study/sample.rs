//! Every k-th of many things, so that a figure which needs all of them at once needs bounded memory.

/// Every k-th of the things that were added: all of them, until there are too many to keep; then k doubles.
#[derive(Clone, Debug)]
pub(super) struct EverySample<T> {
    kept: Vec<T>,
    seen: u64,
    every: u64,
    most: usize,
}

impl<T> EverySample<T> {
    /// An empty sample of at most `most` things, an even number.
    pub(super) fn new(most: usize) -> Self {
        Self {
            kept: vec![],
            seen: 0,
            every: 1,
            most,
        }
    }

    /// Adds what `thing` makes, where it is one of those that are kept.
    pub(super) fn add(&mut self, thing: impl FnOnce() -> T) {
        if self.seen.is_multiple_of(self.every) {
            if self.kept.len() == self.most {
                let mut at = 0;
                self.kept.retain(|_| {
                    at += 1;
                    at % 2 == 1
                });
                self.every *= 2;
            }
            self.kept.push(thing());
        }
        self.seen += 1;
    }

    /// How many were added.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Of how many each that is kept is one.
    pub(super) fn every(&self) -> u64 {
        self.every
    }

    /// Those that are kept, in their order.
    pub(super) fn kept(&self) -> &[T] {
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kept_is_a_multiple_of_the_step() {
        let mut sample = EverySample::new(4);
        for number in 0..4_u64 {
            sample.add(|| number);
        }
        assert_eq!((sample.kept(), sample.every()), (&[0, 1, 2, 3][..], 1));
        for number in 4..33 {
            sample.add(|| number);
        }
        assert_eq!(sample.kept(), [0, 16, 32]);
        assert_eq!((sample.every(), sample.seen()), (16, 33));
    }
}
