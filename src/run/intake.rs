//! Frames in, a batch of events out: the first half of the frame loop, which needs no model.
//!
//! `run`, `record`'s captures in `replay`, `features`, `evaluate` and `inspect` all hand their frames to
//! [`Intake::frame`], so that a frame means the same to each of them. Reads no clock and no file.

use std::borrow::Cow;

use super::account::Account;
use super::looks::{looks_like, row_shown};
use super::readability::{Readability, UnreadFrame};
use crate::alert::command::AlertCommand;
use crate::decode::command::parse_command;
use crate::decode::{DecodeError, Decoded, Decoder, Notice, Venues};
use crate::event::{Batch, Body};
use crate::frame::packed::is_packed;
use crate::frame::{Origin, split_stamp};
use crate::instrument::{InstrumentId, Instruments, InternError};
use crate::news::saved::SavedItems;
use crate::units::Nanos;

/// A decoder, the batch of events that it fills, and the account of its frames.
pub struct Intake {
    decoder: Decoder,
    batch: Batch,
    account: Account,
    keeps_dead_letters: bool,
    counts: IntakeCounts,
    readability: Readability,
}

/// Frames that were used, but are counted for themselves too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IntakeCounts {
    /// Refusals and faults that the venue reported.
    pub venue_errors: u64,
    /// Frames whose signals left too late: see [`Origin::late`].
    pub late_frames: u64,
    /// Frames that were read again only to rebuild state: see [`Origin::reprocessed`].
    pub reprocessed_frames: u64,
}

/// What became of a frame.
#[derive(Clone, Debug, PartialEq)]
pub enum FrameOutcome {
    /// Its events are in the batch.
    Events,
    /// It is a message about the connection, without events.
    Notice(Notice),
    /// It is a command about alerts. It takes effect after the signals of all frames before it, and before
    /// those of all frames after it, so the caller steps first and then applies it.
    Command(AlertCommand),
    /// It is a command in a reprocessed frame: what it causes was published when it was first read.
    ReprocessedCommand(AlertCommand),
    /// It cannot be decoded, and the caller must write it to the dead letters.
    DeadLetter(DecodeError),
    /// It is passed over, and counted under the error's reason.
    Dropped(DecodeError),
}

impl Intake {
    /// An intake that drops and counts what cannot be decoded.
    #[must_use]
    pub fn new(decoder: Decoder) -> Self {
        Self {
            decoder,
            batch: Batch::default(),
            account: Account::default(),
            keeps_dead_letters: false,
            counts: IntakeCounts::default(),
            readability: Readability::default(),
        }
    }

    /// The same; where `keeps` is true, frames that cannot be decoded are given back as dead letters.
    #[must_use]
    pub fn keeping_dead_letters(self, keeps: bool) -> Self {
        Self {
            keeps_dead_letters: keeps,
            ..self
        }
    }

    /// The venues whose messages are read.
    #[must_use]
    pub fn venues(&self) -> &Venues {
        self.decoder.venues()
    }

    /// The messages of which a frame is made, to be handed to [`Intake::frame`] one by one; empty where it is
    /// one message. See [`Decoder::split`].
    #[must_use]
    pub fn split(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.decoder.split(bytes)
    }

    /// Takes one frame: appends its events to the batch, and counts it under what became of it.
    pub fn frame(&mut self, origin: Origin, bytes: &[u8]) -> FrameOutcome {
        let (stamp, message) = split_stamp(bytes);
        let origin = origin.stamped(stamp);
        let reprocessed = origin.reprocessed;
        self.account.received += 1;
        self.counts.late_frames += u64::from(origin.late);
        self.counts.reprocessed_frames += u64::from(reprocessed);
        let command = match self.decoder.reads_commands() {
            true => parse_command(message, origin.ts_recv),
            false => None,
        };
        let decoded = match command {
            None => self
                .decoder
                .decode_message(origin, message, bytes.len(), &mut self.batch)
                .map(|decoded| match decoded {
                    Decoded::Events => FrameOutcome::Events,
                    Decoded::Notice(notice) => FrameOutcome::Notice(notice),
                }),
            Some(Ok(command)) if reprocessed => Ok(FrameOutcome::ReprocessedCommand(command)),
            Some(command) => command.map(FrameOutcome::Command),
        };
        if let Err(error) = decoded {
            self.note_unread(error, origin, message);
        }
        match decoded {
            Ok(outcome) => {
                self.account.used += 1;
                match outcome {
                    FrameOutcome::Events => {
                        if let Some(last) = self.batch.events.last()
                            && !matches!(last.body, Body::Tick | Body::Gap(_) | Body::FeedGap(_))
                        {
                            let is_untimed = last.ts_event == Nanos::UNDEFINED;
                            self.readability.untimed += u64::from(is_untimed);
                            self.readability.gave_events += 1;
                        }
                    }
                    FrameOutcome::Notice(notice) => {
                        let refused = matches!(notice, Notice::VenueError);
                        self.counts.venue_errors += u64::from(refused);
                    }
                    _ => self.readability.gave_events += 1,
                }
                outcome
            }
            // The dead letter of a reprocessed frame was written when the frame was first read.
            Err(error) if self.keeps_dead_letters && error.unreadable() && !reprocessed => {
                self.account.dead_letter(error.reason());
                FrameOutcome::DeadLetter(error)
            }
            Err(error) => {
                self.account.drop_frames(error.reason(), 1);
                FrameOutcome::Dropped(error)
            }
        }
    }

    fn note_unread(&mut self, error: DecodeError, origin: Origin, message: &[u8]) {
        let decoder = &self.decoder;
        // Of an instrument too many nothing is told either, though its frames can be read.
        let is_lost = error.unreadable() || error == DecodeError::TooManyInstruments;
        self.readability.note(is_lost, || UnreadFrame {
            offset: origin.offset,
            unreadable: is_lost,
            reason: error.reason(),
            field: error.field(),
            is_row: is_packed(message),
            looks: match error {
                _ if is_packed(message) => Some(row_shown(message, &decoder.redacted(message))),
                DecodeError::UnknownType => decoder.venues().why_unknown(message),
                _ => None,
            }
            // Even the keys of a record about a person may say who it is.
            .unwrap_or_else(|| {
                let names_keys = matches!(decoder.redacted(message), Cow::Borrowed(_));
                looks_like(message, names_keys)
            }),
        });
    }

    /// Counts a frame that is dropped without a look at its bytes.
    pub fn drop_unread(&mut self, reason: &'static str) {
        self.account.received += 1;
        self.account.drop_frames(reason, 1);
    }

    /// The bytes of a frame as a dead letter may show them: without personal data.
    #[must_use]
    pub fn dead_letter<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        self.decoder.redacted(bytes)
    }

    /// The events of the frames taken since [`Intake::clear`].
    #[must_use]
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Empties the batch.
    pub fn clear(&mut self) {
        self.batch.clear();
    }

    /// Empties the batch, and forgets the names that hold for it only.
    pub fn release(&mut self) {
        self.batch.clear();
        self.decoder.release_names();
    }

    /// The id of a whole name: see [`Instruments::intern_name`].
    ///
    /// # Errors
    /// [`InternError`] if the name gets no id.
    pub fn intern_name(&mut self, name: &str) -> Result<InstrumentId, InternError> {
        self.decoder.instruments.intern_name(name)
    }

    /// The items of news that were seen of a partition, and the headlines of these instruments; none where
    /// the pipeline reads no news.
    #[must_use]
    pub fn saved_items(&self, partition: i32, of: &[(InstrumentId, &str)]) -> Option<SavedItems> {
        let seen = &self.decoder.news.as_ref()?.seen;
        let items = seen.save(partition, of, self.decoder.instruments());
        (!items.is_empty()).then_some(items)
    }

    /// Goes on from the items of a partition that were saved.
    pub fn restore_items(&mut self, partition: i32, items: SavedItems) {
        let Decoder {
            news, instruments, ..
        } = &mut self.decoder;
        if let Some(news) = news {
            let id_of = |name: &str| instruments.intern_name(name).ok();
            news.seen.restore(partition, items, id_of);
        }
    }

    /// Forgets the items of a partition, and the headlines of these instruments.
    pub fn forget_items(&mut self, partition: i32, of: &[InstrumentId]) {
        if let Some(news) = &mut self.decoder.news {
            news.seen.forget(partition, of);
        }
    }

    /// The instruments by name.
    #[must_use]
    pub fn instruments(&self) -> &Instruments {
        self.decoder.instruments()
    }

    /// What became of the frames.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// What is counted beside the account.
    #[must_use]
    pub fn counts(&self) -> IntakeCounts {
        self.counts
    }

    /// Whether the frames were readable.
    #[must_use]
    pub fn readability(&self) -> &Readability {
        &self.readability
    }

    /// Ends the intake, and gives its account.
    #[must_use]
    pub fn into_account(self) -> Account {
        self.account
    }
}
