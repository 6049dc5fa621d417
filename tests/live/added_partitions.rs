//! Partitions that are added to a topic while the only instance of a group is away, but not for long.

use super::child::RunningProcess;
use super::frame_account::start;
use super::kafka::between;
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
    let mut set = between(&topics, &input, &output);
    // A static member, whose partitions wait for it.
    set.push("kafka.instance=a".to_owned());
    let mut first = start(&pipeline, &set);
    assigned(&mut first, 1);
    assert_eq!(first.terminate(), Some(0), "{}", first.stderr());
    topics.grow(&input, 3);
    let mut second = start(&pipeline, &set);
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
