//! How long connecting may be waited for: until somebody wants the process to end.

use std::fmt;
use std::sync::Arc;

/// Says when connecting is to be given up, though a broker may still answer. By default never.
#[derive(Clone, Default)]
pub struct ConnectPatience(Option<Arc<IsOver>>);

type IsOver = dyn Fn() -> bool + Send + Sync;

impl ConnectPatience {
    /// Until this is true. It is asked often.
    #[must_use]
    pub fn until(is_over: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(is_over)))
    }

    /// Whether somebody says when: then a broker that is absent is waited for until then.
    pub(super) fn is_stated(&self) -> bool {
        self.0.is_some()
    }

    /// Whether it is to be given up.
    pub(crate) fn is_over(&self) -> bool {
        self.0.as_ref().is_some_and(|is_over| is_over())
    }
}

impl fmt::Debug for ConnectPatience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectPatience")
    }
}
