//! Which codecs of Parquet are read.

use std::io;

use parquet::basic::CompressionCodec;
use parquet::file::metadata::ParquetMetaData;

/// Refuses a file whose columns are compressed by a codec that is not built in.
pub(super) fn check_codecs(metadata: &ParquetMetaData) -> io::Result<()> {
    let groups = metadata.row_groups().iter();
    let mut columns = groups.flat_map(|group| group.columns());
    let codec = columns.find_map(|column| match column.compression_codec() {
        CompressionCodec::LZO => Some("LZO"),
        CompressionCodec::BROTLI => Some("Brotli"),
        CompressionCodec::UNCOMPRESSED
        | CompressionCodec::SNAPPY
        | CompressionCodec::GZIP
        | CompressionCodec::LZ4
        | CompressionCodec::LZ4_RAW
        | CompressionCodec::ZSTD => None,
    });
    let Some(codec) = codec else {
        return Ok(());
    };
    Err(io::Error::other(format!(
        "it is compressed with {codec}, which is not read; write it with snappy, gzip, zstd or lz4 (pandas: \
         `to_parquet(…, compression=\"zstd\")`)"
    )))
}
