//! A capture file that grows: compressed in parts that stand for themselves, and brought to the disk.
//!
//! A part ends after some seconds or megabytes, so that a reader can begin at any of them. Between, what was
//! written is flushed, so that a crash loses no more than what came since.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crossbeam::channel::{Sender, bounded};

use crate::source::compression::{Effort, Encoder};
use crate::units::Nanos;

/// An open file.
pub(super) struct GrowingFile {
    pub(super) path: PathBuf,
    file: File,
    /// None only while a part ends, or after an error.
    out: Option<Encoder<Counted>>,
    /// When the part began, and its bytes before compression.
    part: (Nanos, usize),
}

/// A writer that counts.
struct Counted {
    out: BufWriter<File>,
    bytes: u64,
}

impl GrowingFile {
    pub(super) fn new(file: File, path: PathBuf, now: Nanos) -> io::Result<Self> {
        let mut growing = Self {
            out: None,
            path,
            part: (now, 0),
            file,
        };
        let out = BufWriter::new(growing.file.try_clone()?);
        growing.begin(Counted { out, bytes: 0 })?;
        Ok(growing)
    }

    /// Compressed bytes so far, without what the compression holds back.
    pub(super) fn bytes(&self) -> u64 {
        self.out.as_ref().map_or(0, |out| out.inner().bytes)
    }

    /// Whether a part has grown so long, or so old, that it should end; a clock set back ends it too.
    pub(super) fn is_part_full(&self, now: Nanos) -> bool {
        let (began, bytes) = self.part;
        bytes >= PART_BYTES || bytes > 0 && now.since(began).abs() >= PART_NS
    }

    /// Ends the part; the next begins now. Plain text has no parts.
    pub(super) fn end_part(&mut self, now: Nanos) -> io::Result<()> {
        let counted = self.take()?.finish()?;
        self.part = (now, 0);
        self.begin(counted)
    }

    /// Hands what was written to the operating system.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out()?.flush()
    }

    /// Brings what was flushed to the disk. Devices and pipes have none.
    pub(super) fn sync(&self) -> io::Result<()> {
        sync(&self.file)
    }

    /// Another handle of the file, to be brought to the disk by another thread.
    pub(super) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Ends the file and brings it to the disk.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.take()?.finish()?;
        self.sync()
    }

    /// Ends the file, and has another thread bring it to the disk.
    pub(super) fn finish_behind(mut self, sync: &SyncThread) -> io::Result<()> {
        self.take()?.finish()?;
        sync.request_end(self.file)
    }

    fn begin(&mut self, counted: Counted) -> io::Result<()> {
        self.out = Some(Encoder::new(Path::new(&self.path), counted, Effort::Fast)?);
        Ok(())
    }

    fn out(&mut self) -> io::Result<&mut Encoder<Counted>> {
        self.out.as_mut().ok_or_else(failed_before)
    }

    fn take(&mut self) -> io::Result<Encoder<Counted>> {
        self.out.take().ok_or_else(failed_before)
    }
}

impl Write for GrowingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out()?.write(bytes)?;
        self.part.1 += count;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::flush(self)
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A thread that brings files to the disk, for writers that must not wait for it.
pub(super) struct SyncThread {
    requests: Option<Sender<File>>,
    failed: Arc<Mutex<Option<io::Error>>>,
    thread: Option<JoinHandle<()>>,
}

impl SyncThread {
    pub(super) fn start() -> io::Result<Self> {
        let (requests, files) = bounded::<File>(REQUESTS);
        let failed = Arc::new(Mutex::new(None));
        let failure = Arc::clone(&failed);
        let work = move || {
            for file in files {
                if let Err(error) = sync(&file) {
                    *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
            }
        };
        let thread = std::thread::Builder::new().name("capture-sync".into());
        Ok(Self {
            requests: Some(requests),
            failed,
            thread: Some(thread.spawn(work)?),
        })
    }

    /// Requests that a file be brought to the disk; while one waits already, the next request is soon enough.
    /// Gives the error of an earlier request.
    pub(super) fn request(&self, file: File) -> io::Result<()> {
        if let Some(requests) = self.requests.as_ref().filter(|waiting| waiting.is_empty()) {
            drop(requests.try_send(file));
        }
        self.failure()
    }

    /// Requests that a file which has ended be brought to the disk: that is not left out. Gives the error of
    /// an earlier request.
    pub(super) fn request_end(&self, file: File) -> io::Result<()> {
        if let Some(requests) = &self.requests
            && let Err(error) = requests.try_send(file)
        {
            sync(&error.into_inner())?;
        }
        self.failure()
    }

    /// Waits for what was requested. Gives the error of an earlier request.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.join();
        self.failure()
    }

    fn failure(&self) -> io::Result<()> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.take().map_or(Ok(()), Err)
    }

    fn join(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // It does not panic, and there is nobody to tell.
            drop(thread.join());
        }
    }
}

impl Drop for SyncThread {
    fn drop(&mut self) {
        self.join();
    }
}

fn sync(file: &File) -> io::Result<()> {
    match file.metadata()?.is_file() {
        true => file.sync_data(),
        false => Ok(()),
    }
}

fn failed_before() -> io::Error {
    io::Error::other("writing it has failed before")
}

/// Files that may wait to be brought to the disk.
const REQUESTS: usize = 8;
/// Bytes before compression after which a part ends.
const PART_BYTES: usize = 4 << 20;
/// Time after which it does.
const PART_NS: i64 = 10_000_000_000;
