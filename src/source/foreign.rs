//! File formats that are not read, recognised by their first bytes, and what to do with such a file.
//!
//! Reads nothing itself.

/// How many of the first bytes are looked at: the mark of a tar archive stands behind its first header.
pub(super) const HEAD_BYTES: usize = 262 + 8;

/// What a file is that begins with these bytes, and what to do with it; none where nothing is known.
pub(super) fn foreign_format(head: &[u8]) -> Option<&'static str> {
    let at =
        |place: usize, mark: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(mark));
    if at(257, b"ustar") {
        return Some("a tar archive: unpack it (`tar xf`) and give the files in it");
    }
    if let Some((_, said)) = BY_MARK.iter().find(|(mark, _)| head.starts_with(mark)) {
        return Some(said);
    }
    let is_binary = |mark: &&(&[u8], &str)| head.starts_with(mark.0) && holds_control(head);
    if let Some((_, said)) = BY_LETTERS.iter().find(is_binary) {
        return Some(said);
    }
    if is_bzip2(head) {
        return Some(BZIP2);
    }
    is_wide_text(head).then_some(WIDE_TEXT)
}

/// Whether text is in UTF-16 or UTF-32 without a mark: every other byte of its first ones is zero.
fn is_wide_text(head: &[u8]) -> bool {
    match *head {
        [first, 0, second, 0, ..] | [0, first, 0, second, ..] => {
            first.is_ascii_graphic() && second.is_ascii() && second != 0
        }
        _ => false,
    }
}

/// Whether the first bytes hold one that no text has.
fn holds_control(head: &[u8]) -> bool {
    let first = &head[..head.len().min(HEAD_BYTES)];
    let is_text = |byte: &u8| *byte >= b' ' || byte.is_ascii_whitespace();
    !first.iter().all(is_text)
}

/// Whether this is a file of bzip2, whose beginning is text: `BZh`, a digit, and then a block or the end.
fn is_bzip2(head: &[u8]) -> bool {
    let rest = head.strip_prefix(b"BZh").unwrap_or_default();
    matches!(rest, [b'1'..=b'9', rest @ ..] if rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17rE8P\x90"))
}

const BZIP2: &str = "compressed with bzip2, which is not read: decompress it (`bzip2 -d`), or compress it with zstd or gzip";

const WIDE_TEXT: &str = "text in UTF-16 or UTF-32: write it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)";

/// First bytes, and what they mean. Longer marks stand before those that they begin with.
const BY_MARK: &[(&[u8], &str)] = &[
    (
        b"\xfd7zXZ\0",
        "compressed with xz, which is not read: decompress it (`xz -d`), or compress it with zstd or gzip",
    ),
    (
        b"\x04\x22\x4d\x18",
        "compressed with lz4, which is not read: decompress it (`lz4 -d`), or compress it with zstd or gzip",
    ),
    (
        b"\xff\x06\0\0sNaPpY",
        "compressed with snappy, which is not read: decompress it, or compress it with zstd or gzip",
    ),
    (
        b"\x1f\x9d",
        "compressed with compress, which is not read: decompress it (`uncompress`), or compress it with zstd or gzip",
    ),
    (
        b"PK\x03\x04",
        "a zip archive or an Excel workbook: unpack it (`unzip`), or save the sheet as CSV",
    ),
    (b"PK\x05\x06", "an empty zip archive"),
    (
        b"7z\xbc\xaf\x27\x1c",
        "a 7z archive: unpack it (`7z x`) and give the files in it",
    ),
    (
        b"Rar!\x1a\x07",
        "a rar archive: unpack it and give the files in it",
    ),
    (
        b"ARROW1\0\0",
        "an Arrow IPC (Feather) file, which is read of trades, quotes, books and bars, without a further compression \
         around it: write records as Parquet (`pyarrow.feather.read_table(…)`, `pyarrow.parquet.write_table(…)`)",
    ),
    (
        b"\xff\xff\xff\xff",
        "a stream of Arrow IPC, which is read of trades, quotes, books and bars, without a further compression around \
         it: write records as Parquet (`pyarrow.ipc.open_stream(…)`, `pyarrow.parquet.write_table(…)`)",
    ),
    (
        b"Obj\x01",
        "an Avro file, which is not read: write its records as JSON lines",
    ),
    (
        b"SQLite format 3\0",
        "an SQLite database, which is not read: export the table as CSV (`sqlite3 -csv -header`)",
    ),
    (
        b"\x89HDF\r\n\x1a\n",
        "an HDF5 file, which is not read: write it as Parquet (`pandas.read_hdf(…).to_parquet(…)`)",
    ),
    (
        b"\x93NUMPY",
        "a NumPy array, which is not read: write it as Parquet or CSV with named columns",
    ),
    (b"\x80\x04\x95", PICKLE),
    (b"\x80\x05\x95", PICKLE),
    (b"\xd4\xc3\xb2\xa1", PCAP),
    (b"\xa1\xb2\xc3\xd4", PCAP),
    (b"\x4d\x3c\xb2\xa1", PCAP),
    (b"\xa1\xb2\x3c\x4d", PCAP),
    (b"\x0a\x0d\x0d\x0a", PCAP),
    (b"\x7fELF", "a program (ELF); check the path"),
    (b"%PDF-", "a PDF document; check the path"),
    (b"\x89PNG\r\n", "a PNG image; check the path"),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Excel workbook: save the sheet as CSV",
    ),
    (
        b"version https://git-lfs",
        "a Git LFS pointer, which stands for the file: fetch the content (`git lfs pull`)",
    ),
    (b"<!DOCTYPE", MARKUP),
    (b"<!doctype", MARKUP),
    (b"<html", MARKUP),
    (b"<?xml", MARKUP),
    (b"\xff\xfe", WIDE_TEXT),
    (b"\xfe\xff", WIDE_TEXT),
    (b"\0\0\xfe\xff", WIDE_TEXT),
];

/// The same, for marks with which text may begin, such as the name of a column (`ORCID`): a file of these
/// formats has other bytes behind them.
const BY_LETTERS: &[(&[u8], &str)] = &[
    (
        b"LZIP",
        "compressed with lzip, which is not read: decompress it (`lzip -d`), or compress it with zstd or gzip",
    ),
    (
        b"PAR1",
        "a Parquet file: give it a name that ends in .parquet, without a further compression around it",
    ),
    (
        b"PARE",
        "an encrypted Parquet file, which is not read: write it without encryption",
    ),
    (
        b"FEA1",
        "a Feather file of version 1, which is not read: write it as Parquet",
    ),
    (
        b"ORC",
        "an ORC file, which is not read: write it as Parquet (`pyarrow.orc.read_table(…)`)",
    ),
    (
        b"DBN",
        "a Databento DBN file, which is read from a disk, for pipelines of a market",
    ),
];

const PICKLE: &str = "a Python pickle, which is not read: write it as Parquet (`pandas.read_pickle(…).to_parquet(…)`)";
const PCAP: &str = "a capture of network packets (pcap), which is not read: write the messages in it as JSON lines";
const MARKUP: &str = "HTML or XML, perhaps the page of a failed download; check the path and where the file came from";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_named_by_their_first_bytes() {
        for (head, word) in [
            (&b"\xfd7zXZ\0\0\x04"[..], "xz"),
            (b"BZh91AY&SY", "bzip2"),
            (b"PAR1\x15\x04", "Parquet"),
            (b"PK\x03\x04\x14\0", "zip"),
            (b"DBN\x02", "DBN"),
            (b"PARE\x15\x02", "encrypted"),
            (b"ORC\x00\x01", "ORC"),
            (b"LZIP\x01", "lzip"),
            (b"BZh9\x17rE8P\x90", "bzip2"),
            (b"SQLite format 3\0", "SQLite"),
            (b"\xff\xfe{\0\"\0", "UTF-16"),
            (b"{\0\"\0t\0", "UTF-16"),
            (b"\0{\0\"\0t", "UTF-16"),
            (b"\x0a\x0d\x0d\x0a\x1c\0", "pcap"),
        ] {
            let said = foreign_format(head).unwrap_or("nothing");
            assert!(said.contains(word), "{word}: {said}");
        }
        let mut tar = vec![b'x'; 257];
        tar.extend(b"ustar\0");
        assert!(foreign_format(&tar).is_some_and(|said| said.contains("tar")));
    }

    #[test]
    fn text_is_not_foreign() {
        for head in [
            &b"{\"ts_event\":1}"[..],
            b"1723161253937085768 {\"a\":1}",
            b"cik,fyear\n",
            b"DB,price\n",
            b"PARENT,price\nA,1\n",
            b"ORCID;name\r\n1;Stra\xdfe\r\n",
            b"DBNAME\tprice\n",
            b"BZhandel,price\n",
            b"BZh9,price\n",
            b"LZIPS,price\n",
            b"PAR1,FEA1\n",
            b"\xef\xbb\xbf{}",
            b"\r\n{}",
            b"",
            b"\0",
        ] {
            assert_eq!(foreign_format(head), None, "{head:?}");
        }
    }
}
