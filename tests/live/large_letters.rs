//! `foretick run` over records that are larger than the topic of dead letters takes, on a real Kafka.

use rdkafka::message::Message;

use super::kafka::{new_frames, run, summary};
use super::topics::{Topics, headers};
use crate::given::{self, Folder};
use crate::needs;

const LARGE: usize = 3_000_000;

#[test]
fn a_record_larger_than_the_topic_of_dead_letters_takes_is_cut() {
    let Some(bootstrap) =
        needs::kafka("a_record_larger_than_the_topic_of_dead_letters_takes_is_cut")
    else {
        return;
    };
    let folder = Folder::new("live-large-letters");
    let pipeline = folder.write("pipeline.toml", given::SMALL);
    let text = given::capture(83, 2, &["BTCUSDT"]);
    let large = "x".repeat(LARGE);
    let mut lines: Vec<&str> = text.lines().collect();
    lines.insert(5, &large);
    let mut topics = Topics::new(bootstrap, "large-letters");
    let input = topics.make("in", 1);
    topics.limit(&input, 2 * LARGE);
    topics.fill(&input, lines.iter().copied());
    // The limit of the topic, and the payload that it is left with: none where it takes no letter at all.
    let cases = [
        (1 << 20, Some(900_000..1_000_000)),
        (200_000, Some(1 << 16..(1 << 16) + 1)),
        (10_000, Some(0..1)),
        (100, None),
    ];
    for (at, (limit, left)) in cases.into_iter().enumerate() {
        let [output, dead] = ["out", "dead"].map(|name| topics.make(&format!("{name}-{at}"), 1));
        topics.limit(&dead, limit);
        let set = [
            format!("sink.dead_letters={dead:?}"),
            format!("kafka.group={:?}", topics.name(&at.to_string())),
        ];
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let ran = run(&pipeline, &topics, &input, &output, &set);
        let live = summary(&ran);
        assert_eq!(live["frames"]["dead_lettered"], 1, "{live}");
        assert_eq!(live["frames"]["in"], lines.len(), "{live}");
        let again = summary(&run(&pipeline, &topics, &input, &output, &set));
        assert_eq!(new_frames(&again), 0, "the partition went on");
        let Some(left) = left else {
            assert!(
                ran.stderr.contains("a dead letter was refused"),
                "{}",
                ran.stderr
            );
            continue;
        };
        let letters = topics.read(&dead);
        assert_eq!(letters.len(), 1, "limit {limit}");
        let kept = letters[0].payload().unwrap_or_default();
        assert!(left.contains(&kept.len()), "{} of {limit}", kept.len());
        assert_eq!(kept, &large.as_bytes()[..kept.len()]);
        let headers = headers(&letters[0]);
        assert_eq!(headers["source_topic"], input);
        assert_eq!(headers["source_offset"], "5");
        assert_eq!(headers["payload_cut"], "true");
        assert_eq!(headers["payload_bytes"], LARGE.to_string());
        assert_eq!(headers["payload_sha256"].len(), 64);
        super::kafka::assert_valid(&headers);
    }
}
