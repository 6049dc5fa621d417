//! The reference page of the command line: what `--help` says.

use std::fmt::Write;

use clap::CommandFactory;
use foretick::command::arguments::Cli;

use crate::{heading, holds};

const INTRODUCTION: &str = "\
The text of `foretick --help` and of `foretick COMMAND --help`. [Exit codes](errors.md#exit-codes) are \
the same for all commands.
";

#[test]
fn the_command_line_page_is_the_help() {
    let mut text = heading("Command line", "the help texts of src/command/arguments.rs");
    text.push_str(INTRODUCTION);
    let mut cli = Cli::command();
    cli.build();
    write!(
        text,
        "\n## `foretick`\n\n```text\n{}\n```\n",
        clean(&cli.render_long_help().to_string())
    )
    .expect("text takes text");
    for command in cli.get_subcommands_mut() {
        let name = command.get_name().to_owned();
        if name == "help" {
            continue;
        }
        let help = command.render_long_help().to_string();
        write!(
            text,
            "\n## `foretick {name}`\n\n```text\n{}\n```\n",
            clean(&help)
        )
        .expect("text takes text");
    }
    holds("command-line", &text);
}

/// The help without blanks at the ends of lines.
fn clean(help: &str) -> String {
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    lines.join("\n")
}
