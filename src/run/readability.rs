//! Whether files were readable: how many of their frames gave something, how many could not be read, and what
//! the first of those looks like.

use super::account::Account;
use crate::decode::DecodeError;

/// What is known of the frames of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readability {
    /// Frames that gave events, or a command. Ticks of the clock and gaps tell nothing of the market.
    pub gave_events: u64,
    /// Those of them whose events have no time of their own.
    pub untimed: u64,
    /// Frames that could not be read, whether they are dead letters or were dropped; and those of instruments
    /// beyond `source.max_instruments`.
    pub unreadable: u64,
    /// The first frame that could not be read; where all could, the first that was passed over.
    pub first: Option<UnreadFrame>,
}

/// A frame that gave no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadFrame {
    /// Its number in the input, from 0.
    pub offset: i64,
    /// Whether it could not be read, rather than was passed over.
    pub unreadable: bool,
    /// Why.
    pub reason: &'static str,
    /// The field at fault, where one is known.
    pub field: Option<&'static str>,
    /// Whether it is a row of an archive.
    pub is_row: bool,
    /// What it looks like; of a row, where it stands and what is wrong.
    pub looks: String,
}

/// Too much of an input could not be read.
#[derive(Debug, thiserror::Error)]
#[error("while reading the input: {what}{}{}", reasons, first)]
pub struct UnreadInput {
    what: String,
    reasons: String,
    first: String,
}

impl Readability {
    /// Notes a frame that gave no event.
    pub(super) fn note(&mut self, unreadable: bool, frame: impl FnOnce() -> UnreadFrame) {
        self.unreadable += u64::from(unreadable);
        let is_news = match &self.first {
            None => true,
            Some(first) => unreadable && !first.unreadable,
        };
        if is_news {
            self.first = Some(frame());
        }
    }

    /// Adds what another shard knows.
    pub(crate) fn add(&mut self, other: &Self) {
        self.gave_events += other.gave_events;
        self.untimed += other.untimed;
        self.unreadable += other.unreadable;
        let order = |frame: &UnreadFrame| (!frame.unreadable, frame.offset);
        let frames = self.first.take().into_iter().chain(other.first.clone());
        self.first = frames.min_by_key(order);
    }

    /// Why no row came of frames that were read: none of them has a time of its own.
    #[must_use]
    pub fn lack_of_time(&self) -> Option<String> {
        let frames = self.untimed;
        (frames > 0 && frames == self.gave_events).then(|| {
            format!(
                "none of the {frames} frames that were read has a time of its own, so there is no row: a venue's \
                 bookTicker and partial books count from the trades or depth changes around them; read those too"
            )
        })
    }

    /// Whether enough was read: at least one frame gave an event, and at most `max_unread` percent could not
    /// be read. 100 accepts everything.
    ///
    /// # Errors
    /// [`UnreadInput`], which says what the input looks like.
    pub fn check(&self, account: &Account, max_unread: f64) -> Result<(), UnreadInput> {
        let frames = account.received;
        let share = 100.0 * self.unreadable as f64 / frames.max(1) as f64;
        if max_unread >= 100.0 || self.gave_events > 0 && share <= max_unread {
            return Ok(());
        }
        let what = match (frames, self.gave_events) {
            (0, _) => "it is empty".to_owned(),
            (_, 0) => format!(
                "none of its {frames} frames gave an event{}",
                notices_of(account.used, frames)
            ),
            _ => format!(
                "{} of {frames} frames ({share:.1} %) could not be read, more than --max-unread {max_unread} %{}",
                self.unreadable,
                advice_of(account)
            ),
        };
        let dropped = account.dropped_by_reason.iter();
        let reasons = dropped.chain(&account.dead_lettered_by_reason);
        let reasons: Vec<String> = reasons
            .map(|(reason, count)| format!("{reason} {count}"))
            .collect();
        let first = self.first.as_ref().map(|first| {
            let field = first
                .field
                .map_or(String::new(), |field| format!(" `{field}`"));
            let reason = first.reason;
            let verb = if first.is_row { "is" } else { "looks like" };
            format!(
                "; frame {} (from 0; {reason}{field}) {verb} {}",
                first.offset, first.looks
            )
        });
        Err(UnreadInput {
            what,
            reasons: match reasons.as_slice() {
                [] => String::new(),
                reasons => format!(" ({})", reasons.join(", ")),
            },
            first: first.unwrap_or_default(),
        })
    }
}

/// What to do about instruments that were too many.
fn advice_of(account: &Account) -> &'static str {
    let reason = DecodeError::TooManyInstruments.reason();
    match account.dropped_by_reason.contains_key(reason) {
        true => "; raise `source.max_instruments`, or list the instruments that matter",
        false => "",
    }
}

/// How many frames were answers, or told of the connection, where no frame gave an event: nothing else is
/// used then.
fn notices_of(used: u64, frames: u64) -> String {
    match used {
        0 => String::new(),
        _ if used == frames => {
            "; all are answers and notices of a venue, or tell of the connection".into()
        }
        _ => format!("; {used} are answers and notices of a venue, or tell of the connection"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(offset: i64, unreadable: bool) -> UnreadFrame {
        UnreadFrame {
            offset,
            unreadable,
            reason: "malformed",
            field: None,
            is_row: false,
            looks: "text".into(),
        }
    }

    fn account(frames: u64, malformed: u64) -> Account {
        let mut account = Account {
            received: frames,
            ..Account::default()
        };
        account.drop_frames("malformed", malformed);
        account
    }

    #[test]
    fn too_much_that_is_unread_is_an_error_that_says_what_it_looks_like() {
        let mut readable = Readability::default();
        let error = readable.check(&account(0, 0), 1.0).unwrap_err().to_string();
        assert!(error.contains("empty"), "{error}");
        readable.gave_events = 99;
        readable.note(true, || frame(7, true));
        assert!(readable.check(&account(100, 1), 1.0).is_ok());
        readable.note(true, || unreachable!("the first one is kept"));
        let error = readable
            .check(&account(100, 2), 1.0)
            .unwrap_err()
            .to_string();
        for word in [
            "2 of 100",
            "2.0 %",
            "malformed 2",
            "frame 7",
            "looks like text",
        ] {
            assert!(error.contains(word), "{error}");
        }
        assert!(readable.check(&account(100, 2), 2.0).is_ok());
        readable.gave_events = 0;
        let error = readable
            .check(&account(100, 2), 99.0)
            .unwrap_err()
            .to_string();
        assert!(error.contains("none of its 100 frames"), "{error}");
        assert!(readable.check(&account(100, 2), 100.0).is_ok());
    }

    #[test]
    fn an_input_of_answers_says_that_it_is() {
        let readable = Readability::default();
        let of = |used| {
            let mut account = account(100, 100 - used);
            account.used = used;
            readable.check(&account, 1.0).unwrap_err().to_string()
        };
        let all = of(100);
        assert!(
            all.ends_with(
                "event; all are answers and notices of a venue, or tell of the connection"
            ),
            "{all}"
        );
        assert!(of(7).contains(
            "; 7 are answers and notices of a venue, or tell of the connection (malformed 93)"
        ));
        assert!(!of(0).contains("answers"), "{}", of(0));
    }

    #[test]
    fn the_first_unreadable_frame_of_all_shards_is_shown() {
        let mut all = Readability::default();
        for (offset, unreadable) in [(9, true), (3, true), (1, false)] {
            let mut shard = Readability::default();
            shard.note(unreadable, || frame(offset, unreadable));
            all.add(&shard);
        }
        assert_eq!(all.first, Some(frame(3, true)));
        assert_eq!(all.unreadable, 2);
    }
}
