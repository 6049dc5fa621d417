//! Breaches of the walls that are still there. The test demands that an entry goes with its breach.

/// Each by the first line of its message.
pub(crate) const NOT_YET: &[&str] = &[
    "two wings define a type Diff",
    "two wings define a type Kind",
    "two wings define a type Period",
    "two wings define a type Record",
    "two wings define a type Run",
    "two wings define a type Signal",
    "two wings define a type Size",
    "two wings define a type Sums",
];
