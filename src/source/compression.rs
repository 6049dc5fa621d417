//! Plain, gzip and zstd files: read, recognised by their first bytes, and written, by the end of the name.
//!
//! Members and frames may follow one another, and zstd's skippable frames (as of pzstd) are passed over.
//! Other formats are refused with their name.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use flate2::bufread::GzDecoder;

use super::foreign::{HEAD_BYTES, foreign_format};
use crate::frame::BYTE_ORDER_MARK;

/// The largest window of a zstd frame that is read, as a power of two: 1 GiB, which is `zstd --long=30`.
pub const ZSTD_WINDOW_LOG_MAX: u32 = 30;

/// Reads a file of text, decompressed where its first bytes are those of gzip or zstd, and without a
/// byte-order mark.
///
/// # Errors
/// Where the disk fails, or the file or its decompressed content has a format that is not read.
pub fn decompressed(file: impl Read + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let (mut content, around) = content_of(file)?;
    // Damage is reported where the damaged bytes are read, with the line.
    let head = match content.fill_buf() {
        Ok(head) => head,
        Err(error) => return Ok(Box::new(BufReader::new(Damaged(error)))),
    };
    if let Some(format) = foreign_format(head) {
        return Err(io::Error::other(format!("it is {around}{format}")));
    }
    if head.starts_with(BYTE_ORDER_MARK) {
        content.consume(BYTE_ORDER_MARK.len());
    }
    Ok(Box::new(content))
}

/// The content of a file, and words for the compression around it, which its first bytes tell.
///
/// # Errors
/// Where the disk fails.
pub(super) fn content_of(
    mut file: impl Read + Send + 'static,
) -> io::Result<(BufReader<Box<dyn Read + Send>>, &'static str)> {
    let mut head = vec![];
    file.by_ref()
        .take(HEAD_BYTES as u64)
        .read_to_end(&mut head)?;
    let whole = io::Cursor::new(head.clone()).chain(file);
    let (content, around): (Box<dyn Read + Send>, _) = match head.as_slice() {
        [0x1f, 0x8b, ..] => (
            Box::new(GzipMembers(Some(GzDecoder::new(BufReader::new(whole))))),
            "compressed with gzip, and within that ",
        ),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            let mut zstd = zstd::stream::read::Decoder::new(whole)?;
            zstd.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            (Box::new(zstd), "compressed with zstd, and within that ")
        }
        _ => (Box::new(whole), ""),
    };
    Ok((BufReader::with_capacity(BUFFER_BYTES, content), around))
}

/// Content of which nothing can be read, and why. A decompressor says so once, and then that it has ended.
struct Damaged(io::Error);

impl Read for Damaged {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::new(self.0.kind(), self.0.to_string()))
    }
}

/// Whether a file of this name is written compressed.
#[must_use]
pub fn is_compressed(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str);
    let ending = ending.unwrap_or_default().to_ascii_lowercase();
    ending == "gz" || ending == "zst"
}

/// The members of a gzip file, and zeros behind them, which pad it to whole blocks on a tape; none at
/// the end.
struct GzipMembers<R: BufRead>(Option<GzDecoder<R>>);

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.0 {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let rest = self.0.take().map(GzDecoder::into_inner);
            self.0 = rest.map(next_member).transpose()?.flatten();
        }
        Ok(0)
    }
}

/// The member that begins behind some zeros; none at the end.
fn next_member<R: BufRead>(mut rest: R) -> io::Result<Option<GzDecoder<R>>> {
    loop {
        let bytes = rest.fill_buf()?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let is_member = zeros < bytes.len();
        rest.consume(zeros);
        if is_member {
            return Ok(Some(GzDecoder::new(rest)));
        }
    }
}

/// What is written to a file, compressed where the file's name ends in `.gz` or `.zst`.
pub struct Encoder<W: Write>(Form<W>);

enum Form<W: Write> {
    Plain(W),
    Gzip(flate2::write::GzEncoder<W>),
    Zstd(zstd::Encoder<'static, W>),
}

/// How hard a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// For what is written while other work waits.
    Fast,
    /// For what is written once and kept.
    Best,
}

impl<W: Write> Encoder<W> {
    /// Compresses what goes to `out` as the end of the file's name says, upper or lower case.
    ///
    /// # Errors
    /// Where zstd cannot start.
    pub fn new(path: &Path, out: W, effort: Effort) -> io::Result<Self> {
        let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        Ok(Self(match ending.to_ascii_lowercase().as_str() {
            "gz" => Form::Gzip(flate2::write::GzEncoder::new(
                out,
                match effort {
                    Effort::Fast => flate2::Compression::default(),
                    Effort::Best => flate2::Compression::best(),
                },
            )),
            "zst" => {
                let level = match effort {
                    Effort::Fast => 3,
                    Effort::Best => 19,
                };
                let mut zstd = zstd::Encoder::new(out, level)?;
                // Without it, a flipped bit may give other bytes and no error. Gzip always has one.
                zstd.include_checksum(true)?;
                Form::Zstd(zstd)
            }
            _ => Form::Plain(out),
        }))
    }

    /// What it is written to.
    pub fn inner(&self) -> &W {
        match &self.0 {
            Form::Plain(out) => out,
            Form::Gzip(gzip) => gzip.get_ref(),
            Form::Zstd(zstd) => zstd.get_ref(),
        }
    }

    /// Ends the compression and flushes; gives what it was written to.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(self) -> io::Result<W> {
        let mut out = match self.0 {
            Form::Plain(out) => out,
            Form::Gzip(gzip) => gzip.finish()?,
            Form::Zstd(zstd) => zstd.finish()?,
        };
        out.flush()?;
        Ok(out)
    }

    fn writer(&mut self) -> &mut dyn Write {
        match &mut self.0 {
            Form::Plain(out) => out,
            Form::Gzip(gzip) => gzip,
            Form::Zstd(zstd) => zstd,
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer().flush()
    }
}

const BUFFER_BYTES: usize = 1 << 18;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: Vec<u8>) -> io::Result<String> {
        let mut text = String::new();
        decompressed(io::Cursor::new(bytes))?.read_to_string(&mut text)?;
        Ok(text)
    }

    fn zstd_of(text: &str) -> Vec<u8> {
        zstd::encode_all(text.as_bytes(), 1).unwrap()
    }

    fn gzip_of(text: &str) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap()
    }

    /// A skippable frame of this number with some content.
    fn skippable(number: u8) -> Vec<u8> {
        [&[0x50 + number, 0x2a, 0x4d, 0x18, 4, 0, 0, 0], &b"size"[..]].concat()
    }

    #[test]
    fn frames_and_members_follow_one_another_and_skippable_ones_are_passed_over() {
        let frames = [
            skippable(0),
            zstd_of("a\n"),
            skippable(15),
            zstd_of("b\n"),
            skippable(3),
        ];
        assert_eq!(read(frames.concat()).unwrap(), "a\nb\n");
        assert_eq!(
            read([zstd_of("a\n"), zstd_of("b\n")].concat()).unwrap(),
            "a\nb\n"
        );
        assert_eq!(
            read([gzip_of("a\n"), gzip_of("b\n")].concat()).unwrap(),
            "a\nb\n"
        );
        assert_eq!(read(skippable(1)).unwrap(), "");
        let padded = [gzip_of("a\n"), vec![0; 512]];
        assert_eq!(read(padded.concat()).unwrap(), "a\n");
        let padded = [gzip_of("a\n"), vec![0; 700_000], gzip_of("b\n")];
        assert_eq!(read(padded.concat()).unwrap(), "a\nb\n");
        let garbage = [gzip_of("a\n"), b"xyz".to_vec()];
        assert!(read(garbage.concat()).is_err());
    }

    /// A zstd frame that declares a window of this power of two.
    fn windowed(log: u32, text: &str) -> Vec<u8> {
        let mut zstd = zstd::Encoder::new(vec![], 1).unwrap();
        zstd.long_distance_matching(true).unwrap();
        zstd.window_log(log).unwrap();
        zstd.write_all(text.as_bytes()).unwrap();
        zstd.finish().unwrap()
    }

    #[test]
    fn long_windows_are_read_up_to_the_bound() {
        for log in [27, 28, ZSTD_WINDOW_LOG_MAX] {
            assert_eq!(read(windowed(log, "a\n")).unwrap(), "a\n", "{log}");
        }
        let error = read(windowed(ZSTD_WINDOW_LOG_MAX + 1, "a\n")).unwrap_err();
        assert!(error.to_string().contains("memory"), "{error}");
    }

    #[test]
    fn foreign_formats_are_refused_also_within_a_compression() {
        let error = read(b"BZh91AY&SY".to_vec()).unwrap_err().to_string();
        assert!(error.contains("bzip2"), "{error}");
        let error = read(gzip_of("PAR1\x15 and so on")).unwrap_err().to_string();
        assert!(error.contains("within that a Parquet file"), "{error}");
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        assert_eq!(read("\u{feff}{}".into()).unwrap(), "{}");
        assert_eq!(read(zstd_of("\u{feff}{}")).unwrap(), "{}");
    }

    #[test]
    fn what_is_written_is_read() {
        for name in ["x.jsonl", "x.gz", "x.ZST", "x.jsonl.zst"] {
            for effort in [Effort::Fast, Effort::Best] {
                let mut out = Encoder::new(Path::new(name), vec![], effort).unwrap();
                out.write_all(b"{}\n").unwrap();
                let bytes = out.finish().unwrap();
                assert_eq!(bytes == b"{}\n", name == "x.jsonl");
                assert_eq!(read(bytes).unwrap(), "{}\n", "{name}");
            }
        }
    }

    #[test]
    fn no_flipped_bit_gives_other_text() {
        let text: String = (0..200)
            .map(|number| format!("{}\n", number * 7_919))
            .collect();
        for name in ["x.gz", "x.zst"] {
            let mut out = Encoder::new(Path::new(name), vec![], Effort::Fast).unwrap();
            out.write_all(text.as_bytes()).unwrap();
            let bytes = out.finish().unwrap();
            for bit in 0..bytes.len() * 8 {
                let mut damaged = bytes.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                if let Ok(other) = read(damaged) {
                    assert_eq!(other, text, "{name}, bit {bit}");
                }
            }
        }
    }
}
