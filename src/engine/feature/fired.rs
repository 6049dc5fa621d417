//! Which nodes got a value by an event.

/// Which nodes got a value by the last event; scratch space that instruments share.
#[derive(Clone, Debug, Default)]
pub struct Fired(pub(super) Vec<NewValue>);

/// What an event did to a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum NewValue {
    /// Nothing: its value is that of an earlier event.
    #[default]
    None,
    /// It has a new value.
    Defined,
    /// It has no value: a division by zero, an empty queue. In a window it takes its place.
    Undefined,
}
