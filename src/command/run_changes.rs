//! The changes to the configuration that options of `run` stand for.

use super::arguments::RunArguments;

impl RunArguments {
    /// The options as `--set` takes them, behind those of `--set`.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        let mut changes = self.set.clone();
        if let Some(output) = &self.output {
            let kind = if output.as_os_str() == "-" {
                "stdout"
            } else {
                "file"
            };
            changes.push(format!("sink.kind={kind}"));
            changes.push(format!("sink.file={}", output.display()));
        }
        let files = [
            ("dead_letters", &self.dead_letters),
            ("alerts", &self.alerts),
            ("gaps", &self.gaps),
        ];
        for (key, file) in files {
            changes.extend(
                file.iter()
                    .map(|file| format!("sink.{key}={}", file.display())),
            );
        }
        changes
    }
}
