//! Which shards get a frame of a capture.

use bytes::Bytes;

use super::parts::{FrameParts, NumberedFrame};
use crate::decode::command::parse_command;
use crate::decode::control::{is_control, is_partly_lost, unwrapped};
use crate::decode::route::{SymbolFinder, shard_of};
use crate::decode::text::text_of;
use crate::decode::{SnapshotOwners, Venues};
use crate::frame::{Frame, Origin};
use crate::pipeline::Pipeline;

/// How the shard of a frame is found.
pub(super) struct FrameRouter {
    shards: usize,
    /// The number of the next message.
    next: u64,
    /// The key of the field that names the subject of a record; none for messages of a market.
    key: Option<&'static str>,
    symbols: SymbolFinder,
    venues: Venues,
    reads_commands: bool,
    /// The shard of the last frame that names an instrument, by stream.
    last: Vec<usize>,
    copies: u64,
    /// Where there are several shards.
    owners: Option<SnapshotOwners>,
}

impl FrameRouter {
    pub(super) fn new(pipeline: &Pipeline, shards: usize) -> Self {
        let form = pipeline.form.as_ref();
        let owners = pipeline.decoder().into_snapshot_owners();
        Self {
            owners: owners.filter(|_| shards > 1),
            shards,
            next: 0,
            key: form.map(|form| form.kind().key()),
            symbols: SymbolFinder::new(pipeline.venues()),
            venues: pipeline.venues(),
            reads_commands: pipeline.decoder().reads_commands(),
            last: vec![0; usize::from(u16::MAX) + 1],
            copies: 0,
        }
    }

    /// Frames that were given to a shard beside the first one: they are one frame of the capture.
    pub(super) fn copies(&self) -> u64 {
        self.copies
    }

    /// Gives a frame to its shard, as one message or as those of which it is made: see [`Venues::split`].
    pub(super) fn place(&mut self, origin: Origin, bytes: &[u8], parts: &mut FrameParts) {
        // Which shards took a frame that others lost is told around it.
        let unwrapped = match is_partly_lost(bytes) {
            true => None,
            false => unwrapped(bytes).and_then(Result::ok),
        };
        let bytes = unwrapped.as_deref().unwrap_or(bytes);
        let messages = self.venues.split(bytes);
        if messages.is_empty() {
            return self.place_message(origin, bytes, parts);
        }
        for message in &messages {
            self.place_message(origin, message, parts);
        }
    }

    /// Gives a message to the shard of its instrument; to every shard what concerns all instruments: gaps of
    /// a whole feed, ticks, and commands.
    fn place_message(&mut self, origin: Origin, bytes: &[u8], parts: &mut FrameParts) {
        let number = self.next;
        self.next += 1;
        let mut frame = Frame {
            origin,
            bytes: Bytes::copy_from_slice(bytes),
        };
        if self.is_for_all(&frame) {
            return self.place_copies(number, &frame, parts);
        }
        let name = match self.key {
            Some(key) => text_of(bytes, key),
            None => self.symbols.symbol_of(origin.stream, bytes),
        };
        let of_stream = &mut self.last[usize::from(origin.stream)];
        if let Some(name) = name {
            *of_stream = shard_of(name.as_bytes(), self.shards);
            if let Some(owners) = &mut self.owners {
                owners.note(origin.stream, bytes);
            }
            return parts.push(*of_stream, NumberedFrame { number, frame });
        }
        if self.shards > 1 && self.venues.name_several(bytes) {
            return self.place_copies(number, &frame, parts);
        }
        // What names nobody goes where the frame before it went, unless it is a snapshot of a known book.
        let mut shard = *of_stream;
        let owners = self.owners.as_mut();
        if let Some(named) = owners.and_then(|owners| owners.named(origin.stream, bytes)) {
            if let Some(name) = self.symbols.symbol_of(origin.stream, &named) {
                shard = shard_of(name.as_bytes(), self.shards);
            }
            frame.bytes = named.into();
        }
        parts.push(shard, NumberedFrame { number, frame });
    }

    fn place_copies(&mut self, number: u64, frame: &Frame, parts: &mut FrameParts) {
        self.copies += self.shards as u64 - 1;
        for shard in 0..self.shards {
            let frame = frame.clone();
            parts.push(shard, NumberedFrame { number, frame });
        }
    }

    fn is_for_all(&self, Frame { origin, bytes }: &Frame) -> bool {
        let is_command = || {
            let command = parse_command(bytes, origin.ts_recv);
            command.is_some_and(|command| command.is_ok())
        };
        is_control(bytes) || self.reads_commands && is_command()
    }
}
