//! Partitions that are added to a topic while the only instance of a group is away, but not for long.

use super::child::RunningProcess;
use super::topics::Topics;
use crate::given::{self, Folder};
use crate::needs;

#[test]
fn partitions_that_are_added_while_an_instance_starts_again_are_read() {
    let test = "partitions_that_are_added_while_an_instance_starts_again_are_read";
    let Some(bootstrap) = needs::kafka(test) else {
        return;
    };
    let folder = Folder::new("live-added");
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let mut topics = Topics::new(bootstrap, "added");
    let (input, output) = (topics.make("in", 1), topics.make("out", 1));
    let mut args = vec!["run".to_owned(), pipeline.display().to_string()];
    for set in [
        format!("source.topics=[{input:?}]"),
        "source.start=earliest".to_owned(),
        "source.tick_ms=0".to_owned(),
        "sink.kind=kafka".to_owned(),
        format!("sink.topic={output:?}"),
        format!("kafka.bootstrap={:?}", topics.bootstrap),
        format!("kafka.group={:?}", topics.name("group")),
        // A static member, whose partitions wait for it.
        "kafka.instance=a".to_owned(),
        "metrics.listen=\"\"".to_owned(),
    ] {
        args.extend(["--set".to_owned(), set]);
    }
    let mut first = RunningProcess::start(&args);
    assigned(&mut first, 1);
    assert_eq!(first.terminate(), Some(0), "{}", first.stderr());
    topics.grow(&input, 3);
    let mut second = RunningProcess::start(&args);
    assigned(&mut second, 3);
    assert_eq!(second.terminate(), Some(0), "{}", second.stderr());
}

fn assigned(run: &mut RunningProcess, partitions: usize) {
    run.wait_for("its partitions", |run| {
        let log = run.stderr();
        let told = format!("partitions were assigned count={partitions}");
        log.contains(&told).then_some(())
    });
}
