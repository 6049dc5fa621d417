//! Sources hand over frames: the bytes as received, when, and from where.
//!
//! `ts_recv` is stamped here and nowhere else. A source knows its transport, not what the bytes mean.

pub mod capture;
pub mod compression;
pub mod conflation;
mod event_time;
pub mod file;
mod file_content;
mod file_error;
mod file_lines;
mod file_options;
mod file_position;
mod file_session;
mod foreign;
pub mod history;
pub mod input_paths;
pub mod kafka;
mod merged_file;
pub mod open_files;
mod parquet_codecs;
pub mod partition_figures;
pub mod ring;
pub mod snapshot_requests;
mod span_end;
pub mod status;
pub mod table;
mod topic_inputs;
mod topic_lines;
pub mod turn;
pub mod websocket;
