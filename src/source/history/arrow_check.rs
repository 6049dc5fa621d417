//! The lengths that an Arrow IPC file says, held against the file's own.
//!
//! The reader allocates what a block, a message or a compressed buffer says it holds, and a damaged one may
//! say any number: the process would end. So the lengths are looked at before anything is decoded. Source:
//! Apache Arrow, "Arrow Columnar Format", "Serialization and Interprocess Communication".

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use arrow_ipc::{Block, MessageHeader, RecordBatch, root_as_footer, root_as_message};

/// Bytes behind the footer: its length and the mark.
const TAIL_BYTES: u64 = 10;

/// Bytes that a compressed buffer may have when it is not, and rows that a batch may have.
const BUFFER_BYTES_MAX: i64 = 1 << 30;
const ROWS_MAX: i64 = 1 << 28;

/// Checks the footer, the blocks and the messages of a file.
///
/// # Errors
/// Where a length is none, or ends behind the file.
pub(super) fn check_file(file: &File) -> io::Result<()> {
    let size = file.metadata()?.len();
    let end = size
        .checked_sub(TAIL_BYTES)
        .ok_or_else(|| damaged("it ends within its first bytes"))?;
    let length = i32::from_le_bytes(bytes_at::<4>(file, end)?);
    let begin = u64::try_from(length).ok();
    let begin = begin.and_then(|length| end.checked_sub(length));
    let begin = begin.ok_or_else(|| damaged("its footer has no length that can be"))?;
    let footer = read_at(file, begin, end)?;
    // The reader looks at the rest of the footer itself.
    let Ok(footer) = root_as_footer(&footer) else {
        return Ok(());
    };
    let dictionaries = footer.dictionaries().into_iter().flatten();
    let batches = footer.recordBatches().into_iter().flatten();
    for block in dictionaries.chain(batches) {
        check_block(file, block, size)?;
    }
    Ok(())
}

fn check_block(file: &File, block: &Block, size: u64) -> io::Result<()> {
    let wrong = || damaged("a block of its footer lies outside the file");
    let begin = u64::try_from(block.offset()).map_err(|_| wrong())?;
    let head = u64::try_from(block.metaDataLength()).map_err(|_| wrong())?;
    let body = u64::try_from(block.bodyLength()).map_err(|_| wrong())?;
    let data = begin.checked_add(head).ok_or_else(wrong)?;
    let end = data.checked_add(body).filter(|end| *end <= size);
    let end = end.ok_or_else(wrong)?;
    // A length, perhaps behind a mark that it comes.
    let skipped = match head >= 8 && bytes_at::<4>(file, begin)? == [0xff; 4] {
        true => 8,
        false => 4,
    };
    if head < skipped {
        return Err(wrong());
    }
    check_message(file, &read_at(file, begin + skipped, data)?, (data, end))
}

/// Checks the messages of a stream, as far as they are whole: it may be cut off behind them, which the reader
/// says where it comes to it.
///
/// # Errors
/// Where a length cannot be.
pub(super) fn check_stream(file: &File) -> io::Result<()> {
    let size = file.metadata()?.len();
    let mut begin = 0;
    while begin + 8 <= size {
        let [mark, length] = [bytes_at::<4>(file, begin)?, bytes_at::<4>(file, begin + 4)?];
        let (head, length) = match mark == [0xff; 4] {
            true => (begin + 8, i32::from_le_bytes(length)),
            false => (begin + 4, i32::from_le_bytes(mark)),
        };
        let data = u64::try_from(length).map_or(size, |length| head.saturating_add(length));
        if length == 0 || data > size {
            break;
        }
        let message = read_at(file, head, data)?;
        let Ok(body) = root_as_message(&message).map(|message| message.bodyLength()) else {
            break;
        };
        let end = u64::try_from(body)
            .ok()
            .and_then(|body| data.checked_add(body));
        let Some(end) = end.filter(|end| *end <= size) else {
            break;
        };
        check_message(file, &message, (data, end))?;
        begin = end;
    }
    Ok(())
}

/// Checks the batch of a message whose data stands here, if it is one.
fn check_message(file: &File, message: &[u8], data: (u64, u64)) -> io::Result<()> {
    // The reader refuses what is no message.
    let Ok(message) = root_as_message(message) else {
        return Ok(());
    };
    let batch = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message
            .header_as_dictionary_batch()
            .and_then(|batch| batch.data()),
        _ => None,
    };
    batch.map_or(Ok(()), |batch| check_batch(file, &batch, data))
}

fn check_batch(file: &File, batch: &RecordBatch<'_>, (begin, end): (u64, u64)) -> io::Result<()> {
    let nodes = batch.nodes().into_iter().flatten();
    let lengths = nodes.flat_map(|node| [node.length(), node.null_count()]);
    if lengths
        .chain([batch.length()])
        .any(|length| !(0..=ROWS_MAX).contains(&length))
    {
        return Err(damaged("a batch has a number of rows that cannot be"));
    }
    for buffer in batch.buffers().into_iter().flatten() {
        let wrong = || damaged("a column lies outside its batch");
        let offset = u64::try_from(buffer.offset()).map_err(|_| wrong())?;
        let length = u64::try_from(buffer.length()).map_err(|_| wrong())?;
        let first = begin.checked_add(offset).ok_or_else(wrong)?;
        let last = first.checked_add(length).ok_or_else(wrong)?;
        if last > end {
            return Err(wrong());
        }
        if batch.compression().is_none() || length < 8 {
            continue;
        }
        // −1: it is as it is.
        let length = i64::from_le_bytes(bytes_at::<8>(file, first)?);
        if !(-1..=BUFFER_BYTES_MAX).contains(&length) {
            return Err(damaged("a compressed column has a length that cannot be"));
        }
    }
    Ok(())
}

fn bytes_at<const N: usize>(file: &File, at: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

/// The bytes from one place to another, both within the file.
fn read_at(file: &File, begin: u64, end: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(end - begin).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, begin)?;
    Ok(bytes)
}

fn damaged(what: &str) -> io::Error {
    let what = format!("it begins as an Arrow file does, and {what}");
    io::Error::new(io::ErrorKind::InvalidData, what)
}
