//! A broker of a test's own, which may be killed, paused and started again, and whose clients may be reached
//! through a proxy.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use foretick::kafka::{Properties, client_config};
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::given::{self, Folder, PATIENCE};
use crate::needs;
use crate::proxy::Proxy;

/// A broker: the one that all tests share, or an own one.
pub(crate) struct Broker {
    /// Where the test itself connects.
    pub(crate) address: String,
    /// Where engines connect.
    pub(crate) engines: String,
    pub(crate) proxy: Option<Arc<Proxy>>,
    own: Option<Own>,
}

struct Own {
    folder: Folder,
    proxied: String,
}

impl Broker {
    /// The one that `KAFKA_BOOTSTRAP` names.
    pub(crate) fn shared(test: &str) -> Option<Self> {
        let address = needs::kafka(test)?;
        Some(Self {
            engines: address.clone(),
            address,
            proxy: None,
            own: None,
        })
    }

    /// Starts one, with a proxy before it.
    pub(crate) fn start(test: &str) -> Option<Self> {
        let jars = std::env::var_os("KAFKA_JARS").map(PathBuf::from);
        let jars = jars.unwrap_or_else(|| given::repository(".kafka/jars-4.3.1"));
        if !jars.join("complete").is_file() {
            needs::skip(test, "kafka jars", "KAFKA_JARS names no folder of jars");
            return None;
        }
        let proxy = Proxy::listen();
        let folder = Folder::new(&format!("broker-{test}"));
        let own = Own {
            folder,
            proxied: proxy.address.clone(),
        };
        let address = own.script("start");
        let inner = std::fs::read_to_string(own.data().join("proxied"));
        proxy.serve(inner.expect("kafka.sh has written it").trim().to_owned());
        Some(Self {
            address,
            engines: proxy.address.clone(),
            proxy: Some(proxy),
            own: Some(own),
        })
    }

    /// SIGKILL.
    pub(crate) fn kill(&self) {
        self.own().script("kill");
    }

    /// Starts it again after a kill, or where it has ended by itself: on a busy machine its controller may
    /// not get its time.
    pub(crate) fn restart(&self) {
        let started = (0..5).find_map(|_| self.own().tried("start"));
        assert_eq!(started.as_ref(), Some(&self.address));
        // Its port is open before it serves.
        let config = client_config(&self.address, &[], &Properties::new());
        let client = config.expect("no property is refused").create();
        let client: BaseConsumer = client.expect("a consumer can be made");
        let answer = client.fetch_metadata(None, PATIENCE);
        assert!(!answer.expect("it serves").topics().is_empty());
    }

    /// SIGSTOP, or SIGCONT.
    pub(crate) fn signal(&self, name: &str) {
        let pid = std::fs::read_to_string(self.own().data().join("pid"));
        signal(name, pid.expect("it runs").trim());
    }

    fn own(&self) -> &Own {
        self.own
            .as_ref()
            .expect("faults of a broker need an own one")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(own) = &self.own {
            own.script("clean");
        }
    }
}

impl Own {
    fn data(&self) -> PathBuf {
        self.folder.path("kafka")
    }

    fn script(&self, what: &str) -> String {
        self.tried(what).unwrap_or_else(|| {
            let log = self.data().join("kafka.log");
            panic!("kafka.sh {what}: see {}", log.display())
        })
    }

    fn tried(&self, what: &str) -> Option<String> {
        // The broker outlives the script, and would hold a pipe: its answer goes through a file.
        let answer = self.folder.path("answer");
        let out = std::fs::File::create(&answer).expect("a test's folder takes files");
        let status = Command::new(given::repository("tests/kafka.sh"))
            .arg(what)
            .env("KAFKA_DATA", self.data())
            .env("KAFKA_PROXIED", &self.proxied)
            .env("KAFKA_HEAP", "-Xms128m -Xmx384m")
            .stdout(out)
            .status();
        let is_done = status.expect("there is a bash").success();
        is_done.then(|| read_line(&answer))
    }
}

fn read_line(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("the file was written before");
    text.trim().to_owned()
}

/// Sends a signal to a process.
pub(crate) fn signal(name: &str, pid: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), pid])
        .status();
    assert!(
        sent.expect("there is a kill").success(),
        "kill -{name} {pid}"
    );
}
