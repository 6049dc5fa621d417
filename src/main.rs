//! Executes the command line, and turns errors into exit codes. The only user of `anyhow`.
//!
//! Exit codes: 0 done; 1 a difference, an input that could not be read, or a failure, also of one pipeline
//! among several; 2 a usage or configuration error.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Parser;
use foretick::command::backtest::{BacktestOptions, SweepError, backtest};
use foretick::command::convert::ConvertFault;
use foretick::command::inputs::{RepeatedInput, check_inputs};
use foretick::command::outputs::{OutputContent, OutputError, check_outputs, outputs_of};
use foretick::command::record::RecordOptions;
use foretick::command::run_files::{check_sink, read_by};
use foretick::command::simulate::write_capture_file;
use foretick::command::stop_signals::stop_on_signal;
use foretick::command::venues::VenueList;
use foretick::command::{
    bench, check, convert, demo, diff, evaluate, explain, export, inspect, leakage, log, reconcile,
    record, state,
};
use foretick::config::{ConfigError, PipelineFile, SinkKind};
use foretick::kafka::Properties;
use foretick::model::onnx;
use foretick::pipeline::Pipeline;
use foretick::run::budget::{self, BudgetError, ResourceLimits};
use foretick::run::live::{self, RunOptions, RunOutcome};
use foretick::run::replay;
use foretick::run::replay::ReplayOptions;
use foretick::run::summary::PipelineOutcomes;
use foretick::run::supervisor;
use foretick::run::supervisor::LoadErrors;
use foretick::simulate;
use foretick::source::capture::{CaptureNameError, CaptureSettings};
use foretick::source::input_paths::{InputPathError, expanded};
use foretick::units::Nanos;

use foretick::command::arguments::{
    BacktestArguments, Cli, Command, ReplayArguments, RunArguments, SimulateArguments,
};

fn main() -> ExitCode {
    disable_telemetry();
    let cli = Cli::parse();
    log::start(cli.log);
    foretick::source::open_files::raise_limit();
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("foretick: {}", chain(&error));
            let is_usage_error = error.chain().any(|cause| {
                let window = cause
                    .downcast_ref()
                    .is_some_and(bench::BenchError::is_usage_error);
                let refused = cause.downcast_ref().is_some_and(LoadErrors::is_wrong_use);
                let config = cause.is::<ConfigError>()
                    || cause.is::<BudgetError>()
                    || cause.is::<SweepError>();
                let files = cause.is::<OutputError>()
                    || cause.is::<RepeatedInput>()
                    || cause.is::<CaptureNameError>()
                    || cause.is::<InputPathError>()
                    || cause.is::<ConvertFault>()
                    || matches!(
                        cause.downcast_ref(),
                        Some(leakage::LeakageError::Columns(_))
                    );
                window || refused || config || files || cause.is::<Usage>()
            });
            ExitCode::from(if is_usage_error { 2 } else { 1 })
        }
    }
}

/// Disables the telemetry of ONNX Runtime, unless the user has set its variable. Its published builds report
/// each process and model to their maker, and keep a database in the user's cache folder. Only an environment
/// variable prevents that: the API takes effect after the first report.
#[allow(unsafe_code)]
fn disable_telemetry() {
    if std::env::var_os(onnx::library::NO_TELEMETRY).is_none() {
        // SAFETY: this is the first statement of `main`, so no other thread reads or writes the environment.
        unsafe { std::env::set_var(onnx::library::NO_TELEMETRY, "1") };
    }
}

/// An error for two options that cannot be used together, where clap cannot check it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(&'static str);

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(args) => run_live(args),
        Command::Replay(args) => run_replay(args),
        Command::Backtest(args) => run_backtest(&args),
        Command::Features(args) => {
            check_span(args.span.from, args.span.to)?;
            let pipeline = Pipeline::load(&args.which.pipeline, &args.which.set)?;
            let pipeline = args.span.of(pipeline);
            let inputs = expanded(&args.input)?;
            check_inputs("--input", &inputs)?;
            let outputs =
                outputs_of([("--output", Some(args.output.clone()), OutputContent::Rows)]);
            check_outputs(&outputs, &read_by(&inputs, &pipeline), args.force)?;
            let exported = export::export(&pipeline, &inputs, &args.output)?;
            let set = leakage::examine(&args.output, exported)?;
            print(&set, args.json)?;
            let (exported, percent) = (set.summary, args.max_unread.percent);
            exported.readability.check(&exported.frames, percent)?;
            exported.check_rows()?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Evaluate(args) => {
            check_span(args.from, args.to)?;
            let pipeline = Pipeline::load(&args.which.pipeline, &args.which.set)?;
            let inputs = expanded(&args.input)?;
            check_inputs("--input", &inputs)?;
            check_inputs("--signals", &args.signals)?;
            let (json, percent) = (args.json, args.max_unread.percent);
            let report = evaluate::evaluate(&pipeline, &args.options(inputs))?;
            print(&report, json)?;
            report.check_read(percent)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Check(args) => {
            let pipeline = args.pipeline()?;
            if let Some(dataset) = &args.leakage {
                let report = leakage::check(dataset, &args.columns.options(pipeline.as_ref()))?;
                print(&report, args.json)?;
                return Ok(ExitCode::from(u8::from(!report.is_clean())));
            }
            let pipeline = pipeline.ok_or(Usage("name a pipeline, or a set with --leakage"))?;
            let report = check::check(&pipeline, !args.offline)?;
            print(&report, args.json).map(|()| ExitCode::from(u8::from(!report.ok)))
        }
        Command::Bench(args) => {
            let outputs = outputs_of([("--output", args.output.clone(), OutputContent::Scores)]);
            let inputs = args.rows.iter().chain([&args.model]);
            let inputs: Vec<&Path> = inputs.map(PathBuf::as_path).collect();
            check_outputs(&outputs, &inputs, args.force)?;
            let report = bench::bench(&bench::BenchOptions {
                model: args.model,
                steps: args.window,
                stride: args.stride as u64,
                instruments: args.instruments,
                rows: args.rows,
                output: args.output,
                fresh: args.fresh,
                time: Duration::from_secs(args.seconds),
            })?;
            print(&report, args.json)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Inspect(args) => {
            let captures = expanded(&args.captures)?;
            check_inputs("the capture", &captures)?;
            check_span(args.from, args.to)?;
            let described = Pipeline::described(args.pipeline.as_deref(), &[])?;
            let venues = described.venues.clone();
            let files = args.files(described);
            let report = inspect::inspect(&captures, &files, venues)?;
            print(&report, args.json)?;
            let percent = args.max_unread.percent;
            report.readability.check(&report.account, percent)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Convert(args) => {
            let options = convert::ConvertOptions::of(&args)?;
            let converted = convert::convert(&options)?;
            match convert::is_stdout(&args.output) {
                true => eprint!("{converted}"),
                false => print(&converted, args.json)?,
            }
            let percent = args.max_unread.percent;
            converted.readability.check(&converted.frames, percent)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Record(args) => {
            let pipeline = Pipeline::load_to_record(&args.which.pipeline, &args.which.set)?;
            let options = RecordOptions::of(&args)?;
            let replaced = options.capture.as_ref();
            let replaced = replaced.and_then(CaptureSettings::replaced);
            let outputs = outputs_of([("--output", replaced, OutputContent::Capture)]);
            check_outputs(&outputs, &read_by(&[], &pipeline), args.force)?;
            let written = record::record(
                &pipeline,
                &options,
                &stop_on_signal().context("while listening for signals to stop")?,
            )?;
            write_stdout(&written.to_string())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Venues(args) => {
            print(&VenueList::registered(), args.json)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Diff(args) => {
            let options = diff::DiffOptions {
                all_fields: args.all_fields,
                tolerance: args.tolerance,
            };
            let report = diff::diff(&args.left, &args.right, options)?;
            print(&report, args.json)?;
            Ok(ExitCode::from(u8::from(!report.equal)))
        }
        Command::Reconcile(args) => {
            let properties = match &args.pipeline {
                Some(path) => PipelineFile::load(path, &[])?.0.kafka.properties,
                None => Properties::new(),
            };
            let json = args.json;
            let report = reconcile::reconcile(&args.options(properties))?;
            print(&report, json)?;
            Ok(ExitCode::from(u8::from(!report.is_equal())))
        }
        Command::Explain(mut args) => {
            let what = "name the signal: SIGNAL_ID, or --instrument and --at";
            let wanted = args.wanted().ok_or(Usage(what))?;
            let pipeline = Pipeline::load(&args.which.pipeline, &args.which.set)?;
            check_inputs("--input", &args.input)?;
            print(
                &explain::explain(&pipeline, &args.input, &wanted)?,
                args.json,
            )?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Demo(args) => {
            let duration = args.seconds.map(Duration::from_secs);
            let settings = demo::DemoSettings {
                duration,
                seed: args.seed,
                overrides: args.set,
            };
            let outcomes = demo::demo(
                &settings,
                &stop_on_signal().context("while listening for signals to stop")?,
            )?;
            print(&outcomes, args.json)?;
            Ok(ExitCode::from(u8::from(outcomes.failed())))
        }
        Command::State(args) => {
            let (files, detail) = args.command.split();
            let report = state::state(&files.paths, detail)?;
            print(&report, files.json)?;
            Ok(ExitCode::from(u8::from(!report.ok)))
        }
        Command::Simulate(args) => run_simulate(args),
    }
}

fn run_live(args: RunArguments) -> anyhow::Result<ExitCode> {
    let changes = args.changes();
    let options = RunOptions {
        until_end: args.until_end,
        duration: args.seconds.map(Duration::from_secs),
        capture: args
            .capture
            .as_deref()
            .map(CaptureSettings::new)
            .transpose()?,
    };
    let limits = ResourceLimits {
        threads: args.max_threads,
        bytes: args.max_memory,
    };
    if args.pipelines.len() > 1 {
        ensure!(
            args.output.is_none() && options.capture.is_none(),
            Usage(
                "--output and --capture are for one pipeline; write --set NAME:sink.kind=file for a sink"
            )
        );
        return run_several(&args, &changes, &options, &limits);
    }
    let path = &args.pipelines[0];
    let (file, ..) = PipelineFile::load(path, &[])?;
    supervisor::check_override_names(&changes, &[&file.name])?;
    let mut pipeline = Pipeline::load(path, &supervisor::overrides_of(&file.name, &changes))?;
    let streams = pipeline.stream_names()?;
    let mut loaded = pipeline.load_model()?;
    loaded.lineage.streams = streams;
    let plan = budget::ResourcePlan::of([(&pipeline, &loaded)]);
    plan.check(&limits)?;
    plan.log();
    let to_stdout = pipeline.file.sink.kind == SinkKind::Stdout;
    ensure!(
        !(to_stdout && args.json),
        Usage("--json and the sink both write to standard output; leave out one of them")
    );
    check_sink(&pipeline, options.capture.as_ref(), args.force)?;
    let stop = stop_on_signal().context("while listening for signals to stop")?;
    pipeline.sinks.patience = stop.patience(options.duration);
    let mut first = pipeline.clone();
    first.sinks.existing = args.force.into();
    // A run that begins again goes on with its own files.
    let mut opened = Some(first);
    let open = || {
        let pipeline = opened.take().unwrap_or_else(|| pipeline.clone());
        Some(pipeline.open_sink(&loaded.lineage))
    };
    let ended = live::run_into(&pipeline, &loaded, open, &options, &stop)?;
    if to_stdout {
        eprint!("{}", ended.summary);
        return ended
            .failure
            .map_or(Ok(ExitCode::SUCCESS), |failure| Err(failure.into()));
    }
    finish(ended, args.json)
}

fn run_several(
    args: &RunArguments,
    set: &[String],
    options: &RunOptions,
    limits: &ResourceLimits,
) -> anyhow::Result<ExitCode> {
    let mut members = supervisor::load_all(&args.pipelines, set)?;
    for member in &mut members {
        check_sink(member.pipeline(), None, args.force)?;
        member.replace_files(args.force);
    }
    let to_stdout = members
        .iter()
        .any(|member| member.pipeline().file.sink.kind == SinkKind::Stdout);
    ensure!(
        !(to_stdout && args.json),
        Usage("--json and a sink both write to standard output; leave out one of them")
    );
    let stop = stop_on_signal().context("while listening for signals to stop")?;
    let outcomes = PipelineOutcomes::from(supervisor::run(members, options, limits, &stop)?);
    if to_stdout {
        eprint!("{outcomes}");
    } else {
        print(&outcomes, args.json)?;
    }
    Ok(ExitCode::from(u8::from(outcomes.failed())))
}

fn run_replay(args: ReplayArguments) -> anyhow::Result<ExitCode> {
    let pipeline = Pipeline::load(&args.which.pipeline, &args.changes())?;
    let to_stdout = args
        .output
        .as_deref()
        .is_some_and(|path| path.as_os_str() == "-");
    ensure!(
        !(to_stdout && args.json),
        Usage("--json and --output - both write to standard output; leave out one of them")
    );
    check_span(args.from, args.to)?;
    let inputs = expanded(&args.input)?;
    check_inputs("--input", &inputs)?;
    let outputs = outputs_of([
        ("--output", args.output.clone(), OutputContent::Signals),
        (
            "--dead-letters",
            args.dead_letters.clone(),
            OutputContent::JsonLines,
        ),
        ("--alerts", args.alerts.clone(), OutputContent::JsonLines),
        ("--gaps", args.gaps.clone(), OutputContent::JsonLines),
    ]);
    check_outputs(&outputs, &read_by(&inputs, &pipeline), args.force)?;
    let options = ReplayOptions {
        inputs,
        output: args.output,
        dead_letters: args.dead_letters,
        alerts: args.alerts,
        gaps: args.gaps,
        from: args.from,
        warm_up: args.warm_up,
        to: args.to,
        reads_on: false,
        speed: args.speed.0,
    };
    let summary = replay::replay(&pipeline, &options)?;
    if to_stdout {
        eprint!("{summary}");
    } else {
        print(&summary, args.json)?;
    }
    if summary.frames.received == 0 {
        summary.span.check()?;
    }
    let percent = args.max_unread.percent;
    summary.readability.check(&summary.frames, percent)?;
    summary.span.check()?;
    let why = summary.readability.lack_of_time();
    if let Some(why) = why.or_else(|| summary.lack_of_signals()) {
        eprintln!("foretick: {why}");
    }
    Ok(ExitCode::SUCCESS)
}

fn run_backtest(args: &BacktestArguments) -> anyhow::Result<ExitCode> {
    let pipeline = Pipeline::load(&args.which.pipeline, &args.which.set)?;
    check_span(args.from, args.to)?;
    let inputs = expanded(&args.input)?;
    check_inputs("--input", &inputs)?;
    let options = BacktestOptions {
        inputs,
        ..BacktestOptions::from(args)
    };
    let read = read_by(&options.inputs, &pipeline);
    check_outputs(&options.outputs(), &read, args.force)?;
    let report = backtest(&pipeline, &options)?;
    print(&report, args.json)?;
    report.check(&options, args.max_unread.percent)?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses a span of time that is empty.
fn check_span(from: Option<Nanos>, to: Option<Nanos>) -> anyhow::Result<()> {
    let is_span = from.zip(to).is_none_or(|(from, to)| from < to);
    ensure!(
        is_span,
        Usage("nothing lies between --from and --to; write the earlier time under --from")
    );
    Ok(())
}

fn run_simulate(args: SimulateArguments) -> anyhow::Result<ExitCode> {
    let mut settings = simulate::MarketSettings {
        seed: args.seed,
        ..simulate::MarketSettings::default()
    };
    if !args.symbols.is_empty() {
        settings
            .instruments
            .retain(|listing| args.symbols.contains(&listing.symbol));
        ensure!(
            settings.instruments.len() == args.symbols.len(),
            Usage("--symbols: the simulated exchange lists BTCUSDT, ETHUSDT, BNBUSDT and SOLUSDT")
        );
    }
    let duration = args.seconds.map(Duration::from_secs);
    if let (Some(output), Some(duration)) = (&args.output, duration) {
        let outputs = outputs_of([("--output", Some(output.clone()), OutputContent::Capture)]);
        check_outputs(&outputs, &[], args.force)?;
        write_capture_file(&settings, duration, output)
            .with_context(|| format!("while writing the capture {}", output.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let stop = stop_on_signal().context("while listening for signals to stop")?;
    let runtime = tokio::runtime::Runtime::new().context("while starting the exchange")?;
    let exchange = runtime.block_on(simulate::Exchange::start(settings, args.listen))?;
    write_stdout(&format!(
        "ws://{0}/stream?streams=btcusdt@trade  http://{0}/api/v3/depth?symbol=BTCUSDT\n",
        exchange.address
    ))?;
    let deadline = duration.map(|duration| foretick::clock::instant() + duration);
    while !stop.is_set() && deadline.is_none_or(|end| foretick::clock::instant() < end) {
        std::thread::sleep(Duration::from_millis(50));
    }
    runtime.block_on(exchange.stop());
    Ok(ExitCode::SUCCESS)
}

/// Prints the summary of a run, and returns its failure.
fn finish(ended: RunOutcome, json: bool) -> anyhow::Result<ExitCode> {
    print(&ended.summary, json)?;
    ended
        .failure
        .map_or(Ok(ExitCode::SUCCESS), |failure| Err(failure.into()))
}

/// An error with its causes, each once: the text of some errors contains that of their cause.
fn chain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

fn print<T: serde::Serialize + std::fmt::Display>(report: &T, json: bool) -> anyhow::Result<()> {
    if json {
        let text = serde_json::to_string(report).context("while writing the summary")?;
        write_stdout(&format!("{text}\n"))
    } else {
        write_stdout(&report.to_string())
    }
}

/// Writes to standard output. A full disk, or a reader that has gone, is an error like others.
fn write_stdout(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("while writing to standard output")
}
