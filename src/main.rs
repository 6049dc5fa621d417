//! The command line: words to calls, errors to exit codes. The only user of `anyhow`.
//!
//! Exit codes: 0 done; 1 it ran and found a difference or a failure; 2 wrong use.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use foretick::config::ConfigError;
use foretick::pipeline::Pipeline;
use foretick::units::Nanos;
use foretick::{diff, export, inspect, label, replay};

/// Market data, news and credit events in, model signals out: live, replayed or backtested by one path.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Exit codes: 0 done, 1 a difference or a failure, 2 wrong use."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Replay captures through a pipeline: the same signals as live, and their digest.
    Replay(Replay),
    /// Export the rows that the engine would score, with labels and splits, to Parquet.
    Features(Features),
    /// Validate a pipeline against its model without running it.
    Check(Check),
    /// Show what a capture holds, what is missing, and whether the book agrees with the quotes.
    Inspect(Inspect),
    /// Compare two files of signals.
    Diff(Diff),
}

/// A pipeline and changes to its configuration.
#[derive(Args)]
struct Which {
    /// The pipeline's folder, or its pipeline.toml.
    pipeline: PathBuf,
    /// Changes one key of the configuration: engine.shards=2. May be given often.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

#[derive(Args)]
struct Replay {
    #[command(flatten)]
    which: Which,
    /// Captures, plain, gzip or zstd; several are merged by receive time.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    input: Vec<PathBuf>,
    /// Where signals go: JSON lines, Parquet where the name ends in .parquet, - for standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where unreadable frames go, as JSON lines. Without it they are dropped and counted.
    #[arg(long, value_name = "FILE")]
    dead_letters: Option<PathBuf>,
    /// Only signals of events from this time on (RFC 3339 or nanoseconds); earlier frames warm up.
    #[arg(long, value_name = "TIME", value_parser = label::parse_time)]
    from: Option<Nanos>,
    /// Only signals of events before this time.
    #[arg(long, value_name = "TIME", value_parser = label::parse_time)]
    to: Option<Nanos>,
    /// max, or a multiple of the recording's speed: 1x, 10x.
    #[arg(long, default_value = "max", value_parser = parse_speed)]
    speed: Speed,
    /// The summary as one JSON object.
    #[arg(long)]
    json: bool,
}

/// As fast as possible, or a multiple of the recording's speed.
#[derive(Clone, Copy)]
struct Speed(Option<f64>);

#[derive(Args)]
struct Features {
    #[command(flatten)]
    which: Which,
    /// Captures, plain, gzip or zstd; several are merged by receive time.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    input: Vec<PathBuf>,
    /// The Parquet file.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// The summary as one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Check {
    #[command(flatten)]
    which: Which,
    /// What was found as one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Inspect {
    /// Captures, plain, gzip or zstd; several are merged by receive time.
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
    /// Frames over this size are refused, in bytes.
    #[arg(long, default_value_t = 16 << 20, value_name = "BYTES")]
    max_frame_bytes: usize,
    /// The report as one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Diff {
    /// Signals as JSON lines.
    left: PathBuf,
    /// Signals as JSON lines.
    right: PathBuf,
    /// Compare clock readings and frame addresses too.
    #[arg(long)]
    all_fields: bool,
    /// Numbers may differ by this much.
    #[arg(long, default_value_t = 0.0, value_name = "NUMBER")]
    tolerance: f64,
    /// The report as one JSON object.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("foretick: {error:#}");
            // An unreadable configuration is wrong use; anything else failed on the way.
            let wrong_use = error.chain().any(|cause| cause.is::<ConfigError>());
            ExitCode::from(if wrong_use { 2 } else { 1 })
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Replay(args) => {
            let pipeline = Pipeline::load(&args.which.pipeline, &args.which.set)?;
            let to_stdout = args
                .output
                .as_deref()
                .is_some_and(|path| path.as_os_str() == "-");
            anyhow::ensure!(
                !(to_stdout && args.json),
                "--json and --output - both want standard output"
            );
            let options = replay::Options {
                inputs: args.input,
                output: args.output,
                dead_letters: args.dead_letters,
                from: args.from,
                to: args.to,
                speed: args.speed.0,
            };
            let summary = replay::replay(&pipeline, &options)?;
            if to_stdout {
                eprint!("{summary}");
            } else {
                print(&summary, args.json)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Features(args) => {
            let pipeline = Pipeline::load(&args.which.pipeline, &args.which.set)?;
            let exported = export::export(&pipeline, &args.input, &args.output)?;
            if args.json {
                println!("{}", serde_json::to_string(&exported)?);
            } else {
                println!("{exported:#?}");
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Check(args) => {
            let pipeline = Pipeline::load(&args.which.pipeline, &args.which.set)?;
            let loaded = pipeline.load_model()?;
            println!("{:#?}", loaded.contract);
            Ok(ExitCode::SUCCESS)
        }
        Command::Inspect(args) => {
            let report = inspect::inspect(&args.captures, args.max_frame_bytes)?;
            print(&report, args.json)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Diff(args) => {
            let options = diff::Options {
                all_fields: args.all_fields,
                tolerance: args.tolerance,
            };
            let report = diff::diff(&args.left, &args.right, options)?;
            print(&report, args.json)?;
            Ok(if report.equal {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(1)
            })
        }
    }
}

fn print<T: serde::Serialize + std::fmt::Display>(report: &T, json: bool) -> anyhow::Result<()> {
    if json {
        println!(
            "{}",
            serde_json::to_string(report).context("while writing the summary")?
        );
    } else {
        print!("{report}");
    }
    Ok(())
}

fn parse_speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed(None));
    }
    match text.strip_suffix('x').unwrap_or(text).parse::<f64>() {
        Ok(speed) if speed > 0.0 && speed.is_finite() => Ok(Speed(Some(speed))),
        _ => Err("write max, 1x, or another multiple such as 10x".into()),
    }
}
