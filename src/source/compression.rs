//! Plain, gzip and zstd files, recognised by their first bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

/// Reads a file, decompressed where its first bytes are those of gzip or zstd.
pub(super) fn decompressed(mut file: File) -> io::Result<Box<dyn BufRead + Send>> {
    let mut magic = [0_u8; 4];
    let mut count = 0;
    while count < magic.len() {
        match file.read(&mut magic[count..])? {
            0 => break,
            n => count += n,
        }
    }
    let whole = io::Cursor::new(magic[..count].to_vec()).chain(file);
    Ok(match magic {
        [0x1f, 0x8b, ..] => {
            let gzip = flate2::read::MultiGzDecoder::new(whole);
            Box::new(BufReader::with_capacity(BUFFER_BYTES, gzip))
        }
        [0x28, 0xb5, 0x2f, 0xfd] => {
            let zstd = zstd::stream::read::Decoder::new(whole)?;
            Box::new(BufReader::with_capacity(BUFFER_BYTES, zstd))
        }
        _ => Box::new(BufReader::with_capacity(BUFFER_BYTES, whole)),
    })
}

const BUFFER_BYTES: usize = 1 << 18;
