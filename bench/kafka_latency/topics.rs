//! The topics of a measurement: each has new ones.

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

/// Creates two topics of one partition, for the load and for the answers. The broker stamps the answers as it
/// takes them.
pub(crate) fn create(bootstrap: &str, name: &str) -> [String; 2] {
    let topics = ["in", "out"].map(|end| format!("bench.{name}.{}.{end}", std::process::id()));
    let config =
        foretick::kafka::client_config(bootstrap, &[], &foretick::kafka::Properties::new());
    let client: AdminClient<DefaultClientContext> = config
        .expect("no property was given")
        .create()
        .expect("librdkafka takes the settings");
    let [input, output] = topics
        .each_ref()
        .map(|name| NewTopic::new(name, 1, TopicReplication::Fixed(1)));
    let output = output.set("message.timestamp.type", "LogAppendTime");
    let new = [input, output];
    let created = client.create_topics(&new, &AdminOptions::new());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let created = runtime.expect("a runtime of one thread").block_on(created);
    for topic in created.expect("the broker at KAFKA_BOOTSTRAP answers") {
        topic.expect("the topic is new");
    }
    topics
}
